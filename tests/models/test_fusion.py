import cv2
import numpy as np
import pytest

from models.fusion import fused, sharpness
from models.source_face import TEXTURE_SIDE, Unwrapped, unwrapped
from models.topology import CANONICAL, UV
from tests.fakes.head import SKIN_BGR, picture_of, posed, skin_texture

RIGHT_CHEEK, LEFT_CHEEK, NOSE, CHIN = 50, 280, 4, 199


def freckled(side=1024):
    """Skin with fine marks everywhere, the same each time."""
    rng = np.random.default_rng(5)
    texture = cv2.resize(skin_texture(), (side, side)).astype(int)
    marks = cv2.GaussianBlur(rng.standard_normal((side, side)).astype(np.float32), (0, 0), 2.0)
    return np.clip(texture + 110 * marks[..., None], 0, 255).astype(np.uint8)


def view(
    yaw=0.0, eyes_px=150.0, texture=None, gain=(1, 1, 1), blur=0.0, seen_at=None, off_px=0.0, shape=CANONICAL
):
    """`seen_at`: the yaw that the landmarks have instead of the true one; `off_px`: how far they are off."""
    side = int(eyes_px * 3)
    points = posed((side / 2, side / 2), eyes_px, yaw, shape=shape)
    picture = picture_of(freckled() if texture is None else texture, points, (side, side))
    picture = np.clip(picture * np.array(gain), 0, 255).astype(np.uint8)
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), blur)
    if seen_at is not None:
        points = posed((side / 2, side / 2), eyes_px, seen_at)
    return unwrapped(picture, points + np.array([off_px, off_px, 0], np.float32))


def at(texture, index, radius=10):
    x, y = (UV[index] * TEXTURE_SIDE).astype(int)
    return texture[y - radius : y + radius, x - radius : x + radius]


def fine(texture):
    luma = texture.mean(axis=2)
    return abs(luma - cv2.GaussianBlur(luma, (0, 0), 2)).mean()


def test_one_view_is_itself():
    one = view()
    assert fused([one]) is one


def test_each_half_comes_from_the_picture_that_faces_it():
    left, right = view(-40), view(40)
    face = fused([left, right])
    truth = view().texture
    for index, own in ((RIGHT_CHEEK, left), (LEFT_CHEEK, right)):
        away = {
            key: abs(at(other.texture, index) - at(truth, index)).mean()
            for key, other in (("own", own), ("fused", face))
        }
        assert away["fused"] < away["own"] * 1.5 + 3
    assert face.known[:, : TEXTURE_SIDE // 2].sum() > right.known[:, : TEXTURE_SIDE // 2].sum()
    assert face.known[:, TEXTURE_SIDE // 2 :].sum() > left.known[:, TEXTURE_SIDE // 2 :].sum()


def test_the_marked_cheek_is_seen_from_its_side():
    """A mark that one picture shows squarely and the other as a line is round in the fused face."""
    marked = freckled()
    middle = (UV[RIGHT_CHEEK] * marked.shape[0]).astype(int)
    cv2.circle(marked, tuple(middle.tolist()), 14, (20, 20, 120), -1)
    views = [view(-40, texture=marked), view(40, texture=marked)]
    face, truth = fused(views), view(texture=marked)
    assert abs(at(face.texture, RIGHT_CHEEK) - at(truth.texture, RIGHT_CHEEK)).mean() < 14


@pytest.mark.parametrize("yaws", [(0, 30), (-25, 25), (0, -35, 35), (-12, 3, 14, 28)])
def test_it_is_as_sharp_as_the_best_picture(yaws):
    views = [view(yaw, off_px=number * 2.5) for number, yaw in enumerate(yaws)]
    face = fused(views)
    assert sharpness(face) > 0.93 * max(map(sharpness, views))
    assert fine(at(face.texture, NOSE, 90)) > 0.93 * max(fine(at(one.texture, NOSE, 90)) for one in views)


def test_a_blurred_or_small_picture_spoils_nothing():
    sharp = view()
    for poor in (view(eyes_px=200, blur=6), view(eyes_px=25)):
        assert sharpness(poor) < 0.6 * sharpness(sharp)
        for views in ([sharp, poor], [poor, sharp]):
            known = sharp.known > 0.9
            assert abs(fused(views).texture - sharp.texture)[known].mean() < 1


def test_another_light_and_white_balance_leave_no_seam():
    smooth = np.full((512, 512, 3), SKIN_BGR, np.uint8)
    bright, dim = view(-35, texture=smooth), view(35, texture=smooth, gain=(0.55, 0.7, 0.8))
    assert abs(at(bright.texture, NOSE).mean() - at(dim.texture, NOSE).mean()) > 25
    face = fused([bright, dim])
    sure = cv2.erode((face.known > 0.95).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert np.ptp(face.texture[sure].mean(axis=1)) < 25
    steps = abs(np.diff(face.texture.mean(axis=2), axis=1))
    assert np.percentile(steps[sure[:, 1:]], 99.5) < 3


def test_what_most_pictures_do_not_show_stays_out():
    clean = [view(yaw) for yaw in (-4, 4)]
    hand = freckled()
    x, y = (UV[RIGHT_CHEEK] * hand.shape[0]).astype(int)
    for finger in range(4):
        start, end = (x - 170, y - 90 + 60 * finger), (x + 90, y - 60 + 60 * finger)
        cv2.line(hand, start, end, (70, 85, 120), 34)
    covered = view(texture=hand)
    face = fused([covered, *clean], (1, 0.5, 0.5))
    spoilt = abs(at(covered.texture, RIGHT_CHEEK) - at(clean[0].texture, RIGHT_CHEEK)).mean()
    left = abs(at(face.texture, RIGHT_CHEEK) - at(clean[0].texture, RIGHT_CHEEK)).mean()
    assert spoilt > 25
    assert left < 10


def test_the_background_beside_a_turned_head_stays_out():
    """Landmarks see a head turned by 45 degrees less turned: on the far side they lie beside it."""
    views = [view(-45, seen_at=-34), view(45, seen_at=34)]
    ground = np.array((90, 80, 70))

    def beside(one):
        return (abs(one.texture - ground).max(axis=2) < 12)[one.known > 0.5].sum()

    assert max(map(beside, views)) > 1500
    assert beside(fused(views)) < 20


def test_trust_decides_between_equals():
    one, other = view(), view(gain=(0.9, 0.9, 0.9))
    for trusts, expected in (((1, 0.3), one), ((0.3, 1), other)):
        face = fused([one, other], trusts)
        assert abs(at(face.texture, NOSE) - at(expected.texture, NOSE)).mean() < 1


def test_pictures_that_know_nothing_are_no_trouble():
    empty = Unwrapped(
        *(np.zeros(shape, np.float32) for shape in ((512, 512, 3), (512, 512), (512, 512), (468, 3)))
    )
    assert np.isfinite(fused([empty, empty, empty]).texture).all()
    one = view()
    face = fused([one, empty])
    assert abs(face.texture - one.texture)[one.known > 0.9].mean() < 1


def test_the_order_of_pictures_does_not_matter():
    views = [view(-30), view(5), view(28)]
    forth, back = fused(views), fused(views[::-1])
    assert abs(forth.texture - back.texture).mean() < 0.5


def test_the_proportions_are_a_mean_of_the_pictures_by_their_worth():
    long = CANONICAL * np.float32([1, 1.1, 1])
    usual, other = view(), view(shape=long)
    shapes = usual.shape, other.shape
    face = fused([usual, other])
    np.testing.assert_allclose(face.shape, (shapes[0] + shapes[1]) / 2, atol=0.01)
    assert abs(shapes[0] - shapes[1]).max() > 0.04
    doubted = fused([usual, other], (1, 0.1)).shape
    assert abs(doubted - shapes[0]).max() < 0.3 * abs(shapes[1] - shapes[0]).max()
