"""From what `--face` names to a face to put on: a persona, pictures of one person, an added face."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from models.hidden import WornFace
from realtime.errors import ConfigError
from realtime.face_cache import FaceCache, content_key
from realtime.face_library import FaceLibrary, library_folder
from realtime.picture_file import LONGEST_SIDE_PX, SUFFIXES, read_picture
from realtime.source_pictures import LEAST_FACE_PX, Analyse, prepare_pictures

__all__ = [
    "LEAST_FACE_PX",
    "LONGEST_SIDE_PX",
    "PERSONA",
    "FacePictures",
    "face_pictures",
    "load_face",
    "read_picture",
]

PERSONA = "persona:"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FacePictures:
    """What a face that is no persona is made of."""

    name: str
    paths: tuple[Path, ...]

    def title(self) -> str:
        """For people."""
        return self.paths[0].name if len(self.paths) == 1 else self.name

    def key(self) -> str:
        """Tells these pictures from others, whatever their names. Raises ConfigError."""
        return content_key(map(_bytes, self.paths))

    def content(self) -> bytes:
        """What consent is given for: the one picture, or the digest of several. Raises ConfigError."""
        return _bytes(self.paths[0]) if len(self.paths) == 1 else self.key().encode()


def load_face(
    uri: str, analyse: Analyse, cache: FaceCache | None = None, library: FaceLibrary | None = None
) -> WornFace:
    """The face that `uri` names: "persona:NAME", a picture, a folder of pictures of one person, a name.

    `analyse` finds the faces of a (H, W, 3) uint8 BGR picture; it is not asked for a face that `cache` keeps.
    What the user should know about the pictures is logged as warnings.
    Raises ConfigError when there is no such face, or its pictures do not show one that can be put on.
    """
    if uri.startswith(PERSONA):
        return _persona(uri.removeprefix(PERSONA))
    pictures = face_pictures(uri, library)
    key = pictures.key() if cache is not None else ""
    kept = cache.get(key, pictures.name) if cache is not None else None
    if kept is not None:
        face, notes = kept
    else:
        prepared = prepare_pictures(pictures.name, pictures.paths, analyse)
        face, notes = prepared.face, prepared.left_out + prepared.notes
        if cache is not None:
            cache.put(key, face, notes)
    for note in notes:
        logger.warning("%s", note)
    return face


def face_pictures(uri: str, library: FaceLibrary | None = None) -> FacePictures:
    """The pictures that a URI other than "persona:NAME" names. Raises ConfigError when there are none.

    An added face goes before a file or folder of the same name, which "./NAME" names.
    `library`: by default the user's.
    """
    added = library if library is not None else FaceLibrary(library_folder())
    if known := added.find(uri):
        return FacePictures(known, added.pictures(known))
    path = Path(uri).expanduser()
    if path.is_dir():
        return FacePictures(path.resolve().name, _in_folder(path))
    if not path.exists():
        raise _nothing(uri, added)
    return FacePictures(path.stem, (path,))


def _in_folder(folder: Path) -> tuple[Path, ...]:
    try:
        paths = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise ConfigError(
            f"the folder {folder} cannot be read: {error.strerror}", "check that you may read it"
        ) from error
    if not paths:
        raise ConfigError(
            f"the folder {folder} has no picture in it",
            "put pictures of one person in it, as JPEG, PNG or WebP; the first from the front",
        )
    return tuple(paths)


def _nothing(uri: str, library: FaceLibrary) -> ConfigError:
    from realtime import personas

    known: Sequence[str] = (*library.names(), *(PERSONA + name for name in personas.NAMES))
    words = uri.casefold()
    near = (
        PERSONA + words if words in personas.NAMES else next(iter(get_close_matches(uri, known, n=1)), None)
    )
    return ConfigError(
        f"there is no picture and no added face {uri!r}",
        f"did you mean {near}?" if near else "check the path, or choose of: realtime faces list",
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}", "check that it is a picture file that you may read"
        ) from error


def _persona(name: str) -> WornFace:
    from realtime import personas

    if name not in personas.NAMES:
        near = get_close_matches(name, personas.NAMES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise ConfigError(
            f"there is no persona {name!r}", f"the personas are {', '.join(personas.NAMES)}{meant}"
        )
    return personas.draw(name)
