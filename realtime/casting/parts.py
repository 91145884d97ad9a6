"""What a tracked face can be given, and what the casting is told of it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from realtime.boxes import Box

__all__ = ["COVERED", "Decision", "Hide", "Leave", "Part", "Sighting", "Wear"]


@dataclass(frozen=True, slots=True)
class Wear:
    """It wears a face."""

    index: int
    """Of the faces that there are to put on, from 0."""


@dataclass(frozen=True, slots=True)
class Hide:
    """It is hidden, and wears nothing."""

    manner: Literal["cover", "blur", "pixel"]
    """`cover`: as `realtime.cover`, a few flat cells over it and some way round; others: `models.hidden`."""


@dataclass(frozen=True, slots=True)
class Leave:
    """It is shown bare: the user has asked for it."""


Part: TypeAlias = Wear | Hide | Leave

COVERED = Hide("cover")
"""What those get of whom nothing is decided."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A tracked face in one frame; `realtime.frame.Face` without its points."""

    id: int
    """Of the track: one person keeps it, as far as the tracker can tell."""
    box: Box
    """Pixels of the frame."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the faces of one frame."""

    parts: dict[int, Part]
    """By id: one for each face of the frame, no others."""
    wanted: tuple[int, ...] = ()
    """Ids of those whom the recogniser should look at, most urgent first. One look a frame is enough."""
