"""A package index and a folder of models that tests of fetching share."""

import os

import pytest

from tests.fakes.fetching import CONTENT, OTHER, TAG
from tests.fakes.index import serve, wheel_index


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def clean_pip(monkeypatch):
    """No configuration of this machine's pip or uv, and an index set by the returned function."""
    for name in [*os.environ]:
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return lambda url: monkeypatch.setenv("PIP_INDEX_URL", url)


@pytest.fixture
def index(clean_pip):
    with serve(
        wheel_index("toyfaces", "1.0", TAG, {"toyfaces/toy.bin": CONTENT, "toyfaces/two.bin": OTHER})
    ) as up:
        clean_pip(up.url("/simple/"))
        yield up
