"""From what `--face` names to a face to put on: a persona, or the one face of a picture."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.landmarker import Landmarks
from models.source_face import SourceFace, prepare
from realtime.errors import ConfigError

__all__ = ["LEAST_FACE_PX", "LONGEST_SIDE_PX", "load_face", "read_picture"]

PERSONA = "persona:"
LONGEST_SIDE_PX = 1600
"""Larger pictures are scaled down to this: the texture has 512 texels across."""
LEAST_FACE_PX = 48
"""Below this width there is nothing to draw a face from."""
LEAST_PRESENCE = 0.5
_BACKGROUND = 128

Analyse = Callable[[NDArray[np.uint8]], Sequence[Landmarks]]


def load_face(uri: str, analyse: Analyse) -> SourceFace:
    """The face that `uri` names: "persona:NAME" or the path of a picture.

    `analyse` finds the faces of a (H, W, 3) uint8 BGR picture. Raises ConfigError when there is no such
    persona or file, the file is no picture, or it does not show exactly one face that is large enough.
    """
    if uri.startswith(PERSONA):
        return _persona(uri.removeprefix(PERSONA))
    bgr = read_picture(Path(uri))
    found = [face for face in analyse(bgr) if face.score >= LEAST_PRESENCE]
    if not found:
        raise ConfigError(
            f"no face was found in {uri}",
            "choose a picture that shows the face from the front, in good light",
        )
    if len(found) > 1:
        raise ConfigError(f"{uri} shows {len(found)} faces, and it is not clear which", "crop it to one face")
    points = found[0].points
    width = float(np.ptp(points[:, 0]))
    if width < LEAST_FACE_PX:
        raise ConfigError(
            f"the face in {uri} is {width:.0f} pixels wide, {LEAST_FACE_PX} are needed",
            "choose a larger picture of the face",
        )
    return prepare(Path(uri).stem, bgr, points)


def read_picture(path: Path) -> NDArray[np.uint8]:
    """A picture as (H, W, 3) uint8 BGR, turned as its EXIF says, transparent parts on grey, scaled down.

    Raises ConfigError when there is no such file or it is no picture.
    """
    try:
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except FileNotFoundError as error:
        raise ConfigError(
            f"there is no picture {str(path)!r}", "check the path, or take a persona: realtime faces list"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "check that it is a picture file"
        ) from error
    try:
        whole = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
        upright = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if whole is not None else None
    except cv2.error as error:
        raise _undecodable(path) from error
    if whole is None or upright is None:
        raise _undecodable(path)
    if whole.ndim == 3 and whole.shape[2] == 4 and whole.shape[:2] == upright.shape[:2]:
        alpha = whole[:, :, 3:].astype(np.float32) / float(np.iinfo(whole.dtype.name).max)
        upright = np.round(upright * alpha + _BACKGROUND * (1 - alpha)).astype(np.uint8)
    scale = LONGEST_SIDE_PX / max(upright.shape[:2])
    if scale < 1:
        upright = cv2.resize(upright, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(upright, np.uint8)


def _undecodable(path: Path) -> ConfigError:
    return ConfigError(f"{path} is not a picture that can be read", "save it as JPEG, PNG or WebP")


def _persona(name: str) -> SourceFace:
    from realtime import personas

    if name not in personas.NAMES:
        near = get_close_matches(name, personas.NAMES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"there is no persona {name!r}", f"the personas are {', '.join(personas.NAMES)}{meant}"
        )
    return personas.draw(name)
