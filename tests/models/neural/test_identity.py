import os
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.embedder import open_embedder
from models.errors import ModelError, SourceError
from models.geometry import apply, similarity_fit, template
from models.landmarker import five_points
from models.neural.identity import PORTRAIT_PX, SourceIdentity, aligned_source, identity_of
from tests.data import model as shared_model
from tests.fakes.five import landmarks_at, upright
from tests.fakes.networks_swap import recogniser_network


@pytest.fixture
def recogniser(tmp_path):
    opened = open_embedder(recogniser_network(tmp_path / "recogniser.onnx", gain=20))
    yield opened
    opened.close()


def picture(bgr, size=200, zoom=1.0):
    return np.full((size, size, 3), bgr, np.uint8), landmarks_at(upright(size, zoom=zoom))


def vector_of(bgr):
    """What the recogniser of these tests makes of a picture in one colour."""
    whole = np.zeros(512, np.float32)
    whole[:3] = 20 * (np.array(bgr[::-1]) / 127.5 - 1)
    return whole


def identity(**changes):
    values = {
        "embedding": np.arange(1, 513, dtype=np.float32),
        "portrait": np.random.default_rng(1).integers(0, 256, (PORTRAIT_PX, PORTRAIT_PX, 3), np.uint8),
        "five": upright(PORTRAIT_PX, zoom=0.7).astype(np.float32),
        "pictures": 2,
        "agreement": 0.75,
    }
    return SourceIdentity(**values | changes)


def test_the_vector_is_the_recognisers_own_and_not_of_unit_length(recogniser):
    made = identity_of([picture((250, 10, 60))], recogniser)
    assert made.embedding == pytest.approx(vector_of((250, 10, 60)), abs=1e-3)
    assert made.embedding.shape == (512,)
    assert made.pictures == 1
    assert made.agreement == pytest.approx(1)


def test_several_pictures_are_averaged_as_they_are(recogniser):
    colours = [(250, 10, 60), (200, 40, 60), (255, 0, 0)]
    made = identity_of([picture(each) for each in colours], recogniser)
    mean = np.mean([vector_of(each) for each in colours], axis=0)
    assert made.embedding == pytest.approx(mean, abs=1e-3)
    cosines = [each @ mean / np.linalg.norm(each) / np.linalg.norm(mean) for each in map(vector_of, colours)]
    assert made.agreement == pytest.approx(min(cosines), abs=1e-4)


def test_the_portrait_is_the_largest_face_that_is_like_the_person(recogniser):
    alike = [picture((250, 10, 60), zoom=0.5), picture((250, 12, 60), zoom=0.9)]
    odd = picture((10, 250, 200), zoom=1.2)
    made = identity_of([*alike, odd], recogniser)
    assert made.portrait[300, 300].tolist() == [250, 12, 60]
    assert made.agreement < 0


def test_the_points_lie_where_the_face_is_in_the_portrait(recogniser):
    bgr, _ = picture((90, 90, 90), size=400)
    five = upright(400, centre=(0.45, 0.52), zoom=0.8)
    for x, y in five:
        cv2.circle(bgr, (round(x), round(y)), 4, (255, 255, 255), -1)
    made = identity_of([(bgr, landmarks_at(five))], recogniser)
    for x, y in made.five:
        assert made.portrait[round(float(y)), round(float(x))].min() > 230
    eyes = float(np.linalg.norm(made.five[1] - made.five[0]))
    assert eyes == pytest.approx(110, abs=2)


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (None, "picture 2 of 2 of the face to put on shows no face"),
        (np.zeros((468, 3), np.float32), "shows no face"),
        (np.full((468, 3), np.nan, np.float32), "shows no face"),
    ],
)
def test_a_picture_without_a_face_is_named(recogniser, points, said):
    whole = picture((250, 10, 60))
    with pytest.raises(SourceError, match=said) as caught:
        identity_of([whole, (whole[0], points)], recogniser)
    assert "looks at the camera" in caught.value.hint
    assert caught.value.exit_code == 2


def test_no_picture_at_all(recogniser):
    with pytest.raises(SourceError, match="there is no picture"):
        identity_of([], recogniser)


@pytest.mark.parametrize("gain", [0.0, np.nan, np.inf])
def test_a_recogniser_that_makes_nothing_of_a_picture(tmp_path, gain):
    broken = open_embedder(recogniser_network(tmp_path / "broken.onnx", gain=gain))
    with pytest.raises(SourceError, match="makes nothing of picture 1"):
        identity_of([picture((250, 10, 60))], broken)
    broken.close()


def test_pictures_that_cancel_each_other(recogniser):
    with pytest.raises(SourceError, match="nothing in common"):
        identity_of([picture((255, 255, 255)), picture((0, 0, 0))], recogniser)


def test_a_large_picture_is_not_read_with_gaps():
    # Single bright lines, one pixel wide: read at every eighth pixel, most would be missed or doubled.
    size = 2048
    bgr = np.zeros((size, size, 3), np.uint8)
    bgr[:, ::8] = 255
    target = template("arcface_112_v2", 112)
    made = aligned_source(bgr, template("arcface_112_v2", size), target, 112)
    assert made[:, 20:-20].mean() == pytest.approx(255 / 8, abs=3)
    assert made[:, 20:-20].std() < 12


@settings(deadline=None, max_examples=20)
@given(st.floats(0.2, 3), st.floats(-0.4, 0.4))
def test_a_source_is_where_its_points_say(scale, angle):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    five = (upright(300) - 150) @ turn.T + 300
    bgr = np.zeros((600, 600, 3), np.uint8)
    cv2.circle(
        bgr, tuple(np.rint(five[2]).astype(int).tolist()), max(3, round(5 * scale)), (255, 255, 255), -1
    )
    target = template("ffhq_512", 128)
    made = aligned_source(bgr, five, target, 128)
    found = np.argwhere(made[:, :, 0] > 127).mean(axis=0)[::-1]
    matrix = similarity_fit(five, target)
    expected = apply(matrix, five[2:3])[0]
    half_a_pixel = 0.5 * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    assert np.abs(found - expected).max() < half_a_pixel + 0.7


def test_what_is_kept_comes_back():
    made = identity()
    back = SourceIdentity.from_npz(made.to_npz())
    for field in ("embedding", "portrait", "five"):
        assert (getattr(back, field) == getattr(made, field)).all()
        assert getattr(back, field).dtype == getattr(made, field).dtype
    assert (back.pictures, back.agreement) == (2, 0.75)


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_damaged_bytes_are_told(data):
    whole = identity(portrait=np.zeros((PORTRAIT_PX, PORTRAIT_PX, 3), np.uint8)).to_npz()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(ModelError, match="a kept face cannot be read"):
        SourceIdentity.from_npz(whole[:cut])


@pytest.mark.parametrize(
    "changes",
    [
        {"embedding": np.zeros(512, np.float32)},
        {"embedding": np.full(512, np.nan, np.float32)},
        {"embedding": np.ones((1, 512), np.float32)},
        {"portrait": np.zeros((5, 5, 3), np.uint8)},
        {"five": np.zeros((5, 2), np.float32)},
    ],
)
def test_what_is_no_identity_is_not_read_as_one(changes):
    with pytest.raises(ModelError, match="a kept face cannot be read"):
        SourceIdentity.from_npz(identity(**changes).to_npz())


class Trap:
    """What makes a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    trapped = replace(identity(), five=np.array([Trap(tmp_path / "sprung")], object)).to_npz()
    with pytest.raises(ModelError, match="a kept face cannot be read"):
        SourceIdentity.from_npz(trapped)
    assert not (tmp_path / "sprung").exists()


def test_a_real_recogniser_gives_its_own_lengths():
    recogniser = open_embedder(shared_model("foamliu_MobileFaceNet.onnx"))
    try:
        noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
        made = identity_of([(noise, landmarks_at(upright(200)))], recogniser)
        assert made.embedding.shape == (128,)
        assert np.linalg.norm(made.embedding) != pytest.approx(1, abs=0.01)
        assert five_points(landmarks_at(upright(200))) == pytest.approx(upright(200), abs=1e-3)
    finally:
        recogniser.close()
