"""Whether a build is worth its loss: timed against the network it was made of, on the processor here.

INT8 is not always faster. A network of small layers with activations that a backend does not fuse pays more
for changing between INT8 and FP32 than it gains: facemesh_468 took 1.5 times as long on two cores.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.build.gate import judges
from models.build.rounds import Figures, Side, measure

__all__ = ["WORTH", "Measure", "speeds"]

WORTH = 1.1
"""So many times as fast as FP32 a build has to be to be taken without being asked for: below that another run
may say otherwise."""
RUNS = 9

Measure = Callable[[list[Side], Mapping[str, Any]], tuple[Figures, ...]]
"""Times several files on the same input, in turns."""


def _in_turns(sides: list[Side], feeds: Mapping[str, Any]) -> tuple[Figures, ...]:
    return measure(sides, feeds, rss_mb=lambda: 0.0, runs=RUNS)


def speeds(
    source: Path, made: Path, feeds: Mapping[str, Any], timed: Measure = _in_turns
) -> Mapping[str, float]:
    """Backend -> how many times as fast as `source` it runs `made` on the CPU; those that run both.

    `feeds`: in the order of the network's inputs.
    """
    found = {}
    for backend in judges(made):
        if backend not in judges(source):
            continue
        before, after = timed([Side(source, backend, "CPU"), Side(made, backend, "CPU")], feeds)
        if before.runs_ms and after.runs_ms:
            found[backend] = before.p50_ms / after.p50_ms
    return found
