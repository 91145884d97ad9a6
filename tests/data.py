"""Real pictures, clips and models for tests; they live beside the checkout, not in it.

The suite works without them: a test that needs one skips, naming the file.
"""

import os
from pathlib import Path

import pytest

__all__ = ["clip", "model", "portrait"]

SHARED = Path(
    os.environ.get("REALTIME_TEST_DATA") or Path(__file__).resolve().parent.parent.parent / "shared" / "data"
)


def clip(name: str) -> Path:
    """A video file of the shared test data."""
    return _present(SHARED / "media" / "clips" / name)


def portrait(name: str) -> Path:
    """A still picture of the shared test data."""
    return _present(SHARED / "media" / "portraits" / name)


def model(name: str) -> Path:
    """An ONNX file of the shared test data."""
    return _present(SHARED / "models" / name)


def _present(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"the shared test data has no {path.name}; set REALTIME_TEST_DATA to its folder")
    return path
