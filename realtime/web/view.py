"""What the web server must know of the running program."""

from typing import Any, Protocol

from realtime.telemetry.snapshot import Snapshot

__all__ = ["StatusView"]


class StatusView(Protocol):
    """Read by the server in the event loop, about once a second for each viewer: cheap, never blocking."""

    def report(self) -> dict[str, Any]:
        """The report of `--report`, as the program stands now: version, source, frames, fps, age_ms, ...

        Three more keys, all optional, are for the page: `state` (the health word, as "LIVE"), `shown`
        (the `PictureKind` that the outputs show) and `reason` (why it is not the swapped picture).
        """
        ...

    @property
    def snapshot(self) -> Snapshot:
        """The figures that the report is made of."""
        ...

    def ready(self) -> bool:
        """True when the models are loaded and the source has given a picture: viewers are let in."""
        ...

    def status_line(self) -> str:
        """One line for people."""
        ...
