"""`realtime models bench --in-turn [NAME|FILE [NAME|FILE]]`."""

import argparse
import json
from itertools import product
from typing import Any

from models.build.in_turn import Contender, Pair, Turn, measure_pair
from models.build.rounds import Side, precision_of
from models.errors import ModelError
from realtime.bench.machine import machine
from realtime.commands.bench_sides import device_of, feeds_of, places, precision_words, print_table, takes
from realtime.commands.model_files import named_file

__all__ = ["models_in_turn"]

STAND_INS = ("small_128", "swapper_256")
"""A light network and one that is heavy enough to sweep its weights out of the caches."""
HEAD = ("model", "backend", "device", "precision", "alone ms", "in turn ms", "loss", "busy", "cold caches")
GOAL = 0.1
"""Of its own time, that a network may lose to the one before it."""


def models_in_turn(args: argparse.Namespace) -> int:
    """Time two models called in turn, on every pair of backends that run here. 1 when no pair ran."""
    words = list(args.names) or list(STAND_INS)
    if len(words) > 2:
        raise ModelError("three models cannot be called in turn here", "name one or two")
    files = [named_file(word) for word in (words * 2)[:2]]
    feeds = [feeds_of(file) for file in files]
    found: list[Pair] = []
    for chosen in product(places(args.backend), repeat=2):
        if all(takes(backend, file.path) for (backend, _), file in zip(chosen, files, strict=True)):
            first, second = (
                Contender(Side(file.path, *place), given)
                for file, place, given in zip(files, chosen, feeds, strict=True)
            )
            found.append(measure_pair(first, second, rounds=args.runs))
    ran = [pair for pair in found if pair.turns]
    if args.json:
        print(json.dumps({"in_turn": [_record(pair) for pair in found], "machine": machine()}, indent=2))
    else:
        _print(ran)
        for reason in dict.fromkeys(pair.reason for pair in found if pair.reason):
            print(f"not run: {reason}")
    return 0 if ran else 1


def _print(pairs: list[Pair]) -> None:
    rows: list[tuple[str, ...]] = [HEAD]
    for pair in pairs:
        rows += [_row(turn) for turn in pair.turns]
    print_table(rows, 4)
    print("two rows a pair; loss: of a model's own time, when the other runs before it every time")
    print("busy: the same of processor time, that is without waiting for threads or for other programs")
    print("cold caches: alone, but with the caches filled with something else before each run")
    if pairs:
        worst = max((turn for pair in pairs for turn in pair.turns), key=lambda turn: turn.loss)
        print(f"worst loss {_percent(worst.loss)}, goal: at most {_percent(GOAL)}")


def _row(turn: Turn) -> tuple[str, ...]:
    return (
        turn.side.file.name.partition(".")[0],
        turn.side.backend,
        device_of(turn.side),
        precision_words(turn.side.file),
        f"{turn.alone_ms:.2f}",
        f"{turn.in_turn_ms:.2f}",
        _percent(turn.loss),
        _percent(turn.busy_loss),
        _percent(turn.cold_loss),
    )


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _record(pair: Pair) -> dict[str, Any]:
    if pair.reason:
        sides = [
            {"file": side.file.name, "backend": side.backend, "device": device_of(side)}
            for side in pair.sides
        ]
        return {"sides": sides, "reason": pair.reason}
    return {
        "rounds": pair.rounds,
        "loss_percent": round(100 * pair.loss, 2),
        "turns": [
            {
                "file": turn.side.file.name,
                "backend": turn.side.backend,
                "device": device_of(turn.side),
                "precision": precision_of(turn.side.file),
                "alone_ms": turn.alone_ms,
                "in_turn_ms": turn.in_turn_ms,
                "loss_percent": round(100 * turn.loss, 2),
                "busy_loss_percent": round(100 * turn.busy_loss, 2),
                "cold_caches_percent": round(100 * turn.cold_loss, 2),
            }
            for turn in pair.turns
        ],
    }
