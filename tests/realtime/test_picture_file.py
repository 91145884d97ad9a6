import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.picture_file import LONGEST_SIDE_PX, read_picture
from tests.fakes.head import picture_of, posed, skin_texture


def encoded(picture, suffix, *options):
    ok, data = cv2.imencode(suffix, picture, *options)
    assert ok
    return data.tobytes()


def write(path, picture, *options):
    path.write_bytes(encoded(picture, path.suffix, *options))
    return str(path)


def segments(jpeg):
    """The marker segments of a JPEG up to its scan, and the scan."""
    at, found = 2, []
    while True:
        marker, size = jpeg[at : at + 2], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        found.append((marker, jpeg[at + 4 : at + 2 + size]))
        at += 2 + size
        if marker == b"\xff\xda":
            return found, jpeg[at:-2]


def cmyk_jpeg(planes):
    """Four grey pictures as cyan, magenta, yellow and black of one JPEG, inverted as Adobe's programs do."""

    def segment(marker, body):
        return marker + struct.pack(">H", len(body) + 2) + body

    greys = [segments(encoded(255 - plane, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 95])) for plane in planes]
    tables = greys[0][0]
    frame = next(body for marker, body in tables if marker == b"\xff\xc0")
    parts = [b"\xff\xd8", segment(b"\xff\xee", b"Adobe" + struct.pack(">HHHB", 100, 0, 0, 0))]
    parts += [segment(marker, body) for marker, body in tables if marker in (b"\xff\xdb", b"\xff\xc4")]
    components = b"".join(bytes([number, 0x11, 0]) for number in (1, 2, 3, 4))
    parts.append(segment(b"\xff\xc0", frame[:5] + b"\x04" + components))
    for number, (_, scan) in enumerate(greys, start=1):
        parts += [segment(b"\xff\xda", bytes([1, number, 0, 0, 63, 0])), scan]
    return b"".join([*parts, b"\xff\xd9"])


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


def test_a_picture_for_print_keeps_its_colours(tmp_path):
    rng = np.random.default_rng(1)
    bgr = cv2.resize(rng.integers(40, 255, (4, 4, 3), np.uint8), (64, 64), interpolation=cv2.INTER_CUBIC)
    black = np.full((64, 64), 30, np.uint8)
    inks = [255 - np.clip(bgr[:, :, k].astype(float) * 255 / 225, 0, 255).astype(np.uint8) for k in (2, 1, 0)]
    (tmp_path / "print.jpg").write_bytes(cmyk_jpeg([*inks, black]))
    read = read_picture(tmp_path / "print.jpg").astype(int)
    assert abs(read - np.minimum(bgr, 225)).mean() < 6


def test_an_upright_panorama_is_never_scaled_to_nothing(tmp_path):
    path = write(tmp_path / "line.png", np.full((9000, 2, 3), 9, np.uint8))
    assert read_picture(tmp_path / path).shape == (LONGEST_SIDE_PX, 1, 3)


def test_of_an_animation_the_first_picture_is_read(tmp_path):
    frames = [np.full((32, 48, 3), tone, np.uint8) for tone in (200, 20)]
    animation = cv2.Animation()
    animation.frames, animation.durations = frames, [100, 100]
    for suffix in (".webp", ".png", ".gif"):
        path = tmp_path / f"moving{suffix}"
        assert cv2.imwriteanimation(str(path), animation)
        assert abs(int(read_picture(path).mean()) - 200) < 6


def refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_picture(path)
    assert path.name in caught.value.message
    assert caught.value.exit_code == 2
    return caught.value.message, caught.value.hint


PICTURE = picture_of(skin_texture(), posed())


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.97])
def test_a_picture_that_breaks_off_is_not_half_a_face(tmp_path, suffix, share):
    data = encoded(PICTURE, suffix)
    message, hint = refused(tmp_path / f"half{suffix}", data[: int(len(data) * share)])
    assert "cut off" in message
    assert "again" in hint


def test_a_jpeg_with_something_behind_its_end_is_whole(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded(PICTURE, ".jpg") + bytes(100))
    assert read_picture(tmp_path / "a.jpg").shape == PICTURE.shape


def test_an_empty_file_is_told_from_a_broken_one(tmp_path):
    assert "empty" in refused(tmp_path / "a.jpg", b"")[0]


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"heix"])
def test_heic_says_how_to_get_a_jpeg(tmp_path, brand):
    message, hint = refused(tmp_path / "a.heic", b"\0\0\0\x18ftyp" + brand + bytes(40))
    assert "HEIC" in message
    assert "JPEG" in hint


@pytest.mark.parametrize(
    "start",
    [
        b"\0\0\0\x18ftypisom" + bytes(20),
        b"\0\0\0\x14ftypqt  " + bytes(20),
        b"\x1a\x45\xdf\xa3" + bytes(20),
        b"RIFF\x10\0\0\0AVI LIST",
    ],
)
def test_a_video_says_how_to_get_frames_of_it(tmp_path, start):
    message, hint = refused(tmp_path / "me.jpg", start)
    assert "video" in message
    assert "ffmpeg" in hint


@pytest.mark.parametrize("start", [b"%PDF-1.7", b"<svg xmlns", b"8BPS\0\1"])
def test_documents_are_to_be_exported(tmp_path, start):
    assert "export" in refused(tmp_path / "a.png", start + bytes(40))[1]


@pytest.mark.parametrize("content", [b"no picture at all", bytes(60), b"RIFF\4\0\0\0WEBP", b"BM" + bytes(60)])
def test_anything_else_is_no_picture(tmp_path, content):
    assert "JPEG, PNG or WebP" in refused(tmp_path / "text.png", content)[1]


def test_a_folder_and_a_file_that_is_not_there(tmp_path):
    for path, word in ((tmp_path, "folder"), (tmp_path / "nobody.png", "nobody.png")):
        with pytest.raises(ConfigError, match=word):
            read_picture(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8), st.sampled_from([".jpg", ".png", ".webp"]))
def test_damage_is_a_picture_or_a_message(tmp_path_factory, at, noise, suffix):
    data = bytearray(encoded(PICTURE, suffix))
    at %= len(data)
    data[at : at + len(noise)] = noise
    path = tmp_path_factory.mktemp("damaged") / f"a{suffix}"
    path.write_bytes(bytes(data))
    told = False
    try:
        read = read_picture(path)
    except ConfigError as error:
        told = bool(error.hint)
    assert told or (read.dtype == np.uint8 and read.ndim == 3)
