"""The licences that models come under, in our own words, and which of them have to be accepted first."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["LICENCES", "Licence", "licence"]


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence asks of whoever uses the model."""

    name: str
    restrictive: bool
    """Whether it limits what the model may be used for, so that it is to be accepted before a fetch."""
    summary: str
    """One sentence without a final full stop; what binds is the licence itself."""


def _non_commercial(name: str, holder: str) -> Licence:  # "NC" in a name: non-commercial
    return Licence(
        name,
        restrictive=True,
        summary=f"{holder} allows non-commercial use for research only; "
        "commercial use needs an agreement with them",
    )


_KNOWN = (
    Licence("MIT", False, "any use; keep the notice when you pass it on"),
    Licence("Apache-2.0", False, "any use; keep the notices when you pass it on"),
    Licence("BSD-2-Clause", False, "any use; keep the notice when you pass it on"),
    Licence("BSD-3-Clause", False, "any use; keep the notice and do not advertise with its makers' names"),
    Licence("CC-BY-4.0", False, "any use; name its makers when you pass it on"),
    Licence("GPL-3.0", False, "any use; whoever passes it on passes on the same rights and the source"),
    Licence(
        "AGPL-3.0",
        False,
        "any use; whoever passes it on, or lets others use it over a network, owes them the source",
    ),
    Licence(
        "OpenRAIL-M",
        True,
        "any use but those its list forbids: harm, deception, discrimination, breaking the law",
    ),
    Licence(
        "ResearchRAIL",
        True,
        "research only, and none of the uses its kind of licence forbids; its makers publish no full text",
    ),
    Licence("S-Lab-1.0", True, "non-commercial use only; commercial use needs its makers' written agreement"),
    _non_commercial("InsightFace-NC", "InsightFace"),
    _non_commercial("GPEN-NC", "GPEN's maker"),
    _non_commercial("SimSwap-NC", "SimSwap's maker"),
    _non_commercial("BlendSwap-NC", "BlendSwap's maker"),
    _non_commercial("AlphaFace-NC", "AlphaFace's maker"),
    Licence(
        "Apache-2.0+NC",
        True,
        "any use of the whole but for parts that its licence names, which are non-commercial: "
        "StyleGAN2 (NVIDIA) and DFDNet",
    ),
    Licence("unknown", True, "its makers published no licence, so no right to use it is granted to anybody"),
    Licence("your own", False, "a file you added; its terms are between you and whoever gave it to you"),
)

LICENCES: Mapping[str, Licence] = MappingProxyType({each.name: each for each in _KNOWN})
"""By name."""


def licence(name: str) -> Licence:
    """The licence of this name; one that is not in the table counts as restrictive."""
    return LICENCES.get(name) or Licence(name, restrictive=True, summary="read its text before you use it")
