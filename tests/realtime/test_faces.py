import struct

import cv2
import numpy as np
import pytest

from models.landmarker import Landmarks
from realtime import personas
from realtime.errors import ConfigError
from realtime.faces import LEAST_FACE_PX, LONGEST_SIDE_PX, load_face, read_picture
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


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".png"])
def test_usual_formats_are_read(tmp_path, suffix):
    picture = picture_of(skin_texture(), posed())
    read = read_picture(tmp_path / write(tmp_path / f"a{suffix}", picture))
    assert read.shape == picture.shape
    assert abs(read.astype(int) - picture).mean() < 4


def test_grey_and_sixteen_bit_pictures_become_bgr(tmp_path):
    grey = np.tile(np.arange(200, dtype=np.uint8), (100, 1))
    for name, picture in (("g.png", grey), ("d.png", grey.astype(np.uint16) * 257)):
        read = read_picture(tmp_path / write(tmp_path / name, picture))
        assert read.shape == (100, 200, 3)
        assert read.dtype == np.uint8
        assert abs(read[:, :, 1].astype(int) - grey).max() <= 1


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_transparent_parts_lie_on_grey(tmp_path, depth):
    most = np.iinfo(depth).max
    picture = np.zeros((40, 60, 4), depth)
    picture[:, 30:] = (0, 0, most, most)
    read = read_picture(tmp_path / write(tmp_path / "a.png", picture))
    assert abs(read[20, 10].astype(int) - 128).max() <= 1
    assert read[20, 50].tolist() == [0, 0, 255]


def test_a_photograph_is_turned_as_its_exif_says(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, :40] = (0, 0, 250)
    ok, data = cv2.imencode(".jpg", picture)
    assert ok
    orientation = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    body = b"Exif\0\0" + orientation
    marker = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    (tmp_path / "turned.jpg").write_bytes(data.tobytes()[:2] + marker + data.tobytes()[2:])
    read = read_picture(tmp_path / "turned.jpg")
    assert read.shape == (80, 40, 3)
    assert read[10, 20, 2] > 200
    assert read[70, 20, 2] < 60


def test_huge_pictures_are_scaled_down(tmp_path):
    path = write(tmp_path / "huge.png", np.full((400, 3000, 3), 77, np.uint8))
    read = read_picture(tmp_path / path)
    assert max(read.shape) == LONGEST_SIDE_PX
    assert (read == 77).all()


def fails(uri, analyse):
    with pytest.raises(ConfigError) as caught:
        load_face(uri, analyse)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    return str(caught.value)


def test_no_such_file(tmp_path):
    assert "nobody.png" in fails(str(tmp_path / "nobody.png"), sees(face()))


def test_a_folder_is_no_picture(tmp_path):
    assert str(tmp_path) in fails(str(tmp_path), sees(face()))


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_file_that_is_no_picture(tmp_path, content):
    path = tmp_path / "text.png"
    path.write_bytes(content)
    assert "text.png" in fails(str(path), sees(face()))


def test_a_truncated_picture_does_not_crash(tmp_path, portrait):
    data = (tmp_path / "anna.png").read_bytes()
    (tmp_path / "half.png").write_bytes(data[: len(data) // 3])
    fails(str(tmp_path / "half.png"), sees())


def test_no_face(portrait):
    assert "no face" in fails(portrait, sees())


def test_a_doubtful_face_is_none(portrait):
    assert "no face" in fails(portrait, sees(face(score=0.1)))


def test_more_than_one_face_says_how_many(portrait):
    assert "3 faces" in fails(portrait, sees(face(), face(), face()))


def test_a_face_too_small_says_how_small(portrait):
    message = fails(portrait, sees(face(eyes_px=20)))
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
