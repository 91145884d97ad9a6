import os
import sys
import threading
from contextlib import suppress

import pytest

from realtime.sinks.stderr_capture import StderrCapture

STDERR = 2

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has a descriptor 2 for each C library"
)


@pytest.fixture
def capture():
    capture = StderrCapture(lambda line: "native" in line)
    yield capture
    capture.close()


def test_native_lines_are_caught_and_others_passed_on(
    capture: StderrCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with capture.turned():
        os.write(STDERR, b"native: one\nour log line\nnative: two\n")
    assert capture.lines() == ["native: one", "native: two"]
    assert capture.lines() == []
    assert capfd.readouterr().err == "our log line\n"


def test_outside_the_block_nothing_is_caught(
    capture: StderrCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with capture.turned():
        pass
    os.write(STDERR, b"native: after\n")
    assert capture.lines() == []
    assert capfd.readouterr().err == "native: after\n"


def test_an_exception_in_the_block_turns_the_descriptor_back(
    capture: StderrCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with suppress(KeyError), capture.turned():
        os.write(STDERR, b"native: then\n")
        raise KeyError
    os.write(STDERR, b"back\n")
    assert capture.lines() == ["native: then"]
    assert capfd.readouterr().err == "back\n"


def test_a_flood_does_not_block(capture: StderrCapture, capfd: pytest.CaptureFixture[str]) -> None:
    with capture.turned():
        for _ in range(10_000):
            try:
                os.write(STDERR, b"native: again and again\n")
            except BlockingIOError:
                break
        else:
            raise AssertionError("the pipe never filled")
    assert capture.lines()
    with capture.turned():
        os.write(STDERR, b"native: later\n")
    assert capture.lines()[-1] == "native: later"


def test_two_at_a_time_take_turns(capfd: pytest.CaptureFixture[str]) -> None:
    captures = [StderrCapture(lambda line, mine=name: mine in line) for name in ("left", "right")]
    caught: dict[str, list[str]] = {}

    def write(capture: StderrCapture, name: str) -> None:
        for _ in range(200):
            with capture.turned():
                os.write(STDERR, f"{name}\n".encode())
        caught[name] = capture.lines()

    threads = [
        threading.Thread(target=write, args=(capture, name))
        for capture, name in zip(captures, ("left", "right"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for capture in captures:
        capture.close()
        capture.close()
    assert caught == {"left": ["left"] * 200, "right": ["right"] * 200}
    assert capfd.readouterr().err == ""


def test_no_descriptor_is_left_behind(capture: StderrCapture) -> None:
    def opened() -> int:
        return len(os.listdir("/proc/self/fd"))

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("descriptors are counted in /proc")
    before = opened()
    for _ in range(50):
        with capture.turned():
            os.write(STDERR, b"native\n")
    assert opened() == before
