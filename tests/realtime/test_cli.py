import subprocess
import sys

import pytest

from realtime.cli import main, parser

HEAVY = (
    "numpy",
    "cv2",
    "av",
    "aiortc",
    "aiohttp",
    "openvino",
    "pyvirtualcam",
    "onnxruntime",
    "msgspec",
    "rich",
)
TIMEOUT_S = 30


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom realtime.cli import parser\nparser().format_help()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "fly",
        "run --frames 0",
        "run --seconds -1",
        "run --seconds x",
        "models",
        "convert a.mp4",
        "run --nope",
    ],
)
def test_wrong_usage_is_exit_code_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(line.split())
    assert raised.value.code == 2
    assert "usage: realtime" in capsys.readouterr().err


def test_every_verb_names_a_function_that_exists() -> None:
    import importlib

    for line in (
        "run", "convert a -o b", "bench", "devices", "check", "models list", "models fetch",
        "models verify", "models build x --precision int8", "models bench", "faces list", "config show",
        "config schema",
    ):  # fmt: skip
        module, function = parser().parse_args(line.split()).function.split(":")
        assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("run --size 12", 2, "--size"),
        ("run --preset nope --headless", 2, "preset"),
        ("run --source nope.mp4 --headless", 3, "nope.mp4"),
        ("run --source fax:1 --headless", 2, "fax:1"),
        ("run --source testcard: --sink carrier:pigeon --headless", 2, "carrier"),
        ("run --mark off --headless", 2, "acknowledgement"),
        ("run --report /nowhere/at/all/r.json --headless", 2, "r.json"),
        ("run --host 0.0.0.0 --source testcard: --sink webrtc: --headless", 2, "token"),
        ("convert nope.mp4 -o out.mp4", 3, "nope.mp4"),
        ("config show --config nowhere.toml", 2, "nowhere.toml"),
        ("config show --preset nope", 2, "nope"),
    ],
)
def test_a_wrong_request_is_one_clear_error(
    line: str, code: int, says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "realtime.commands.run.default_path", lambda: __import__("pathlib").Path("/nonexistent/r")
    )
    assert main(line.split()) == code
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert says in err
    assert "\n  -> " in err
    assert "Traceback" not in err


def test_config_show_prints_toml_with_origins(capsys: pytest.CaptureFixture[str]) -> None:
    import tomllib

    assert main(["config", "show", "--preset", "small"]) == 0
    out = capsys.readouterr().out
    assert tomllib.loads(out)["source"]["width"] == 640
    assert "# preset small" in out
    assert main(["config", "schema"]) == 0
