"""`realtime faces add | remove | clear`, and the added faces in `realtime faces list`."""

import argparse
import time
from pathlib import Path

from realtime.consent import Acknowledgements, Agreement, default_path, terminal_ask
from realtime.errors import ConfigError
from realtime.face_cache import FaceCache, cache_folder, preparation
from realtime.face_library import FaceLibrary, library_folder
from realtime.faces import FacePictures, face_pictures
from realtime.identities import IdentityCache, identities_folder
from realtime.source_pictures import Prepared, prepare_pictures

__all__ = ["faces_add", "faces_clear", "faces_remove", "list_added"]


def faces_add(args: argparse.Namespace) -> int:
    """Keep the face in `args.pictures`, files or folders, as `args.name`, if it can be put on and may be.

    `args.note` says who agreed, and stands for the answer to the question whether they did. Without it, where
    nobody can be asked, the face is kept all the same, and the words about consent are printed.
    Raises ConfigError for the name, the pictures or when there is no consent, ModelError when the models to
    see the face cannot be had, DeviceError when it cannot be kept.
    """
    library = FaceLibrary(library_folder())
    library.check_new(args.name)
    agreed: str | None = args.note
    if agreed is not None and not agreed.strip():
        raise ConfigError("the note of consent is empty", "say who agreed, when and how, or leave --note out")
    paths = _pictures(args.pictures, library)
    prepared, made_by = _prepare(args.name, paths)
    for note in prepared.left_out + prepared.notes:
        print(f"warning: {note}")
    kept = FacePictures(args.name, prepared.used)
    library.add(args.name, prepared.used, _ask(kept, (agreed or "").strip()))
    FaceCache(cache_folder(), made_by).put(kept.key(), prepared.face, prepared.notes)
    count = len(prepared.used)
    print(f'added {args.name}, from {count} picture{"s" * (count > 1)}: realtime run --face "{args.name}"')
    return 0


def faces_remove(args: argparse.Namespace) -> int:
    """Delete an added face, and all that is kept of it. Raises ConfigError and DeviceError."""
    library = FaceLibrary(library_folder())
    known = FacePictures(args.name, library.pictures(args.name))
    if known.paths:
        FaceCache(cache_folder(), "").forget(known.key())
        IdentityCache.forget(identities_folder(), known.key())
    print(f"removed {library.remove(args.name)}")
    return 0


def faces_clear(args: argparse.Namespace) -> int:
    """Delete every face that was prepared of a picture; added faces and pictures stay."""
    folder = cache_folder()
    count = FaceCache(folder, "").clear()
    IdentityCache.clear(identities_folder())  # of the same pictures: no further faces
    print(f"deleted {count} prepared face{'s' * (count != 1)} in {folder}; added faces stay")
    return 0


def list_added() -> list[tuple[str, str]]:
    """Name and one line about each added face."""
    library = FaceLibrary(library_folder())
    found = []
    for name in library.names():
        count = len(library.pictures(name))
        consent = _told(library.agreement(name))
        found.append((name, f"added by you, from {count} picture{'s' * (count > 1)}; {consent}"))
    return found


def _told(agreement: Agreement | None) -> str:
    if agreement is None:
        return "no note of consent"
    day = time.strftime("%Y-%m-%d", time.localtime(agreement.unix_s))
    return f"consent, said on {day}: {agreement.note or 'no note'}"


def _pictures(given: list[str], library: FaceLibrary) -> tuple[Path, ...]:
    paths: list[Path] = []
    for uri in given:
        if library.find(uri) is not None and not Path(uri).exists():
            raise ConfigError(f"{uri!r} is an added face, not a picture", "name picture files or folders")
        paths += face_pictures(str(Path(uri).expanduser().absolute()), library).paths
    return tuple(dict.fromkeys(paths))


def _ask(pictures: FacePictures, note: str) -> Agreement | None:
    """What is known of the consent to wear the face, after asking where somebody can be asked."""
    acknowledgements = Acknowledgements(default_path(), terminal_ask(headless=False))
    title, content, count = pictures.title(), pictures.content(), len(pictures.paths)
    words = acknowledgements.face(title, content, count, note)
    if words:
        print(
            f'{words}\nWith their consent, say so: realtime faces add NAME PICTURE --note "who agreed, when"'
        )
        return None
    agreement = acknowledgements.agreement(content)
    if agreement is not None and not agreement.note and (said := acknowledgements.note()):
        acknowledgements.face(title, content, count, said)
        agreement = acknowledgements.agreement(content)
    return agreement


def _prepare(name: str, paths: tuple[Path, ...]) -> tuple[Prepared, str]:
    """The face, and what the cache calls the way in which it was made."""
    from models.catalog import DEFAULT_CHAIN, lookup
    from models.detector import open_detector
    from models.fetch import ensure
    from models.landmarker import open_landmarker
    from realtime.assembly import analyse

    files = ensure(DEFAULT_CHAIN)
    detector_name, landmarker_name = DEFAULT_CHAIN
    detector = open_detector(detector_name, files[detector_name].parent)
    try:
        landmarker = open_landmarker(landmarker_name, files[landmarker_name].parent)
        try:
            prepared = prepare_pictures(name, paths, lambda bgr: analyse(bgr, detector, landmarker))
        finally:
            landmarker.close()
    finally:
        detector.close()
    return prepared, preparation([model.sha256 for model in lookup(DEFAULT_CHAIN)])
