"""The swapped face in the target's light: its skin's tone brought to that of the face it replaces."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import cv2
import numpy as np
from numpy.typing import NDArray

from models.colour_transfer import IDENTITY, inliers, mapping, opponent, tone
from models.errors import SettingError
from models.scratch import Scratch

__all__ = ["ColourMatch", "apply_colours"]

LOOK_PX = 64
"""Side of the small pictures that tones are measured on."""
_FINEST_PX = 512
"""A larger picture is first thinned out to this."""
_LEAST_SKIN = 60.0
"""Pixels of skin, of 64 x 64, below which its tone is not known."""
LOOK_NS = 80_000_000
_FORGOTTEN_S = 2.0
"""A track that was not seen for so long begins anew."""


@dataclass(slots=True)
class _Track:
    matrix: NDArray[np.float32]
    captured_ns: int
    """When skin was last seen."""
    looked_ns: int = 0
    """When it was last looked for."""


class ColourMatch:
    """Belongs to one thread."""

    def __init__(self, strength: float = 1.0, time_constant_s: float = 0.4) -> None:
        """`strength`: 0 leaves the face as it is, 1 matches. `time_constant_s`: the time in which the match
        makes up 63 % of a change; 0 follows at once. Raises SettingError for what is outside its range."""
        self.strength = strength
        if not 0 <= time_constant_s < inf:
            raise SettingError(
                f"the time constant of the colour match cannot be {time_constant_s} s", "give 0 s or more"
            )
        self._time_constant_s = time_constant_s
        self._tracks: dict[int, _Track] = {}
        self._scratch = Scratch()

    @property
    def strength(self) -> float:
        """May be set between frames. Raises SettingError outside 0..1."""
        return self._strength

    @strength.setter
    def strength(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise SettingError(f"the strength of the colour match cannot be {value}", "give 0 to 1")
        self._strength = float(value)

    def estimate(
        self,
        swapped: NDArray[np.uint8],
        target: NDArray[np.uint8],
        skin: NDArray[np.uint8],
        track_id: int,
        captured_ns: int,
    ) -> NDArray[np.float32]:
        """(3, 4) float32 for `apply_colours`, smoothed over the track, of this `strength`.

        `swapped`, `target`: (S, S, 3) of the same square, of one size or two; `skin`: (s, s), how far each
        counts: `skin_weight`, lowered to what is seen of the face. Where too little skin is seen the
        track's last map holds; without one it is the identity.
        """
        found = self._found(swapped, target, skin)
        track = self._current(track_id, captured_ns)
        if track is None:
            if found is None:
                return IDENTITY
            self._forget(captured_ns)
            track = self._tracks[track_id] = _Track(found, captured_ns)
        elif found is not None:
            passed_s = max(captured_ns - track.captured_ns, 0) / 1e9
            share = -np.expm1(-passed_s / self._time_constant_s) if self._time_constant_s else 1.0
            track.matrix = track.matrix + np.float32(share) * (found - track.matrix)
            track.captured_ns = max(captured_ns, track.captured_ns)
        track.looked_ns = captured_ns
        return self._at_strength(track.matrix)

    def _at_strength(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(IDENTITY + np.float32(self._strength) * (matrix - IDENTITY), np.float32)

    def standing(self, track_id: int, captured_ns: int) -> NDArray[np.float32] | None:
        """The track's map as it was estimated last, of this `strength`; None when it has none."""
        track = self._current(track_id, captured_ns)
        return None if track is None else self._at_strength(track.matrix)

    def due(self, track_id: int, captured_ns: int) -> bool:
        """Whether the track's tones are to be measured anew: every `LOOK_NS`."""
        track = self._current(track_id, captured_ns)
        return track is None or not 0 <= captured_ns - track.looked_ns < LOOK_NS

    def match(
        self,
        swapped: NDArray[np.uint8],
        seen: Callable[[], tuple[NDArray[np.uint8], NDArray[np.uint8]]],
        track_id: int,
        captured_ns: int,
    ) -> None:
        """Change the colours of `swapped` in place; `seen` gives the target and its skin, as for `estimate`.

        A track's tones are measured anew every `LOOK_NS`: what is smoothed over 0.4 s needs no more, and
        measuring takes ten times as long as changing the colours.
        """
        if self._strength == 0:
            return
        matrix = None
        if not self.due(track_id, captured_ns):
            matrix = self.standing(track_id, captured_ns)
        if matrix is None:
            matrix = self.estimate(swapped, *seen(), track_id, captured_ns)
        apply_colours(swapped, matrix)

    def _found(
        self, swapped: NDArray[np.uint8], target: NDArray[np.uint8], skin: NDArray[np.uint8]
    ) -> NDArray[np.float32] | None:
        """The map of these two pictures alone; None where too little skin is seen."""
        small_skin = self._small("skin", skin).reshape(-1)
        seen = np.flatnonzero(small_skin)
        weight = small_skin[seen].astype(np.float32) / np.float32(255)
        if weight.sum() < _LEAST_SKIN:
            return None
        own = opponent(self._small("swapped", swapped).reshape(-1, 3)[seen])
        other = opponent(self._small("target", target).reshape(-1, 3)[seen])
        weight = inliers(other, inliers(own, weight))
        return mapping(tone(own, weight), tone(other, weight))

    def _small(self, name: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if picture.shape[0] > _FINEST_PX:
            picture = self._resized(f"{name} finest", picture, _FINEST_PX, cv2.INTER_NEAREST)
        # OpenCV halves several times faster than it averages over more.
        while picture.shape[0] % 2 == 0 and picture.shape[0] // 2 >= LOOK_PX:
            half = picture.shape[0] // 2
            picture = self._resized(f"{name} {half}", picture, half, cv2.INTER_AREA)
        if picture.shape[0] == LOOK_PX:
            return picture
        return self._resized(name, picture, LOOK_PX, cv2.INTER_AREA)

    def _resized(self, name: str, picture: NDArray[np.uint8], side: int, way: int) -> NDArray[np.uint8]:
        out = self._scratch.u8(name, side, side, *picture.shape[2:])
        cv2.resize(picture, (side, side), dst=out, interpolation=way)
        return out

    def _current(self, track_id: int, captured_ns: int) -> _Track | None:
        track = self._tracks.get(track_id)
        if track is None or captured_ns - track.captured_ns > _FORGOTTEN_S * 1e9:
            return None
        return track

    def _forget(self, captured_ns: int) -> None:
        gone = [key for key in self._tracks if self._current(key, captured_ns) is None]
        for key in gone:
            del self._tracks[key]


def apply_colours(bgr: NDArray[np.uint8], matrix: NDArray[np.float32]) -> None:
    """Map each pixel of (H, W, 3) uint8 in place by the (3, 4) `matrix`, rounded and cut to 0..255."""
    if not np.array_equal(matrix, IDENTITY):
        cv2.transform(bgr, matrix, dst=bgr)
