"""Which masks are laid over a swapped face, and how they end."""

from dataclasses import dataclass
from difflib import get_close_matches

from models.errors import SettingError
from models.masks.box import box_mask
from models.masks.regions import REGIONS

__all__ = ["BOX", "BUILT_IN", "HULL", "OWN", "MaskSettings"]

BOX, HULL, OWN, BUILT_IN = "box", "hull", "own", "built-in"
"""The masks that need no model of the catalogue: the crop without its rim, the face's outline, what the
swapper itself gives, and the occlusion network that comes with the program."""

GREATEST_EDGE = 1.0
GREATEST_FOREHEAD = 1.0
LEAST_OF_FACE = 0.4
"""Of the middle of the crop, where the face is, the box has to leave so much."""


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """Their minimum is what counts. Raises SettingError for what is outside its range."""

    masks: tuple[str, ...] = (BOX, HULL, OWN, BUILT_IN)
    """Names, each once: BOX, HULL, OWN, BUILT_IN, and any masks of the catalogue ("xseg_3",
    "bisenet_resnet_34"). BOX cannot be left out: no line is to show where the crop ends."""
    edge: float = 0.12
    """Width of the soft edges in eye distances, 0 to 1. The peers' is about 0.14."""
    blur: float = 0.2
    """Of the box, 0 to 1. The peers' 0.3 leaves a chin and, in the templates that are cut closest, the mouth
    partly bare."""
    padding: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Of the box: top, right, bottom, left, in percent of the crop."""
    forehead: float = 0.2
    """How far the hull goes up beyond the mesh, in eye distances, 0 to 1."""
    regions: tuple[str, ...] = tuple(REGIONS)
    """What a bisenet replaces, of `regions.REGIONS`."""
    keep_mouth: bool = False
    """Between open lips the wearer's own teeth and tongue show."""
    every: int = 1
    """A mask of a network of the catalogue is drawn anew in every so many frames, and moves along between."""

    def __post_init__(self) -> None:
        _within("edge", self.edge, 0, GREATEST_EDGE)
        _within("blur", self.blur, 0, 1)
        _within("forehead", self.forehead, 0, GREATEST_FOREHEAD)
        for name, value in zip(("top", "right", "bottom", "left"), self.padding, strict=True):
            _within(f"padding at the {name}", value, 0, 100)
        if _left_of_face(self.blur, self.padding) < LEAST_OF_FACE:
            raise SettingError(
                "the paddings of the mask, and its blur, leave next to nothing of the face: "
                "the wearer's own would be seen",
                "choose smaller ones",
            )
        if self.every < 1:
            raise SettingError(f"a mask cannot be drawn in every {self.every} frames", "choose 1 or more")
        if not self.regions:
            raise SettingError("no part of the face is to be replaced", f"choose of {', '.join(REGIONS)}")
        for region in self.regions:
            if region not in REGIONS:
                raise SettingError(f"a face has no part {region!r}", _nearest(region, tuple(REGIONS)))
        if BOX not in self.masks:
            raise SettingError("the box cannot be left out of the masks", f"choose {BOX} and others")
        if len(set(self.masks)) < len(self.masks):
            raise SettingError(f"a mask is there twice: {', '.join(self.masks)}", "name each once")

    @property
    def networks(self) -> tuple[str, ...]:
        """The masks of the catalogue."""
        return tuple(name for name in self.masks if name not in (BOX, HULL, OWN, BUILT_IN))


def _left_of_face(blur: float, padding: tuple[float, float, float, float]) -> float:
    size = 64
    middle = slice(size // 4, size - size // 4)
    return float(box_mask(size, blur, padding)[middle, middle].mean()) / 255


def _within(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingError(f"the {what} of the mask is {value:g}", f"choose {low:g} to {high:g}")


def _nearest(name: str, known: tuple[str, ...]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose of {', '.join(known)}"
