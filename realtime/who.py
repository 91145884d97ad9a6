"""From the configuration to the casting: who gets which face, and what becomes of the others."""

import logging
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.catalog import lookup
from models.embedder import FaceEmbedder
from models.entries import Model
from models.recogniser import LIKENESS, find_recogniser, open_recogniser
from realtime import personas
from realtime.casting.cast import Casting, CastingSettings
from realtime.casting.parts import COVERED, Hide, Leave, Part, Wear
from realtime.clock import Clock
from realtime.config import Config, FaceConfig
from realtime.errors import ConfigError
from realtime.face_library import FaceLibrary
from realtime.faces import PERSONA, face_pictures
from realtime.identification import Identification
from realtime.identities import IdentityCache, identities_folder, load_identity, unit
from realtime.places import precision_of, wanted
from realtime.source_pictures import Analyse
from realtime.telemetry.histogram import Histogram

__all__ = ["check_who", "open_identification", "others_of", "recogniser_of", "worn_uris"]

ALONE = "alone"
_MANNERS: dict[str, Part] = {"": COVERED, "cover": COVERED, "blur": Hide("blur"), "pixel": Hide("pixel")}

_log = logging.getLogger(__name__)


def check_who(face: FaceConfig) -> None:
    """Raise ConfigError when the settings that say who gets what do not go together. Looks at no file."""
    others_of(face)
    count = len(face.uris)
    if not count:
        raise ConfigError("there is no face to put on", "give one: --face persona:porcelain")
    if face.who == "many" and face.others:
        raise ConfigError(
            f"face.others = {face.others!r} is for people who get no face, and everybody gets one",
            "say who gets one: --who one, --who left-to-right or --who reference",
        )
    if face.who == "one" and count > 1:
        raise ConfigError(
            f"{count} faces are given, and with face.who = one a single person wears one",
            "leave one --face, or choose --who left-to-right or --who many",
        )
    if face.who != "reference" and face.references:
        raise ConfigError(
            f"there are references, and with face.who = {face.who} nobody is compared with them",
            "add --who reference, or leave --reference out",
        )
    if face.who != "reference":
        return
    for reference in face.references:
        if reference.startswith(PERSONA):
            raise ConfigError(
                f"{reference} cannot be a reference: nobody looks like a persona",
                "give a picture of the person who is to wear the face",
            )
    if len(face.references) < count:
        raise ConfigError(
            f"nobody is named to wear {face.uris[len(face.references)]}: {_many(count, 'face')}, "
            f"{_many(len(face.references), 'reference')}",
            "give a --reference PICTURE of the wearer for each --face, in the same order",
        )
    if len(face.references) > count:
        raise ConfigError(
            f"there are {_many(len(face.references), 'reference')} for {_many(count, 'face')}: nothing is "
            f"there for the person of {face.references[count]} to wear",
            "give a --face for each --reference, in the same order; the same face may be given twice",
        )


def others_of(face: FaceConfig) -> Part:
    """What those get who get none of the faces. Raises ConfigError."""
    wanted = face.others
    if wanted == ALONE:
        return Leave()
    if wanted in _MANNERS:
        return _MANNERS[wanted]
    name = wanted.removeprefix(PERSONA)
    if wanted.startswith(PERSONA) and name in personas.NAMES:
        # Two of the personas only hide; they need no face.
        return _MANNERS.get(name, Wear(len(face.uris)))
    known = [*_MANNERS, ALONE, *(PERSONA + each for each in personas.NAMES)][1:]
    near = get_close_matches(PERSONA + wanted if wanted in personas.NAMES else wanted, known, n=1)
    raise ConfigError(
        f"face.others = {wanted!r} says nothing that can become of people who get no face",
        f"choose cover, blur, pixel, {ALONE} or persona:NAME{f'; did you mean {near[0]}?' if near else ''}",
    )


def worn_uris(face: FaceConfig) -> tuple[str, ...]:
    """The faces to load, in the order that `Wear.index` counts: those to give, then that of the others."""
    return (*face.uris, face.others) if isinstance(others_of(face), Wear) else face.uris


def recogniser_of(face: FaceConfig, folder: Path | None = None) -> Model | None:
    """The recogniser that telling people apart needs; None where nobody is told apart.

    `folder`: of the models. Raises ModelError when there is none.
    """
    return find_recogniser(face.recogniser, folder) if face.who == "reference" else None


def open_identification(
    config: Config,
    folder: Path,
    analyse: Analyse,
    models: tuple[str, ...],
    clock: Clock,
    spent: Histogram,
    library: FaceLibrary | None = None,
) -> Identification:
    """The casting that the configuration asks for, with its recogniser where it needs one.

    `folder`: of the models; `analyse`: finds the faces of a picture, with `models` (their names); `spent`: of
    the stage "identify". Raises ConfigError, SourceError, ModelError and BackendError.
    """
    face = config.face
    check_who(face)
    others = others_of(face)
    if isinstance(others, Leave):
        _log.warning("people who get no face are shown bare, because face.others = %s says so", ALONE)
    model = recogniser_of(face, folder)
    if model is None:
        settings = CastingSettings(face.who, len(face.uris), others)
        return Identification(Casting(settings), None, clock, spent)
    place = wanted(config, "identify")
    recogniser = open_recogniser(model, folder, place.backend, place.device, precision_of(config, "identify"))
    try:
        references = _references(face, model, models, analyse, recogniser, library)
        threshold = face.likeness or LIKENESS.get(model.family, max(LIKENESS.values()))
        settings = CastingSettings(face.who, len(face.uris), others, references, threshold)
        return Identification(Casting(settings), recogniser, clock, spent)
    except BaseException:
        recogniser.close()
        raise


def _references(
    face: FaceConfig,
    model: Model,
    models: tuple[str, ...],
    analyse: Analyse,
    recogniser: FaceEmbedder,
    library: FaceLibrary | None,
) -> tuple[NDArray[np.float32], ...]:
    cache = None
    if model.sha256:
        cache = IdentityCache(identities_folder(), model.sha256, [each.sha256 for each in lookup(models)])
    found = []
    for uri in face.references:
        pictures = face_pictures(uri, library)
        identity = load_identity(pictures, analyse, recogniser, cache)
        found.append(unit(identity))
    return tuple(found)


def _many(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'s' * (count != 1)}"
