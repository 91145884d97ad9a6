import dataclasses

import numpy as np
import pytest

from models.catalog import lookup
from models.errors import SwapError
from models.geometry import apply
from models.landmarker import five_points
from models.masks.parts import open_parts
from models.masks.regions import REGIONS
from models.neural.align import align
from models.topology import LEFT_EYE, NOSE_TIP, OVAL
from tests.fakes.networks_masks import PART_COLOURS, parts_network

GROUND, SKIN, EYE, HAIR = (PART_COLOURS[part] for part in (0, 1, 4, 17))


@pytest.fixture(params=["openvino", "onnx"])
def opened(request, tmp_path):
    def made(regions=tuple(REGIONS), **kind):
        model = lookup(["bisenet_resnet_34"])[0]
        parts_network(tmp_path / model.file, **kind)
        return open_parts(model, tmp_path, request.param, "CPU", regions)

    return made


def looked(mask, view):
    out = np.full((view.size, view.size), 9, np.uint8)
    mask.look(view, out)
    mask.close()
    return out


def at(out, view, points):
    near = np.rint(points).astype(int).clip(0, view.size - 1)
    return out[near[:, 1], near[:, 0]]


def test_skin_is_replaced_and_hair_is_not(opened, scene):
    assert (looked(opened(), scene(SKIN).view()) == 255).all()
    assert (looked(opened(), scene(HAIR).view()) == 0).all()
    assert (looked(opened(), scene(GROUND).view()) == 0).all()


def test_hair_that_hangs_over_one_side_stays_there(opened, scene):
    """In a frame in which the head is tilted: the answer lies where the hair does."""
    made = scene(SKIN)
    rows, columns = np.mgrid[: made.bgr.shape[0], : made.bgr.shape[1]]
    x, y = made.points[NOSE_TIP, :2]
    across = (made.points[454] - made.points[234])[:2]
    side = (columns - x) * across[0] + (rows - y) * across[1]
    made.bgr[side > 0] = HAIR
    view = made.view()
    out = looked(opened(), view)
    way = apply(made.where.matrix, [(x, y), (x + across[0], y + across[1])])
    along = (way[1] - way[0]) / np.linalg.norm(way[1] - way[0])
    depth = (view.points - way[0]) @ along
    value = at(out, view, view.points)
    reach = 0.1 * view.unit + 3
    assert (value[depth > reach] == 0).all()
    assert (value[depth < -reach] == 255).all()
    assert (depth > reach).sum() > 100 < (depth < -reach).sum()


def test_without_a_frame_the_crop_goes_on_beyond_its_edge(opened, scene):
    made = scene(SKIN, roll=0.0)
    made.bgr[: int(made.points[NOSE_TIP, 1])] = HAIR
    framed, bare = looked(opened(), made.view()), looked(opened(), made.view(framed=False))
    assert abs(framed.astype(int) - bare).mean() < 1.5
    assert framed[20, 96] == 0
    assert framed[170, 96] == 255


def test_what_the_network_does_not_see_is_left_to_the_other_masks(opened, scene):
    made = scene(SKIN)
    wide = align(five_points(made.points), "styleganex_384", 192)
    out = looked(opened(), dataclasses.replace(made, where=wide).view())
    assert (out == 255).all()


def test_a_part_that_is_not_chosen_stays_the_wearer_s(opened, scene):
    made = scene(SKIN)
    eye = made.points[LEFT_EYE, :2].mean(axis=0).astype(int)
    made.bgr[eye[1] - 14 : eye[1] + 15, eye[0] - 14 : eye[0] + 15] = EYE
    view = made.view()
    there = view.points[LEFT_EYE].mean(axis=0, keepdims=True)
    assert at(looked(opened(), view), view, there) == 255
    out = looked(opened(tuple(name for name in REGIONS if name != "eyes")), view)
    assert at(out, view, there) < 5
    assert at(out, view, view.points[[NOSE_TIP]]) == 255


def test_a_spot_of_hair_amid_the_face_is_none(opened, scene):
    made = scene(SKIN)
    x, y = made.points[NOSE_TIP, :2].astype(int)
    made.bgr[y - 12 : y + 12, x - 12 : x + 12] = HAIR
    view = made.view()
    assert (at(looked(opened(), view), view, view.points[OVAL]) == 255).all()
    assert at(looked(opened(), view), view, view.points[[NOSE_TIP]]) == 255


def test_no_numbers_are_an_error(opened, scene):
    mask = opened(fault="nan")
    with pytest.raises(SwapError):
        looked(mask, scene().view())
