from pathlib import Path

import pytest

from realtime.capture.enumerate import CAP_VIDEO_CAPTURE, CAP_VIDEO_OUTPUT, LOOPBACK_DRIVER, Capability
from realtime.sinks.loopback import hand_back, revive

NODE = Path("/dev/video10")
NOTHING, CAPTURE, OUTPUT = 0, CAP_VIDEO_CAPTURE, CAP_VIDEO_OUTPUT


def streamed(function, capability: Capability | None) -> list[Path]:  # type: ignore[no-untyped-def]
    nodes: list[Path] = []
    function(NODE, lambda _: capability, nodes.append)
    return nodes


@pytest.mark.parametrize(
    ("abilities", "handed_back", "revived"),
    [(NOTHING, True, True), (CAPTURE, True, False), (OUTPUT, False, False), (CAPTURE | OUTPUT, False, False)],
)
def test_only_what_cannot_be_fed_is_mended(abilities: int, handed_back: bool, revived: bool) -> None:
    capability = Capability(LOOPBACK_DRIVER, "Realtime", abilities)
    assert streamed(hand_back, capability) == [NODE] * handed_back
    assert streamed(revive, capability) == [NODE] * revived


@pytest.mark.parametrize("capability", [None, Capability("uvcvideo", "Webcam", NOTHING)])
def test_other_devices_are_left_alone(capability: Capability | None) -> None:
    assert streamed(hand_back, capability) == streamed(revive, capability) == []


def test_a_node_that_cannot_be_opened_raises_nothing(tmp_path: Path) -> None:
    dead = Capability(LOOPBACK_DRIVER, "Realtime", NOTHING)
    hand_back(tmp_path / "video10", lambda _: dead)
    revive(tmp_path / "video10", lambda _: dead)
