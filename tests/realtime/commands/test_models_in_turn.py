import json

import pytest

from models.build.in_turn import Pair, Turn
from realtime.cli import main
from realtime.commands import models_in_turn
from tests.fakes.networks import tiny_network

CPU = ["--backend", "onnx", "--backend", "openvino:CPU"]


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(tmp_path / "models"))
    return str(tiny_network(tmp_path / "tiny.onnx"))


@pytest.fixture
def measured(monkeypatch):
    """Pairs that were asked for; each model loses a tenth of what its place in the pair is."""
    pairs = []

    def measure_pair(first, second, *, rounds):
        pairs.append((first, second, rounds))
        turns = tuple(
            Turn(each.side, 10.0 * number, 11.0 * number, 0.1 * number, 0.02 * number, 0.03 * number)
            for number, each in enumerate((first, second), 1)
        )
        return Pair((first.side, second.side), turns, rounds or 7)

    monkeypatch.setattr(models_in_turn, "measure_pair", measure_pair)
    return pairs


def test_every_pair_of_backends(tiny, measured, capsys):
    assert main(["models", "bench", "--in-turn", tiny, "--runs", "3", *CPU]) == 0
    assert [(first.side.backend, second.side.backend) for first, second, _ in measured] == [
        ("onnx", "onnx"),
        ("onnx", "openvino"),
        ("openvino", "onnx"),
        ("openvino", "openvino"),
    ]
    assert {rounds for _, _, rounds in measured} == {3}
    assert {first.side.file == second.side.file for first, second, _ in measured} == {True}
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.endswith("in turn ms    loss   busy  cold caches")
    assert rows[0].split() == [
        "tiny",
        "onnx",
        "CPU",
        "fp32",
        "10.00",
        "11.00",
        "10.0",
        "%",
        "3.0",
        "%",
        "2.0",
        "%",
    ]
    assert rows[3].split()[:2] == ["tiny", "openvino"]
    assert rows[8:] == [
        "two rows a pair; loss: of a model's own time, when the other runs before it every time",
        "busy: the same of processor time, that is without waiting for threads or for other programs",
        "cold caches: alone, but with the caches filled with something else before each run",
        "worst loss 20.0 %, goal: at most 10.0 %",
    ]


def test_two_models_keep_their_order(tiny, tmp_path, measured, capsys):
    other = str(tiny_network(tmp_path / "other.onnx"))
    assert main(["models", "bench", "--in-turn", tiny, other, "--backend", "onnx", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["cores"]
    (pair,) = told["in_turn"]
    assert [turn["file"] for turn in pair["turns"]] == ["tiny.onnx", "other.onnx"]
    assert (pair["rounds"], pair["loss_percent"]) == (7, 10.0)
    assert pair["turns"][1] == {
        "file": "other.onnx",
        "backend": "onnx",
        "device": "CPU",
        "precision": "fp32",
        "alone_ms": 20.0,
        "in_turn_ms": 22.0,
        "loss_percent": 20.0,
        "busy_loss_percent": 6.0,
        "cold_caches_percent": 4.0,
    }


def test_without_names_two_stand_ins(tiny, measured, monkeypatch):
    seen = []
    named = models_in_turn.named_file
    monkeypatch.setattr(models_in_turn, "named_file", lambda word: seen.append(word) or named(tiny))
    assert main(["models", "bench", "--in-turn", "--backend", "onnx"]) == 0
    assert seen == list(models_in_turn.STAND_INS)


def test_three_models_are_one_too_many(tiny, measured, capsys):
    assert main(["models", "bench", "--in-turn", tiny, tiny, tiny]) == 4
    assert "name one or two" in capsys.readouterr().err


def test_pairs_that_do_not_run_are_told_once(tiny, capsys):
    assert main(["models", "bench", "--in-turn", tiny, "--runs", "1", *["--backend", "onyx"] * 2]) == 1
    assert capsys.readouterr().out.count("not run: there is no inference backend named 'onyx'") == 1
    assert main(["models", "bench", "--in-turn", tiny, "--json", "--backend", "onyx"]) == 1
    (pair,) = json.loads(capsys.readouterr().out)["in_turn"]
    assert pair["sides"][0] == {"file": "tiny.onnx", "backend": "onyx", "device": "-"}
    assert "onyx" in pair["reason"]


def test_real_backends_run(tiny, capsys):
    assert main(["models", "bench", "--in-turn", tiny, "--runs", "2", *CPU, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["in_turn"]
    assert len(told) == 4
    assert all(turn["alone_ms"] > 0 for pair in told for turn in pair["turns"])
