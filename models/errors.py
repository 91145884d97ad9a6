"""The root of the error tree, and the leaves that inference raises.

    RealtimeError            message: what and why; hint: what to do; exit_code
    ├── ModelError           a model file is missing, damaged or not what it should be
    └── BackendError         an inference backend is missing, or failed

`realtime.errors` adds the program's own leaves.
"""

from typing import ClassVar

__all__ = ["BackendError", "ModelError", "RealtimeError"]


class RealtimeError(Exception):
    """An error meant for the user's eyes.

    `message` says what failed and why, in one sentence without a final full stop;
    `hint` says what to do about it, in the same form.
    """

    exit_code: ClassVar[int] = 1
    final: ClassVar[bool] = False
    """Nothing that this process tries again can succeed: it is to end."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def told(self) -> str:
        """The error on two lines: what and why, then what to do."""
        return f"error: {self.message}\n  -> {self.hint}"

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})"


class ModelError(RealtimeError):
    """A model file is missing, damaged, or does not keep its contract."""

    exit_code = 4


class BackendError(RealtimeError):
    """An inference backend is missing, or failed while it ran."""

    exit_code = 4
