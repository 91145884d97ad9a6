import numpy as np
import pytest

from models.masks.seen import SeenMask
from models.occlusion import CROP_PX, MASK_PX, FaceOcclusion, open_occlusion
from tests.fakes.session import ConstantSession

SURE = 12.0


def half_covered():
    """The half of the upright face that is on the left of the picture."""
    logits = np.full((1, 1, MASK_PX, MASK_PX), -SURE, np.float32)
    logits[..., : MASK_PX // 2] = SURE
    session = ConstantSession({"covered": logits}, inputs={"picture": (1, CROP_PX, CROP_PX, 3)})
    return SeenMask(FaceOcclusion(session)), session


@pytest.mark.parametrize("framed", [True, False])
def test_what_is_covered_is_so_in_the_crop(scene, framed):
    """The head is tilted in the frame and level in the crop."""
    mask, _ = half_covered()
    view = scene().view(framed=framed)
    out = np.full((view.size, view.size), 9, np.uint8)
    mask.look(view, out)
    middle = float(view.points[[1, 10, 152], 0].mean())
    row = out[view.size // 2]
    assert (row[20 : int(middle) - 12] == 0).all()
    assert (row[int(middle) + 12 : -20] == 255).all()


def test_without_a_time_nothing_is_smoothed(scene):
    mask, session = half_covered()
    view = scene().view(framed=False)
    out = np.empty((view.size, view.size), np.uint8)
    mask.look(view, out)
    session.results["covered"][:] = -SURE
    mask.look(view, out)
    assert (out == 255).all()


def test_with_one_it_is(scene):
    mask, session = half_covered()
    out = np.empty((scene().view().size,) * 2, np.uint8)
    mask.look(scene().view(captured_ns=0), out)
    session.results["covered"][:] = -SURE
    mask.look(scene().view(captured_ns=20_000_000), out)
    assert (out[96, 20:60] == 0).all()


def test_the_network_that_comes_with_the_program_sees_a_plain_ground_without_an_error(scene):
    mask = SeenMask(open_occlusion())
    view = scene().view()
    out = np.empty((view.size, view.size), np.uint8)
    mask.look(view, out)
    mask.close()
    mask.close()
