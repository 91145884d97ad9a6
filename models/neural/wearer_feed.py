"""What a face is fed with as the sliders stand: the other face's vector, with the wearer's own mixed in."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.neural.face import GivenFace, Template
from models.neural.settings import ChainSettings
from models.neural.source_feed import NEUTRAL_FIDELITY, SourceFeed, with_fidelity, with_morph

__all__ = ["LOOK_AGAIN_NS", "WEARER", "WearerFeeds", "WearerLook"]

LOOK_AGAIN_NS = 2_000_000_000
"""A wearer's own vector, for the fidelity, is taken anew after so long."""
FACES_KEPT = 32
WEARER: Template = ("arcface_112_v2", 112)
"""What the recogniser sees."""


class WearerLook(Protocol):
    """Tells whose face a crop of WEARER shows."""

    def vector(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N,) float32, of the recogniser's own length, for (112, 112, 3) uint8 BGR. Raises BackendError."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Seen:
    vector: NDArray[np.float32]
    captured_ns: int


class WearerFeeds:
    """Belongs to one thread."""

    def __init__(self, wearer: WearerLook | None = None) -> None:
        """`wearer`: needed for a fidelity other than 0.5."""
        self._wearer = wearer
        self._seen: dict[int, _Seen] = {}

    @property
    def templates(self) -> tuple[Template, ...]:
        """The squares that it takes of each face."""
        return () if self._wearer is None else (WEARER,)

    def feed(self, given: GivenFace, settings: ChainSettings) -> SourceFeed:
        """What the swapper is fed with for this face. Raises SwapError when the wearer's vector is none."""
        feed = given.feed
        if "morph" in feed.values and settings.morph != float(feed.values["morph"][0]):
            feed = with_morph(feed, settings.morph)
        if settings.fidelity == NEUTRAL_FIDELITY or feed.wearer_unit is None or self._wearer is None:
            return feed
        seen = self._seen.pop(given.id, None)
        if seen is None or given.captured_ns - seen.captured_ns >= LOOK_AGAIN_NS:
            seen = _Seen(self._wearer.vector(given.crops[WEARER].bgr), given.captured_ns)
        while len(self._seen) >= FACES_KEPT:
            del self._seen[next(iter(self._seen))]
        self._seen[given.id] = seen
        return with_fidelity(feed, seen.vector, settings.fidelity)

    def close(self) -> None:
        """Free the recogniser. Idempotent, never raises."""
        if self._wearer is not None:
            self._wearer.close()
