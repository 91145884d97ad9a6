"""Tells faces apart: a face of a picture to a direction in a space where one person's faces lie together."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.geometry import similarity_fit, template
from models.landmarker import five_points
from models.runtime.base import InputSpec, Normalisation, Session
from models.runtime.registry import open_session

__all__ = ["FaceEmbedder", "open_embedder"]

SIDE_PX = 112
_TEMPLATE = template("arcface_112_v2", SIDE_PX)


class FaceEmbedder:
    """A network with one picture of 112 x 112 in, one vector out, as ArcFace and MobileFaceNet have.

    Belongs to one thread.
    """

    def __init__(self, session: Session) -> None:
        """Raises ModelError when the session's network is of another shape."""
        inputs, outputs = session.inputs, session.outputs
        if len(inputs) != 1 or len(outputs) != 1 or len(outputs[0].shape) != 2:
            raise ModelError(
                "a network that tells faces apart has one picture in and one vector out",
                "give an ArcFace or MobileFaceNet file",
            )
        self._session = session
        self._input, self._output = inputs[0].name, outputs[0].name

    def embed(self, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) float32 of length 1: the dot product of two is the cosine of their angle.

        `bgr`: (H, W, 3) uint8; `points`: (468, 3), landmarks in pixels of it. Raises BackendError.
        """
        vector = self.raw(bgr, points)
        return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))

    def raw(self, bgr: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `embed`, but of the length that the network gives it, which swappers are fed with."""
        to_crop = similarity_fit(five_points(points), _TEMPLATE)
        crop = cv2.warpAffine(bgr, to_crop, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REPLICATE)
        return self.vector(np.asarray(crop, np.uint8))

    def vector(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `raw`, of the face's crop: (112, 112, 3) uint8 BGR, aligned by arcface_112_v2."""
        vector = self._session.run({self._input: crop[None]})[self._output]
        # A session writes the next one over it.
        return np.array(vector, np.float32).ravel()

    def close(self) -> None:
        """Idempotent, never raises."""
        self._session.close()


def open_embedder(path: Path, backend: str = "openvino", device: str = "CPU") -> FaceEmbedder:
    """The network of an ONNX file that takes RGB from -1 to 1. Raises BackendError and ModelError."""
    picture = InputSpec(SIDE_PX, SIDE_PX, "nchw", Normalisation(127.5, 127.5))
    session = open_session(path, backend, device=device, picture=picture)
    try:
        return FaceEmbedder(session)
    except BaseException:
        session.close()
        raise
