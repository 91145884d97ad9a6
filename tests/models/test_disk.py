import errno
import os

import pytest

from models.disk import disk_errors
from models.errors import BackendError, ModelError


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk(tmp_path, number):
    with (
        pytest.raises(BackendError) as caught,
        disk_errors(tmp_path, "engines", "set HERE to a folder", BackendError),
    ):
        raise OSError(number, os.strerror(number))
    assert caught.value.message == f"there is no space left for engines in {tmp_path}"
    assert caught.value.hint == "free some, or set HERE to a folder elsewhere"
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (OSError("the library says so"), "the library says so"),
    ],
)
def test_anything_else_says_why(tmp_path, refused, why):
    with (
        pytest.raises(ModelError) as caught,
        disk_errors(tmp_path, "models", "set HERE to a folder", ModelError),
    ):
        raise refused
    assert caught.value.message == f"models cannot be written to {tmp_path}: {why}"
    assert caught.value.hint == "make it writable, or set HERE to a folder that is"


def test_other_errors_pass(tmp_path):
    with pytest.raises(ValueError, match="mine"), disk_errors(tmp_path, "models", "move it", ModelError):
        raise ValueError("mine")
