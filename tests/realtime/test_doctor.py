import socket

import pytest

from realtime.commands.check import check
from realtime.doctor import CHECKS, Finding, Verdict, check_onnxruntimes, check_port, examine
from realtime.errors import DeviceError


def broken() -> Finding:
    raise DeviceError("the thing is broken", "mend it")


def odd() -> Finding:
    raise ValueError("odd")


def fine() -> Finding:
    return Finding("fine", Verdict.OK, "all is well")


def test_a_check_that_raises_has_failed_and_the_others_still_run() -> None:
    found = list(examine((broken, odd, fine)))
    assert [finding.verdict for finding in found] == [Verdict.FAIL, Verdict.FAIL, Verdict.OK]
    assert (found[0].message, found[0].cure) == ("the thing is broken", "mend it")
    assert "ValueError: odd" in found[1].message


def test_whatever_is_not_well_has_a_cure() -> None:
    found = list(examine())
    assert len(found) == len(CHECKS)
    for finding in found:
        assert bool(finding.cure) == (finding.verdict is not Verdict.OK)


def test_a_port_in_use_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr("realtime.doctor.PORT", taken.getsockname()[1])
        assert check_port().verdict is Verdict.WARN


def test_two_onnx_runtimes_are_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realtime.doctor._installed", lambda name: name in ("onnxruntime", "onnxruntime-gpu"))
    finding = check_onnxruntimes()
    assert finding.verdict is Verdict.FAIL
    assert "onnxruntime-gpu" in finding.message


def test_the_exit_code_is_1_only_for_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    for checks, code in (((fine,), 0), ((fine, broken), 1)):
        monkeypatch.setattr("realtime.commands.check.examine", lambda checks=checks: examine(checks))
        assert check(argparse.Namespace()) == code
    assert "-> mend it" in capsys.readouterr().out
