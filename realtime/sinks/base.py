"""What a sink is: somewhere pictures go, one blocking call each, in a thread of its own."""

from dataclasses import dataclass
from typing import Protocol

from realtime.frame import Picture

__all__ = ["Sink", "StreamInfo"]


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a sink is told when it is opened. Pictures of another size may still come: letterbox them."""

    width: int
    height: int
    fps: float


class Sink(Protocol):
    """A sink is opened, fed and closed by one thread (its `SinkRunner`'s)."""

    name: str
    """Short and unique in a run: "virtualcam", "file", "null". The key in the report."""
    cadence_fps: float | None
    """When set, the runner publishes the last picture again whenever 1 / cadence passes without a new one."""

    def open(self, stream: StreamInfo) -> str:
        """Get ready; returns a description for people ("/dev/video10 1280x720@30"). Raises DeviceError."""
        ...

    def publish(self, picture: Picture) -> None:
        """Hand one picture on. May block; raises DeviceError when the sink is lost."""
        ...

    def close(self) -> None:
        """Idempotent, bounded (2 s), never raises."""
        ...
