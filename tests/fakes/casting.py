"""A casting that gives everybody a face."""

from realtime.casting.cast import Casting, CastingSettings
from realtime.identification import Identification
from realtime.telemetry.histogram import Histogram
from tests.fakes.clock import FakeClock

__all__ = ["everybody"]


def everybody(faces: int = 1) -> Identification:
    """The faces are given to people in turn; nobody is looked at."""
    return Identification(Casting(CastingSettings(faces=faces)), None, FakeClock(), Histogram())
