from dataclasses import replace

import pytest

from models.build import stand_ins
from models.catalog import load_catalog
from models.errors import ModelError
from realtime.commands import model_files
from realtime.commands.model_files import named_file
from tests.fakes.networks import TINY, tiny_network


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_a_name_of_the_catalogue(folder):
    model = load_catalog()["yunet"]
    (folder / model.file).write_bytes(b"x")
    named = named_file("yunet")
    assert (named.name, named.path, named.model) == ("yunet", folder / model.file, model)


def test_a_catalogued_model_that_is_not_here(folder):
    with pytest.raises(ModelError, match="yunet") as caught:
        named_file("yunet")
    assert "fetch yunet" in caught.value.hint


def test_a_model_the_user_added(folder, tmp_path):
    source = tmp_path / "mine.onnx"
    tiny_network(source)
    added = replace(load_catalog()["yunet"], name="mine", file="mine.onnx")
    (folder / "mine.onnx").write_bytes(source.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_files, "known_models", lambda where: {"mine": added})
        assert named_file("mine").model is added


def test_a_file(folder, tmp_path):
    (tmp_path / "own.onnx").touch()
    named = named_file(str(tmp_path / "own.onnx"))
    assert (named.name, named.path, named.model) == ("own", tmp_path / "own.onnx", None)


def test_a_file_named_like_a_catalogued_one_has_its_rules(folder, tmp_path):
    (tmp_path / "inswapper_128.onnx").touch()
    model = named_file(str(tmp_path / "inswapper_128.onnx")).model
    assert model is not None
    assert "fp16" in model.tolerance.forbid


@pytest.mark.parametrize(("word", "told"), [("own.onnx", "no file own.onnx"), ("yunett", "yunett")])
def test_neither_a_name_nor_a_file(folder, word, told):
    with pytest.raises(ModelError, match=told):
        named_file(word)


def test_a_stand_in_is_made_once(folder, monkeypatch):
    monkeypatch.setattr(model_files, "STAND_INS", {"tiny": TINY})
    made = named_file("tiny").path
    assert made.parent.parent == folder
    assert [each.name for each in made.parent.iterdir()] == ["tiny.onnx"]
    before = made.stat().st_mtime_ns
    monkeypatch.setattr(model_files, "write_stand_in", lambda *args: pytest.fail("made again"))
    assert named_file("tiny").path.stat().st_mtime_ns == before


def test_a_stand_in_that_cannot_be_written_leaves_nothing(folder, monkeypatch):
    def full(stand_in, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model_files, "write_stand_in", full)
    with pytest.raises(ModelError, match="No space left"):
        named_file("small_128")
    assert list((folder / f"stand-ins-{stand_ins.FORM}").iterdir()) == []
