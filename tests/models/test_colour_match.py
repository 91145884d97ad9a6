import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.colour_match import LOOK_NS, LOOK_PX, ColourMatch, apply_colours
from models.colour_transfer import IDENTITY
from models.errors import SettingError
from tests.fakes.clock import FakeClock
from tests.fakes.drawn_face import drawn_face

MS = 1_000_000


def shaded(size=256, seed=1):
    """(size, size, 3): a drawn face under a light from the left, with a little noise."""
    light = np.linspace(1.1, 0.75, size)[None, :, None]
    noise = np.random.default_rng(seed).normal(0, 2, (size, size, 3))
    return np.clip(drawn_face(size) * light + noise, 0, 255).astype(np.uint8)


def lit(bgr, gain):
    return np.clip(bgr * np.array(gain), 0, 255).round().astype(np.uint8)


def cheeks(size=LOOK_PX):
    """(size, size): 255 on the drawn face's cheeks and forehead."""
    skin = np.zeros((size, size), np.uint8)
    for x, y, radius in ((0.4, 0.6, 0.06), (0.6, 0.6, 0.06), (0.5, 0.33, 0.06)):
        cv2.circle(skin, (round(x * size), round(y * size)), round(radius * size), 255, -1)
    return skin


def mean_of(bgr, skin):
    whole = cv2.resize(skin, bgr.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    return bgr[whole > 0].mean(axis=0)


@settings(max_examples=30, deadline=None)
@given(
    gain=st.tuples(*[st.floats(0.5, 1.15)] * 3),
    sizes=st.tuples(*[st.sampled_from([64, 100, 128, 256, 384, 512, 1024])] * 2),
)
def test_the_skin_gets_the_targets_mean_and_deviation(gain, sizes):
    """Whatever the sizes of the two pictures."""
    swapped, target = shaded(sizes[0]), lit(shaded(sizes[1], seed=2), gain)
    ColourMatch().match(swapped, lambda: (target, cheeks()), 1, 0)
    np.testing.assert_allclose(mean_of(swapped, cheeks()), mean_of(target, cheeks()), atol=2)
    near = cv2.resize(swapped, (64, 64), interpolation=cv2.INTER_AREA)[cheeks() > 0]
    wanted = cv2.resize(target, (64, 64), interpolation=cv2.INTER_AREA)[cheeks() > 0]
    np.testing.assert_allclose(near.std(axis=0), wanted.std(axis=0), rtol=0.2, atol=1)


def test_lips_eyes_and_background_are_as_under_the_targets_light():
    """What no tone was measured on: a gain for each channel, nothing grey, nothing orange."""
    swapped, gain = shaded(), (0.6, 0.85, 1.05)
    expected = lit(swapped, gain).astype(int)
    ColourMatch().match(swapped, lambda: (lit(shaded(seed=2), gain), cheeks()), 1, 0)
    assert abs(swapped.astype(int) - expected).mean() < 3
    lips = np.s_[176:182, 120:136]
    assert abs(swapped[lips].mean(axis=(0, 1)) - expected[lips].mean(axis=(0, 1))).max() < 6


def test_equal_faces_stay_as_they_are():
    swapped = shaded()
    ColourMatch().match(swapped, lambda: (shaded(), cheeks()), 1, 0)
    assert abs(swapped.astype(int) - shaded()).max() <= 1


def test_strength_is_how_far_it_goes():
    target = lit(shaded(), (0.5, 0.7, 0.9))
    whole = ColourMatch().estimate(shaded(), target, cheeks(), 1, 0)
    half = ColourMatch(0.5).estimate(shaded(), target, cheeks(), 1, 0)
    np.testing.assert_allclose(half, (whole + IDENTITY) / 2, atol=1e-5)
    swapped = shaded()
    ColourMatch(0.0).match(swapped, lambda: (target, cheeks()), 1, 0)
    np.testing.assert_array_equal(swapped, shaded())


def test_strength_changes_between_frames():
    match, target = ColourMatch(0.25), lit(shaded(), (0.5, 0.7, 0.9))
    match.estimate(shaded(), target, cheeks(), 1, 0)
    match.strength = 1
    np.testing.assert_allclose(
        match.estimate(shaded(), target, cheeks(), 1, MS),
        ColourMatch().estimate(shaded(), target, cheeks(), 1, 0),
        atol=1e-4,
    )


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_slider_outside_its_range_is_refused(value):
    with pytest.raises(SettingError, match="strength"):
        ColourMatch(value)
    match = ColourMatch(0.5)
    with pytest.raises(SettingError, match="strength"):
        match.strength = value
    assert match.strength == 0.5


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_time_constant_outside_its_range_is_refused(value):
    with pytest.raises(SettingError, match="time constant"):
        ColourMatch(time_constant_s=value)


@settings(max_examples=20, deadline=None)
@given(step_ms=st.integers(5, 200))
def test_a_change_of_light_is_followed_smoothly_and_only_towards_it(step_ms):
    """63 % of it in one time constant, at any frame rate; never past it."""
    clock, match = FakeClock(), ColourMatch(time_constant_s=0.4)
    dark, bright = lit(shaded(), (0.6, 0.6, 0.6)), shaded()
    first = match.estimate(shaded(), dark, cheeks(), 1, clock.now_ns())
    last = ColourMatch().estimate(shaded(), bright, cheeks(), 1, 0)
    before, began_ns = 0.0, clock.now_ns()
    for _ in range(10):
        clock.advance(step_ms * MS)
        now = match.estimate(shaded(), bright, cheeks(), 1, clock.now_ns())
        done = float((now - first)[1, 1] / (last - first)[1, 1])
        passed_s = (clock.now_ns() - began_ns) / 1e9
        assert done == pytest.approx(1 - np.exp(-passed_s / 0.4), abs=0.01)
        assert before < done <= 1
        before = done


def test_a_time_constant_of_nothing_follows_at_once():
    match, target = ColourMatch(time_constant_s=0), lit(shaded(), (0.6, 0.7, 0.8))
    match.estimate(shaded(), shaded(), cheeks(), 1, 0)
    now = match.estimate(shaded(), target, cheeks(), 1, MS)
    np.testing.assert_allclose(now, ColourMatch().estimate(shaded(), target, cheeks(), 1, 0), atol=1e-5)


def test_time_that_goes_back_changes_nothing():
    match = ColourMatch()
    before = match.estimate(shaded(), lit(shaded(), (0.6, 0.7, 0.8)), cheeks(), 1, 500 * MS)
    again = match.estimate(shaded(), shaded(), cheeks(), 1, 100 * MS)
    np.testing.assert_array_equal(before, again)


def test_each_track_has_its_own():
    match, target = ColourMatch(), lit(shaded(), (0.6, 0.7, 0.8))
    match.estimate(shaded(), target, cheeks(), 1, 0)
    other = match.estimate(shaded(), shaded(), cheeks(), 2, MS)
    np.testing.assert_allclose(other, IDENTITY, atol=0.01)
    first = match.estimate(shaded(), target, cheeks(), 1, 2 * MS)
    np.testing.assert_allclose(first, ColourMatch().estimate(shaded(), target, cheeks(), 1, 0), atol=1e-3)


def test_a_track_that_was_long_gone_begins_anew():
    match, target = ColourMatch(), lit(shaded(), (0.6, 0.7, 0.8))
    match.estimate(shaded(), target, cheeks(), 1, 0)
    now = match.estimate(shaded(), shaded(), cheeks(), 1, 2001 * MS)
    np.testing.assert_allclose(now, IDENTITY, atol=0.01)


def test_what_is_kept_of_tracks_does_not_grow():
    match = ColourMatch()
    for number in range(50):
        match.estimate(shaded(64), shaded(64), cheeks(), number, number * 1000 * MS)
    assert len(match._tracks) <= 4


def test_without_skin_the_last_map_holds_and_at_first_the_identity():
    match, target, none = ColourMatch(), lit(shaded(), (0.6, 0.7, 0.8)), np.zeros((64, 64), np.uint8)
    np.testing.assert_array_equal(match.estimate(shaded(), target, none, 1, 0), IDENTITY)
    before = match.estimate(shaded(), target, cheeks(), 1, MS)
    np.testing.assert_array_equal(match.estimate(shaded(), shaded(), none, 1, 300 * MS), before)


def test_a_spot_of_skin_is_not_enough():
    spot = np.zeros((64, 64), np.uint8)
    spot[30:37, 30:37] = 255
    target = lit(shaded(), (0.6, 0.7, 0.8))
    np.testing.assert_array_equal(ColourMatch().estimate(shaded(), target, spot, 1, 0), IDENTITY)


@pytest.mark.parametrize("where", ["target", "swapped"])
def test_a_hand_before_the_face_does_not_count(where):
    """Blue over a tenth of the skin moves the match by little, whichever picture has it."""
    pictures = {"target": lit(shaded(), (0.8, 0.8, 0.8)), "swapped": shaded()}
    clean = ColourMatch().estimate(pictures["swapped"], pictures["target"], cheeks(), 1, 0)
    pictures[where][140:166, 90:108] = (200, 40, 0)
    covered = ColourMatch().estimate(pictures["swapped"], pictures["target"], cheeks(), 1, 0)
    skin = np.array([140, 175, 225, 1])
    assert abs(clean @ skin - covered @ skin).max() < 6


@pytest.mark.parametrize("size", [64, 128, 512])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_even_pictures_are_harmless(size, level):
    swapped = np.full((size, size, 3), 90, np.uint8)
    target = np.full((size, size, 3), level, np.uint8)
    matrix = ColourMatch().estimate(swapped, target, cheeks(), 1, 0)
    assert np.isfinite(matrix).all()
    assert abs(matrix[:, :3]).max() < 3.1


def test_a_face_of_a_few_pixels_is_harmless():
    """Scaled up from 6 x 6: no detail, and none is made of it."""
    tiny = cv2.resize(cv2.resize(shaded(), (6, 6), interpolation=cv2.INTER_AREA), (256, 256))
    swapped = shaded()
    ColourMatch().match(swapped, lambda: (tiny, cheeks()), 1, 0)
    assert abs(swapped.astype(int) - shaded()).mean() < 25


def test_pictures_that_are_looked_at_are_not_changed():
    target, skin = lit(shaded(512), (0.6, 0.7, 0.8)), cheeks(128)
    kept = target.copy(), skin.copy()
    ColourMatch().match(shaded(512), lambda: (target, skin), 1, 0)
    np.testing.assert_array_equal(target, kept[0])
    np.testing.assert_array_equal(skin, kept[1])


def test_colours_are_rounded_and_cut():
    bgr = np.random.default_rng(1).integers(0, 256, (50, 60, 3)).astype(np.uint8)
    matrix = np.array([[1.2, 0.1, 0, -9], [0, 0.9, 0.1, 4.3], [-0.1, 0, 1.3, 0]], np.float32)
    expected = np.clip(bgr @ matrix[:, :3].T.astype(float) + matrix[:, 3], 0, 255)
    apply_colours(bgr, matrix)
    assert abs(bgr - expected).max() <= 1


def test_tones_are_measured_now_and_then_and_held_in_between():
    looks = []

    def seen():
        looks.append(1)
        return lit(shaded(seed=2), (0.7, 0.9, 1.1)), cheeks()

    match = ColourMatch()
    first, second = shaded(), shaded()
    match.match(first, seen, 1, 0)
    match.match(second, seen, 1, LOOK_NS - 1)
    assert len(looks) == 1
    np.testing.assert_array_equal(first, second)
    match.match(shaded(), seen, 1, LOOK_NS)
    match.match(shaded(), seen, 2, LOOK_NS)
    assert len(looks) == 3, "due again, and somebody else"
