import socket
from dataclasses import replace

import pytest

from models.runtime.inventory import Standing, State
from models.runtime.place import Place
from realtime.commands.check import check
from realtime.doctor import CHECKS, Finding, Verdict, check_inference, check_onnxruntimes, check_port, examine
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


WORKING = Standing(Place("openvino", "CPU"), State.WORKS, "Toy CPU")
ABSENT = Standing(Place("openvino", "GPU"), State.ABSENT, "not found", "buy one")
FAILING = Standing(Place("onnx", "CUDA"), State.FAILS, "the driver is missing", "install it")


@pytest.mark.parametrize(
    ("standings", "verdict", "cure"),
    [
        ((WORKING, ABSENT), Verdict.OK, ""),
        ((WORKING, Standing(Place("tensorrt", "GPU"), State.UNTRIED, "an engine")), Verdict.OK, ""),
        ((WORKING, ABSENT, FAILING), Verdict.WARN, "install it"),
        ((replace(WORKING, state=State.FAILS, cure="reinstall"), FAILING), Verdict.FAIL, "reinstall"),
        ((replace(ABSENT, place=Place("openvino")),), Verdict.FAIL, "buy one"),
    ],
)
def test_inference_is_judged_by_what_runs(
    monkeypatch: pytest.MonkeyPatch, standings: tuple[Standing, ...], verdict: Verdict, cure: str
) -> None:
    monkeypatch.setattr("models.runtime.inventory.survey", lambda: iter(standings))
    finding = check_inference()
    assert (finding.verdict, finding.cure) == (verdict, cure)
    for standing in standings:
        assert str(standing.place) in finding.message or verdict is Verdict.FAIL
    assert ("the driver is missing" in finding.message) == (verdict is Verdict.WARN)


def test_the_exit_code_is_1_only_for_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import argparse

    for checks, code in (((fine,), 0), ((fine, broken), 1)):
        monkeypatch.setattr("realtime.commands.check.examine", lambda checks=checks: examine(checks))
        assert check(argparse.Namespace()) == code
    assert "-> mend it" in capsys.readouterr().out
