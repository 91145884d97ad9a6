"""The whole program, as a user starts it."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from tests.data import clip, portrait
from tests.program.process import realtime, started

pytestmark = pytest.mark.usefixtures("default_models")

KEYS = {
    "version", "source", "backend", "frames", "outcomes", "detect", "fps", "age_ms", "stages_ms", "sinks",
    "level", "restarts", "rss_mb",
}  # fmt: skip


def test_the_built_in_still_is_worn_a_persona(tmp_path: Path) -> None:
    done = realtime(
        "run", "--source", "still:", "--sink", "null:", "--headless", "--seconds", "3", "--report", "r.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert set(report) >= KEYS
    frames, outcomes = report["frames"], report["outcomes"]
    assert outcomes["swapped"] > 0.9 * frames["processed"] > 0
    assert report["detect"]["calls"] <= frames["processed"] / 4
    assert report["sinks"]["null"]["published"] >= outcomes["swapped"]
    assert report["source"]["width"] == 1280
    assert "LIVE" in done.stdout


def test_the_main_job_on_a_clip_with_a_portrait(tmp_path: Path) -> None:
    done = realtime(
        "run", "--source", clip("webcam_1280x720.mp4"), "--face", portrait("skimage_astronaut.png"),
        "--sink", "file:out.mp4", "--headless", "--seconds", "4", "--report", "r.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["outcomes"]["swapped"] > 60
    assert report["detect"]["calls"] < report["frames"]["processed"] / 6
    with av.open(str(tmp_path / "out.mp4")) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) >= report["outcomes"]["swapped"] - 2
    assert frames[0].shape == (720, 1280, 3)
    assert len(list(tmp_path.glob("*.part"))) == 0


def test_four_people_at_once(tmp_path: Path) -> None:
    done = realtime(
        "run", "--source", clip("mosaic4_1280x720.mp4"), "--face", "persona:bronze", "--face", "persona:ink",
        "--sink", "null:", "--headless", "--seconds", "4", "--report", "r.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["detect"]["faces"] == 4
    assert report["outcomes"]["swapped"] > 0


def test_the_first_run_of_a_new_user(tmp_path: Path) -> None:
    """No flags but a free port: the still on the page, told in plain lines; Ctrl-C ends it."""
    with started("run", "--port", "0", cwd=tmp_path) as program:
        program.wait_for(r"no camera opens here: showing the built-in animated still|using the first camera")
        program.wait_for(r"watch it at http://127\.0\.0\.1:\d+")
        program.wait_for(r"LIVE  in \d+\.\d fps  out \d+\.\d fps  age p50 \d+ ms p95 \d+ ms")
        assert program.interrupt() == 130
        assert "Traceback" not in program.text
        assert "Exception" not in program.text


def test_a_converted_clip_has_every_frame(tmp_path: Path) -> None:
    made = realtime(
        "run", "--source", "still:", "--size", "640x360", "--sink", "file:in.mp4", "--headless",
        "--seconds", "2",
        cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    done = realtime("convert", "in.mp4", "-o", "out.mp4", "--report", "r.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    taken, given = (_frames(tmp_path / name) for name in ("in.mp4", "out.mp4"))
    assert len(given) == len(taken)
    assert np.mean([abs(a.astype(int) - b).mean() for a, b in zip(taken, given, strict=True)]) < 40
    report = json.loads((tmp_path / "r.json").read_text())
    assert sum(report["outcomes"].values()) == len(given)


def test_bench_prints_the_report_as_json(tmp_path: Path) -> None:
    done = realtime("bench", "still:", "--size", "640x360", "--seconds", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) >= KEYS | {"machine"}
    assert report["outcomes"]["swapped"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "--source", "text.mp4", "--sink", "null:"], 3, "text.mp4"),
        (["run", "--source", "camera:97", "--sink", "null:"], 3, "camera"),
        (["run", "--source", "still:", "--face", "blank.png", "--sink", "null:"], 2, "no face was found"),
        (["run", "--source", "still:", "--face", "two.png", "--sink", "null:"], 2, "2 faces"),
        (["run", "--source", "still:", "--face", "text.mp4", "--sink", "null:"], 2, "not a picture"),
        (["run", "--source", "still:", "--face", "persona:porcelin", "--sink", "null:"], 2, "porcelain"),
        (["run", "--source", "still:", "--backend", "opnvino", "--sink", "null:"], 4, "openvino"),
        (["run", "--source", "still:", "--sink", "virtualcam:/dev/video97"], 3, "virtual"),
        (["run", "--source", "still:", "--sink", "file:no/out.mp4"], 3, "no folder"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    _bad_inputs(tmp_path)
    before = sorted(tmp_path.iterdir())
    done = realtime(*arguments, "--headless", "--seconds", "1", cwd=tmp_path)
    told = done.stderr
    assert done.returncode == code, done.stdout + told
    assert told.count("error: ") == 1
    assert says in told
    assert "\n  -> " in told
    assert "Traceback" not in told
    assert [path for path in sorted(tmp_path.iterdir()) if path.name != "config"] == before


def test_damaged_models_are_fetched_again_or_told(tmp_path: Path) -> None:
    """A cache that cannot be written is one clear error, and nothing half-written stays."""
    from tests.program.process import realtime as run

    (tmp_path / "cache").write_text("a file where a folder should be")
    import os

    os.environ["REALTIME_MODELS"] = str(tmp_path / "cache" / "models")
    try:
        done = run(
            "run", "--source", "still:", "--sink", "null:", "--headless", "--seconds", "1", cwd=tmp_path
        )
    finally:
        del os.environ["REALTIME_MODELS"]
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    assert "cache" in done.stderr


def _bad_inputs(folder: Path) -> None:
    import cv2

    from realtime.capture.portrait import draw_portrait

    (folder / "text.mp4").write_text("this is no film")
    cv2.imwrite(str(folder / "blank.png"), np.full((300, 300, 3), 90, np.uint8))
    face = draw_portrait((640, 640))
    cv2.imwrite(str(folder / "two.png"), np.hstack([face, face]))


def _frames(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
