import logging

import cv2
import pytest

from models.landmarker import Landmarks
from realtime import personas
from realtime.errors import ConfigError
from realtime.face_cache import FaceCache
from realtime.face_library import FaceLibrary
from realtime.faces import LEAST_FACE_PX, face_pictures, load_face
from tests.fakes.head import picture_of, posed, skin_texture


def sees(*faces):
    return lambda bgr: tuple(faces)


def face(eyes_px=60.0, score=0.9, centre=(160, 160)):
    return Landmarks(posed(centre, eyes_px), score)


def write(path, picture, *options):
    ok, data = cv2.imencode(path.suffix, picture, *options)
    assert ok
    path.write_bytes(data.tobytes())
    return str(path)


@pytest.fixture
def portrait(tmp_path):
    return write(tmp_path / "anna.png", picture_of(skin_texture(), posed()))


def test_a_picture_becomes_a_face_named_after_its_file(portrait):
    loaded = load_face(portrait, sees(face()))
    assert loaded.name == "anna"
    assert loaded.kind == "picture"
    assert loaded.texture.any()


def fails(uri, analyse):
    with pytest.raises(ConfigError) as caught:
        load_face(uri, analyse)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    return str(caught.value)


def test_no_such_file(tmp_path):
    assert "nobody.png" in fails(str(tmp_path / "nobody.png"), sees(face()))


def test_no_face(portrait):
    assert "no face" in fails(portrait, sees())


def test_a_doubtful_face_is_none(portrait):
    assert "no face" in fails(portrait, sees(face(score=0.1)))


def test_more_than_one_face_says_how_many(portrait):
    assert "3 faces" in fails(portrait, sees(face(), face(), face()))


def test_a_face_too_small_says_how_small(portrait):
    message = fails(portrait, sees(face(eyes_px=12)))
    assert str(LEAST_FACE_PX) in message


def test_a_persona_needs_no_picture_and_no_analysis():
    def never(bgr):
        raise AssertionError("a persona is not analysed")

    name = personas.NAMES[0]
    drawn = load_face(f"persona:{name}", never)
    assert drawn.kind == "persona"
    assert drawn.name == name


def test_an_unknown_persona_names_the_nearest():
    name = personas.NAMES[0]
    message = fails(f"persona:{name[:-1]}", sees())
    assert f"did you mean {name}" in message


def test_the_name_of_a_persona_alone_is_understood():
    name = personas.NAMES[0]
    assert f"did you mean persona:{name}" in fails(name.upper(), sees())


@pytest.fixture
def library(tmp_path):
    return FaceLibrary(tmp_path / "library")


def never(bgr):
    raise AssertionError("this picture was prepared before")


def test_a_folder_is_one_person(tmp_path, portrait):
    folder = tmp_path / "anna"
    folder.mkdir()
    for name in ("b.PNG", "a.jpg", ".hidden.png"):
        write(folder / name, picture_of(skin_texture(), posed()))
    (folder / "notes.txt").write_text("not a picture")
    (folder / "deeper").mkdir()
    pictures = face_pictures(str(folder))
    assert pictures.name == "anna"
    assert [path.name for path in pictures.paths] == ["a.jpg", "b.PNG"]
    assert pictures.title() == "anna"
    assert load_face(str(folder), sees(face())).name == "anna"


def test_an_empty_folder_says_what_belongs_in_it(tmp_path):
    assert "no picture in it" in fails(str(tmp_path), sees(face()))


def test_an_added_face_goes_before_a_file_of_its_name(tmp_path, portrait, library, monkeypatch):
    library.add("Anna", [tmp_path / "anna.png"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "anna").mkdir()
    write(tmp_path / "anna" / "x.png", picture_of(skin_texture(), posed()))
    assert face_pictures("anna", library).paths == library.pictures("Anna")
    assert face_pictures("./anna", library).paths[0].name == "x.png"
    assert load_face("ANNA", sees(face()), None, library).name == "Anna"


def test_a_wrong_name_names_the_nearest(tmp_path, portrait, library):
    library.add("annabel", [tmp_path / "anna.png"])
    with pytest.raises(ConfigError, match="did you mean annabel"):
        load_face("anabel", sees(), None, library)


def test_a_face_that_was_prepared_is_not_prepared_again(tmp_path, portrait, caplog):
    cache = FaceCache(tmp_path / "cache", "1")
    first = load_face(portrait, sees(face(eyes_px=40)), cache)
    said = caplog.messages
    caplog.clear()
    (tmp_path / "anna.png").rename(tmp_path / "ben.png")
    again = load_face(str(tmp_path / "ben.png"), never, cache)
    assert again.name == "ben"
    assert (again.texture == first.texture).all()
    assert (again.coverage == first.coverage).all()
    assert len(said) == 1
    assert caplog.messages == said, "what is to be said of a picture is said at each start"


def test_other_content_under_the_same_name_is_prepared_anew(tmp_path, portrait):
    cache = FaceCache(tmp_path / "cache", "1")
    first = load_face(portrait, sees(face()), cache)
    write(tmp_path / "anna.png", picture_of(skin_texture(colour=(60, 80, 120)), posed()))
    assert (load_face(portrait, sees(face()), cache).texture != first.texture).any()


def test_the_words_reach_the_log(tmp_path, caplog):
    folder = tmp_path / "me"
    folder.mkdir()
    write(folder / "a.png", picture_of(skin_texture(), posed()))
    (folder / "b.png").write_bytes(b"")
    with caplog.at_level(logging.WARNING, "realtime.faces"):
        load_face(str(folder), sees(face()))
    (message,) = caplog.messages
    assert "b.png is empty" in message


def test_consent_to_one_picture_is_consent_to_its_bytes(tmp_path, portrait):
    pictures = face_pictures(portrait)
    assert pictures.content() == (tmp_path / "anna.png").read_bytes()
    assert pictures.title() == "anna.png"
