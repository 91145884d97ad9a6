"""The error tree.

    RealtimeError            message: what and why; hint: what to do; exit_code
    ├── ConfigError          2   a flag, a file or an environment variable is wrong
    ├── DeviceError          3   a camera, a clip, an output or a port cannot be used
    ├── ModelError           4   a model file is missing, damaged or not what it should be
    ├── BackendError         4   an inference backend is missing, or failed
    │   └── HungError        4   a thread that runs networks has not answered for too long
    ├── SignallingError      -   a WHIP or WHEP request that cannot be served (an HTTP status)
    └── ShutdownError        1   a part did not end in its time

Errors of libraries are translated into these where the library is called.
"""

import logging

from models.errors import BackendError, ModelError, RealtimeError

__all__ = [
    "BackendError",
    "ConfigError",
    "DeviceError",
    "HungError",
    "ModelError",
    "RealtimeError",
    "ShutdownError",
    "SignallingError",
    "translated",
]

_log = logging.getLogger(__name__)


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


class HungError(BackendError):
    """A thread that runs networks has not answered for too long: only another thread can go on."""


def translated(error: Exception, what: str) -> RealtimeError:
    """`error` as one of ours; a foreign one becomes a BackendError that begins with `what`."""
    if isinstance(error, RealtimeError):
        return error
    _log.debug("%s", what, exc_info=error)
    ours = BackendError(f"{what}: {type(error).__name__}: {error}", "run with --log-level debug, report it")
    ours.__cause__ = error
    return ours
