import io
import sys

from models.progress import LogProgress, TerminalProgress, default_progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_that_ends_full(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = default_progress()
    assert isinstance(progress, TerminalProgress)
    progress.start("toy", 2_000_000)
    progress.move_to(500_000)
    progress.end(complete=True)
    assert "toy" in terminal.getvalue()
    assert "2.0/2.0 MB" in terminal.getvalue()


def test_an_unfinished_bar_does_not_claim_to_be_full(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    progress = TerminalProgress()
    progress.start("toy", 2_000_000)
    progress.end(complete=False)
    assert "2.0/2.0 MB" not in terminal.getvalue()


def test_elsewhere_there_are_lines(monkeypatch, caplog):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    caplog.set_level("INFO")
    progress = default_progress()
    assert isinstance(progress, LogProgress)
    progress.start("toy", 1024 * 1024)
    progress.move_to(5)
    progress.end(complete=False)
    assert [record.message for record in caplog.records] == ["fetching toy (1.0 MiB)", "gave up on toy"]


def test_a_size_nobody_knows_is_not_claimed(monkeypatch, caplog):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    bar = default_progress()
    bar.start("toy", 0)
    bar.move_to(500_000)
    bar.end(complete=True)
    assert "0.5/? MB" in terminal.getvalue().replace("500.0/? kB", "0.5/? MB")
    caplog.set_level("INFO")
    LogProgress().start("toy", 0)
    assert [record.message for record in caplog.records] == ["fetching toy (of unknown size)"]
