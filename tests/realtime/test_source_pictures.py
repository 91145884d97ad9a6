from pathlib import Path

import cv2
import numpy as np
import pytest

from models.landmarker import Landmarks
from realtime.errors import ConfigError
from realtime.source_pictures import LEAST_FACE_PX, MOST_PICTURES, SMALL_FACE_PX, prepare_pictures
from tests.data import portrait
from tests.fakes.head import picture_of, posed, skin_texture
from tests.models.test_eyewear import with_lenses


class Shown:
    """Pictures of the head in files, and what a landmarker sees in each, told by their corners."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[tuple[Landmarks, ...]] = []
        self.paths: list[Path] = []

    def add(self, name, points=None, faces=1, score=0.9, texture=None, lenses=False):
        points = posed() if points is None else points
        picture = picture_of(skin_texture() if texture is None else texture, points)
        if lenses:
            picture = with_lenses(picture, points, (9, 9, 9))
        picture[[0, 0, -1, -1], [0, -1, 0, -1]] = len(self.seen)
        path = self.folder / name
        assert cv2.imwrite(str(path), picture)
        self.seen.append(tuple(Landmarks(points, score) for _ in range(faces)))
        self.paths.append(path)
        return path

    def analyse(self, bgr):
        return self.seen[int(bgr[0, 0, 0])]

    def prepare(self):
        return prepare_pictures("anna", self.paths, self.analyse)


@pytest.fixture
def shown(tmp_path):
    return Shown(tmp_path)


def refusal(shown):
    with pytest.raises(ConfigError) as caught:
        shown.prepare()
    assert caught.value.hint
    return caught.value


def test_a_plain_picture_needs_no_words(shown):
    path = shown.add("a.png")
    prepared = shown.prepare()
    assert prepared.face.name == "anna"
    assert prepared.used == (path,)
    assert prepared.left_out == prepared.notes == ()


def test_several_become_one_face(shown):
    for number, yaw in enumerate((-28, 0, 28)):
        shown.add(f"{number}.png", posed(yaw=yaw))
    prepared = shown.prepare()
    assert len(prepared.used) == 3
    assert prepared.face.texture.any()


def test_what_cannot_be_used_is_left_out_with_the_reason(shown):
    good = shown.add("good.png")
    shown.add("nobody.png", faces=0)
    shown.add("party.png", faces=3)
    shown.add("doubtful.png", score=0.2)
    shown.add("tiny.png", posed(eyes_px=10))
    (shown.folder / "text.jpg").write_text("no picture")
    shown.paths.append(shown.folder / "text.jpg")
    prepared = shown.prepare()
    assert prepared.used == (good,)
    assert len(prepared.left_out) == 5
    for name, words in zip(("nobody", "party", "doubtful", "tiny", "text"), prepared.left_out, strict=True):
        assert f"{name}." in words


def test_when_none_is_left_it_says_how_many_and_why(shown):
    shown.add("a.png", faces=0)
    shown.add("b.png", faces=2)
    error = refusal(shown)
    assert "none of the 2 pictures" in error.message
    assert "a.png" in error.message


@pytest.mark.parametrize("yaw", [-50, 50])
def test_a_profile_says_what_would_work(shown, yaw):
    shown.add("side.png", posed(yaw=yaw))
    error = refusal(shown)
    assert "profile" in error.message
    assert "front" in error.hint


@pytest.mark.parametrize("yaw", [-35, 35])
def test_a_face_turned_far_wants_its_other_side(shown, yaw):
    shown.add("side.png", posed(yaw=yaw))
    error = refusal(shown)
    assert "turned" in error.message
    assert "other side" in error.hint


@pytest.mark.parametrize("yaws", [(-35, 35), (35, 10), (-35, -36, 0)])
def test_with_its_other_side_or_front_it_is_welcome(shown, yaws):
    for number, yaw in enumerate(yaws):
        shown.add(f"{number}.png", posed(yaw=yaw))
    assert len(shown.prepare().used) == len(yaws)


def test_many_from_one_side_do_not_make_a_face(shown):
    for number, yaw in enumerate((34, 35, 36)):
        shown.add(f"{number}.png", posed(yaw=yaw))
    assert "all pictures" in refusal(shown).message


def test_the_least_width_is_told_and_so_is_a_soft_one(shown):
    shown.add("a.png", posed(eyes_px=14))
    error = refusal(shown)
    assert f"{LEAST_FACE_PX} are needed" in error.message
    shown.paths.clear()
    shown.add("b.png", posed(eyes_px=32))
    (note,) = shown.prepare().notes
    assert "soft" in note
    assert str(2 * SMALL_FACE_PX) in note


def test_sunglasses_are_worn_but_told(shown):
    shown.add("cool.png", lenses=True)
    (note,) = shown.prepare().notes
    assert "sunglasses" in note


@pytest.mark.parametrize(("pitch", "word"), [(42, "down"), (-42, "up")])
def test_a_face_that_looks_far_up_or_down_is_told(shown, pitch, word):
    shown.add("a.png", posed(pitch=pitch))
    assert any(f"far {word}" in note for note in shown.prepare().notes)


def test_one_picture_among_several_is_not_criticised(shown):
    shown.add("a.png")
    shown.add("cool.png", lenses=True)
    assert shown.prepare().notes == ()


def test_there_is_a_most_of_pictures(shown):
    first = shown.add("a.png")
    shown.paths = [first] * 3 + [shown.folder / "never-read.png"] * MOST_PICTURES
    shown.paths[3:MOST_PICTURES] = [first] * (MOST_PICTURES - 3)
    prepared = shown.prepare()
    assert len(prepared.used) == MOST_PICTURES
    assert f"only the first {MOST_PICTURES}" in prepared.left_out[0]


def test_a_grey_picture_makes_a_grey_face(shown):
    shown.add(
        "grey.png", texture=cv2.cvtColor(cv2.cvtColor(skin_texture(), cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    )
    face = shown.prepare().face
    assert np.ptp(face.texture.astype(int), axis=2).max() <= 4


def test_a_beard_stays_on(shown):
    bearded = skin_texture()
    bearded[330:] = (30, 34, 40)
    shown.add("beard.png", texture=bearded)
    shown.add("plain.png")
    dark, light = (prepare_pictures("a", [path], shown.analyse).face for path in shown.paths)
    chin = (slice(395, 425), slice(236, 276))
    assert dark.texture[chin].mean() < 0.6 * light.texture[chin].mean()


class Turning:
    """Sees the head of `points` only as the networks do: which way up is told by where the red corner is."""

    def __init__(self, sees):
        self.sees = sees

    def __call__(self, bgr):
        corners = [bgr[y, x] for y, x in ((0, 0), (0, -1), (-1, -1), (-1, 0))]
        red = [tuple(corner) == (0, 0, 255) for corner in corners].index(True)
        return self.sees[red]


def cornered(path, quarters):
    picture = picture_of(skin_texture(), posed())
    picture[0, 0] = (0, 0, 255)
    cv2.imwrite(str(path), np.rot90(picture, quarters))
    return path


UPRIGHT = (Landmarks(posed(), 0.99),)
LYING = tuple((Landmarks(posed(roll=roll), 0.99),) for roll in (-90, 90))
BAD_FIT = (Landmarks(posed() * np.array([1, 0.8, 1.6], np.float32), 0.9),)


@pytest.mark.parametrize(
    ("quarters", "sees"),
    [
        (0, [UPRIGHT]),
        (1, [UPRIGHT, (), (), LYING[0]]),
        (3, [UPRIGHT, LYING[1], (), ()]),
        (2, [UPRIGHT, (), BAD_FIT, ()]),
        (2, [UPRIGHT, (), (), ()]),
        (1, [UPRIGHT, (), (), ()]),
    ],
)
def test_a_picture_on_its_side_or_head_is_put_upright(tmp_path, quarters, sees):
    upright = prepare_pictures("a", [cornered(tmp_path / "a.png", 0)], Turning([UPRIGHT])).face
    path = cornered(tmp_path / "turned.png", quarters)
    face = prepare_pictures("a", [path], Turning(sees)).face
    np.testing.assert_array_equal(face.texture, upright.texture)


def test_a_face_that_fits_no_better_the_other_way_up_stays(tmp_path):
    path = cornered(tmp_path / "a.png", 0)
    as_it_is = prepare_pictures("a", [path], Turning([BAD_FIT, (), (), ()])).face
    face = prepare_pictures("a", [path], Turning([BAD_FIT, (), BAD_FIT, ()])).face
    np.testing.assert_array_equal(face.texture, as_it_is.texture)


@pytest.mark.parametrize("name", ["lp_s5.jpg", "skimage_astronaut.png"])
def test_real_pictures_of_any_size_go_through_the_real_chain(default_models, tmp_path, name):
    from models.catalog import DEFAULT_CHAIN
    from models.detector import open_detector
    from models.landmarker import open_landmarker
    from realtime.assembly import analyse

    detector = open_detector(DEFAULT_CHAIN[0], default_models)
    landmarker = open_landmarker(DEFAULT_CHAIN[1], default_models)
    whole = cv2.imread(str(portrait(name)))
    try:
        for width in (300, 6000):
            path = tmp_path / f"{width}.jpg"
            cv2.imwrite(
                str(path), cv2.resize(whole, None, fx=width / whole.shape[1], fy=width / whole.shape[1])
            )
            prepared = prepare_pictures("a", [path], lambda bgr: analyse(bgr, detector, landmarker))
            assert prepared.face.texture.std() > 10
    finally:
        landmarker.close()
        detector.close()
