"""The root of the error tree, and the leaves that inference raises.

    RealtimeError            message: what and why; hint: what to do; exit_code
    ├── ModelError           a model file is missing, damaged or not what it should be
    ├── BackendError         an inference backend is missing, or failed
    │   └── SwapError        a network gave no face for this one
    ├── SettingError         a slider or a choice is outside its range
    └── SourceError          a picture of the face to put on cannot be used

`realtime.errors` adds the program's own leaves.
"""

from typing import ClassVar

__all__ = ["BackendError", "ModelError", "RealtimeError", "SettingError", "SourceError", "SwapError"]


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


class SwapError(BackendError):
    """A network ran and gave no face for some of the faces: nothing of those may be shown as it is.

    `faces`: their places in the batch. The others may be asked for again without them.
    """

    def __init__(self, message: str, hint: str, faces: tuple[int, ...] = ()) -> None:
        super().__init__(message, hint)
        self.faces = faces


class SettingError(RealtimeError):
    """A slider or a choice is outside its range."""

    exit_code = 2


class SourceError(RealtimeError):
    """A picture of the face to put on cannot be used."""

    exit_code = 2
