"""Keeps faces made of pictures, so that the next start need not make them again.

They are faces of people: the folder is the user's alone, and `realtime faces clear` empties it.
"""

import hashlib
import io
import json
import logging
import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from models.source_face import TEXTURE_SIDE, SourceFace
from models.topology import POINT_COUNT
from realtime import __version__
from realtime.kept_files import MOST_ENTRIES, KeptFiles

__all__ = ["FOLDER_VARIABLE", "MOST_ENTRIES", "FaceCache", "cache_folder", "content_key", "preparation"]

FOLDER_VARIABLE = "REALTIME_FACES"
ABOUT = "about"
"""Beside a face's arrays: how it was made, and what is to be said about it, as JSON."""

logger = logging.getLogger(__name__)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where prepared faces are kept: in `REALTIME_FACES`, or the user's cache folder."""
    if chosen := environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser() / "prepared"
    return platformdirs.user_cache_path("realtime", appauthor=False) / "faces"


def content_key(pictures: Iterable[bytes]) -> str:
    """What tells one set of picture files from another, whatever their names: 64 hexadecimal digits."""
    return hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in pictures)).hexdigest()


def preparation(models: Sequence[str] = ()) -> str:
    """What tells one way to prepare faces from another: this program's, and the `models` that find them.

    The code counts byte by byte: a version number that somebody forgets to raise would show old faces.
    """
    digest = hashlib.sha256("/".join((__version__, *models)).encode())
    for file in sorted(resources.files("models").iterdir(), key=lambda file: file.name):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


class FaceCache:
    """Prepared faces in a folder, a file each. What is damaged or made in another way counts as absent.

    Nothing here raises: without a folder that can be written, faces are prepared at each start.
    """

    def __init__(self, folder: Path, made_by: str) -> None:
        """`made_by`: as `preparation` says."""
        self._folder = folder
        self._files = KeptFiles(folder, "the prepared face")
        self._made_by = made_by

    def get(self, key: str, name: str) -> tuple[SourceFace, tuple[str, ...]] | None:
        """The face kept under `key`, as `name`, and what is to be said about it; None when there is none."""
        data = self._files.read(key)
        if data is None:
            return None
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as kept:
                about = json.loads(str(kept[ABOUT]))
                if about["made_by"] != self._made_by:
                    return None
                arrays: dict[str, Any] = {key: kept[key] for key in kept.files if key != ABOUT}
                face = _checked(SourceFace(name=name, kind="picture", **arrays))
                notes = tuple(str(note) for note in about["notes"])
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            logger.debug("the prepared face %s is not used: %s", key, error)
            return None
        return face, notes

    def put(self, key: str, face: SourceFace, notes: Sequence[str]) -> None:
        """Keep a face, and no more than the 64 that were used last."""
        values = {field.name: getattr(face, field.name) for field in fields(face)}
        arrays: dict[str, Any] = {
            name: array for name, array in values.items() if isinstance(array, np.ndarray)
        }
        arrays[ABOUT] = np.array(json.dumps({"made_by": self._made_by, "notes": list(notes)}))
        data = io.BytesIO()
        np.savez_compressed(data, **arrays)
        self._files.write(key, data.getvalue())

    def forget(self, key: str) -> None:
        """Remove what is kept under `key`."""
        self._files.forget(key)

    def clear(self) -> int:
        """Remove every face; how many there were."""
        return self._files.clear()


def _checked(face: SourceFace) -> SourceFace:
    """The face, if its pictures are on the plane. Raises ValueError."""
    side = (TEXTURE_SIDE, TEXTURE_SIDE)
    for array, shape in ((face.texture, (*side, 3)), (face.coverage, side)):
        if array.shape != shape or array.dtype != np.uint8:
            raise ValueError(f"{array.dtype} {array.shape} is not a face's")
    if face.shape.shape != (POINT_COUNT, 3) or not np.isfinite(face.shape).all():
        raise ValueError(f"{face.shape.shape} are no proportions")
    return face
