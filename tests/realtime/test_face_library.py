import stat
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.consent import Agreement
from realtime.errors import ConfigError, DeviceError
from realtime.face_library import FaceLibrary, library_folder
from realtime.personas import NAMES


@pytest.fixture
def library(tmp_path):
    return FaceLibrary(tmp_path / "deep" / "faces")


@pytest.fixture
def pictures(tmp_path):
    paths = [tmp_path / name for name in ("front.JPG", "side.png")]
    for path in paths:
        path.write_bytes(path.name.encode())
    return paths


def test_a_face_is_added_found_and_removed(library, pictures):
    assert library.names() == ()
    library.add("Anna Maria", pictures)
    library.add("ben", pictures[:1])
    assert library.names() == ("Anna Maria", "ben")
    assert library.find("anna maria") == "Anna Maria"
    copies = library.pictures("ANNA MARIA")
    assert [path.name for path in copies] == ["01.jpg", "02.png"]
    assert [path.read_bytes() for path in copies] == [b"front.JPG", b"side.png"]
    assert library.remove("anna maria") == "Anna Maria"
    assert library.names() == ("ben",)
    assert all(path.exists() for path in pictures), "the user's own files stay"


def test_who_agreed_is_kept_beside_the_pictures_and_is_none_of_them(library, pictures):
    library.add("anna", pictures, Agreement(1000, "Anna, 3 May"))
    library.add("ben", pictures)
    assert library.agreement("ANNA") == Agreement(1000, "Anna, 3 May")
    assert library.agreement("ben") is None
    assert len(library.pictures("anna")) == 2
    library.remove("anna")
    assert library.names() == ("ben",)


@pytest.mark.parametrize("damage", ["", "{", "[]", "{}", '{"unix_s": "x", "note": ""}', "\x00"])
def test_a_damaged_note_of_consent_is_told_and_is_none(library, pictures, caplog, damage):
    library.add("anna", pictures, Agreement(1000, "Anna"))
    (library.pictures("anna")[0].parent / "consent.json").write_text(damage)
    assert library.agreement("anna") is None
    assert "cannot be read" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_pictures_are_the_users_alone(library, pictures):
    library.add("anna", pictures[:1], Agreement(1000, "Anna"))
    folder = library.pictures("anna")[0].parent
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder.parent, folder, *folder.iterdir())] == [
        0o700,
        0o700,
        0o600,
        0o600,
    ]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        "/etc",
        "a.jpg",
        "persona:x",
        "a,b",
        " a",
        "a ",
        "-a",
        "x" * 65,
        "NUL",
        "com1",
        "a\nb",
        "~",
    ],
)
def test_a_name_is_never_a_path_nor_a_uri(library, pictures, name):
    with pytest.raises(ConfigError, match="cannot be the name"):
        library.add(name, pictures)
    assert library.names() == ()


@given(st.text(max_size=70))
def test_any_name_is_refused_or_stays_in_the_folder(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp("faces")
    try:
        FaceLibrary(folder).check_new(name)
    except ConfigError:
        return
    assert (folder / name).parent == folder
    assert ":" not in name
    assert name == name.strip()


@pytest.mark.parametrize("name", ["Zoë", "李", "a", "anna-2", "x" * 64])
def test_letters_of_any_script_will_do(library, pictures, name):
    library.add(name, pictures)
    assert library.find(name) == name


@pytest.mark.parametrize("name", [NAMES[0], NAMES[0].upper()])
def test_personas_keep_their_names(library, pictures, name):
    with pytest.raises(ConfigError, match="persona"):
        library.add(name, pictures)


def test_a_name_is_given_once(library, pictures):
    library.add("anna", pictures)
    with pytest.raises(ConfigError, match="already a face 'anna'"):
        library.add("ANNA", pictures)


def test_a_picture_that_cannot_be_copied_leaves_nothing(library, pictures, tmp_path):
    with pytest.raises(DeviceError):
        library.add("anna", [*pictures, tmp_path / "gone.png"])
    assert library.names() == ()
    assert list((tmp_path / "deep" / "faces").iterdir()) == []


@pytest.mark.parametrize(("name", "hint"), [("ana", "did you mean 'anna'"), ("zzz", "anna")])
def test_an_unknown_name_names_what_there_is(library, pictures, name, hint):
    library.add("anna", pictures)
    with pytest.raises(ConfigError, match=hint):
        library.remove(name)


def test_with_no_face_it_says_how_to_add_one(library):
    with pytest.raises(ConfigError, match="faces add"):
        library.pictures("anna")


def test_a_folder_that_cannot_be_is_told(tmp_path, pictures):
    (tmp_path / "file").write_text("")
    library = FaceLibrary(tmp_path / "file")
    assert library.names() == ()
    with pytest.raises(DeviceError, match="REALTIME_FACES"):
        library.add("anna", pictures)


def test_the_folder_can_be_chosen(tmp_path):
    assert tmp_path in library_folder({"REALTIME_FACES": str(tmp_path)}).parents
    assert library_folder({}).is_absolute()
