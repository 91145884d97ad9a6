import io

import pytest

from realtime.commands import run
from realtime.commands.run import ask_first
from realtime.config_layers import Layers, load
from realtime.errors import ConfigError
from realtime.terminal import Terminal


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The questions asked; each is answered with yes."""
    questions = []

    def yes(question):
        questions.append(question)
        return "y\n"

    monkeypatch.setattr(run, "default_path", lambda: tmp_path / "acknowledgements.json")
    monkeypatch.setattr(run, "terminal_ask", lambda headless: None if headless else yes)
    return questions


def ask(*faces, headless=False):
    said = io.StringIO()
    ask_first(load(Layers(flags={"face.uris": list(faces)})), headless, Terminal(said))
    return said.getvalue()


@pytest.fixture
def folder(tmp_path):
    pictures = tmp_path / "anna"
    pictures.mkdir()
    for name in ("a.png", "b.png"):
        (pictures / name).write_bytes(name.encode())
    return pictures


def test_personas_need_no_consent(asked):
    assert ask("persona:porcelain") == ""
    assert asked == []


def test_for_a_folder_consent_is_asked_once_and_for_all_its_pictures(asked, folder):
    ask(str(folder))
    ask(str(folder))
    assert len(asked) == 1
    assert "The 2 pictures of anna look like" in asked[0]
    (folder / "c.png").write_bytes(b"somebody else")
    ask(str(folder))
    assert len(asked) == 2


def test_a_picture_is_one_consent_wherever_it_lies(asked, folder, tmp_path):
    ask(str(folder / "a.png"))
    (tmp_path / "copy.png").write_bytes(b"a.png")
    ask(str(tmp_path / "copy.png"))
    assert len(asked) == 1


def test_where_nobody_can_be_asked_the_words_are_said(asked, folder):
    assert "consent" in ask(str(folder), headless=True)
    assert asked == []


def test_a_face_that_is_not_there_is_told_before_anything_starts(asked, tmp_path):
    with pytest.raises(ConfigError, match=r"nobody\.png"):
        ask(str(tmp_path / "nobody.png"))
    with pytest.raises(ConfigError, match="did you mean persona:bronze"):
        ask("bronze")


def test_what_does_not_go_together_is_told_before_anybody_is_asked(asked, folder):
    config = load(Layers(flags={"face.uris": [str(folder)], "face.others": "blur"}))
    with pytest.raises(ConfigError, match="everybody gets one"):
        ask_first(config, False, Terminal(io.StringIO()))
    assert asked == []
