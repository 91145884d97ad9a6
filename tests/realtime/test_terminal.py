import io
import logging

from realtime.health import State
from realtime.telemetry.histogram import Percentiles
from realtime.telemetry.snapshot import Snapshot
from realtime.terminal import Terminal, status_text


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_status_line_says_what_matters() -> None:
    snapshot = Snapshot(
        state=State.LIVE,
        reason="no face in the picture",
        processed=120,
        dropped=3,
        detect_calls=9,
        faces=2,
        fps_in=29.97,
        fps_out=29.5,
        recent_age=Percentiles(12.4, 21.6, 30, 31),
    )
    text = status_text(snapshot)
    for part in (
        "LIVE", "in 30.0 fps", "out 29.5 fps", "p50 12 ms", "p95 22 ms",
        "detector 9 of 120", "dropped 3", "faces 2", "no face in the picture",
    ):  # fmt: skip
        assert part in text


def test_every_state_has_a_symbol() -> None:
    for state in State:
        assert state.value.upper() in status_text(Snapshot(state=state))


def test_away_from_a_terminal_every_status_is_a_line() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.status("one")
    terminal.status("two")
    terminal.say("said")
    terminal.finish()
    assert stream.getvalue() == "one\ntwo\nsaid\n"


def test_on_a_terminal_the_status_is_rewritten_and_stays_below_the_log() -> None:
    screen = Screen()
    terminal = Terminal(screen)
    logger = logging.getLogger("tests.terminal")
    handler = terminal.handler()
    logger.addHandler(handler)
    terminal.status("one")
    terminal.status("two")
    logger.warning("careful")
    terminal.finish()
    logger.removeHandler(handler)
    assert screen.getvalue() == "one\r\x1b[Ktwo\r\x1b[Kwarning: careful\ntwo\n"


def test_the_program_goes_on_when_who_read_its_lines_has_left() -> None:
    class Left(io.StringIO):
        writes = 0

        def write(self, text: str) -> int:
            self.writes += 1
            raise BrokenPipeError

    stream = Left()
    terminal = Terminal(stream)
    for _ in range(3):
        terminal.status("one")
        terminal.say("two")
    terminal.finish()
    assert stream.writes == 1
