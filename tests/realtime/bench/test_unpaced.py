from argparse import Namespace
from pathlib import Path

import pytest

from realtime.bench import unpaced
from realtime.bench.unpaced import INFERENCE, measure
from realtime.frame import Frame, Outcome, Result
from realtime.pipeline import STAGES, Pipeline
from tests.fakes.clips import make_clip


@pytest.fixture
def arguments() -> Namespace:
    return Namespace(seconds=0.6, size="320x240", fps=10.0)


def test_the_still_is_swapped_and_each_stage_has_its_time(default_models: Path, arguments: Namespace) -> None:
    figures, code = measure([], arguments)
    assert code == 0
    assert {"detect", "landmarks", "swap"} <= set(figures["backend"])
    assert list(figures["clips"]) == ["still:"], "without a clip it is the still"
    still = figures["clips"]["still:"]
    assert (still["frames"], still["swapped"]) == (6, 6)
    assert 30 < still["face_px_p50"] < 240
    assert 1 <= still["detector_calls"] <= 3
    assert still["fps_with_decoding"] > 0
    assert set(still["stages_ms"]) == set(STAGES)
    for stage in ("detect", "landmarks", "swap", "compose"):
        assert 0 < still["stages_ms"][stage]["p50"] <= still["stages_ms"][stage]["p95"]
    assert 0 < still["frame_ms"]["p50"] <= still["frame_ms"]["p95"]
    others = sum(still["stages_ms"][stage]["p50"] for stage in STAGES if stage not in INFERENCE)
    assert still["but_inference_ms_p50"] == pytest.approx(others, abs=0.01)


def test_each_clip_is_measured_by_itself(
    default_models: Path, arguments: Namespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames are numbered from 0 for each, and each pipeline is closed."""
    seen: list[tuple[int, int]] = []
    closed: list[Pipeline] = []
    process, close = Pipeline.process, Pipeline.close

    def processed(self: Pipeline, frame: Frame) -> Result:
        seen.append((frame.seq, frame.bgr.shape[1]))
        return process(self, frame)

    def closing(self: Pipeline) -> None:
        closed.append(self)
        close(self)

    monkeypatch.setattr(Pipeline, "process", processed)
    monkeypatch.setattr(Pipeline, "close", closing)
    path = str(make_clip(tmp_path / "gradient.mp4", 4, fps=10))
    figures, _ = measure(["still:", path], arguments)
    assert seen == [*((index, 320) for index in range(6)), *((index, 64) for index in range(4))]
    assert len(set(map(id, closed))) == 2
    clip = figures["clips"][path]
    assert (clip["frames"], clip["swapped"]) == (4, 0)
    assert clip["face_px_p50"] is None
    assert clip["stages_ms"]["swap"]["p50"] == 0


def test_a_frame_in_which_no_face_was_swapped_is_not_counted(
    default_models: Path, arguments: Namespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def process(self, frame: Frame) -> Result:
            return Result(frame, frame.bgr, Outcome.NO_FACE if frame.seq % 3 else Outcome.SWAPPED, ())

        def close(self) -> None:
            pass

    monkeypatch.setattr(unpaced, "build_pipeline", lambda *anything, **more: Refusing())
    still = measure(["still:"], arguments)[0]["clips"]["still:"]
    assert (still["frames"], still["swapped"]) == (6, 2)
