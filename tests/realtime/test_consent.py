import json
from pathlib import Path

import pytest

from realtime.consent import Acknowledgements, Agreement
from realtime.errors import ConfigError


class Person:
    """Answers, and remembers what was asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        return self.answer


def test_the_mark_goes_off_after_one_recorded_acknowledgement(tmp_path: Path) -> None:
    path, person = tmp_path / "deep" / "record.json", Person("OFF\n")
    for _ in range(2):
        Acknowledgements(path, person, wall_s=lambda: 1000).require_mark_off()
    assert len(person.asked) == 1
    assert json.loads(path.read_text())["mark-off"]["unix_s"] == 1000
    Acknowledgements(path, None).require_mark_off()


@pytest.mark.parametrize("answer", ["", "yes\n", "off\n"])
def test_any_other_answer_leaves_it_on(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "record.json"
    with pytest.raises(ConfigError, match="stays on"):
        Acknowledgements(path, Person(answer)).require_mark_off()
    assert not path.exists()


def test_the_mark_stays_on_where_nobody_can_be_asked(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nobody can be asked"):
        Acknowledgements(tmp_path / "record.json", None).require_mark_off()


def test_consent_is_asked_once_for_each_picture(tmp_path: Path) -> None:
    path, person = tmp_path / "record.json", Person("y\n")
    record = Acknowledgements(path, person)
    assert record.face("anna.jpg", b"anna") == ""
    assert record.face("renamed.jpg", b"anna") == ""
    assert record.face("ben.jpg", b"ben") == ""
    assert len(person.asked) == 2
    assert "consent" in person.asked[0]


def test_of_several_pictures_the_question_says_so(tmp_path: Path) -> None:
    person = Person("y\n")
    record = Acknowledgements(tmp_path / "record.json", person)
    record.face("anna.jpg", b"one")
    record.face("anna", b"several", 5)
    assert person.asked[0].startswith("anna.jpg looks like a picture of a real person.")
    assert person.asked[1].startswith("The 5 pictures of anna look like pictures of a real person.")


def test_a_note_stands_for_the_answer_and_is_kept(tmp_path: Path) -> None:
    path, person = tmp_path / "record.json", Person("n\n")
    record = Acknowledgements(path, person, wall_s=lambda: 1000)
    assert record.agreement(b"anna") is None
    assert record.face("anna.jpg", b"anna", note="Anna, by letter") == ""
    assert person.asked == []
    assert Acknowledgements(path, None).agreement(b"anna") == Agreement(1000, "Anna, by letter")
    assert record.face("anna.jpg", b"anna") == ""


def test_an_answer_without_a_note(tmp_path: Path) -> None:
    record = Acknowledgements(tmp_path / "record.json", Person("y\n"), wall_s=lambda: 1000)
    record.face("anna.jpg", b"anna")
    assert record.agreement(b"anna") == Agreement(1000, "")


def test_who_agreed_is_asked_of_whom_one_can_ask(tmp_path: Path) -> None:
    person = Person(" Anna \n")
    assert Acknowledgements(tmp_path / "record.json", person).note() == "Anna"
    assert "Who agreed" in person.asked[0]
    assert Acknowledgements(tmp_path / "record.json", None).note() == ""


def test_no_consent_no_face(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="without consent"):
        Acknowledgements(tmp_path / "record.json", Person("\n")).face("anna.jpg", b"anna")


def test_where_nobody_can_be_asked_the_words_are_there_to_be_said(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    assert "consent" in Acknowledgements(path, None).face("anna.jpg", b"anna")
    assert not path.exists()


def test_a_damaged_record_is_told_and_not_taken_for_a_yes(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        Acknowledgements(path, Person("OFF\n")).require_mark_off()


def test_what_cannot_be_recorded_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be (recorded|read)"):
        Acknowledgements(tmp_path / "file" / "record.json", Person("OFF\n")).require_mark_off()


def test_a_licence_is_accepted_once_by_a_person_or_by_name(tmp_path: Path) -> None:
    path, person = tmp_path / "record.json", Person("yes\n")
    for _ in range(2):
        Acknowledgements(path, person).require_licence("A", "terms of A")
    assert len(person.asked) == 1
    assert "terms of A" in person.asked[0]
    Acknowledgements(path, None).require_licence("B", "terms of B", accepted=["B"])
    Acknowledgements(path, None).require_licence("B", "terms of B")
    assert json.loads(path.read_text())["licence-B"]["acknowledged"] == "terms of B"


def test_a_licence_that_is_not_accepted(tmp_path: Path) -> None:
    record = Acknowledgements(tmp_path / "record.json", Person("\n"))
    with pytest.raises(ConfigError, match="the licence A is not accepted"):
        record.require_licence("A", "terms of A")
    record = Acknowledgements(tmp_path / "record.json", None)
    with pytest.raises(ConfigError, match="nobody can be asked here") as caught:
        record.require_licence("A", "terms of A", accepted=["B"], how="do this")
    assert caught.value.hint == "do this"
    assert not (tmp_path / "record.json").exists()
