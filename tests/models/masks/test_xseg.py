import dataclasses

import numpy as np
import pytest

from models.catalog import lookup
from models.errors import ModelError, SwapError
from models.geometry import apply
from models.masks.xseg import open_xseg
from models.topology import NOSE_TIP
from tests.fakes.networks_masks import xseg_network

BLUE, GREEN = (255, 0, 0), (0, 200, 0)


@pytest.fixture(params=["openvino", "onnx"])
def opened(request, tmp_path):
    def made(**kind):
        model = lookup(["xseg_3"])[0]
        xseg_network(tmp_path / model.file, **kind)
        return open_xseg(model, tmp_path, request.param, "CPU")

    return made


def looked(mask, view):
    out = np.full((view.size, view.size), 9, np.uint8)
    mask.look(view, out)
    return out


def test_all_that_is_not_blue_is_seen(opened, scene):
    mask = opened()
    assert (looked(mask, scene(GREEN).view()) == 255).all()
    assert (looked(mask, scene((0, 0, 255)).view()) == 255).all()
    mask.close()


def test_a_blue_hand_that_reaches_in_stays_before_the_face(opened, scene):
    made = scene(GREEN, roll=0.0)
    nose_x = int(made.points[NOSE_TIP, 0])
    made.bgr[:, :nose_x] = BLUE
    mask = opened()
    view = made.view()
    out = looked(mask, view)
    edge = apply(made.where.matrix, [(nose_x - 0.5, 300.0)])[0, 0]
    reach = 0.1 * view.unit + 2
    assert (out[:, : int(edge - reach)] == 0).all()
    assert (out[:, int(edge + reach) + 1 :] == 255).all()
    assert (np.diff(out[96].astype(int)) >= 0).all()
    mask.close()


def test_with_a_frame_it_looks_at_the_wearer_and_not_at_what_was_painted(opened, scene):
    made = scene(BLUE)
    view = dataclasses.replace(made.view(), crop=scene(GREEN).view().crop)
    mask = opened()
    assert (looked(mask, view) == 0).all()
    mask.close()


def test_without_one_it_looks_at_the_crop(opened, scene):
    mask = opened()
    assert (looked(mask, scene(BLUE).view(framed=False)) == 0).all()
    assert (looked(mask, scene(GREEN).view(framed=False)) == 255).all()
    mask.close()


def test_a_blue_finger_that_reaches_in_from_the_right_stays_before_the_face(opened, scene):
    made = scene(GREEN, roll=0.0)
    x, y = made.points[454, :2].astype(int)
    made.bgr[y - 15 : y + 15, x - 30 :] = BLUE
    mask = opened()
    view = made.view()
    out = looked(mask, view)
    tip = apply(made.where.matrix, [(x - 18.0, float(y))])[0].astype(int)
    assert out[tip[1], tip[0]] == 0
    assert out[tip[1], tip[0] - 40] == 255
    mask.close()


def test_a_blue_spot_amid_the_face_is_no_hand(opened, scene):
    made = scene(GREEN)
    x, y = made.points[NOSE_TIP, :2].astype(int)
    made.bgr[y - 12 : y + 12, x - 12 : x + 12] = BLUE
    mask = opened()
    assert (looked(mask, made.view()) == 255).all()
    mask.close()


def test_a_face_wholly_covered_is_not_replaced(opened, scene):
    mask = opened()
    assert (looked(mask, scene(BLUE).view()) == 0).all()
    mask.close()


def test_no_numbers_are_an_error(opened, scene):
    mask = opened(fault="nan")
    with pytest.raises(SwapError):
        looked(mask, scene().view())
    mask.close()


def test_a_network_of_another_shape_is_refused(opened):
    with pytest.raises(ModelError):
        opened(side=128)
    with pytest.raises(ModelError):
        opened(swapped=True)
