import builtins
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models import fetch
from models.runtime import registry
from realtime import cli, faces, publisher
from realtime.bench import watched
from realtime.bench.watched import FIRST_FRAME, Spans, main
from tests.fakes.session import ConstantSession


class Ticking:
    """A millisecond passes with every look."""

    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        self.now_ns += 1_000_000
        return self.now_ns


def test_a_span_counts_from_the_begin_and_the_first_of_a_name() -> None:
    spans = Spans(-10_000_000, Ticking())
    spans.add("a", 0.0)
    spans.add("a", 3.0)
    spans.add("b", 2.0)
    assert spans.found == {"a": (0.0, 11.0), "b": (2.0, 13.0)}


def test_a_call_is_timed_also_when_it_fails() -> None:
    spans = Spans(0, Ticking())
    timed = spans.timed(lambda number: f"half of {number}", lambda number: 1 / number)
    assert timed(2) == 0.5
    with pytest.raises(ZeroDivisionError):
        timed(0)
    assert spans.found == {"half of 2": (1.0, 2.0), "half of 0": (3.0, 4.0)}


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that is replaced is put back afterwards."""
    monkeypatch.setattr(builtins, "__import__", builtins.__import__)
    monkeypatch.setattr(
        registry,
        "open_session",
        lambda path, **_: ConstantSession({"result": np.ones(2)}, inputs={"picture": (2,)}),
    )
    monkeypatch.setattr(fetch, "ensure", lambda names: {})
    monkeypatch.setattr(faces, "load_face", lambda uri: uri)
    monkeypatch.setattr(publisher.Publisher, "swapped", lambda self, result: None)


@pytest.mark.usefixtures("doors")
def test_the_program_runs_with_its_flags_and_every_door_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def program(arguments: list[str]) -> int:
        given.append(arguments)
        fetch.ensure(["net"])
        session = registry.open_session(Path("net.onnx"))
        assert session.inputs[0].name == "picture"
        faces.load_face("persona:x")
        for _ in range(2):
            assert session.run({})["result"].sum() == 2
        publisher.Publisher.swapped(SimpleNamespace(), "result")  # type: ignore[arg-type]
        return 7

    monkeypatch.setattr(cli, "main", program)
    out = tmp_path / "spans.json"
    assert main(["0", str(out), "--frames", "1"]) == 7
    assert given == [["run", "--frames", "1"]]
    told = json.loads(out.read_text())
    assert {"interpreter", "imports of the parts", "models checked", "face persona:x"} < set(told)
    assert told["open net"][1] <= told["first run of net"][0]
    assert told["first run of net"][1] <= told[FIRST_FRAME][1]


@pytest.mark.usefixtures("doors")
def test_the_spans_are_there_also_when_the_program_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(arguments: list[str]) -> int:
        raise KeyError

    monkeypatch.setattr(cli, "main", program)
    with pytest.raises(KeyError):
        main(["0", str(tmp_path / "spans.json")])
    assert "interpreter" in json.loads((tmp_path / "spans.json").read_text())


@pytest.mark.usefixtures("doors")
def test_only_the_first_import_of_a_heavy_package_is_a_span(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heavy.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(watched, "_HEAVY", frozenset({"heavy"}))
    monkeypatch.delitem(sys.modules, "heavy", raising=False)
    spans = Spans(0, Ticking())
    watched._watch_imports(spans)
    import json.tool  # noqa: F401

    import heavy  # type: ignore[import-not-found]
    import heavy as again

    assert isinstance(heavy, ModuleType)
    assert again is heavy
    assert spans.found == {"import heavy": (1.0, 2.0)}
    assert spans.now_ms() == 3.0, "nobody looked at the clock for what was there already"
