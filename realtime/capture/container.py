"""Opens a clip's container, whichever PyAV is installed."""

from pathlib import Path
from typing import Any

import av

__all__ = ["open_clip"]

_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Titles that are not UTF-8 must not keep a clip shut; PyAV 19 has dropped the option."""


def open_clip(path: Path) -> Any:
    """An `av.container.InputContainer`. Raises av.FFmpegError, OSError or ValueError."""
    return av.open(f"file:{path}", **_LENIENT)
