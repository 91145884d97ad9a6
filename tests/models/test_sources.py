import os
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.entries import HttpsSource
from models.errors import ModelError
from models.sources import _running, _transfer, download_url, pip_environment
from tests.fakes.index import FileServer, serve

WORK = Path("work")
CONTENT = bytes(range(256)) * 200


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


def fetched(server, part, size_bytes=0, path="/file"):
    return next(download_url(HttpsSource((server.url(path),)), size_bytes, part, lambda done: None))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40_000), max_size=6), st.booleans())
def test_without_a_known_size_the_servers_word_decides_when_it_is_whole(tmp_path_factory, cuts, ranges):
    part = tmp_path_factory.mktemp("work") / "part"
    growing = cuts if ranges else sorted(set(cuts))
    with serve(FileServer({"/file": CONTENT}, cuts=growing, ranges=ranges)) as server:
        fetched(server, part)
    assert part.read_bytes() == CONTENT


def test_an_answer_too_long_for_any_model_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("models.sources.LONGEST_BYTES", 1000)
    with (
        serve(FileServer({"/file": CONTENT})) as server,
        pytest.raises(ModelError, match=f"would send {len(CONTENT)} bytes"),
    ):
        fetched(server, tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_the_rest_of_a_file_tells_how_long_the_whole_is(tmp_path):
    part = tmp_path / "part"
    part.write_bytes(CONTENT[:100])
    with serve(FileServer({"/file": CONTENT})) as server:
        assert _transfer(server.url("/file"), 100, 0, part, lambda done: None) == len(CONTENT)
    assert part.read_bytes() == CONTENT
