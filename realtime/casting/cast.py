"""Which face gets what: decided by the ids, places and looks of the faces of a frame, and the time.

Every face gets one part. Nobody is left bare unless the settings say that those who get no face are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from realtime.casting.left_to_right import LeftToRight
from realtime.casting.likeness import ByLikeness, Verdict
from realtime.casting.one import TheOne
from realtime.casting.parts import COVERED, Decision, Hide, Leave, Part, Sighting, Wear

__all__ = ["Casting", "CastingSettings", "Who"]

Who = Literal["many", "one", "left-to-right", "reference"]


@dataclass(frozen=True, slots=True, eq=False)
class CastingSettings:
    """See `realtime.config.FaceConfig`."""

    who: Who = "many"
    faces: int = 1
    """How many faces there are to give, 1 or more; a persona for the others is not among them."""
    others: Part = COVERED
    """What those get who get none of the faces."""
    references: tuple[NDArray[np.float32], ...] = ()
    """(N,) each, of length 1, for `reference`: the n-th face is for the person whose embedding this is."""
    likeness: float = 0.4
    """Cosine from which somebody is taken for a reference."""


class Casting:
    """Pure. For each frame `decide`; then, if somebody of `wanted` has been looked at, `learn`."""

    def __init__(self, settings: CastingSettings) -> None:
        """Raises ValueError when there is not one reference for each face where they decide."""
        self._settings = settings
        self._one = TheOne()
        self._ordered = LeftToRight(settings.faces)
        self._alike: ByLikeness | None = None
        if settings.who == "reference":
            if len(settings.references) != settings.faces:
                raise ValueError(f"{len(settings.references)} references for {settings.faces} faces")
            bare = isinstance(settings.others, Leave)
            self._alike = ByLikeness(settings.references, settings.likeness, bare)

    def decide(self, faces: Iterable[Sighting], now_ns: int) -> Decision:
        """What becomes of the faces of a frame, ids all different, in any order. `now_ns` never goes back."""
        here = tuple(faces)
        settings = self._settings
        if self._alike is not None:
            verdicts = self._alike.judge(here, now_ns)
            parts = {number: self._judged(verdict) for number, verdict in verdicts.items()}
            return Decision(parts, self._alike.wanted(here, now_ns))
        if settings.who == "many":
            return Decision({face.id: Wear((face.id - 1) % settings.faces) for face in here})
        return Decision(self._placed(here, now_ns))

    def learn(self, number: int, embedding: NDArray[np.float32], now_ns: int) -> None:
        """Take a look at the face of that id in the frame just decided on; see `ByLikeness.learn`."""
        if self._alike is not None:
            self._alike.learn(number, embedding, now_ns)

    def _placed(self, here: Sequence[Sighting], now_ns: int) -> dict[int, Part]:
        if self._settings.who == "one":
            one = self._one.choose(here, now_ns)
            worn = {} if one is None else {one: 0}
        else:
            worn = self._ordered.give(here, now_ns)
        others = self._settings.others
        return {face.id: Wear(worn[face.id]) if face.id in worn else others for face in here}

    def _judged(self, verdict: Verdict | None) -> Part:
        others = self._settings.others
        if verdict is not None and verdict.reference is not None:
            return Wear(verdict.reference)
        if verdict is not None and (verdict.certain or not isinstance(others, Leave)):
            return others
        return others if isinstance(others, Hide) else COVERED
