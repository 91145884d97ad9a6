"""Faces given to people by whom they look like: told by a few looks of a recogniser when they appear.

A verdict is checked every few seconds, never in each frame. It holds while a check is not over, but not for
people who are shown bare: they are covered from the first look that speaks against it, and checked more
often, most of all when faces touch, since a track may then slip from one to the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.boxes import iou
from realtime.casting.attendance import Attendance
from realtime.casting.parts import Sighting
from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = [
    "AGAIN_BARE_NS",
    "AGAIN_NS",
    "AWAY_NS",
    "CLEARLY",
    "KEPT",
    "LOOKS",
    "LOOK_EVERY_NS",
    "TOUCHING_IOU",
    "ByLikeness",
    "Verdict",
]

LOOKS = 4
"""A verdict is passed on the mean of so many looks at most."""
LOOKS_CLEAR = 2
"""And after so many when the mean is clearly like a reference."""
CLEARLY = 0.1
"""Cosine above the threshold that is clear."""
KEPT = 0.08
"""Cosine below the threshold that does not yet take a face away, and by which another reference must be
nearer to take its place."""
LOOK_EVERY_NS = 100 * NS_PER_MS
"""Between two looks at one person: frames that follow each other tell the same."""
AGAIN_NS = 3 * NS_PER_S
"""Between a verdict and the next check of it."""
AGAIN_BARE_NS = NS_PER_S
"""The same for people who are shown bare. For so long after they touched somebody, they are looked at all the
time, each `LOOK_EVERY_NS`: a track that has slipped onto the wearer's face shows it."""
TOUCHING_IOU = 0.02
"""As `realtime.encounters` has it."""
AWAY_NS = 200 * NS_PER_MS
"""Who comes back after so long is checked at once: the tracker knew them by place and shape alone."""

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one person."""

    reference: int | None
    """Whom they look like; None: nobody."""
    certain: bool
    """False: a look spoke against it, or they have been away, and the check is not over."""


@dataclass(slots=True)
class _Person:
    verdict: Verdict | None = None
    passed_ns: int = 0
    """When the verdict was passed or confirmed."""
    total: Vector | None = None
    """Sum of the looks of this check; None between checks and before the first look."""
    looks: int = 0
    looked_ns: int | None = None
    touched_ns: int | None = None
    checking: bool = True


class ByLikeness:
    """Pure: told who is there, what the recogniser saw, and what time it is."""

    def __init__(self, references: Sequence[Vector], threshold: float, bare: bool) -> None:
        """`references`: (N,) each, of length 1, at least one; `threshold`: cosine from which two pictures are
        taken to show one person; `bare`: those who look like nobody are shown as they are."""
        self._references = np.stack(references)
        self._threshold = threshold
        self._bare = bare
        self._attendance = Attendance()
        self._people: dict[int, _Person] = {}

    def judge(self, faces: Sequence[Sighting], now_ns: int) -> dict[int, Verdict | None]:
        """What is known of each; None where nothing is."""
        self._attendance.note(faces, now_ns)
        self._people = {number: one for number, one in self._people.items() if number in self._attendance}
        for face in faces:
            person = self._people.setdefault(face.id, _Person())
            if self._bare and any(
                face is not each and iou(face.box, each.box) > TOUCHING_IOU for each in faces
            ):
                person.touched_ns = now_ns
            away = self._attendance[face.id].away_ns >= AWAY_NS
            if person.verdict is not None and away:
                person.verdict = Verdict(person.verdict.reference, False)
                _begin(person)
            elif not person.checking and now_ns - person.passed_ns >= self._again_ns(person, now_ns):
                _begin(person)
        return {face.id: self._people[face.id].verdict for face in faces}

    def wanted(self, faces: Sequence[Sighting], now_ns: int) -> tuple[int, ...]:
        """Whom to look at now, of those just judged: who has no verdict first, then who was not looked at
        for longest."""
        due = []
        for face in faces:
            person = self._people[face.id]
            looked_ns = person.looked_ns
            if person.checking and (looked_ns is None or now_ns - looked_ns >= LOOK_EVERY_NS):
                settled = person.verdict is not None and person.verdict.certain
                due.append((settled, -1 if looked_ns is None else looked_ns, face.id))
        return tuple(number for _, _, number in sorted(due))

    def learn(self, number: int, embedding: Vector, now_ns: int) -> None:
        """Take a look at one of those just judged. `embedding`: (N,), of length 1; no numbers are no look."""
        person = self._people.get(number)
        if person is None or not person.checking:
            return
        person.looked_ns = now_ns
        if embedding.shape != self._references.shape[1:] or not np.isfinite(embedding).all():
            return
        person.total = embedding.copy() if person.total is None else person.total + embedding
        person.looks += 1
        mean = person.total / max(float(np.linalg.norm(person.total)), 1e-9)
        verdict = self._verdict(person, self._references @ mean)
        if verdict is not None:
            person.verdict, person.passed_ns = verdict, now_ns
            person.checking = False
        elif person.verdict is not None:
            person.verdict = Verdict(person.verdict.reference, False)

    def _again_ns(self, person: _Person, now_ns: int) -> int:
        """How long after a verdict it is checked."""
        if not self._bare:
            return AGAIN_NS
        touched_ns = person.touched_ns
        touched = touched_ns is not None and now_ns - touched_ns < AGAIN_BARE_NS
        return LOOK_EVERY_NS if touched else AGAIN_BARE_NS

    def _verdict(self, person: _Person, likeness: Vector) -> Verdict | None:
        """None: more looks are needed. `likeness`: cosine to each reference."""
        best = int(np.argmax(likeness))
        nearest = float(likeness[best])
        before = person.verdict
        if before is not None:
            held = before.reference
            if held is None:
                agrees = nearest < self._threshold
            else:
                agrees = float(likeness[held]) >= max(self._threshold, nearest) - KEPT
            if agrees:
                return Verdict(held, True)
        elif person.looks >= LOOKS_CLEAR and nearest >= self._threshold + CLEARLY:
            return Verdict(best, True)
        if person.looks < LOOKS:
            return None
        return Verdict(best if nearest >= self._threshold else None, True)


def _begin(person: _Person) -> None:
    """Begin a check: what was seen before counts no more."""
    person.checking, person.total, person.looks = True, None, 0
