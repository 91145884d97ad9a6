import importlib
import json
from argparse import Namespace
from typing import Any

import pytest

from realtime.bench import chain, change, identity, late, live, start, tracking, unpaced
from realtime.cli import main
from realtime.commands.bench import KINDS, bench

MODULES = {
    "live": live,
    "tracking": tracking,
    "identity": identity,
    "unpaced": unpaced,
    "start": start,
    "chain": chain,
    "late": late,
    "change": change,
}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str], Namespace]]:
    """What was measured: its kind, the clips, the arguments."""
    calls: list[tuple[str, list[str], Namespace]] = []

    def standing_in(kind: str) -> Any:
        def measure(clips: list[str], arguments: Namespace) -> tuple[dict[str, Any], int]:
            calls.append((kind, clips, arguments))
            return {"kind": kind}, 3 if kind == "live" else 0

        return measure

    for kind, module in MODULES.items():
        monkeypatch.setattr(module, "measure", standing_in(kind))
    return calls


@pytest.mark.parametrize(
    ("words", "kind", "clips"),
    [
        ([], "live", []),
        (["clip.mp4"], "live", ["clip.mp4"]),
        (["live", "clip.mp4"], "live", ["clip.mp4"]),
        (["unpaced"], "unpaced", []),
        (["tracking", "a.mp4", "b.mp4"], "tracking", ["a.mp4", "b.mp4"]),
        (["identity", "a.mp4", "unpaced"], "identity", ["a.mp4", "unpaced"]),
        (["Unpaced"], "live", ["Unpaced"]),
        (["a.mp4", "tracking"], "live", ["a.mp4", "tracking"]),
    ],
)
def test_the_first_word_may_be_a_kind_and_the_rest_are_clips(
    measured: list[Any], capsys: pytest.CaptureFixture[str], words: list[str], kind: str, clips: list[str]
) -> None:
    arguments = Namespace(what=words)
    code = bench(arguments)
    assert measured == [(kind, clips, arguments)]
    assert code == (3 if kind == "live" else 0), "the kind's own exit code"
    printed = json.loads(capsys.readouterr().out)
    assert printed["kind"] == kind
    assert printed["machine"]["cores"]


def test_every_kind_has_its_module() -> None:
    assert set(KINDS) == set(MODULES)
    for kind, name in KINDS.items():
        module = importlib.import_module(name)
        assert module is MODULES[kind]
        assert callable(module.measure)


def test_the_command_line_leads_here(measured: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "unpaced", "clip.mp4", "--seconds", "2", "--size", "320x240"]) == 0
    ((kind, clips, arguments),) = measured
    assert (kind, clips) == ("unpaced", ["clip.mp4"])
    assert (arguments.seconds, arguments.size) == (2, "320x240")
    assert json.loads(capsys.readouterr().out)["kind"] == "unpaced"


def test_the_chains_flags_are_understood(measured: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["bench", "chain", "--stand-ins", "--size", "1280x720", "--face-px", "300", "--faces", "4"]
    assert main([*words, "--rounds", "7"]) == 0
    ((kind, clips, arguments),) = measured
    assert (kind, clips, arguments.size) == ("chain", [], "1280x720")
    assert (arguments.stand_ins, arguments.face_px, arguments.faces, arguments.rounds) == (True, 300, 4, 7)
    assert json.loads(capsys.readouterr().out)["kind"] == "chain"
