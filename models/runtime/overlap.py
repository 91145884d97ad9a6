"""Several runs of one network: sent on their way together where the session can, else one after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.errors import SwapError
from models.runtime.base import Session

__all__ = ["Overlapping", "Result", "run_each"]

Feeds = Mapping[str, NDArray[Any]]
Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Result:
    """A frame's outputs; they stand until `depth` more frames were submitted."""

    sequence: int
    outputs: Outputs


@runtime_checkable
class Overlapping(Session, Protocol):
    """A session that has up to `depth` frames in flight. Each frame is submitted and collected once."""

    @property
    def depth(self) -> int:
        """Frames that can be in flight; 1 or more."""
        ...

    @property
    def in_flight(self) -> int:
        """Frames that were submitted and not collected."""
        ...

    def submit(self, feeds: Feeds) -> int:
        """Send a frame on its way; its sequence number, one more than that of the frame before it.

        The arrays are read before this returns. Raises RuntimeError when `depth` frames are in flight and
        BackendError when it fails: then nothing was submitted, and what is in flight stays so.
        """
        ...

    def collect(self) -> Result:
        """The oldest frame in flight, waited for, whichever is through first.

        Raises RuntimeError when there is none, BackendError when that frame failed: it is lost then, and the
        next call gives the one after it.
        """
        ...


def run_each(session: Session, feeds: Sequence[Feeds]) -> list[Outputs]:
    """The outputs for each of `feeds`, in their order. The arrays belong to the caller.

    A session that is `Overlapping` is kept as full as it goes; none may be in flight before.
    Raises SwapError when one or more give no face, with the places of those in `feeds`, after all were run;
    any other BackendError at once. The session is empty then, and can be used again.
    """
    made: list[Outputs] = []
    faceless: dict[int, SwapError] = {}

    def keep(outputs: Callable[[], Outputs]) -> None:
        place = len(made)
        made.append({})
        try:
            made[place] = {name: np.array(array) for name, array in outputs().items()}
        except SwapError as error:
            faceless[place] = error

    if isinstance(session, Overlapping):
        _overlapped(session, feeds, keep)
    else:
        for each in feeds:
            keep(partial(session.run, each))
    if faceless:
        first = next(iter(faceless.values()))
        raise SwapError(first.message, first.hint, tuple(faceless)) from first
    return made


def _overlapped(
    session: Overlapping, feeds: Sequence[Feeds], keep: Callable[[Callable[[], Outputs]], None]
) -> None:
    def collected() -> Outputs:
        return session.collect().outputs

    try:
        for each in feeds:
            if session.in_flight == session.depth:
                keep(collected)
            session.submit(each)
        while session.in_flight:
            keep(collected)
    except BaseException:
        _drain(session)
        raise


def _drain(session: Overlapping) -> None:
    """Let go of what is in flight after an error: the error is told, what follows of it is not."""
    for _ in range(session.in_flight):
        try:
            session.collect()
        except Exception:  # of the same cause, most likely
            continue
