from argparse import Namespace
from typing import Any

import pytest

from realtime.bench import chain
from realtime.bench.chain import OURS, measure
from realtime.bench.chain_run import STEPS
from realtime.bench.peers import PEERS, PUBLISHED_MS
from realtime.errors import ConfigError


def arguments(**given: Any) -> Namespace:
    usual = {"stand_ins": True, "size": "320x240", "face_px": 90, "faces": None, "rounds": 3}
    return Namespace(**(usual | given))


def test_each_step_and_every_method_has_its_time() -> None:
    figures, code = measure([], arguments())
    assert code == 0
    assert (figures["size"], figures["face_px"], figures["rounds"]) == ("320x240", 90, 3)
    steps = figures["chain"]["steps_ms"]
    assert tuple(steps) == STEPS
    for two in (*steps.values(), figures["chain"]["total_ms"], *figures["paste_back"]["ms"].values()):
        assert 0 < two["p50"] <= two["p95"]
    assert figures["chain"]["total_ms"]["p50"] >= max(two["p50"] for two in steps.values())
    assert set(figures["paste_back"]["ms"]) == {OURS, *PEERS}
    assert figures["paste_back"]["best_peer"] in PEERS
    assert set(PUBLISHED_MS) <= set(figures["published_elsewhere_ms"])
    assert "faces" not in figures


def test_several_faces_are_set_beside_one() -> None:
    """Without inference, and with a real network that takes them all in one run."""
    faces = measure([], arguments(faces=3))[0]["faces"]
    assert faces["faces"] == 3
    for part in ("but_inference", "with_runs_of_a_fixed_time", "with_inference"):
        both = faces[part]["ms_p50"]
        assert set(both) == {"1", "3"}
        assert faces[part]["ratio"] == pytest.approx(both["3"] / both["1"], abs=0.02)
        assert faces[part]["met"] is (faces[part]["ratio"] <= 2.5)


def test_the_goals_are_judged_by_the_medians(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10**12, 40_000))
    monkeypatch.setattr(chain, "perf_counter_ns", lambda: next(ticks))
    figures, _ = measure([], arguments())
    pasted = figures["paste_back"]
    assert {name: two["p50"] for name, two in pasted["ms"].items()} == dict.fromkeys(pasted["ms"], 0.04)
    assert pasted["times_faster_than_best_peer"] == 1
    assert not pasted["met"], "as fast as the best peer is not faster"
    assert figures["chain"]["met"] is (figures["chain"]["total_ms"]["p50"] <= 5)
    assert figures["chain"]["met"]


def test_a_slow_chain_does_not_meet_the_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(0, 10**13, 4_000_000))
    monkeypatch.setattr(chain, "perf_counter_ns", lambda: next(ticks))
    figures, _ = measure([], arguments())
    assert not figures["chain"]["met"]
    assert not figures["paste_back"]["met"]


@pytest.mark.parametrize(
    ("clips", "given"),
    [([], {"stand_ins": False}), (["clip.mp4"], {}), ([], {"size": "wide"}), ([], {"size": "10x10"})],
)
def test_what_cannot_be_measured_is_refused(clips: list[str], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        measure(clips, arguments(**given))
