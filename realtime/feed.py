"""The frame loop's view of a reader."""

from realtime.capture.reader import Reader, ReaderState
from realtime.frame import Frame

__all__ = ["ReaderFeed"]


class ReaderFeed:
    """A `Feed` for `realtime.loop`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def take(self) -> Frame | None:
        return self._reader.take()

    def ended(self) -> bool:
        return self._reader.status.state in {ReaderState.ENDED, ReaderState.FAILED}

    def problem(self) -> str | None:
        status = self._reader.status
        return status.error.message if status.error is not None else None
