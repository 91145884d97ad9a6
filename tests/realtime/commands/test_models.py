import argparse
import shutil

import pytest

from models.catalog import DEFAULT_CHAIN, load_catalog
from models.errors import ModelError
from realtime.commands.models import models_fetch, models_list, models_verify

ARGS = argparse.Namespace(names=[])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(tmp_path))
    return tmp_path


def rows(capsys):
    """First word of each line of the table -> the rest."""
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0].rstrip("*"): line for line in lines if line.strip()}


def test_the_list_tells_what_is_here(folder, capsys):
    damaged = load_catalog()["yunet"]
    (folder / damaged.file).write_bytes(b"half")
    assert models_list(ARGS) == 0
    table = rows(capsys)
    assert set(load_catalog()) <= set(table)
    assert " damaged " in table["yunet"]
    assert " MIT " in table["yunet"]
    assert " missing " in table["facemesh_468"]
    assert " 1.2 MiB " in table["facemesh_468"]


def test_verify_fails_for_a_damaged_model_and_names_the_cure(folder, capsys):
    (folder / load_catalog()["yunet"].file).write_bytes(b"half")
    assert models_verify(ARGS) == 1
    table = rows(capsys)
    assert "realtime models fetch yunet" in table["yunet"]
    assert "missing" in table[DEFAULT_CHAIN[0]]
    assert "blazeface_full_range" not in table


def test_verify_is_content_with_the_default_models(default_models, folder, capsys):
    for name in DEFAULT_CHAIN:
        shutil.copy(default_models / load_catalog()[name].file, folder)
    assert models_verify(ARGS) == 0
    assert set(DEFAULT_CHAIN) <= set(rows(capsys))


def test_fetch_without_names_gets_the_default_models(default_models, monkeypatch, capsys):
    monkeypatch.setenv("REALTIME_MODELS", str(default_models))
    assert models_fetch(ARGS) == 0
    assert set(rows(capsys)) == {f"{name}:" for name in DEFAULT_CHAIN}


def test_fetch_of_an_unknown_name(folder):
    with pytest.raises(ModelError, match="yunett"):
        models_fetch(argparse.Namespace(names=["yunett"]))
    assert list(folder.iterdir()) == []
