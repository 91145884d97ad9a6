import argparse
import time

import cv2
import pytest

from realtime.capture.portrait import draw_portrait
from realtime.commands import face_library
from realtime.commands.face_library import faces_add, faces_clear, faces_remove, list_added
from realtime.commands.faces import faces_list
from realtime.errors import ConfigError
from realtime.face_cache import cache_folder
from realtime.face_library import FaceLibrary, library_folder
from realtime.faces import FacePictures, load_face
from realtime.identities import identities_folder
from realtime.kept_files import KeptFiles


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_FACES", str(tmp_path / "kept"))
    monkeypatch.setattr(face_library, "default_path", lambda: tmp_path / "acknowledgements.json")
    monkeypatch.setattr(face_library, "terminal_ask", lambda headless: None)


@pytest.fixture
def models(default_models, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    drawn = draw_portrait((640, 480))
    cv2.imwrite(str(folder / "front.png"), drawn)
    cv2.imwrite(str(folder / "mirrored.png"), drawn[:, ::-1])
    (folder / "broken.png").write_bytes(b"")
    return folder


def add(name, *pictures, note=None):
    paths = [str(picture) for picture in pictures]
    return faces_add(argparse.Namespace(name=name, pictures=paths, note=note))


def remove(name):
    return faces_remove(argparse.Namespace(name=name))


def never(bgr):
    raise AssertionError("adding a face prepared it")


def test_an_added_face_is_listed_worn_at_once_and_removed_without_a_trace(models, portrait, capsys):
    assert add("anna", portrait) == 0
    said = capsys.readouterr().out
    assert "broken.png is empty" in said
    assert "The 2 pictures of anna look like pictures of a real person" in said
    assert "--note" in said
    assert 'from 2 pictures: realtime run --face "anna"' in said
    assert faces_list(argparse.Namespace(contact_sheet=None, on=None)) == 0
    assert "anna       added by you, from 2 pictures; no note of consent" in capsys.readouterr().out
    from realtime.face_cache import FaceCache, preparation

    chain = [model.sha256 for model in face_library_models()]
    cache = FaceCache(cache_folder(), preparation(chain))
    assert load_face("anna", never, cache).name == "anna"
    assert remove("ANNA") == 0
    assert list_added() == []
    assert list(cache_folder().iterdir()) == []
    assert (portrait / "front.png").exists()


def face_library_models():
    from models.catalog import DEFAULT_CHAIN, lookup

    return lookup(DEFAULT_CHAIN)


def test_where_somebody_can_be_asked_a_no_keeps_nothing(models, portrait, monkeypatch):
    asked = []

    def no(question):
        asked.append(question)
        return "n\n"

    monkeypatch.setattr(face_library, "terminal_ask", lambda headless: no)
    with pytest.raises(ConfigError, match="consent"):
        add("anna", portrait / "front.png")
    assert "front.png" in asked[0]
    assert list_added() == []


def answering(monkeypatch, *answers):
    """A terminal at which these are typed; what was asked."""
    asked, left = [], list(answers)

    def answer(question):
        asked.append(question)
        return left.pop(0) + "\n"

    monkeypatch.setattr(face_library, "terminal_ask", lambda headless: answer)
    return asked


def test_a_yes_and_who_agreed_are_asked_once_and_listed(models, portrait, monkeypatch):
    asked = answering(monkeypatch, "y", "Anna herself, by e-mail")
    add("anna", portrait / "front.png")
    assert "[y/N]" in asked[0]
    assert "Who agreed" in asked[1]
    remove("anna")
    add("ben", portrait / "front.png")
    assert len(asked) == 2
    day = time.strftime("%Y-%m-%d")
    about = f"added by you, from 1 picture; consent, said on {day}: Anna herself, by e-mail"
    assert list_added() == [("ben", about)]


def test_a_yes_without_a_note_is_a_yes(models, portrait, monkeypatch):
    answering(monkeypatch, "y", "")
    add("anna", portrait / "front.png")
    assert list_added()[0][1].endswith(": no note")


def test_a_note_stands_for_the_answer_and_nobody_is_asked(models, portrait, monkeypatch, capsys):
    asked = answering(monkeypatch)
    add("anna", portrait / "front.png", note=" Anna, 3 May ")
    assert asked == []
    assert "real person" not in capsys.readouterr().out
    assert list_added()[0][1].endswith(": Anna, 3 May")


def test_an_empty_note_is_none_and_told_before_models_are_opened(portrait, monkeypatch):
    monkeypatch.setattr(face_library, "_prepare", never)
    with pytest.raises(ConfigError, match="note of consent is empty"):
        add("anna", portrait / "front.png", note="  ")


def test_what_tells_the_person_apart_goes_with_the_face(models, portrait):
    add("anna", portrait / "front.png")
    library = FaceLibrary(library_folder())
    key = FacePictures("anna", library.pictures("anna")).key()
    kept = KeptFiles(identities_folder(), "the identity")
    for name in (f"{key}-one", f"{key}-another", "other-one"):
        kept.write(name, b"x")
    remove("anna")
    assert [path.name for path in identities_folder().iterdir()] == ["other-one.npz"]
    faces_clear(argparse.Namespace())
    assert list(identities_folder().iterdir()) == []


def test_a_wrong_name_is_told_before_models_are_opened(portrait, monkeypatch):
    monkeypatch.setattr(face_library, "_prepare", never)
    for name, words in (("../x", "cannot be the name"), ("bronze", "persona")):
        with pytest.raises(ConfigError, match=words):
            add(name, portrait / "front.png")


def test_pictures_that_are_not_there_are_told(tmp_path, portrait, monkeypatch):
    monkeypatch.setattr(face_library, "_prepare", never)
    with pytest.raises(ConfigError, match=r"nobody\.png"):
        add("anna", tmp_path / "nobody.png")
    FaceLibrary(library_folder()).add("ben", [portrait / "front.png"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="an added face"):
        add("anna", "ben")


def test_an_unknown_face_cannot_be_removed():
    with pytest.raises(ConfigError, match="no added face"):
        remove("anna")


def test_clear_says_what_it_deleted_and_keeps_added_faces(models, portrait, capsys):
    add("anna", portrait / "front.png")
    capsys.readouterr()
    assert faces_clear(argparse.Namespace()) == 0
    assert "deleted 1 prepared face in" in capsys.readouterr().out
    assert list_added() == [("anna", "added by you, from 1 picture; no note of consent")]
