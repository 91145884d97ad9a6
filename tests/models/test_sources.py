import os
import sys
from pathlib import Path

import pytest

from models.sources import _running, pip_environment

WORK = Path("work")


def test_pip_works_in_the_working_folder_and_talks_at_once():
    child = pip_environment({"PATH": "p", "TMPDIR": "elsewhere"}, WORK)
    assert child == {"PATH": "p", "PYTHONUNBUFFERED": "1", "TMPDIR": "work", "TEMP": "work", "TMP": "work"}


@pytest.mark.parametrize(
    ("environ", "index"),
    [
        ({}, None),
        ({"UV_INDEX_URL": "https://a.example/simple"}, "https://a.example/simple"),
        (
            {"UV_DEFAULT_INDEX": "https://b.example/simple", "UV_INDEX_URL": "https://a.example/simple"},
            "https://b.example/simple",
        ),
        ({"UV_DEFAULT_INDEX": "inside=https://b.example/simple?x=1"}, "https://b.example/simple?x=1"),
        (
            {"UV_DEFAULT_INDEX": "https://b.example/simple", "PIP_INDEX_URL": "https://c.example"},
            "https://c.example",
        ),
    ],
)
def test_the_index_named_to_uv_is_named_to_pip_unless_pip_has_one(environ, index):
    assert pip_environment(environ, WORK).get("PIP_INDEX_URL") == index


def test_the_child_is_gone_when_the_block_is_interrupted():
    code = "import time; print('up', flush=True); time.sleep(600)"

    def interrupted():
        with _running([sys.executable, "-c", code], dict(os.environ)) as process:
            children.append(process)
            assert process.stdout.readline() == "up\n"
            raise KeyboardInterrupt

    children = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert children[0].returncode is not None
