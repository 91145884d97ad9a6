"""From pictures of one person to the face to put on, and what is to be said about them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.calm import calmness
from models.eyewear import dark_glasses
from models.fusion import fused
from models.head_pose import head_pose
from models.landmarker import Landmarks
from models.mesh_fit import fit_mesh
from models.source_face import SourceFace, Unwrapped, finished, unwrapped
from realtime.errors import ConfigError
from realtime.picture_file import read_picture

__all__ = ["LEAST_FACE_PX", "MOST_PICTURES", "Analyse", "Prepared", "one_face", "prepare_pictures"]

LEAST_FACE_PX = 24
"""Below this width landmarks are blobs; from it on a face looks soft, but like itself."""
SMALL_FACE_PX = 80
"""Below this width a face is softer than most cameras' pictures."""
MOST_PICTURES = 24
"""More of one person add nothing but waiting."""
LEAST_PRESENCE = 0.5
TURNED_DEGREES = 33.0
"""Past this yaw one half of a face, mirrored, would have to make both, and its landmarks are off: as measured
by them, which of a head turned by 45 degrees see some 34."""
FLAT_DEGREES = 38.0
"""Past this yaw, of a head turned by 55 degrees or more, landmarks are guessed."""
NODDED_DEGREES = 35.0

DOUBTFUL_FIT = 0.04
"""Residual of the mesh on a canonical face from which a picture may stand on its head: 0.048 to 0.14 do."""
FAR_BETTER = 0.85
"""Share of that residual which the picture turned over must not exceed."""

Analyse = Callable[[NDArray[np.uint8]], Sequence[Landmarks]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A face and what became of its pictures."""

    face: SourceFace
    used: tuple[Path, ...]
    left_out: tuple[str, ...]
    """Why the others are not used."""
    notes: tuple[str, ...]
    """What would give a better face."""


@dataclass(frozen=True, slots=True)
class _Seen:
    path: Path
    points: NDArray[np.float32]
    view: Unwrapped
    yaw: float
    notes: tuple[str, ...]


def prepare_pictures(name: str, paths: Sequence[Path], analyse: Analyse) -> Prepared:
    """The face that the pictures show. That all are of one person is taken on trust: measured shapes do not
    tell people apart (pictures of one are 0.02 to 0.04 apart, of two 0.02 to 0.05 eye distances).

    `analyse` finds the faces of a (H, W, 3) uint8 BGR picture. A picture that cannot be used is left out.
    Raises ConfigError when none is left; of a single picture it says why.
    """
    seen: list[_Seen] = []
    refused: list[ConfigError] = []
    for path in paths[:MOST_PICTURES]:
        try:
            seen.append(_seen(path, analyse))
        except ConfigError as error:
            refused.append(error)
    if not seen:
        if len(refused) == 1:
            raise refused[0]
        raise ConfigError(
            f"none of the {len(refused)} pictures of {name} can be used; the first: {refused[0].message}",
            refused[0].hint,
        )
    _require_front(seen)
    view = fused([one.view for one in seen], [calmness(one.points) for one in seen])
    left_out = [f"left out: {error.message} ({error.hint})" for error in refused]
    if len(paths) > MOST_PICTURES:
        left_out.append(f"only the first {MOST_PICTURES} of the {len(paths)} pictures of {name} are used")
    used = tuple(one.path for one in seen)
    notes = seen[0].notes if len(seen) == 1 else ()
    return Prepared(finished(name, view), used, tuple(left_out), notes)


def one_face(path: Path, analyse: Analyse) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture, (H, W, 3) uint8 BGR, upright, and (468, 3) landmarks of the one face in it, in its pixels.

    Raises ConfigError when it is no picture, or shows no face, several, or too small a one.
    """
    bgr, found = _upright(read_picture(path), analyse)
    if not found:
        raise ConfigError(
            f"no face was found in {path}",
            "choose a picture that shows the whole face from the front, large and in good light",
        )
    if len(found) > 1:
        raise ConfigError(
            f"{path} shows {len(found)} faces, and it is not clear which is meant", "crop it to one face"
        )
    points = found[0].points
    width = float(np.ptp(points[:, 0]))
    if width < LEAST_FACE_PX:
        raise ConfigError(
            f"the face in {path} is {width:.0f} pixels wide, {LEAST_FACE_PX} are needed",
            f"choose a picture in which it is larger, best {2 * SMALL_FACE_PX} pixels and more",
        )
    return bgr, points


def _seen(path: Path, analyse: Analyse) -> _Seen:
    bgr, points = one_face(path, analyse)
    width = float(np.ptp(points[:, 0]))
    pose = head_pose(points)
    if abs(pose.yaw) > FLAT_DEGREES:
        raise ConfigError(
            f"the face in {path} is in profile, or nearly so",
            "choose a picture that shows it from the front, or at most half turned away",
        )
    return _Seen(path, points, unwrapped(bgr, points), pose.yaw, _notes(path, bgr, points, width, pose.pitch))


def _upright(bgr: NDArray[np.uint8], analyse: Analyse) -> tuple[NDArray[np.uint8], list[Landmarks]]:
    """The picture turned so that its face is upright, where no EXIF says how, and the faces in it.

    Networks find a face that lies on its side. In one that stands on its head they see an upright one that
    fits a face badly: then the picture is looked at the other way up.
    """
    found = _faces(bgr, analyse)
    if not found:
        for quarters in (2, 1, 3):
            turned = np.ascontiguousarray(np.rot90(bgr, quarters))
            if again := _faces(turned, analyse):
                return turned, again
    if len(found) != 1:
        return bgr, found
    quarters = round(head_pose(found[0].points).roll / 90)
    if quarters % 4:
        turned = np.ascontiguousarray(np.rot90(bgr, quarters))
        again = _faces(turned, analyse)
        return (turned, again) if len(again) == 1 else (bgr, found)
    if fit_mesh(found[0].points).residual > DOUBTFUL_FIT:
        turned = np.ascontiguousarray(np.rot90(bgr, 2))
        again = _faces(turned, analyse)
        if len(again) == 1 and again[0].score >= found[0].score and _fits_better(again[0], found[0]):
            return turned, again
    return bgr, found


def _faces(bgr: NDArray[np.uint8], analyse: Analyse) -> list[Landmarks]:
    return [face for face in analyse(bgr) if face.score >= LEAST_PRESENCE]


def _fits_better(one: Landmarks, other: Landmarks) -> bool:
    return fit_mesh(one.points).residual < FAR_BETTER * fit_mesh(other.points).residual


def _notes(
    path: Path, bgr: NDArray[np.uint8], points: NDArray[np.float32], width: float, pitch: float
) -> tuple[str, ...]:
    notes = []
    if width < SMALL_FACE_PX:
        notes.append(
            f"the face in {path} is {width:.0f} pixels wide and will look soft: "
            f"{2 * SMALL_FACE_PX} and more look best"
        )
    if dark_glasses(bgr, points):
        notes.append(
            f"the face in {path} seems to wear sunglasses: they would be painted on, with your own eyes "
            "in them; a picture without them works better"
        )
    if abs(pitch) > NODDED_DEGREES:
        notes.append(
            f"the face in {path} looks far {'down' if pitch > 0 else 'up'}: one from the front works better"
        )
    return tuple(notes)


def _require_front(seen: Sequence[_Seen]) -> None:
    """Raise ConfigError when all pictures are from one side."""
    from_left = [one for one in seen if one.yaw < TURNED_DEGREES]
    from_right = [one for one in seen if one.yaw > -TURNED_DEGREES]
    if from_left and from_right:
        return
    which = f"the face in {seen[0].path} is" if len(seen) == 1 else "the face in all pictures is"
    raise ConfigError(
        f"{which} turned far to one side, which hides its other half",
        "choose a picture from the front, or put one from the other side beside it in a folder "
        "and give the folder",
    )
