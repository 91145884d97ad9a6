from dataclasses import replace
from pathlib import Path

import pytest

from models.catalog import DEFAULT_CHAIN, load_catalog
from models.fetch import State
from realtime.commands.models_table import models_json, models_table, terminal_width

FOLDER = Path("models")
ROWS = [(model, State.MISSING) for model in load_catalog().values()]


@pytest.mark.parametrize("width", [60, 72, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width):
    for line in models_table(ROWS, FOLDER, DEFAULT_CHAIN, width).splitlines():
        assert len(line) <= width


def test_what_is_too_long_ends_in_an_ellipsis():
    model = replace(load_catalog()["yunet"], about="long words " * 20)
    lines = models_table([(model, State.MISSING)], FOLDER, (), 90).splitlines()
    row = next(line for line in lines if " yunet " in line)
    assert len(row) <= 90
    assert row.endswith("…")


@pytest.mark.parametrize("width", [80, 120, None])
def test_every_model_shows_its_licence_and_state_whole(width, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = {line.split()[0]: line for line in models_table(ROWS, FOLDER, (), width).splitlines() if line}
    for model, found in ROWS:
        line = lines[model.name]
        assert f" {model.family} " in line
        assert f" {model.licence}" in line
        assert f" {found.value}" in line


def test_what_it_is_for_is_shown_where_there_is_room():
    about = load_catalog()["yunet"].about
    assert about in models_table(ROWS, FOLDER, (), 120)
    assert about not in models_table(ROWS, FOLDER, (), 80)


def test_marks_tell_the_default_models_and_the_licences_to_accept():
    table = models_table(ROWS, FOLDER, DEFAULT_CHAIN, 120)
    assert " facemesh_468* " in table
    assert " InsightFace-NC! " in table
    assert " MIT! " not in table


def test_models_come_in_the_order_a_frame_meets_them():
    lines = models_table(ROWS, FOLDER, (), 80).splitlines()
    heads = [line for line in lines if line.endswith("s") and " " not in line]
    assert heads[:3] == ["detectors", "landmarkers", "recognisers"]
    assert set(heads) == {f"{model.role}s" for model, _ in ROWS}


def test_states_that_want_a_deed_are_explained():
    model = load_catalog()["peppa_wutz"]
    assert "--trust remembers" in models_table([(model, State.UNPINNED)], FOLDER, (), 80)
    assert "trusted first" in models_table([(model, State.CHANGED)], FOLDER, (), 80)
    assert "unpinned:" not in models_table(ROWS, FOLDER, (), 80)


def test_json_tells_where_each_comes_from():
    by_name = {each["name"]: each for each in models_json(ROWS, FOLDER, DEFAULT_CHAIN)}
    assert by_name["facemesh_468"]["source"]["kind"] == "wheel"
    assert by_name["facemesh_478"]["source"]["kind"] == "manual"
    assert len(by_name["inswapper_128"]["source"]["urls"]) == 3
    assert by_name["inswapper_128"]["restrictive"]
    assert by_name["ghost_2_256"]["size_bytes"] is None


def test_a_pipe_has_no_width_unless_somebody_set_one(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal_width() is None
    monkeypatch.setenv("COLUMNS", "90")
    assert terminal_width() == 90
