"""The backends against each other on real networks: the same noise in, the same numbers out."""

import numpy as np
import pytest

from models.runtime.proof import noise, prove
from models.runtime.registry import open_session
from tests.data import model

NETWORKS = {
    "dfl_facemesh468.onnx": 1e-4,
    "foamliu_MobileFaceNet.onnx": 1e-4,
    "mediapipe_face_landmarks_478.onnx": 1e-4,
    "mediapipe_selfie_general.onnx": 1e-4,
    "face_detection_yunet_2026may.onnx": 1e-4,
    "scrfd_500m_bnkps.onnx": 1e-4,
}
"""File to tolerance: the largest difference, in parts of the output's largest value or of FLOOR."""
FLOOR = 0.01
"""Noise is no face: where a network says so with values near zero, only their rounding is left to compare."""


@pytest.mark.parametrize("name", NETWORKS)
def test_openvino_and_onnx_runtime_agree(name):
    path = model(name)
    results = {}
    for backend in ("openvino", "onnx"):
        session = open_session(path, backend)
        prove(session, f"{name} on {backend}")
        results[backend] = {
            output: array.copy() for output, array in session.run(noise(session.inputs)).items()
        }
        session.close()
    assert results["openvino"].keys() == results["onnx"].keys()
    for output, reference in results["onnx"].items():
        difference = np.abs(results["openvino"][output] - reference).max()
        assert difference <= NETWORKS[name] * max(np.abs(reference).max(), FLOOR), output
