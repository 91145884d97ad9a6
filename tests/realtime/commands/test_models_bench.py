import json
import platform

import pytest

from models.build.half import to_half_ir
from realtime.cli import main
from realtime.commands import model_files, models_bench
from tests.fakes.networks import TINY, tiny_network

CPU = ["--backend", "onnx", "--backend", "openvino:CPU"]


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tiny_network(tmp_path / "tiny.onnx")


def test_one_table_with_the_builds_beside_the_model(tiny, capsys):
    to_half_ir(tiny, tiny.with_name("tiny.fp16.xml"))
    assert main(["models", "bench", str(tiny), "--runs", "3", *CPU]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["model", "backend", "device", "precision"]
    rows, told = rows[:3], rows[3:]
    assert [line.partition(" ")[0] for line in told] == ["x", "MB:", "on"]
    assert told[2].endswith(f"Python {platform.python_version()}")
    assert rows[0].split()[-4] == "1.00"
    assert all(float(row.split()[-4]) > 0 for row in rows)
    assert [row.split()[1:4] for row in rows] == [
        ["onnx", "CPU", "fp32"],
        ["openvino", "CPU", "fp32"],
        ["openvino", "CPU", "fp16"],
    ]
    assert rows[0].split()[-2:] == ["-", "-"]
    assert float(rows[1].split()[-2]) > 80


def test_for_programs(tiny, capsys):
    assert main(["models", "bench", str(tiny), "--runs", "3", "--json", "--profile", *CPU]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["machine"]["cores"]
    first, second, *profiled = told["rows"]
    assert (first["model"], first["backend"], first["runs"], first["error"]) == ("tiny", "onnx", 3, [])
    assert 0 < first["p50_ms"] <= first["p95_ms"]
    assert first["rate_hz"] == pytest.approx(1000 / first["p50_ms"])
    assert second["error"][0]["max_abs"] < 1e-4
    assert second["speed_up"] == pytest.approx(first["p50_ms"] / second["p50_ms"])
    assert [one["profiler"] for one in profiled] == ["onnx", "openvino"]
    assert all(one["profile"][0]["operator"].startswith("Conv") for one in profiled)
    assert profiled[0]["trace"] is None


def test_backends_that_cannot_take_part_are_named_with_the_reason(tiny, capsys):
    assert main(["models", "bench", str(tiny), "--runs", "1", "--backend", "onnx", "--backend", "onyx"]) == 0
    printed = capsys.readouterr().out
    assert "not run: onyx: there is no inference backend named 'onyx'" in printed
    assert main(["models", "bench", str(tiny), "--runs", "1", "--backend", "onyx"]) == 1


def test_stand_ins_are_made_and_timed(tiny, capsys, monkeypatch):
    for module in (model_files, models_bench):
        monkeypatch.setattr(module, "STAND_INS", {"toy": TINY})
    assert main(["models", "bench", "--stand-ins", "--runs", "1", "--profile", *CPU]) == 0
    printed = capsys.readouterr().out
    assert "toy" in printed
    assert "Conv" in printed


def test_the_default_chain_is_timed_without_names(default_models, monkeypatch, capsys):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    assert main(["models", "bench", "--runs", "1", "--backend", "openvino"]) == 0
    assert "facemesh_468" in capsys.readouterr().out


def test_the_trace_is_kept_and_named(tiny, capsys, tmp_path):
    traces = tmp_path / "traces"
    to_half_ir(tiny, tiny.with_name("tiny.fp16.xml"))
    assert main(["models", "bench", str(tiny), "--runs", "1", "--trace", str(traces), *CPU]) == 0
    printed = capsys.readouterr().out
    assert f"  trace: {traces / 'tiny.onnx.trace.json'} (open it in" in printed
    assert [each.name for each in traces.iterdir()] == ["tiny.onnx.trace.json"]
    assert json.loads((traces / "tiny.onnx.trace.json").read_text())
    for title in ("tiny.onnx, ONNX Runtime", "tiny.onnx, OpenVINO", "tiny.fp16.xml, OpenVINO"):
        assert f"{title}: the slowest operators, ms of one run" in printed
