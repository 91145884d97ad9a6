from dataclasses import replace

import pytest

from models.cuda.base import DeviceInfo
from models.engines.key import EngineKey, timing_name
from models.engines.profile import Range

DEVICE = DeviceInfo(0, "RTX 7000", (8, 9), 13010)


@pytest.fixture
def key(tmp_path):
    model = tmp_path / "a.onnx"
    model.write_bytes(b"weights")
    return EngineKey.of(model, {"a": Range.fixed((1, 3))}, "tensorrt 11.4", DEVICE, options=(("level", 3),))


def test_the_same_again(key, tmp_path):
    other = tmp_path / "renamed.onnx"
    other.write_bytes(b"weights")
    shapes = {"a": Range.fixed((1, 3))}
    again = EngineKey.of(other, shapes, "tensorrt 11.4", DEVICE, options=(("level", 3),))
    assert (again, again.name(), again.text()) == (key, key.name(), key.text())


def test_the_driver_counts_by_its_major(key, tmp_path):
    def with_driver(driver):
        device = replace(DEVICE, driver=driver)
        return EngineKey.of(
            tmp_path / "a.onnx", {"a": Range.fixed((1, 3))}, "tensorrt 11.4", device, options=(("level", 3),)
        )

    assert with_driver(13040) == key
    assert with_driver(14000) != key


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
