"""Whose face is in the pictures, as a recogniser sees it: made once, kept on disk.

What is kept tells people apart: the folder is the user's alone, `realtime faces remove` deletes what is kept
of an added face, and `realtime faces clear` empties it.
"""

import hashlib
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from models.embedder import FaceEmbedder
from models.errors import ModelError
from models.neural.identity import SourceIdentity, identity_of
from models.recogniser import LIKENESS
from realtime.errors import ConfigError
from realtime.face_cache import FOLDER_VARIABLE, preparation
from realtime.faces import FacePictures
from realtime.kept_files import KeptFiles
from realtime.source_pictures import MOST_PICTURES, Analyse, one_face

__all__ = ["IdentityCache", "identities_folder", "load_identity", "unit"]

logger = logging.getLogger(__name__)

_DOUBTFUL = 0.9
"""Of the agreement that pictures have which are just alike enough for one person."""


def identities_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where identities are kept: in `REALTIME_FACES`, or the user's cache folder."""
    if chosen := environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser() / "identities"
    return platformdirs.user_cache_path("realtime", appauthor=False) / "identities"


class IdentityCache:
    """Identities by the contents of their pictures and by what they were made with.

    Nothing here raises: what is damaged or made in another way counts as absent.
    """

    def __init__(self, folder: Path, recogniser: str, models: Sequence[str] = ()) -> None:
        """`recogniser`: sha256 of its file; `models`: those of the detector's and the landmarker's."""
        self._files = KeptFiles(folder, "the identity")
        self._made_by = hashlib.sha256(f"{recogniser}/{preparation(models)}".encode()).hexdigest()[:32]

    def get(self, key: str) -> SourceIdentity | None:
        """The identity of the pictures `key` (`face_cache.content_key`); None when there is none."""
        data = self._files.read(self._name(key))
        if data is None:
            return None
        try:
            return SourceIdentity.from_npz(data)
        except ModelError as error:
            logger.debug("the identity %s is not used: %s", key, error)
            return None

    def put(self, key: str, identity: SourceIdentity) -> None:
        """Keep it, and no more than the 64 that were used last."""
        self._files.write(self._name(key), identity.to_npz())

    def _name(self, key: str) -> str:
        return f"{key}-{self._made_by}"

    @staticmethod
    def forget(folder: Path, key: str) -> None:
        """Remove what is kept of the pictures `key`, whatever it was made with."""
        KeptFiles(folder, "the identity").forget(f"{key}-*")

    @staticmethod
    def clear(folder: Path) -> int:
        """Remove every identity; how many there were."""
        return KeptFiles(folder, "the identity").clear()


def load_identity(
    pictures: FacePictures,
    analyse: Analyse,
    recogniser: FaceEmbedder | None,
    cache: IdentityCache | None = None,
) -> SourceIdentity:
    """Who is in the pictures. One of several that cannot be used is left out, with a warning.

    `recogniser`: None for a swapper that is fed by a picture alone.

    `analyse` and `recogniser` are not asked for what `cache` keeps. Raises ConfigError when no picture can be
    used, SourceError and BackendError as `identity_of`.
    """
    key = pictures.key() if cache is not None else ""
    kept = cache.get(key) if cache is not None else None
    if kept is not None:
        return kept
    seen, refused = [], []
    for path in pictures.paths[:MOST_PICTURES]:
        try:
            seen.append(one_face(path, analyse))
        except ConfigError as error:
            refused.append(error)
    if not seen:
        raise refused[0]
    for why in refused:
        logger.warning("left out: %s (%s)", why.message, why.hint)
    identity = identity_of(seen, recogniser)
    if identity.agreement < _DOUBTFUL * _just_alike(identity.pictures):
        logger.warning(
            "the pictures of %s may not all show the same person: one is only %.2f like the rest",
            pictures.name,
            identity.agreement,
        )
    if cache is not None:
        cache.put(key, identity)
    return identity


def unit(identity: SourceIdentity) -> NDArray[np.float32]:
    """(N,) of length 1: the direction of an identity's vector, as a reference for `realtime.casting`."""
    direction: NDArray[np.float32] = identity.embedding / np.float32(np.linalg.norm(identity.embedding))
    return direction


def _just_alike(pictures: int) -> float:
    """Cosine of each picture with the mean of all, when the cosine of any two is the least for one person."""
    return float(np.sqrt((1 + (pictures - 1) * LIKENESS["arcface"]) / pictures))
