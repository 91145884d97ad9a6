"""A network served by the next best place while its TensorRT engine is built, then by TensorRT."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from models.engines.background import UpgradingSession
from models.engines.progress import BuildProgress, ReportProgress
from models.runtime.base import InputSpec, PictureOut, Session
from models.runtime.outcome import Asked, Outcome, claim
from models.runtime.proof import prove

__all__ = ["Opening", "building", "open_building", "open_built", "serve_meanwhile"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a session is opened with, wherever it runs."""

    path: Path
    picture: InputSpec | None = None
    picture_out: PictureOut | None = None
    threads: int | None = None
    depth: int = 1


def open_built(opening: Opening, device: str) -> Session:
    """A session on an engine out of the cache.

    Raises EngineMissingError when there is none that TensorRT takes, and what opening it raises.
    """
    from models.runtime.tensorrt import TensorRTSession

    return TensorRTSession(
        opening.path,
        device=device,
        picture=opening.picture,
        picture_out=opening.picture_out,
        depth=opening.depth,
        build=None,
    )


def open_building(opening: Opening, device: str, progress: ReportProgress, stop: threading.Event) -> Session:
    """A session on an engine that is built first if need be, which takes minutes. `stop` ends the build."""
    from models.runtime.tensorrt import TensorRTSession

    return TensorRTSession(
        opening.path,
        device=device,
        picture=opening.picture,
        picture_out=opening.picture_out,
        progress=progress,
        stop=stop,
    )


def building(share: float) -> str:
    """What an outcome says of the place that is on its way; `share`: 0 to 1, of the build."""
    return f"building a TensorRT engine: {int(100 * share)} %"


def serve_meanwhile(
    of: Asked, opening: Opening, session: Session, found: Outcome, better: Outcome
) -> UpgradingSession:
    """Run on `session`, at `found.place`, until an engine is built, is proven and takes over at `better`.

    The outcome of `of` tells at every moment which of the two it is, how far the build is, and when it came
    to nothing, why. Closing the session ends the build.
    """
    name = opening.path.name

    def while_building(share: float) -> Outcome:
        return Outcome(found.place, (building(share), *found.passed_over))

    said = claim(of, while_building(0.0))
    _log.info("%s runs on %s until its TensorRT engine is built", name, found.place)

    def progress(now: BuildProgress) -> None:
        said.settle(while_building(now.share))

    def open_better(stop: threading.Event) -> Session:
        made = open_building(opening, better.place.device, progress, stop)
        try:
            prove(made, f"{name} on {better.place}")
        except BaseException:
            made.close()
            raise
        return made

    def take_over(_: str) -> None:
        said.settle(better)
        said.end()

    def give_up(reason: str) -> None:
        said.settle(Outcome(found.place, (f"not {better.place}: {reason}", *found.passed_over)))
        said.end()

    return UpgradingSession(
        session,
        f"{name} on {found.place}",
        open_better,
        f"{name} on {better.place}",
        on_swap=take_over,
        on_failure=give_up,
    )
