"""What is turned while neural faces are made."""

from dataclasses import dataclass

from models.errors import SettingError

__all__ = ["ChainSettings"]


@dataclass(frozen=True, slots=True)
class ChainSettings:
    """Read anew for each frame. Raises SettingError for what is outside its range."""

    fidelity: float = 0.5
    """0 towards the wearer's face, 0.5 the other face as it is, 1 beyond it, away from the wearer's."""
    morph: float = 1.0
    """For a face that is in the file itself: 0 the wearer's, 1 the other."""
    colour: float = 1.0
    """How far the skin's tone is brought to the wearer's."""
    blend: float = 0.8
    """How much of the enhancer's work shows."""
    weight: float = 0.5
    """For an enhancer that takes one: 0 most detail, 1 most likeness."""
    enhance_every: int = 1
    """The enhancer runs in every so many frames; what it added is kept on the face in between."""

    def __post_init__(self) -> None:
        for name in ("fidelity", "morph", "colour", "blend", "weight"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise SettingError(f"the {name} is {value:g}, which is not from 0 to 1", "give 0 to 1")
        if self.enhance_every < 1:
            raise SettingError(
                f"an enhancer cannot run in every {self.enhance_every} frames", "give 1 or more"
            )
