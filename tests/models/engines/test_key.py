from dataclasses import replace

import pytest

from models.cuda.base import DeviceInfo
from models.engines.key import EngineKey, timing_name
from models.engines.profile import Range

DEVICE = DeviceInfo(0, "RTX 7000", (8, 9), 13010)


MODEL = "a" * 64


def key_for(shapes, device=DEVICE):
    return EngineKey.of(MODEL, shapes, "tensorrt 11.4", device, options=(("level", 3), ("tf32", 1)))


@pytest.fixture
def key():
    return key_for({"a": Range.fixed((1, 3)), "b": Range.fixed((1,))})


def test_the_same_again_in_any_order(key):
    again = EngineKey.of(
        MODEL,
        {"b": Range.fixed((1,)), "a": Range.fixed((1, 3))},
        "tensorrt 11.4",
        DEVICE,
        options=(("tf32", 1), ("level", 3)),
    )
    assert (again, again.name(), again.text()) == (key, key.name(), key.text())


def test_the_driver_counts_by_its_major():
    shapes = {"a": Range.fixed((1, 3))}
    assert key_for(shapes, replace(DEVICE, driver=13040)) == key_for(shapes)
    assert key_for(shapes, replace(DEVICE, driver=14000)) != key_for(shapes)


@pytest.mark.parametrize(
    "change",
    [
        {"model_sha256": "0"},
        {"precision": "fp16"},
        {"shapes": (("a", Range((1, 3), (1, 3), (2, 3))),)},
        {"backend": "tensorrt 11.5"},
        {"device": "RTX 7001"},
        {"capability": (9, 0)},
        {"driver_major": 12},
        {"options": (("level", 4),)},
    ],
)
def test_whatever_changes_calls_for_another_engine(key, change):
    changed = replace(key, **change)
    assert changed.name() != key.name()
    assert changed.text() != key.text()


def test_models_on_one_device_share_their_timings(key):
    assert timing_name(key) == timing_name(replace(key, model_sha256="0", precision="fp16"))
    assert timing_name(key) != timing_name(replace(key, device="other"))
    assert timing_name(key) != timing_name(replace(key, backend="tensorrt 11.5"))
