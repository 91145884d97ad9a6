import cv2
import numpy as np
import pytest

from realtime.frame import Face, Frame, Outcome, Result
from tests.contact_sheet import CAPTION_PX, GAP_PX, HEADER_PX, Plan, main, sheets
from tests.fakes.vision import mesh


class Pipe:
    """Paints the face white; none on frames it is told."""

    def __init__(self, without=()):
        self.without = without
        self.seen = []

    def process(self, frame):
        self.seen.append(frame.seq)
        picture = frame.bgr.copy()
        if frame.seq in self.without:
            return Result(frame, picture, Outcome.NO_FACE, ())
        picture[90:150, 130:190] = 255
        return Result(frame, picture, Outcome.SWAPPED, (Face(1, mesh((160, 120), 60), 1.0),))


def frames(count, fps=10):
    for index in range(count):
        yield Frame(0, round(index * 1e9 / fps), np.full((240, 320, 3), 40 + index, np.uint8))


def test_a_tile_every_so_often_and_every_frame_is_processed():
    pipe = Pipe()
    (sheet,) = sheets(pipe, frames(25), Plan(every_s=1.0, whole=True, show=("swapped",)), "t")
    assert pipe.seen == list(range(25))
    assert sheet.shape == (HEADER_PX + 240 + CAPTION_PX + GAP_PX, GAP_PX + 3 * (320 + GAP_PX), 3)
    tops = [sheet[HEADER_PX, GAP_PX + place * (320 + GAP_PX), 0] for place in range(3)]
    assert tops == [40, 50, 60]


def test_a_strip_shows_each_of_its_frames_and_ends_with_it():
    pipe = Pipe()
    (sheet,) = sheets(pipe, frames(100), Plan(strip=(4, 6), show=("swapped",)), "t")
    assert max(pipe.seen) <= 7
    groups = (sheet.shape[1] - GAP_PX) // 3 - GAP_PX
    assert [sheet[HEADER_PX, GAP_PX + place * (groups + GAP_PX), 0] for place in range(3)] == [44, 45, 46]


def test_each_view_is_a_tile():
    plan = Plan(strip=(0, 0), whole=True, show=("frame", "swapped", "mesh", "mask"))
    (sheet,) = sheets(Pipe(), frames(3), plan, "t")
    tiles = [sheet[HEADER_PX : HEADER_PX + 240, GAP_PX + n * 320 : GAP_PX + (n + 1) * 320] for n in range(4)]
    assert (tiles[0] == 40).all()
    assert (tiles[1][100:140, 140:180] == 255).all()
    assert (tiles[2] != tiles[0]).any()
    assert (tiles[2] != tiles[1]).any()
    assert (tiles[3][100:140, 140:180] == 255).all()
    assert (tiles[3][:80] == 0).all()


def test_the_crop_is_round_the_face_and_can_be_enlarged():
    one, large = (
        next(sheets(Pipe(), frames(1), Plan(show=("swapped",), scale=scale), "t")) for scale in (1.0, 2.0)
    )
    assert one.shape[1] < 160
    assert abs((large.shape[1] - 2 * GAP_PX) - 2 * (one.shape[1] - 2 * GAP_PX)) <= 1
    middle = one[HEADER_PX + 48, GAP_PX + 48]
    assert (middle == 255).all()


def test_frames_before_the_first_face_are_left_out_and_lost_ones_are_shown():
    plan = Plan(strip=(0, 4), show=("swapped",))
    whole = next(sheets(Pipe(), frames(5), plan, "t"))
    late = next(sheets(Pipe(without={0, 1}), frames(5), plan, "t"))
    lost = next(sheets(Pipe(without={3}), frames(5), plan, "t"))
    assert late.shape[1] < whole.shape[1]
    assert lost.shape == whole.shape


def test_what_does_not_fit_goes_onto_a_further_sheet():
    made = list(sheets(Pipe(), frames(60), Plan(strip=(0, 59), whole=True, show=("swapped",)), "t"))
    assert len(made) > 1
    assert all(max(sheet.shape) <= 2000 for sheet in made)


def test_no_face_makes_no_sheet():
    assert list(sheets(Pipe(without=range(9)), frames(5), Plan(), "t")) == []


def test_it_runs_on_the_still(default_models, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    line = ["--out", str(tmp_path), "--frames", "0-1", "--size", "480x360", "--face", "persona:ink"]
    assert main(line) == 0
    (path,) = tmp_path.iterdir()
    assert capsys.readouterr().out.split() == [str(path)]
    sheet = cv2.imread(str(path))
    assert sheet.std() > 30


def test_a_clip_that_is_not_there_is_one_clear_error(default_models, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    assert main(["--out", str(tmp_path), "--clip", "absent.mp4"]) == 2
    assert "absent.mp4" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["--frames 5-2", "--frames x", "--show soul", "--size 3"])
def test_wrong_usage_ends_with_2(line, tmp_path, capsys):
    with pytest.raises(SystemExit) as raised:
        main(["--out", str(tmp_path), *line.split()])
    assert raised.value.code == 2
    capsys.readouterr()
