import logging

import cv2
import numpy as np
import pytest

from models.errors import SourceError
from models.landmarker import Landmarks
from models.neural.identity import SourceIdentity
from realtime.errors import ConfigError
from realtime.face_cache import content_key
from realtime.faces import FacePictures
from realtime.identities import IdentityCache, identities_folder, load_identity, unit
from realtime.kept_files import KeptFiles
from tests.fakes.head import picture_of, posed, skin_texture

KEY = content_key([b"anna"])


class Raw:
    """A recogniser that gives its vectors in turn."""

    def __init__(self, *vectors):
        self.left = [np.array(vector, np.float32) for vector in vectors]

    def raw(self, bgr, points):
        return self.left.pop(0)


def identity(*embedding):
    portrait = np.full((640, 640, 3), 7, np.uint8)
    five = np.array([[250, 300], [390, 300], [320, 380], [270, 450], [370, 450]], np.float32)
    return SourceIdentity(np.array(embedding or (3, 4), np.float32), portrait, five, 1, 1.0)


def sees(*faces):
    return lambda bgr: tuple(faces)


def never(bgr):
    raise AssertionError("this picture was looked at before")


FACE = Landmarks(posed((160, 160), 60.0), 0.9)


@pytest.fixture
def cache(tmp_path):
    return IdentityCache(tmp_path / "identities", "recogniser 1", ["detector", "landmarker"])


@pytest.fixture
def pictures(tmp_path):
    paths = []
    for number in range(2):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), picture_of(skin_texture(), posed()) // (number + 1))
        paths.append(path)
    return FacePictures("anna", tuple(paths))


def test_what_is_put_is_got_back(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, identity(3, 4))
    kept = cache.get(KEY)
    np.testing.assert_array_equal(kept.embedding, [3, 4])
    np.testing.assert_array_equal(kept.portrait, identity().portrait)


@pytest.mark.parametrize(
    ("recogniser", "models"), [("other", ("detector", "landmarker")), ("recogniser 1", ("x",))]
)
def test_what_was_made_with_other_models_is_absent(cache, recogniser, models):
    cache.put(KEY, identity())
    other = IdentityCache(cache._files._folder, recogniser, models)
    assert other.get(KEY) is None
    other.put(KEY, identity(1, 0))
    assert cache.get(KEY).embedding[0] == 3


@pytest.mark.parametrize("content", [b"", b"not a file of arrays"])
def test_a_file_of_another_kind_is_absent_and_made_anew(cache, content):
    KeptFiles(cache._files._folder, "x").write(cache._name(KEY), content)
    assert cache.get(KEY) is None
    cache.put(KEY, identity())
    assert cache.get(KEY) is not None


def test_forget_takes_what_is_kept_of_these_pictures_and_clear_takes_all(cache):
    other = content_key([b"ben"])
    again = IdentityCache(cache._files._folder, "recogniser 2")
    for each in (cache, again):
        each.put(KEY, identity())
    cache.put(other, identity())
    IdentityCache.forget(cache._files._folder, KEY)
    assert cache.get(KEY) is None
    assert again.get(KEY) is None
    assert cache.get(other) is not None
    assert IdentityCache.clear(cache._files._folder) == 1
    assert cache.get(other) is None


def test_several_pictures_are_one_person_and_looked_at_once(cache, pictures):
    first = load_identity(pictures, sees(FACE), Raw([2, 0, 0], [0, 2, 0]), cache)
    np.testing.assert_allclose(first.embedding, [1, 1, 0])
    np.testing.assert_allclose(unit(first), [2**-0.5, 2**-0.5, 0], atol=1e-6)
    again = load_identity(pictures, never, Raw(), cache)
    np.testing.assert_array_equal(again.embedding, first.embedding)


def test_other_pictures_are_another_person(cache, pictures):
    load_identity(pictures, sees(FACE), Raw([2, 0], [2, 0]), cache)
    one = FacePictures("anna", pictures.paths[:1])
    assert load_identity(one, sees(FACE), Raw([0, 2]), cache).embedding[1] == 2


def test_a_picture_that_cannot_be_used_is_left_out_aloud(pictures, caplog):
    pictures.paths[0].write_bytes(b"")
    with caplog.at_level(logging.WARNING, "realtime.identities"):
        found = load_identity(pictures, sees(FACE), Raw([2, 0]))
    assert found.pictures == 1
    assert "0.png is empty" in caplog.text


@pytest.mark.parametrize(("faces", "says"), [((), "no face was found"), ((FACE, FACE), "shows 2 faces")])
def test_pictures_that_show_nobody_are_told(pictures, faces, says):
    with pytest.raises(ConfigError, match=says):
        load_identity(pictures, sees(*faces), Raw())


def test_a_recogniser_that_says_nothing_is_told_and_not_kept(cache, pictures):
    one = FacePictures("anna", pictures.paths[:1])
    with pytest.raises(SourceError):
        load_identity(one, sees(FACE), Raw([0, 0]), cache)
    assert cache.get(one.key()) is None


def test_the_folder_can_be_chosen(tmp_path):
    assert identities_folder({"REALTIME_FACES": str(tmp_path)}) == tmp_path / "identities"
    assert identities_folder({}).name == "identities"


def test_pictures_of_different_people_are_told(pictures, caplog):
    with caplog.at_level(logging.WARNING):
        load_identity(pictures, sees(FACE), Raw((1, 0), (0.9, 0.4)))
    assert caplog.text == ""
    with caplog.at_level(logging.WARNING):
        load_identity(pictures, sees(FACE), Raw((1, 0), (0, 1)))
    assert "may not all show the same person" in caplog.text


def test_one_picture_agrees_with_itself(pictures, caplog):
    with caplog.at_level(logging.WARNING):
        load_identity(FacePictures("anna", pictures.paths[:1]), sees(FACE), Raw((1, 0)))
    assert caplog.text == ""


def test_without_a_recogniser_the_largest_face_is_the_portrait(pictures):
    small = Landmarks(posed((160, 160), 40.0), 0.9)
    found = iter([small, FACE])
    identity = load_identity(pictures, lambda bgr: (next(found),), None)
    assert identity.embedding.size == 0
    assert (identity.pictures, identity.agreement) == (2, 1.0)
    assert identity.portrait.shape == (640, 640, 3)
