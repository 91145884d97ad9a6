from dataclasses import replace

import pytest

from models.engines.child import TIME_LIMIT_S
from realtime.config import BackendConfig, Config, PipelineConfig
from realtime.places import OPEN_TIMEOUT_S, ROLES, backends, start_timeout_s, wanted


def test_a_role_runs_where_its_own_backend_says_else_where_all_do() -> None:
    config = replace(
        Config(), pipeline=PipelineConfig(backend="onnx"), backend=BackendConfig(swap="openvino/GPU")
    )
    assert str(wanted(config, "swap")) == "openvino/GPU"
    assert str(wanted(config, "detect")) == "onnx/CPU"


def test_a_start_is_given_time_to_build_the_engines_that_it_needs() -> None:
    assert start_timeout_s(Config()) == OPEN_TIMEOUT_S
    one = replace(Config(), backend=BackendConfig(swap="tensorrt"))
    assert start_timeout_s(one) == OPEN_TIMEOUT_S + TIME_LIMIT_S
    every = replace(Config(), pipeline=PipelineConfig(backend="tensorrt"))
    assert start_timeout_s(every) == OPEN_TIMEOUT_S + len(ROLES) * TIME_LIMIT_S


@pytest.mark.parametrize(
    ("pipeline", "roles"),
    [
        (PipelineConfig(), {"detect", "landmarks", "swap", "mask"}),
        (PipelineConfig(occlusion="off"), {"detect", "landmarks", "swap"}),
        (PipelineConfig(enhancer="detail"), {"detect", "landmarks", "swap", "mask", "enhance"}),
        (
            PipelineConfig(swapper="inswapper_128", enhancer="gfpgan_1.4"),
            {"detect", "landmarks", "swap", "mask", "enhance"},
        ),
    ],
)
def test_the_report_names_the_roles_that_are_played(pipeline: PipelineConfig, roles: set[str]) -> None:
    assert set(backends(replace(Config(), pipeline=pipeline))) == roles


def test_the_report_tells_a_network_from_what_needs_none() -> None:
    assert backends(Config())["swap"] == "mesh/CPU/uint8"
    neural = replace(Config(), pipeline=PipelineConfig(swapper="inswapper_128", backend="onnx"))
    assert backends(neural)["swap"].startswith("onnx/CPU/")
