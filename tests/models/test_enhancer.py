import subprocess
import sys

import numpy as np
import pytest

from models.catalog import load_catalog, lookup
from models.enhancer import ENHANCERS, NONE, open_crop_enhancer, open_enhancer
from models.errors import ModelError, SettingError
from models.neural.enhancer import NeuralEnhancer
from models.neural.upscaler import Upscaler
from models.patch import Patch
from realtime.config import PipelineConfig
from tests.fakes.head import posed
from tests.fakes.networks_enhance import enhancer_network, upscaler_network

SIDES = {"gpen_bfr_256": 256, "gfpgan_1.4": 512}


@pytest.fixture
def folder(tmp_path):
    """The user's models, with small ones in the place of the real."""
    for name, side in SIDES.items():
        enhancer_network(tmp_path / lookup([name])[0].file, side=side)
    upscaler_network(tmp_path / lookup(["lsdir_compact_x4"])[0].file)
    return tmp_path


def test_none_is_no_enhancer():
    assert open_enhancer(NONE) is None


@pytest.mark.parametrize("name", ENHANCERS)
def test_each_opens_and_closes_twice(name):
    enhancer = open_enhancer(name)
    assert enhancer is not None
    enhancer.close()
    enhancer.close()


def test_the_default_is_none():
    assert PipelineConfig().enhancer == NONE


@pytest.mark.parametrize("name", [*SIDES, "lsdir_compact_x4"])
@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_a_model_of_the_catalogue_serves_a_patch(folder, name, backend):
    enhancer = open_enhancer(name, folder, backend, strength=1.0)
    points = posed(centre=(150, 150), eyes_px=110)
    frame = np.random.default_rng(0).integers(40, 200, (320, 320, 3), dtype=np.uint8)
    patch = Patch(60, 50, frame[50:260, 60:250].copy(), np.full((210, 190), 255, np.uint8))
    before = patch.bgr.copy()
    enhancer.enhance(patch, points, frame)
    assert (patch.bgr != before).mean() > 0.2
    if name in SIDES:  # they make the negative
        assert abs(patch.bgr[80:130, 70:120].mean() - (255 - before[80:130, 70:120].mean())) < 3
    enhancer.close()
    enhancer.close()


def test_without_a_folder_it_is_the_user_s(folder, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(folder))
    enhancer = open_crop_enhancer("gpen_bfr_256")
    assert isinstance(enhancer, NeuralEnhancer)
    assert enhancer.template == "arcface_128"
    enhancer.close()


def test_the_sliders_reach_it(folder):
    restoring = open_crop_enhancer("gpen_bfr_256", folder, strength=0.3, weight=0.1)
    assert (restoring.strength, restoring.weight) == (0.3, 0.1)
    upscaling = open_crop_enhancer("lsdir_compact_x4", folder, strength=0.3)
    assert isinstance(upscaling, Upscaler)
    assert upscaling.strength == 0.3
    for each in (restoring, upscaling):
        each.close()
    with pytest.raises(SettingError):
        open_enhancer("gpen_bfr_256", folder, strength=1.01)


def test_every_enhancer_of_the_catalogue_is_known_by_its_name(tmp_path):
    names = [model.name for model in load_catalog().values() if model.role == "enhancer"]
    assert {"gfpgan_1.2", "codeformer", "restoreformer_plus_plus", "gpen_bfr_2048"} <= set(names)
    for name in names:
        with pytest.raises(ModelError) as caught:
            open_enhancer(name, tmp_path)
        assert lookup([name])[0].file in caught.value.message


@pytest.mark.parametrize("name", ["inswapper_128", "xseg_3", "facemesh_468"])
def test_a_model_of_another_role_is_refused(name, tmp_path):
    with pytest.raises(ModelError) as caught:
        open_enhancer(name, tmp_path)
    assert "not an enhancer" in caught.value.message


def test_an_unknown_name_says_what_there_is():
    with pytest.raises(ModelError) as caught:
        open_enhancer("gloss")
    assert "gloss" in caught.value.message
    assert "detail" in caught.value.hint


def test_a_misspelt_name_gets_the_nearest():
    with pytest.raises(ModelError) as caught:
        open_enhancer("gfpgan_14")
    assert "gfpgan_1.4" in caught.value.hint


def test_none_is_imported_before_it_is_opened():
    script = (
        "import sys, models.enhancer\n"
        "heavy = 'models.detail', 'models.catalog', 'models.neural'\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
