import argparse

import cv2
import numpy as np
import pytest

from models.topology import CANONICAL
from realtime import personas
from realtime.commands.faces import GAP_PX, contact_sheet, faces_list
from realtime.errors import DeviceError


def test_the_list_names_each_persona_and_says_what_it_is(capsys):
    assert faces_list(argparse.Namespace(contact_sheet=None)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(personas.NAMES)
    for name, line in zip(personas.NAMES, lines, strict=True):
        assert personas.PERSONAS[name].about in line
    assert "default" in lines[0]


def test_the_sheet_shows_each_persona_once_and_is_marked():
    portrait = np.full((360, 400, 3), (120, 150, 200), np.uint8)
    points = CANONICAL * np.float32(130)
    points[:, :2] += (200, 140)
    sheet = contact_sheet(portrait, points.astype(np.float32))
    height, width = (size + GAP_PX for size in portrait.shape[:2])
    assert sheet.shape == (2 * height + GAP_PX, 2 * width + GAP_PX, 3)
    tiles = [
        sheet[GAP_PX + y * height : (y + 1) * height, GAP_PX + x * width : (x + 1) * width]
        for y in (0, 1)
        for x in (0, 1)
    ]
    for number, tile in enumerate(tiles):
        assert (tile[120:200, 160:240] != portrait[0, 0]).any(), "the face is bare"
        assert tile[:30, :100].max() > 235, "the mark is missing"
        for other in tiles[number + 1 :]:
            assert np.abs(tile.astype(int) - other).mean() > 1


def test_the_sheet_is_written_through_the_real_chain(default_models, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    path = tmp_path / "sheet.png"
    assert faces_list(argparse.Namespace(contact_sheet=path)) == 0
    assert str(path) in capsys.readouterr().out
    sheet = cv2.imread(str(path))
    assert sheet.shape[0] > 800
    assert sheet.std() > 30


def test_a_sheet_that_cannot_be_written_is_a_device_error(default_models, tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    with pytest.raises(DeviceError, match="cannot be written") as caught:
        faces_list(argparse.Namespace(contact_sheet=tmp_path / "absent" / "sheet.png"))
    assert caught.value.hint
