from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from realtime import assembly
from realtime.bench import fresh_look, identity
from realtime.bench.fresh_look import FreshLook, open_fresh_look
from realtime.bench.tracking import measure
from realtime.config import BackendConfig, Config, PipelineConfig
from realtime.errors import BackendError


def config(pipeline: tuple[str, str] = ("openvino", ""), **roles: str) -> Config:
    backend, device = pipeline
    return Config(pipeline=PipelineConfig(backend=backend, device=device), backend=BackendConfig(**roles))


class Part:
    def __init__(self, place: tuple[str, str]) -> None:
        self.place = place
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> dict[str, Part]:
    parts: dict[str, Part] = {}

    def opener(role: str) -> Any:
        def open_part(name: str, folder: Path, backend: str, device: str) -> Part:
            if backend == "onyx":
                raise BackendError("no onyx here", "choose another")
            parts[role] = Part((backend, device))
            return parts[role]

        return open_part

    monkeypatch.setattr(fresh_look, "open_detector", opener("detect"))
    monkeypatch.setattr(fresh_look, "open_landmarker", opener("landmarks"))
    return parts


@pytest.mark.parametrize(
    ("chosen", "detect", "landmarks"),
    [
        (config(), ("openvino", "CPU"), ("openvino", "CPU")),
        (config(("onnx", "CUDA:1")), ("onnx", "CUDA:1"), ("onnx", "CUDA:1")),
        (config(("onnx", ""), detect="openvino/GPU"), ("openvino", "GPU"), ("onnx", "CPU")),
        (config(landmarks="onnx"), ("openvino", "CPU"), ("onnx", "CPU")),
    ],
)
def test_each_part_is_opened_where_the_configuration_wants_it(
    opened: dict[str, Part], chosen: Config, detect: tuple[str, str], landmarks: tuple[str, str]
) -> None:
    look = open_fresh_look(chosen, Path())
    assert (opened["detect"].place, opened["landmarks"].place) == (detect, landmarks)
    told = assembly.backends(chosen)
    for role, place in (("detect", detect), ("landmarks", landmarks)):
        assert told[role].startswith("/".join(place)), "as the pipeline's own"
    look.close()
    assert [part.closed for part in opened.values()] == [1, 1]


def test_when_the_second_does_not_open_the_first_is_closed(opened: dict[str, Part]) -> None:
    with pytest.raises(BackendError):
        open_fresh_look(config(landmarks="onyx"), Path())
    assert opened["detect"].closed == 1


def test_a_look_is_the_assemblys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_look, "analyse", lambda *parts: parts)
    bgr = np.zeros((2, 2, 3), np.uint8)
    look = FreshLook(detector="d", landmarker="l")  # type: ignore[arg-type]
    assert look.faces(bgr) == (bgr, "d", "l")  # type: ignore[comparison-overlap]


def test_tracking_looks_with_the_backend_of_the_flags(default_models: Path) -> None:
    arguments = Namespace(seconds=0.1, size="320x240", fps=10.0, backend="onyx")
    with pytest.raises(BackendError, match="onyx"):
        measure(["still:"], arguments)


def test_identity_opens_its_embedder_where_it_is_wanted_and_closes_it(
    opened: dict[str, Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    embedders: list[Part] = []

    def open_embedder(path: Path, *place: str) -> Part:
        embedders.append(Part((place[0], place[1])))
        return embedders[-1]

    monkeypatch.setattr(identity, "open_embedder", open_embedder)
    judge = identity._judge(config(("onnx", ""), identify="openvino/GPU"), Path(), Path("e.onnx"))
    assert embedders[0].place == ("openvino", "GPU")
    judge.close()
    assert [part.closed for part in (*opened.values(), *embedders)] == [1, 1, 1]
    with pytest.raises(BackendError):
        identity._judge(config(detect="onyx"), Path(), Path("e.onnx"))
    assert embedders[1].closed == 1
