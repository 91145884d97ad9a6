import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.acutance import Acutance
from tests.fakes.head import picture_of, posed, skin_texture

TEXEL_PX = 0.5
NATURAL = 0.25
"""Edges of a living face are that much softer, in square pixels, without the frame being soft."""
POINTS = posed(eyes_px=120)


def head(blur_px=0.0, contrast=1.0):
    picture = picture_of(skin_texture(), POINTS)
    if contrast != 1:
        picture = (picture * contrast + 120 * (1 - contrast)).astype(np.uint8)
    return cv2.GaussianBlur(picture, (0, 0), blur_px) if blur_px else picture


def share(target, drawn=None, frames=200, texel_px=TEXEL_PX, acutance=None):
    acutance = acutance or Acutance()
    drawn = head() if drawn is None else drawn
    for _ in range(frames):
        acutance.look(drawn, target, POINTS, texel_px, 1)
    return acutance.share(1)


def test_a_frame_as_sharp_as_the_drawing_is_left_alone():
    assert share(head()) == 1


def test_a_drawing_is_never_sharpened():
    assert share(head(), drawn=head(2)) == 1


@pytest.mark.parametrize("blur_px", [0.8, 1.0, 1.3])
def test_the_share_of_texels_blurs_as_much_as_the_frame_is(blur_px):
    assert share(head(blur_px)) == pytest.approx(min(1, 1 / (2 * (blur_px**2 - NATURAL) ** 0.5)), rel=0.15)


def test_a_softer_frame_takes_fewer_texels_within_bounds():
    shares = [share(head(blur_px)) for blur_px in (0.6, 1, 1.4, 6)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[1]
    assert shares[-1] == pytest.approx(0.35, abs=0.01)


def test_contrast_is_no_sharpness():
    assert share(head(1.2, contrast=0.4)) == pytest.approx(share(head(1.2)), rel=0.2)
    assert share(head(contrast=0.4)) == 1


def test_what_a_coarser_level_blurs_is_not_taken_for_the_textures_own():
    """Else the share would swing: coarse, then fine again because the drawing is as soft as the frame."""
    acutance = Acutance()
    frame = head(1.3)
    once = share(frame, acutance=acutance)
    texel_px = 1 / once
    again = share(frame, drawn=head(texel_px / 2), texel_px=texel_px, acutance=acutance)
    assert again == pytest.approx(once, rel=0.2)


def test_noise_on_a_sharp_frame_changes_nothing():
    noise = np.random.default_rng(2).normal(0, 6, (*head().shape[:2], 1))
    assert share(np.clip(head() + noise, 0, 255).astype(np.uint8)) == 1


def test_noise_does_not_hide_that_a_frame_is_soft():
    noise = np.random.default_rng(2).normal(0, 2, (*head().shape[:2], 1))
    grainy = np.clip(head(1.3) + noise, 0, 255).astype(np.uint8)
    assert share(grainy) == pytest.approx(share(head(1.3)), rel=0.2)


def test_a_blur_that_passes_is_not_followed():
    acutance = Acutance()
    share(head(), acutance=acutance)
    assert share(head(6), frames=6, acutance=acutance) > 0.6


def test_a_frame_that_is_sharp_again_gets_all_texels_back():
    acutance = Acutance()
    assert share(head(1), acutance=acutance) < 0.7
    assert share(head(), acutance=acutance) == 1


def test_a_frame_on_the_bound_does_not_make_the_share_flicker():
    acutance = Acutance()
    said = set()
    for frame in range(300):
        said.add(share(head(1.0 if frame // 60 % 2 else 1.05), frames=1, acutance=acutance))
    assert len(said) == 1


def test_eyes_and_brows_tell_when_the_mouth_is_covered():
    def masked(picture):
        picture[int(POINTS[2, 1]) :] = 120
        return picture

    acutance = Acutance()
    share(masked(head()), drawn=masked(head()), acutance=acutance)
    assert share(masked(head(1.3)), drawn=masked(head()), acutance=acutance) < 0.6


def test_a_picture_without_edges_tells_nothing():
    blank = np.full_like(head(), 120)
    assert share(blank) == 1
    acutance = Acutance()
    before = share(head(1.3), acutance=acutance)
    assert share(blank, acutance=acutance) == before


def test_each_face_has_its_own_share_and_old_ones_are_forgotten():
    acutance = Acutance()
    assert share(head(2), acutance=acutance) < 1
    assert acutance.share(2) == 1
    for track in range(2, 60):
        acutance.look(head(), head(), POINTS, TEXEL_PX, track)
    assert len(acutance._tracks) <= 16
    assert acutance.share(1) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(8, 400), st.integers(8, 400), st.floats(-300, 600), st.floats(1, 600), st.floats(-90, 90))
def test_any_face_in_any_region(width, height, at, eyes_px, yaw):
    acutance = Acutance()
    random = np.random.default_rng(1)
    target, drawn = (random.integers(0, 255, (height, width, 3)).astype(np.uint8) for _ in range(2))
    acutance.look(drawn, target, posed((at, at), eyes_px, yaw), TEXEL_PX)
    assert 0.35 <= acutance.share() <= 1
