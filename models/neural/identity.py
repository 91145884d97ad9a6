"""Whose face is put on: the vector of one person, made of one picture or several, and a portrait.

Some networks are told who it is by the vector of a recogniser, some by a picture; `source_feed` makes of an
identity what a network takes.
"""

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.embedder import FaceEmbedder
from models.errors import ModelError, SourceError
from models.geometry import apply, similarity_fit, template
from models.landmarker import five_points

__all__ = ["PORTRAIT_PX", "SourceIdentity", "aligned_source", "identity_of"]

PORTRAIT_PX = 640
"""Side of the portrait. The eyes are then 110 px apart, more than any known network looks at (63)."""
_PORTRAIT_TEMPLATE = 0.5 + 0.7 * (template("ffhq_512", 1) - 0.5)
"""Room round the face, so that a crop of any other template is within the portrait."""
_TYPICAL = 0.1
"""A picture is like the person if its cosine with their mean is at most this less than the best one's."""
_CANCELLED = 0.01
"""Of the length of the vectors: a mean that is shorter says nothing of who it is."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """One person, as networks are told of them."""

    embedding: NDArray[np.float32]
    """(N,): the mean of the recogniser's vectors as they are, not of unit length; 512 for ArcFace."""
    portrait: NDArray[np.uint8]
    """(640, 640, 3) BGR: the largest face among the pictures that are like the person, upright."""
    five: NDArray[np.float32]
    """(5, 2): its points in pixels of the portrait, in the order of `models.geometry.TEMPLATES`."""
    pictures: int
    """How many pictures it was made of."""
    agreement: float
    """The least cosine of a picture's vector with the mean; low where not all show the same person."""

    def to_npz(self) -> bytes:
        """To keep on disk; `from_npz` reads it."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            version=np.array(_VERSION),
            embedding=self.embedding,
            portrait=self.portrait,
            five=self.five,
            pictures=np.array(self.pictures),
            agreement=np.array(self.agreement),
        )
        return buffer.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> "SourceIdentity":
        """What `to_npz` wrote. Raises ModelError when it is damaged, or another version wrote it."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as kept:
                if int(kept["version"]) != _VERSION:
                    raise ValueError(f"it is of version {int(kept['version'])}, not {_VERSION}")
                found = cls(
                    np.asarray(kept["embedding"], np.float32),
                    np.asarray(kept["portrait"], np.uint8),
                    np.asarray(kept["five"], np.float32),
                    int(kept["pictures"]),
                    float(kept["agreement"]),
                )
            _check_kept(found)
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise ModelError(
                f"a kept face cannot be read: {error}", "delete it: it is made again of the pictures"
            ) from error
        return found


def identity_of(
    pictures: Sequence[tuple[NDArray[np.uint8], NDArray[np.float32] | None]],
    recogniser: FaceEmbedder | None,
) -> SourceIdentity:
    """The person that all `pictures` show: (H, W, 3) uint8 BGR each, with the (468, 3) landmarks of the face
    in its pixels, or None where none was found.

    `recogniser`: None for a swapper that is fed by a picture alone: the embedding is of no length then.
    Raises SourceError when there is no picture, one shows no face, or the recogniser has no answer to it, and
    BackendError when it fails.
    """
    if not pictures:
        raise SourceError("there is no picture of the face to put on", "give one: --face PICTURE")
    vectors, fives = [], []
    for number, (bgr, points) in enumerate(pictures, 1):
        five = None if points is None else five_points(points)
        if points is None or five is None or not _is_face(five):
            raise SourceError(
                f"picture {number} of {len(pictures)} of the face to put on shows no face",
                "give pictures in which the face is large and looks at the camera",
            )
        if recogniser is not None:
            vectors.append(_vector(recogniser, bgr, points, number))
        fives.append(five)
    if recogniser is None:
        largest = max(
            range(len(fives)), key=lambda index: float(np.linalg.norm(fives[index][1] - fives[index][0]))
        )
        return _portrayed(pictures[largest][0], fives[largest], np.empty(0, np.float32), len(fives), 1.0)
    mean = np.stack(vectors).mean(axis=0).astype(np.float32)
    if float(np.linalg.norm(mean)) < _CANCELLED * float(np.mean(np.linalg.norm(vectors, axis=1))):
        raise SourceError("the pictures of the face to put on have nothing in common", "give one of them")
    likeness = [float(each @ mean / (np.linalg.norm(each) * np.linalg.norm(mean))) for each in vectors]
    chosen = max(
        (index for index, cosine in enumerate(likeness) if cosine >= max(likeness) - _TYPICAL),
        key=lambda index: float(np.linalg.norm(fives[index][1] - fives[index][0])),
    )
    return _portrayed(pictures[chosen][0], fives[chosen], mean, len(pictures), min(1.0, *likeness))


def _portrayed(
    bgr: NDArray[np.uint8],
    five: NDArray[np.float32],
    embedding: NDArray[np.float32],
    pictures: int,
    agreement: float,
) -> SourceIdentity:
    target = _PORTRAIT_TEMPLATE * PORTRAIT_PX
    portrait = aligned_source(bgr, five, target, PORTRAIT_PX)
    upright = apply(similarity_fit(five, target), five).astype(np.float32)
    return SourceIdentity(embedding, portrait, upright, pictures, agreement)


def aligned_source(
    bgr: NDArray[np.uint8], five: ArrayLike, target: ArrayLike, size: int
) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 of a picture, its five points brought to `target`, in pixels of the result.

    Made once for a face, and well: a picture much larger than the result is made smaller before, so that no
    pixel of it is passed over. Beyond the edge, the edge goes on.
    """
    points = np.asarray(five, np.float64)
    matrix = similarity_fit(points, target)
    scale = 2 * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 1:
        bgr = np.asarray(cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        matrix = similarity_fit((points + 0.5) * scale - 0.5, target)
    crop = cv2.warpAffine(bgr, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def _vector(
    recogniser: FaceEmbedder, bgr: NDArray[np.uint8], points: NDArray[np.float32], number: int
) -> NDArray[np.float32]:
    vector = recogniser.raw(bgr, points)
    if not _has_length(vector):
        raise SourceError(
            f"the recogniser makes nothing of picture {number} of the face to put on",
            "give another picture, or check the recogniser: realtime models list",
        )
    return vector


def _has_length(vector: NDArray[np.floating]) -> bool:
    return bool(np.isfinite(vector).all()) and float(np.linalg.norm(vector)) > 0


def _is_face(five: NDArray[np.float32]) -> bool:
    return bool(np.isfinite(five).all()) and float(np.ptp(five, axis=0).max()) > 0


def _check_kept(found: SourceIdentity) -> None:
    if found.embedding.ndim != 1 or not _has_length(found.embedding):
        raise ValueError("its vector is none")
    if found.portrait.shape != (PORTRAIT_PX, PORTRAIT_PX, 3):
        raise ValueError("its portrait has another size")
    if found.five.shape != (5, 2) or not _is_face(found.five):
        raise ValueError("its points are none")
