import argparse

import cv2
import numpy as np
import pytest

from models.landmarker import Landmarks
from models.topology import CANONICAL
from realtime import personas
from realtime.commands.faces import COLUMNS, GAP_PX, TILE, _straightest, contact_sheet, faces_list
from realtime.errors import ConfigError, DeviceError
from tests.fakes.clips import make_clip
from tests.fakes.drawn_face import drawn_face
from tests.fakes.head import posed


def asked(contact_sheet=None, on=None):
    return argparse.Namespace(contact_sheet=contact_sheet, on=on)


def test_the_list_names_each_persona_and_says_what_it_is(capsys):
    assert faces_list(asked()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(personas.NAMES)
    for name, line in zip(personas.NAMES, lines, strict=True):
        assert personas.PERSONAS[name].about in line
    assert "default" in lines[0]


@pytest.mark.parametrize(
    ("shape", "at", "eyes_px"), [((360, 400), (200, 140), 130), ((90, 900), (880, 30), 60)]
)
def test_the_sheet_shows_each_persona_once_and_is_marked(shape, at, eyes_px):
    portrait = np.random.default_rng(1).integers(60, 200, (*shape, 3)).astype(np.uint8)
    points = CANONICAL * np.float32(eyes_px)
    points[:, :2] += at
    sheet = contact_sheet(portrait, points.astype(np.float32))
    width, height = (size + GAP_PX for size in TILE)
    rows = -(-len(personas.NAMES) // COLUMNS)
    assert sheet.shape == (rows * height + GAP_PX, COLUMNS * width + GAP_PX, 3)
    tiles = [
        sheet[GAP_PX + y * height : (y + 1) * height, GAP_PX + x * width : (x + 1) * width]
        for y in range(rows)
        for x in range(COLUMNS)
    ]
    for number, tile in enumerate(tiles):
        assert tile[:60, :300].max() > 235, "the mark is missing"
        for other in tiles[number + 1 :]:
            assert np.abs(tile.astype(int) - other).mean() > 1


def test_the_face_is_in_the_middle_of_each_tile():
    portrait = np.full((1000, 2000, 3), (120, 150, 200), np.uint8)
    points = CANONICAL * np.float32(120)
    points[:, :2] += (1500, 400)
    sheet = contact_sheet(portrait, points.astype(np.float32))
    tile = sheet[GAP_PX : GAP_PX + TILE[1], GAP_PX : GAP_PX + TILE[0]].astype(int)
    changed = np.abs(tile - portrait[0, 0]).max(axis=2) > 30
    _, x = np.nonzero(changed[100:450])
    assert changed[300, TILE[0] // 2]
    assert abs(x.mean() - TILE[0] / 2) < TILE[0] * 0.05
    assert 0.1 < changed[: TILE[1] * 3 // 4].mean() < 0.5


def test_the_sheet_is_written_through_the_real_chain(default_models, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    path = tmp_path / "sheet.png"
    assert faces_list(asked(path)) == 0
    assert str(path) in capsys.readouterr().out
    sheet = cv2.imread(str(path))
    assert sheet.shape[0] > 800
    assert sheet.std() > 30


def test_a_sheet_that_cannot_be_written_is_a_device_error(default_models, tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    with pytest.raises(DeviceError, match="cannot be written") as caught:
        faces_list(asked(tmp_path / "absent" / "sheet.png"))
    assert caught.value.hint


def test_a_sheet_on_a_picture_of_ones_own(default_models, tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    cv2.imwrite(str(tmp_path / "me.png"), drawn_face(400))
    assert faces_list(asked(tmp_path / "sheet.png", str(tmp_path / "me.png"))) == 0
    assert cv2.imread(str(tmp_path / "sheet.png")).std() > 30


def test_a_sheet_on_a_clip_takes_the_frame_that_looks_straight(default_models, tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    empty, face = np.full((400, 400, 3), 90, np.uint8), drawn_face(400)
    monkeypatch.setattr("tests.fakes.clips.gradient", lambda index, size: empty if index < 20 else face)
    make_clip(tmp_path / "me.mp4", 40, size=(400, 400), fps=20)
    assert faces_list(asked(tmp_path / "sheet.png", str(tmp_path / "me.mp4"))) == 0


def test_the_face_that_looks_straight_is_taken():
    heads = [posed(yaw=yaw) for yaw in (30, -4, 18)] + [posed(eyes_px=15)]
    pictures = [np.full((9, 9, 3), index, np.uint8) for index in range(len(heads))]
    found = _straightest(iter(pictures), lambda bgr: (Landmarks(heads[bgr[0, 0, 0]], 1.0),))
    assert found is not None
    assert found[0] is pictures[1]
    assert found[1] is heads[1]
    assert _straightest(iter(pictures), lambda bgr: ()) is None


def test_a_picture_without_a_face_says_so(default_models, tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((300, 300, 3), 90, np.uint8))
    with pytest.raises(ConfigError, match=r"wall\.png"):
        faces_list(asked(tmp_path / "sheet.png", str(tmp_path / "wall.png")))
    assert not (tmp_path / "sheet.png").exists()


def test_what_is_not_there_is_said_before_models_are_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(tmp_path / "none"))
    with pytest.raises(DeviceError, match="absent"):
        faces_list(asked(tmp_path / "sheet.png", "absent.png"))
    assert not (tmp_path / "none").exists()


def test_on_without_a_sheet_is_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match="--on"):
        faces_list(asked(None, "me.png"))
