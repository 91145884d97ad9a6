"""`realtime faces add | remove | clear`, and the added faces in `realtime faces list`."""

import argparse
from pathlib import Path

from realtime.consent import Acknowledgements, default_path, terminal_ask
from realtime.errors import ConfigError
from realtime.face_cache import FaceCache, cache_folder, preparation
from realtime.face_library import FaceLibrary, library_folder
from realtime.faces import FacePictures, face_pictures
from realtime.source_pictures import Prepared, prepare_pictures

__all__ = ["faces_add", "faces_clear", "faces_remove", "list_added"]


def faces_add(args: argparse.Namespace) -> int:
    """Keep the face in `args.pictures`, files or folders, as `args.name`, if it can be put on and may be.

    Raises ConfigError for the name, the pictures or when there is no consent, ModelError when the models to
    see the face cannot be had, DeviceError when it cannot be kept.
    """
    library = FaceLibrary(library_folder())
    library.check_new(args.name)
    paths = _pictures(args.pictures, library)
    prepared, made_by = _prepare(args.name, paths)
    for note in prepared.left_out + prepared.notes:
        print(f"warning: {note}")
    kept = FacePictures(args.name, prepared.used)
    _ask(kept)
    library.add(args.name, prepared.used)
    FaceCache(cache_folder(), made_by).put(kept.key(), prepared.face, prepared.notes)
    count = len(prepared.used)
    print(f'added {args.name}, from {count} picture{"s" * (count > 1)}: realtime run --face "{args.name}"')
    return 0


def faces_remove(args: argparse.Namespace) -> int:
    """Delete an added face, and all that is kept of it. Raises ConfigError and DeviceError."""
    library = FaceLibrary(library_folder())
    known = FacePictures(args.name, library.pictures(args.name))
    cache = FaceCache(cache_folder(), "")
    if known.paths:
        cache.forget(known.key())
    print(f"removed {library.remove(args.name)}")
    return 0


def faces_clear(args: argparse.Namespace) -> int:
    """Delete every face that was prepared of a picture; added faces and pictures stay."""
    folder = cache_folder()
    count = FaceCache(folder, "").clear()
    print(f"deleted {count} prepared face{'s' * (count != 1)} in {folder}; added faces stay")
    return 0


def list_added() -> list[tuple[str, str]]:
    """Name and one line about each added face."""
    library = FaceLibrary(library_folder())
    counts = [(name, len(library.pictures(name))) for name in library.names()]
    return [(name, f"added by you, from {count} picture{'s' * (count > 1)}") for name, count in counts]


def _pictures(given: list[str], library: FaceLibrary) -> tuple[Path, ...]:
    paths: list[Path] = []
    for uri in given:
        if library.find(uri) is not None and not Path(uri).exists():
            raise ConfigError(f"{uri!r} is an added face, not a picture", "name picture files or folders")
        paths += face_pictures(str(Path(uri).expanduser().absolute()), library).paths
    return tuple(dict.fromkeys(paths))


def _ask(pictures: FacePictures) -> None:
    acknowledgements = Acknowledgements(default_path(), terminal_ask(headless=False))
    words = acknowledgements.face(pictures.title(), pictures.content())
    if words:
        print(words)


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
