"""The error tree.

    RealtimeError            message: what and why; hint: what to do; exit_code
    ├── ConfigError          2   a flag, a file or an environment variable is wrong
    ├── DeviceError          3   a camera, a clip, an output or a port cannot be used
    ├── ModelError           4   a model file is missing, damaged or not what it should be
    ├── BackendError         4   an inference backend is missing, or failed
    ├── SignallingError      -   a WHIP or WHEP request that cannot be served (an HTTP status)
    └── ShutdownError        1   a part did not end in its time

Errors of libraries are translated into these where the library is called.
"""

from models.errors import BackendError, ModelError, RealtimeError

__all__ = [
    "BackendError",
    "ConfigError",
    "DeviceError",
    "ModelError",
    "RealtimeError",
    "ShutdownError",
    "SignallingError",
]


class ConfigError(RealtimeError):
    """A flag, a configuration file or an environment variable is wrong."""

    exit_code = 2


class DeviceError(RealtimeError):
    """A camera, a clip, an output or a port cannot be used."""

    exit_code = 3


class SignallingError(RealtimeError):
    """A WHIP or WHEP request that cannot be served; `status` is its HTTP answer."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message, hint)
        self.status = status


class ShutdownError(RealtimeError):
    """A part of the program did not end in the time it was given."""
