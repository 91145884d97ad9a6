"""`null:`, where pictures end. For measuring, and for tests."""

from realtime.frame import Picture
from realtime.sinks.base import StreamInfo

__all__ = ["NullSink"]


class NullSink:
    """Takes every picture at once and keeps none."""

    name = "null"
    cadence_fps: float | None = None

    def open(self, stream: StreamInfo) -> str:
        return f"nowhere, {stream.width}x{stream.height}"

    def publish(self, picture: Picture) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
