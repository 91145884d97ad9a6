import numpy as np
import pytest

from models.catalog import lookup
from models.errors import ModelError
from models.geometry import apply
from models.landmarker import five_points
from models.masks.choice import open_masker
from models.masks.settings import BOX, BUILT_IN, HULL, MaskSettings
from models.neural.align import align
from tests.fakes.head import posed
from tests.fakes.networks_masks import parts_network, xseg_network


def test_all_that_are_named_count(tmp_path):
    for name in ("xseg_1", "xseg_3"):
        xseg_network(tmp_path / lookup([name])[0].file)
    parts_network(tmp_path / lookup(["bisenet_resnet_18"])[0].file)
    chosen = MaskSettings(masks=(BOX, HULL, "xseg_1", "xseg_3", "bisenet_resnet_18"))
    masker = open_masker(chosen, tmp_path)
    points = posed(centre=(400, 300), eyes_px=110)
    where = align(five_points(points), "arcface_128", 128)
    inside = apply(where.matrix, points[:, :2]).astype(np.float32)
    crop = np.zeros((128, 128, 3), np.uint8)
    crop[:] = (0, 200, 0)
    assert masker.mask(crop, inside)[64, 64] == 255
    crop[:] = (0, 0, 200)  # hair to one of them, a face to the others
    assert masker.mask(crop, inside, key=2)[64, 64] == 0
    masker.close()


def test_the_default_opens_without_a_file(tmp_path):
    masker = open_masker(MaskSettings(), tmp_path)
    masker.close()


def test_the_built_in_one_is_opened_when_it_is_named_and_only_then(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("models.occlusion.open_occlusion", lambda *place: opened.append(place))
    open_masker(MaskSettings(masks=(BOX, HULL)), tmp_path, "onnx", "CPU")
    assert opened == []
    open_masker(MaskSettings(masks=(BOX, BUILT_IN)), tmp_path, "onnx", "CPU")
    assert opened == [("onnx", "CPU")]


@pytest.mark.parametrize("name", ["inswapper_128", "selfie_general", "xseg_4", "gfpgan_1.4"])
def test_what_is_no_mask_of_a_face_is_refused(name, tmp_path):
    with pytest.raises(ModelError) as caught:
        open_masker(MaskSettings(masks=(BOX, name)), tmp_path)
    assert name in caught.value.message


def test_a_missing_file_is_an_error_and_closes_what_was_open(tmp_path, monkeypatch):
    xseg_network(tmp_path / lookup(["xseg_1"])[0].file)
    closed = []
    monkeypatch.setattr("models.masks.xseg.XsegMask.close", lambda self: closed.append(self))
    with pytest.raises(ModelError):
        open_masker(MaskSettings(masks=(BOX, "xseg_1", "xseg_2", BUILT_IN)), tmp_path)
    assert len(closed) == 1
