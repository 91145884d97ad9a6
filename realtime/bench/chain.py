"""All of the neural chain but inference, and how other programs put the face back, on the same frame.

Networks are stand-ins whose answers are there already; every other step is the program's own code. The sides
take turns, so that what else the machine does meets all of them.
"""

import argparse
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns, sleep
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.geometry import apply
from models.masks.masker import Masker
from models.neural.align import Alignment
from models.paste_back import PasteBack, aligned_face
from models.scratch import Scratch
from realtime.bench.chain_batch import batch_swapper
from realtime.bench.chain_networks import network_masks, outline_masks, ready_enhancer, ready_swapper
from realtime.bench.chain_run import STEPS, ChainRun
from realtime.bench.chain_scene import Scene, drawn_scene
from realtime.bench.peers import PEERS, PUBLISHED_MS
from realtime.errors import ConfigError

__all__ = ["measure"]

SIZE, FACE_PX, ROUNDS = (1920, 1080), 440, 60
WARM_UP_ROUNDS = 5
FRAME_NS = 33_333_333
MOTIONS = 12
"""Frames that differ by what landmarks shake: no mask is kept because the face stood still."""
SHAKE_PX = 0.5
CROP_PX = 512
GOAL_MS, PASTE_GOAL_MS, RATIO_GOAL = 5.0, 3.0, 2.5
OURS = "ours"
RUN_MS = 10
"""Of a stand-in whose runs take the same time for one face and for several."""
BACKEND = "openvino"
"""Of the network that takes several faces at once."""


def measure(clips: list[str], arguments: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """Milliseconds of each step, of the peers' pasting, and what `--faces` cost beside one.

    Raises ConfigError without `--stand-ins`, and for a clip: the frame is drawn.
    """
    if not arguments.stand_ins:
        raise ConfigError(
            "bench chain measures all but inference, with networks whose answers are there already",
            "say so: realtime bench chain --stand-ins",
        )
    if clips:
        raise ConfigError(
            "bench chain draws its own frame", "leave the clip out, or use: realtime bench unpaced"
        )
    width, height = _size(arguments.size)
    face_px, rounds = arguments.face_px or FACE_PX, arguments.rounds or ROUNDS
    one = drawn_scene(width, height, face_px, 1)
    figures: dict[str, Any] = {
        "size": f"{width}x{height}",
        "face_px": face_px,
        "rounds": rounds,
        "chain": _chain(one, rounds),
        "paste_back": _paste_back(one, rounds),
        "published_elsewhere_ms": {
            "what": "the peers' own code, 1920x1080 and 440 px, a busy and a quiet machine of 2 cores",
            **{name: list(both) for name, both in PUBLISHED_MS.items()},
        },
    }
    if arguments.faces and arguments.faces > 1:
        several = drawn_scene(width, height, face_px, arguments.faces)
        figures["faces"] = _against_one(one, several, rounds)
    return figures, 0


def _size(text: str | None) -> tuple[int, int]:
    if not text:
        return SIZE
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) >= 64 and int(height) >= 64):
        raise ConfigError(f"--size {text!r} is not a size", "write width x height, such as 1920x1080")
    return int(width), int(height)


def _chain(scene: Scene, rounds: int) -> dict[str, Any]:
    spent = _rounds({1: scene}, rounds)[1]
    steps = {step: [one[step] for one in spent] for step in STEPS}
    total = [sum(one.values()) for one in spent]
    return {
        "steps_ms": {step: _two(values) for step, values in steps.items()},
        "total_ms": _two(total),
        "goal_ms_p50": GOAL_MS,
        "met": _p50(total) <= GOAL_MS,
    }


def _against_one(one: Scene, several: Scene, rounds: int) -> dict[str, Any]:
    """Faces in one batch: without inference; with networks that take a fixed time a run, as a processor does
    that one picture does not fill; and with a real one on this machine."""
    count = len(several.faces)
    scenes = {1: one, count: several}
    figures: dict[str, Any] = {"faces": count, "goal_ratio": RATIO_GOAL}
    figures["but_inference"] = _ratio(_rounds(scenes, rounds))
    waiting = {
        number: ChainRun(perf_counter_ns, ready_swapper(_wait), ready_enhancer(_wait), *_masks())
        for number in scenes
    }
    figures["with_runs_of_a_fixed_time"] = {
        "swapper_and_enhancer_ms_each": RUN_MS,
        **_ratio(_turns(waiting, scenes, rounds)),
    }
    with TemporaryDirectory() as folder:
        swapper = batch_swapper(Path(folder), BACKEND)
        runs = {number: ChainRun(perf_counter_ns, swapper, None, None, outline_masks()) for number in scenes}
        figures["with_inference"] = {"backend": BACKEND, **_ratio(_turns(runs, scenes, rounds))}
    return figures


def _wait() -> None:
    sleep(RUN_MS / 1000)


def _ratio(spent: dict[int, list[dict[str, int]]]) -> dict[str, Any]:
    total = {number: _p50([sum(each.values()) for each in all_of]) for number, all_of in spent.items()}
    ratio = total[max(total)] / total[1]
    return {
        "ms_p50": {str(number): round(value, 3) for number, value in total.items()},
        "ratio": round(ratio, 2),
        "met": ratio <= RATIO_GOAL,
    }


def _rounds(scenes: dict[int, Scene], rounds: int) -> dict[int, list[dict[str, int]]]:
    """Of each scene what each round took, by step; with answers that are there already."""
    runs = {
        number: ChainRun(perf_counter_ns, ready_swapper(), ready_enhancer(), *_masks()) for number in scenes
    }
    return _turns(runs, scenes, rounds)


def _turns(
    runs: dict[int, ChainRun], scenes: dict[int, Scene], rounds: int
) -> dict[int, list[dict[str, int]]]:
    """The scenes take turns. Closes the runs."""
    moving = {number: cycle(_shaken(scene)) for number, scene in scenes.items()}
    found: dict[int, list[dict[str, int]]] = {number: [] for number in scenes}
    try:
        for turn in range(WARM_UP_ROUNDS + rounds):
            for number, run in runs.items():
                scene = next(moving[number])
                spent = dict(run.frame(scene.bgr.copy(), scene, turn * FRAME_NS))
                if turn >= WARM_UP_ROUNDS:
                    found[number].append(spent)
    finally:
        for run in runs.values():
            run.close()
    return found


def _masks() -> tuple[Masker, Masker]:
    return network_masks(), outline_masks()


def _shaken(scene: Scene) -> list[Scene]:
    noise = np.random.default_rng(1)
    return [
        replace(
            scene,
            faces=tuple(
                points + noise.normal(0, SHAKE_PX, points.shape).astype(np.float32) for points in scene.faces
            ),
        )
        for _ in range(MOTIONS)
    ]


def _paste_back(scene: Scene, rounds: int) -> dict[str, Any]:
    """The same face put back by every method, in turns."""
    bgr, alpha, where = _finished(scene)
    paster, store = PasteBack(), Scratch()

    def ours(frame: NDArray[np.uint8]) -> None:
        paster.paste(frame, aligned_face(bgr, alpha, store), where)

    methods = {OURS: ours} | {
        name: (lambda frame, peer=peer: peer(frame, bgr, alpha, where.matrix)) for name, peer in PEERS.items()
    }
    took: dict[str, list[int]] = {name: [] for name in methods}
    for turn in range(WARM_UP_ROUNDS + rounds):
        # Who comes first changes: the frame's memory is warm for the others.
        for name in islice(cycle(methods), turn % len(methods), turn % len(methods) + len(methods)):
            frame = scene.bgr.copy()
            began_ns = perf_counter_ns()
            methods[name](frame)
            if turn >= WARM_UP_ROUNDS:
                took[name].append(perf_counter_ns() - began_ns)
    best = min((name for name in methods if name != OURS), key=lambda name: _p50(took[name]))
    own = _p50(took[OURS])
    return {
        "crop_px": CROP_PX,
        "square_px_in_frame": round(where.size / where.scale),
        "ms": {name: _two(values) for name, values in took.items()},
        "goal_ms_p50": PASTE_GOAL_MS,
        "best_peer": best,
        "times_faster_than_best_peer": round(_p50(took[best]) / own, 2),
        "met": own <= PASTE_GOAL_MS and own < _p50(took[best]),
    }


def _finished(scene: Scene) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Alignment]:
    """A face, its alpha and where it lies, as the chain makes them."""
    run = ChainRun(perf_counter_ns, ready_swapper(), ready_enhancer(), *_masks())
    masks = outline_masks()
    try:
        (face,) = run.finished(scene)
        inside = np.asarray(apply(face.where.matrix, scene.faces[0][:, :2]), np.float32)
        alpha = masks.mask(face.bgr, inside, face.alpha).copy()
    finally:
        masks.close()
        run.close()
    return face.bgr, alpha, face.where


def _p50(values_ns: list[int]) -> float:
    return median(values_ns) / 1e6


def _two(values_ns: list[int]) -> dict[str, float]:
    return {"p50": round(_p50(values_ns), 3), "p95": round(float(np.percentile(values_ns, 95)) / 1e6, 3)}
