import argparse
import json
import shutil

import pytest

from models.catalog import DEFAULT_CHAIN, load_catalog
from models.errors import ModelError
from models.pins import pin
from realtime.cli import main
from realtime.commands.models import models_fetch, models_list, models_verify
from tests.fakes.networks_swap import recogniser_network
from tests.fakes.onnx_file import inswapper_network

ARGS = argparse.Namespace(names=[], role=None, json=False, accept_licence=[], trust=False)


def arguments(**given):
    return argparse.Namespace(**(vars(ARGS) | given))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("REALTIME_MODELS", str(folder))
    monkeypatch.setattr("realtime.commands.models.default_path", lambda: tmp_path / "acknowledgements.json")
    monkeypatch.setattr("realtime.commands.models.terminal_ask", lambda headless: None)
    return folder


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
        models_fetch(arguments(names=["yunett"]))
    assert list(folder.iterdir()) == []


@pytest.fixture
def offline(monkeypatch):
    """A catalogue whose hosts do not answer: what is asked before a fetch is seen, the fetch fails."""

    def refuse(request, timeout):
        raise ConnectionRefusedError("refused here")

    monkeypatch.setattr("models.sources.urllib.request.urlopen", refuse)


def test_the_list_of_one_role(folder, capsys):
    assert models_list(arguments(role="swapper")) == 0
    table = rows(capsys)
    assert "inswapper_128" in table
    assert "yunet" not in table
    with pytest.raises(ModelError, match="no model has the role 'swaper'") as caught:
        models_list(arguments(role="swaper"))
    assert "swapper" in caught.value.hint


def test_the_list_for_programs(folder, capsys):
    assert models_list(arguments(json=True)) == 0
    by_name = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(by_name) == set(load_catalog())
    assert by_name["ghost_2_256"]["sha256"] is None
    assert by_name["ghost_2_256"]["needs"] == ["arcface_w600k_r50", "crossface_ghost"]
    assert by_name["facemesh_468"]["default"]


def test_where_nobody_can_be_asked_a_restrictive_licence_is_refused_with_the_flag(folder, offline, capsys):
    assert main(["models", "fetch", "gpen_bfr_256"]) == 2
    told = capsys.readouterr().err
    assert "gpen_bfr_256 (by yangxy, 2021) comes under the licence GPEN-NC" in told
    assert 'realtime models fetch gpen_bfr_256 --accept-licence "GPEN-NC"' in told
    assert list(folder.iterdir()) == []


def test_the_flag_accepts_a_licence_for_good(folder, offline, capsys):
    # Exit code 4: past the licence, the fetch itself failed.
    assert main(["models", "fetch", "gpen_bfr_256", "--accept-licence", "GPEN-NC"]) == 4
    record = json.loads((folder.parent / "acknowledgements.json").read_text())
    assert "licence-GPEN-NC" in record
    assert main(["models", "fetch", "gpen_bfr_512"]) == 4
    assert "refused here" in capsys.readouterr().err
    assert main(["models", "fetch", "simswap_512_viso"]) == 2


def test_every_licence_on_the_way_is_named_in_the_command_to_use(folder, offline, capsys):
    line = ["models", "fetch", "simswap_256", "--trust", "--accept-licence", "SimSwap-NC"]
    assert main(line) == 2
    told = capsys.readouterr().err
    assert 'fetch simswap_256 --trust --accept-licence "SimSwap-NC" --accept-licence "InsightFace-NC"' in told


def test_a_person_is_asked_once(folder, offline, monkeypatch):
    asked = []

    def ask(question):
        asked.append(question)
        return "y\n"

    monkeypatch.setattr("realtime.commands.models.terminal_ask", lambda headless: ask)
    for _ in range(2):
        assert main(["models", "fetch", "gpen_bfr_256"]) == 4
    assert len(asked) == 1
    assert "non-commercial" in asked[0]


def test_an_unknown_checksum_needs_trust(folder, offline, capsys):
    assert main(["models", "fetch", "peppa_wutz"]) == 4
    assert "--trust" in capsys.readouterr().err


def test_add_list_verify_and_remove(folder, tmp_path, capsys):
    own = tmp_path / "mine.onnx"
    own.write_bytes(inswapper_network())
    assert main(["models", "add", str(own), "--family", "inswapper"]) == 0
    assert "a swapper of the family inswapper" in capsys.readouterr().out
    assert models_list(arguments(role="swapper")) == 0
    row = rows(capsys)["mine"]
    assert " present " in row
    assert " your own " in row
    (folder / "mine.onnx").write_bytes(b"x")
    assert models_verify(ARGS) == 1
    assert "realtime models remove mine" in rows(capsys)["mine"]
    assert main(["models", "remove", "mine"]) == 0
    assert not (folder / "mine.onnx").exists()


def test_adding_says_what_else_is_needed_and_takes_ones_own_for_it(folder, tmp_path, capsys):
    own = tmp_path / "mine.onnx"
    own.write_bytes(inswapper_network())
    assert main(["models", "add", str(own), "--family", "inswapper"]) == 0
    told = capsys.readouterr().out
    assert "needs the recogniser arcface_w600k_r50, which is not here" in told
    assert "--needs NAME" in told
    assert main(["models", "remove", "mine"]) == 0
    eyes = recogniser_network(tmp_path / "eyes.onnx")
    assert main(["models", "add", str(eyes), "--family", "arcface"]) == 0
    assert main(["models", "add", str(own), "--family", "inswapper", "--needs", "eyes"]) == 0
    assert "which is not here" not in capsys.readouterr().out


def test_adding_what_is_not_of_the_family_says_both_sides(folder, tmp_path, capsys):
    own = tmp_path / "mine.onnx"
    own.write_bytes(inswapper_network())
    assert main(["models", "add", str(own), "--family", "gfpgan"]) == 4
    told = capsys.readouterr().err
    assert "the contract:  picture (1, 3, 512, 512) float32" in told
    assert "the file:      'target' (1, 3, 128, 128) float32" in told
    assert "\n  -> " in told


def test_verify_tells_changed_and_unpinned_files(folder, capsys):
    catalog = load_catalog()
    (folder / catalog["peppa_wutz"].file).write_bytes(b"x")
    assert models_verify(ARGS) == 1
    assert "fetch peppa_wutz --trust" in rows(capsys)["peppa_wutz"]
    pin(folder, catalog["peppa_wutz"].file, "0" * 64)
    assert models_verify(ARGS) == 1
    assert " changed " in rows(capsys)["peppa_wutz"]
