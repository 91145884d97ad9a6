import cv2
import numpy as np
import pytest

from models.catalog import load_catalog
from realtime.calibration import FACE_SIDE_PX, calibration_pictures, faces_of, split, still_pictures
from realtime.errors import ConfigError


def level(picture):
    return int(picture[0, 0, 0])


@pytest.fixture
def folder(tmp_path):
    """Ten grey pictures whose level is their number, in two folders, and files that are none."""
    (tmp_path / "more").mkdir()
    for number in range(10):
        where = tmp_path / "more" if number % 2 else tmp_path
        cv2.imwrite(str(where / f"{number}.png"), np.full((4, 4, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_all_are_taken_when_there_are_few(folder):
    assert sorted(map(level, calibration_pictures(folder, 64))) == list(range(10))


def test_some_are_spread_evenly(folder):
    taken = list(map(level, calibration_pictures(folder, 4)))
    assert len(set(taken)) == 4
    assert any(number % 2 for number in taken)
    assert any(number % 2 == 0 for number in taken)


def test_one_that_cannot_be_read_is_told_and_left_out(folder, caplog):
    (folder / "bad.jpg").write_bytes(b"not a picture")
    assert len(calibration_pictures(folder, 64)) == 10
    assert "bad.jpg" in caplog.text


@pytest.mark.parametrize("name", ["missing", "empty", "notes.txt"])
def test_a_folder_without_pictures(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match=name):
        calibration_pictures(tmp_path / name, 8)


def test_a_folder_of_damaged_pictures(tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no")
    with pytest.raises(ConfigError, match="none of the pictures"):
        calibration_pictures(tmp_path, 8)


def test_the_still_moves_and_its_frames_are_arrays_of_their_own():
    frames = still_pictures(3)
    assert {frame.shape for frame in frames} == {(480, 640, 3)}
    assert np.abs(frames[0].astype(int) - frames[1]).max() > 20
    assert np.abs(frames[1].astype(int) - frames[2]).max() > 20


def test_a_landmarker_is_shown_the_face_alone(default_models):
    model = load_catalog()["facemesh_468"]
    (still,) = still_pictures(1)
    blank = np.zeros_like(still)
    (face,) = faces_of([still, blank], model, default_models)
    assert face.shape == (FACE_SIDE_PX, FACE_SIDE_PX, 3)
    assert still[:, :20].mean() != pytest.approx(face[:, :20].mean(), abs=1)


def test_a_detector_and_an_unknown_network_are_shown_everything(tmp_path):
    pictures = still_pictures(1)
    for model in (load_catalog()["yunet"], None):
        assert faces_of(pictures, model, tmp_path)[0] is pictures[0]


def test_without_the_detector_whole_pictures_are_used_and_it_is_said(tmp_path, caplog):
    pictures = still_pictures(1)
    assert faces_of(pictures, load_catalog()["facemesh_468"], tmp_path)[0] is pictures[0]
    assert "whole pictures" in caplog.text


@pytest.mark.parametrize(("count", "parts"), [(1, (1, 1)), (2, (1, 1)), (4, (3, 1)), (64, (48, 16))])
def test_what_is_tried_was_not_calibrated_with(count, parts):
    pictures = [np.full((1, 1, 3), number, np.uint8) for number in range(count)]
    calibration, trial = split(pictures)
    assert (len(calibration), len(trial)) == parts
    assert count == 1 or not {*map(level, calibration)} & {*map(level, trial)}
