"""A sink that remembers what it was handed, and fails when told to."""

import threading
from collections.abc import Callable

from realtime.errors import DeviceError
from realtime.frame import Picture
from realtime.sinks.base import StreamInfo

__all__ = ["RecordingSink"]


class RecordingSink:
    """Keeps every picture; waits for conditions instead of sleeping."""

    def __init__(
        self,
        name: str = "recording",
        cadence_fps: float | None = None,
        *,
        failed_openings: int = 0,
        on_publish: Callable[[Picture], None] | None = None,
    ) -> None:
        """`on_publish` is called before a picture is kept; it may block or raise."""
        self.name = name
        self.cadence_fps = cadence_fps
        self.pictures: list[Picture] = []
        self.openings = 0
        """Calls of `open`, the failed ones too."""
        self.closings = 0
        self.stream: StreamInfo | None = None
        self._failed_openings = failed_openings
        self._on_publish = on_publish
        self._condition = threading.Condition()

    def open(self, stream: StreamInfo) -> str:
        with self._condition:
            self.openings += 1
            self._condition.notify_all()
            if self._failed_openings > 0:
                self._failed_openings -= 1
                raise DeviceError("the recording sink does not open", "try again")
        self.stream = stream
        return f"a recording of {stream.width}x{stream.height}"

    def publish(self, picture: Picture) -> None:
        if self.stream is None:
            raise DeviceError("the recording sink is not open", "open it first")
        if self._on_publish is not None:
            self._on_publish(picture)
        with self._condition:
            self.pictures.append(picture)
            self._condition.notify_all()

    def close(self) -> None:
        with self._condition:
            self.closings += 1
            self.stream = None
            self._condition.notify_all()

    def wait_for(self, count: int, timeout_s: float = 10.0) -> list[Picture]:
        """The pictures once there are `count` of them; AssertionError when there never are."""
        with self._condition:
            arrived = self._condition.wait_for(lambda: len(self.pictures) >= count, timeout_s)
            assert arrived, f"{len(self.pictures)} pictures came, not {count}"
            return list(self.pictures)

    def wait_for_openings(self, count: int, timeout_s: float = 10.0) -> None:
        """Return once `open` was called `count` times; AssertionError when it never was."""
        with self._condition:
            arrived = self._condition.wait_for(lambda: self.openings >= count, timeout_s)
            assert arrived, f"{self.openings} openings came, not {count}"
