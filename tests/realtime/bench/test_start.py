from argparse import Namespace
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

import pytest

from realtime.bench import start
from realtime.bench.start import measure, summary
from realtime.bench.watched import FIRST_FRAME
from realtime.cli import main
from realtime.errors import ConfigError, DeviceError


def spans(first: float, opened: float = 500.0) -> dict[str, tuple[float, float]]:
    return {
        "interpreter": (0.0, 30.0),
        "first run of net": (opened, opened + 10),
        "open net": (300.0, opened),
        FIRST_FRAME: (0.0, first),
    }


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the started program does, and how it was called."""
    played: dict[str, Any] = {"commands": [], "spans": [], "code": 0, "stderr": "", "stdout": ""}

    def run(command: list[str], **options: Any) -> CompletedProcess[str]:
        assert options["timeout"] == start.TIMEOUT_S
        played["commands"].append(command)
        if played["spans"]:
            text = start.json.dumps(played["spans"].pop(0))
            Path(command[4]).write_text(text, "utf-8")
        elif played["code"] is None:
            raise TimeoutExpired(command, options["timeout"])
        return CompletedProcess(command, played["code"] or 0, played["stdout"], played["stderr"])

    monkeypatch.setattr(start.subprocess, "run", run)
    return played


def test_medians_of_fresh_processes_but_for_the_first(program: dict[str, Any]) -> None:
    program["spans"] = [spans(9000.0, 8000.0), spans(1500.0), spans(1400.0, 450.0), spans(2000.0, 700.0)]
    figures, code = measure([], Namespace(runs=3))
    assert code == 0
    assert (figures["source"], figures["runs"]) == ("still:", 3)
    assert figures["first_swapped_frame_ms"] == {"p50": 1500.0, "least": 1400.0, "most": 2000.0}
    assert figures["models_open_and_warm_ms"] == {"p50": 510.0, "least": 460.0, "most": 710.0}
    assert list(figures["phases"]) == ["interpreter", "open net", "first run of net"], "by their begin"
    assert figures["phases"]["open net"] == {"from_ms": 300.0, "took_ms": 200.0}
    assert len(program["commands"]) == 4


def test_the_program_gets_the_flags(program: dict[str, Any]) -> None:
    program["spans"] = [spans(1.0)] * (start.RUNS + 1)
    given = Namespace(runs=None, face=["a.png", "b.png"], backend="onnx", log_level="error", seconds=3.0)
    measure(["clip.mp4"], given)
    assert len(program["commands"]) == start.RUNS + 1
    flags = " ".join(program["commands"][0][5:])
    assert flags.startswith("--source clip.mp4 --sink null: --frames 1 --headless")
    assert flags.endswith("--face a.png --face b.png --backend onnx --log-level error")


def test_a_phase_that_some_starts_lack_counts_where_it_is() -> None:
    figures = summary([spans(1000.0), {**spans(1000.0), "face x": (600.0, 700.0)}])
    assert figures["phases"]["face x"] == {"from_ms": 600.0, "took_ms": 100.0}


@pytest.mark.parametrize(
    ("program_does", "said"),
    [
        ({"code": 4, "stderr": "error: no such face\n  -> choose"}, "a start failed: error: no such face"),
        ({"code": 1, "stdout": "torn"}, "a start failed: torn"),
        ({"spans": [{"interpreter": (0.0, 1.0)}]}, "it showed no swapped frame"),
        ({"spans": [spans(1.0)] * 2, "code": 1, "stderr": "torn at its end"}, "failed: torn at its end"),
        ({"code": None}, "took more than 120 s"),
    ],
)
def test_a_start_that_fails_is_told(program: dict[str, Any], program_does: dict[str, Any], said: str) -> None:
    program.update(program_does)
    with pytest.raises(DeviceError, match=said) as caught:
        measure([], Namespace(runs=1))
    assert caught.value.hint == "run: realtime run --source still: --sink null: --frames 1 --headless"


def test_one_source_at_most(program: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="one source"):
        measure(["a.mp4", "b.mp4"], Namespace(runs=1))


def test_the_program_itself(
    default_models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    assert main(["bench", "start", "--runs", "1"]) == 0
    figures = start.json.loads(capsys.readouterr().out)
    phases = figures["phases"]
    assert {"interpreter", "import openvino", "models checked", "face persona:porcelain"} <= set(phases)
    for model in ("blazeface_short_range", "facemesh_468", "occlusion"):
        opened, ran = phases[f"open {model}"], phases[f"first run of {model}"]
        assert 0 < opened["from_ms"] < opened["from_ms"] + opened["took_ms"] <= ran["from_ms"]
    ready = figures["models_open_and_warm_ms"]["p50"]
    assert phases["import openvino"]["from_ms"] < ready < figures["first_swapped_frame_ms"]["p50"]
