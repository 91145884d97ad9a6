from pathlib import Path

import pytest

from models.runtime.complaints import unreadable


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("Opset 99 is under development", "older operator set"),
        ("No Op registered for Nag", "another backend"),
        ("-- No conversion rule found for operations: Nag-13", "another backend"),
        ("invalid external data: x", "beside the model"),
        ("something else", "realtime models fetch toy"),
    ],
)
def test_each_complaint_has_its_cure(reason, hint):
    error = unreadable(Path("folder/toy.onnx"), reason)
    assert error.message == f"toy.onnx cannot be read as a model: {reason}"
    assert hint in error.hint
