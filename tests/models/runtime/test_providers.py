import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BackendError
from models.runtime.providers import PROVIDERS, parse_request


@pytest.mark.parametrize(
    ("device", "ort_name", "unit", "options"),
    [
        ("CPU", "CPUExecutionProvider", "", {}),
        ("migraphx:1", "MIGraphXExecutionProvider", "1", {"device_id": "1"}),
        ("DirectML:2", "DmlExecutionProvider", "2", {"device_id": "2"}),
        ("CANNExecutionProvider", "CANNExecutionProvider", "", {}),
        (
            "QNN?backend_path=libQnnHtp.so&htp_performance_mode=burst",
            "QNNExecutionProvider",
            "",
            {"backend_path": "libQnnHtp.so", "htp_performance_mode": "burst"},
        ),
        ("NewExecutionProvider?a=b", "NewExecutionProvider", "", {"a": "b"}),
    ],
)
def test_what_a_device_string_asks_for(device, ort_name, unit, options):
    request = parse_request(device)
    assert (request.provider.ort_name, request.unit, request.options()) == (ort_name, unit, options)


def test_typed_options_have_defaults_and_are_overruled():
    assert parse_request("CUDA:1?use_tf32=1&prefer_nhwc=1").options() == {
        "device_id": "1",
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "use_tf32": "1",
        "prefer_nhwc": "1",
    }
    assert parse_request("cuda").options()["use_tf32"] == "0"


@pytest.mark.parametrize("device", ["CUDA?use_tf32=maybe", "CUDA:first", "tensorrt?trt_fp16_enable=x"])
def test_an_option_of_a_wrong_type(device):
    with pytest.raises(BackendError, match="is wrong") as caught:
        parse_request(device).options()
    assert "device_id" in caught.value.hint


def test_an_unknown_provider_is_met_with_the_nearest_one():
    with pytest.raises(BackendError, match="'cudaa'") as caught:
        parse_request("cudaa")
    assert "CUDA" in caught.value.hint


def test_a_kind_of_device_is_no_provider():
    with pytest.raises(BackendError) as caught:
        parse_request("GPU")
    assert all(name.upper() in caught.value.hint for name in PROVIDERS)


@given(st.text(max_size=40))
def test_any_text_is_a_request_or_told(text):
    try:
        told = parse_request(text).provider.ort_name
    except BackendError as error:
        told = error.hint
    assert told
