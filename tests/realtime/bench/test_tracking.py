from argparse import Namespace
from pathlib import Path

import pytest

from realtime.bench.tracking import measure
from tests.fakes.clips import make_clip


@pytest.fixture
def arguments() -> Namespace:
    return Namespace(seconds=1.5, size="640x360", fps=30.0)


def test_the_still_is_measured_against_its_truth(default_models: Path, arguments: Namespace) -> None:
    figures, code = measure(["still:"], arguments)
    still = figures["clips"]["still:"]
    assert code == 0
    assert (still["frames"], still["swapped"], still["ids"]) == (45, 45, 1)
    assert still["lost_frames"] == 0
    assert still["wrongly_swapped_frames"] == {"no_face_there": 0, "id_jumped": 0}
    assert 0 < still["error_percent_of_eye_distance"]["mean"] < 3
    assert 0 < still["truth"]["error_percent_of_eye_distance"]["fresh"] < 1
    assert still["truth"]["wander_px"]["ratio"] < 0.8


def test_a_clip_without_a_face_has_no_figures_but_is_no_error(
    default_models: Path, arguments: Namespace, tmp_path: Path
) -> None:
    path = tmp_path / "gradient.mp4"
    make_clip(path, 5)
    figures, _ = measure([str(path)], arguments)
    clip = figures["clips"][str(path)]
    assert (clip["frames"], clip["swapped"]) == (5, 0)
    assert clip["error_percent_of_eye_distance"]["mean"] is None
    assert "truth" not in clip
