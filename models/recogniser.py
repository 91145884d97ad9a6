"""Which network tells people apart here: one that is asked for, or the best that is at hand."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from models.added import known_models
from models.embedder import FaceEmbedder
from models.entries import AddedSource, Model
from models.errors import ModelError
from models.licences import licence
from models.loading import open_model
from models.precision import FP32
from models.store import State, cache_folder, state

__all__ = ["LIKENESS", "ROLE", "find_recogniser", "open_recogniser"]

ROLE = "recogniser"
PREFERRED = ("arcface_w600k_r50", "arcface_r50_buffalo", "mobilefacenet")
"""Of those at hand, without being asked for one; before the last, one that the user added."""
LIKENESS: Mapping[str, float] = MappingProxyType({"arcface": 0.40, "mobilefacenet": 0.38})
"""Family -> cosine from which two pictures are taken to show one person. Of ArcFace w600k the default of
FaceFusion, a distance of 0.3 in half the range of the cosine. Of MobileFaceNet, looks at four people, 33 to
185 px wide, are 0.30 at most alike to another one's mean, and 95 % of them 0.71 or more to their own."""


def find_recogniser(name: str = "", folder: Path | None = None) -> Model:
    """The recogniser `name`, of the catalogue or the user's own; "": the best whose file is in `folder`.

    `folder`: by default the models'. Raises ModelError that says what to fetch or add when there is none.
    """
    where = cache_folder() if folder is None else folder
    known = known_models(where)
    able = {each.name: each for each in known.values() if each.role == ROLE}
    if name:
        if name not in able:
            why = f"it is a {known[name].role}" if name in known else "it is not known"
            raise ModelError(
                f"{name!r} cannot tell people apart: {why}",
                f"choose one of: {', '.join(sorted(able))}; or add your own: {_ADDING}",
            )
        return able[name]
    added = tuple(sorted(each.name for each in able.values() if isinstance(each.source, AddedSource)))
    for candidate in (*PREFERRED[:-1], *added, PREFERRED[-1]):
        found = able.get(candidate)
        if found is not None and state(found, where, by_size=True) is State.PRESENT:
            return found
    light = able[PREFERRED[-1]]
    raise ModelError(
        "telling people apart needs a recogniser, and there is none here",
        f"run: realtime models fetch {light.name} ({light.licence}), or {PREFERRED[0]} "
        f"({licence(able[PREFERRED[0]].licence).summary}), or add your own: {_ADDING}",
    )


_ADDING = "realtime models add FILE --family arcface|mobilefacenet"


def open_recogniser(
    model: Model, folder: Path, backend: str = "openvino", device: str = "", precision: str = FP32
) -> FaceEmbedder:
    """Open the file of `model` in `folder` and run it once. Raises ModelError and BackendError."""
    session = open_model(model, folder, backend, device=device, precision=precision).session
    try:
        session.warmup()
        return FaceEmbedder(session)
    except BaseException:
        session.close()
        raise
