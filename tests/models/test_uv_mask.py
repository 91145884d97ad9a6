import numpy as np
import pytest

from models.topology import LEFT_EYE, LIPS_INNER, OVAL, RIGHT_EYE, UV
from models.uv_mask import face_alpha, ring_mask


def at(mask, uv):
    x, y = (uv * mask.shape[0]).astype(int)
    return int(mask[y, x])


@pytest.mark.parametrize("side", [64, 256, 512])
def test_rings_are_where_their_points_are(side):
    mask = ring_mask(OVAL, side)
    assert mask.shape == (side, side)
    polygon = UV[OVAL].astype(float)
    x, y = polygon.T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert (mask > 0).mean() == pytest.approx(area, rel=0.06)
    assert at(mask, UV[1]) == 255
    assert mask[0].max() == mask[:, 0].max() == 0


@pytest.mark.parametrize("eyes", [True, False])
@pytest.mark.parametrize("mouth", [True, False])
def test_holes_are_left_out_when_kept(eyes, mouth):
    alpha = face_alpha(512, eyes, mouth)
    for ring, kept in ((LEFT_EYE, eyes), (RIGHT_EYE, eyes), (LIPS_INNER, mouth)):
        assert at(alpha, UV[ring].mean(axis=0)) == (0 if kept else 255)
    assert at(alpha, UV[50]) == at(alpha, UV[151]) == 255


def test_the_outline_fades():
    alpha = face_alpha(512, True, True).astype(int)
    assert alpha[ring_mask(OVAL, 512) == 0].max() == 0
    assert abs(np.diff(alpha[120])).max() < 40
    assert abs(alpha - alpha[:, ::-1]).mean() < 1


def test_it_is_made_once_and_cannot_be_written():
    alpha = face_alpha(128, True, True)
    assert face_alpha(128, True, True) is alpha
    with pytest.raises(ValueError, match="read-only"):
        alpha[0, 0] = 1
