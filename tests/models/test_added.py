import errno
import json

import pytest

from models.added import ADDED_FILE, add_model, added_models, known_models, remove_model
from models.catalog import load_catalog, lookup
from models.entries import AddedSource
from models.errors import ModelError
from models.fetch import State, ensure, state
from models.pins import pin, read_pins
from models.runtime.registry import open_session
from tests.data import model as shared_model
from tests.fakes.networks_swap import picture_swapper, recogniser_network
from tests.fakes.onnx_file import described_network, inswapper_network


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    monkeypatch.setenv("REALTIME_MODELS", str(folder))
    return folder


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(inswapper_network())
    return path


def test_an_added_model_has_its_familys_contract_and_is_found_by_name(folder, own):
    added = add_model(own, "inswapper")
    assert (added.name, added.role, added.family) == ("mine", "swapper", "inswapper")
    assert added.contract == load_catalog()["inswapper_128"].contract
    assert added.tolerance.forbid == ("fp16",)
    assert added.source == AddedSource(str(own))
    assert (folder / "mine.onnx").read_bytes() == own.read_bytes()
    assert lookup(["mine"]) == (added,)
    assert known_models(folder)["mine"] == added
    assert state(added, folder) is State.PRESENT
    assert sorted(path.name for path in folder.iterdir() if path.name != ".lock") == [ADDED_FILE, "mine.onnx"]


def test_a_network_that_runs_can_be_added_and_opened(folder):
    path = shared_model("scrfd_500m_bnkps.onnx")
    copy = folder.parent / "another.onnx"
    copy.write_bytes(
        path.read_bytes() + b"\x12\x00"
    )  # an empty producer name: another file, the same network
    add_model(copy, "scrfd", "small_faces")
    session = open_session(folder / "small_faces.onnx")
    try:
        assert len(session.outputs) == 9
    finally:
        session.close()


def test_a_dfm_file_is_kept_as_onnx(folder, tmp_path):
    path = tmp_path / "person.dfm"
    picture = (1, 224, 224, 3)
    outputs = {"out_face_mask:0": (1, 224, 224, 1), "out_celeb_face:0": picture}
    outputs |= {"out_celeb_face_mask:0": (1, 224, 224, 1)}
    path.write_bytes(described_network({"in_face:0": picture, "morph_value:0": (1,)}, outputs))
    assert add_model(path, "dfm").file == "person.onnx"


def test_the_wrong_family_shows_both_sides_and_keeps_nothing(folder, own):
    with pytest.raises(ModelError, match=r"mine\.onnx is not of the family hyperswap") as caught:
        add_model(own, "hyperswap")
    assert "the contract:  picture (1, 3, 256, 256)" in caught.value.message
    assert "'target' (1, 3, 128, 128)" in caught.value.message
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_an_unknown_family_is_met_with_the_nearest_ones(folder, own):
    with pytest.raises(ModelError, match="no family of models named 'inswaper'") as caught:
        add_model(own, "inswaper")
    assert "did you mean inswapper" in caught.value.hint
    with pytest.raises(ModelError) as caught:
        add_model(own, "qqq")
    assert "ghost" in caught.value.hint
    assert "xseg" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html><html>not found</html>", "page"),
        (inswapper_network()[:-500_000], "cut short"),
        (b"", "empty"),
    ],
    ids=["web page", "truncated", "empty"],
)
def test_a_damaged_file_is_not_added(folder, tmp_path, content, said):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=said) as caught:
        add_model(path, "inswapper")
    assert "realtime models fetch" not in caught.value.hint
    assert not (folder / "bad.onnx").exists()


def test_names_that_are_taken_or_impossible(folder, own):
    with pytest.raises(ModelError, match="catalogue has a model named inswapper_128") as caught:
        add_model(own, "inswapper", "inswapper_128")
    assert "--name inswapper_128_own" in caught.value.hint
    with pytest.raises(ModelError, match="cannot be a model's name"):
        add_model(own, "inswapper", "../x")
    with pytest.raises(ModelError, match="not a model file"):
        add_model(own.with_suffix(".pth"), "inswapper")
    with pytest.raises(ModelError, match="cannot be read"):
        add_model(own.with_name("absent.onnx"), "inswapper")
    add_model(own, "inswapper")
    with pytest.raises(ModelError, match="you have added a model named mine already"):
        add_model(own, "inswapper")


def test_a_file_of_the_catalogue_keeps_its_name_there(folder):
    with pytest.raises(ModelError, match=r"is scrfd_500m of the catalogue, byte for byte") as caught:
        add_model(shared_model("scrfd_500m_bnkps.onnx"), "scrfd", "mine")
    assert str(folder / "scrfd_500m_bnkps.onnx") in caught.value.hint


def test_removing_forgets_the_file_and_the_name(folder, own):
    add_model(own, "inswapper")
    assert remove_model("mine") == folder / "mine.onnx"
    assert not (folder / "mine.onnx").exists()
    assert own.exists()
    with pytest.raises(ModelError, match="no model named 'mine'"):
        remove_model("mine")


def test_removing_a_fetched_model_forgets_its_pin(folder):
    folder.mkdir()
    entry = load_catalog()["peppa_wutz"]
    (folder / entry.file).write_bytes(b"x")
    pin(folder, entry.file, "0" * 64)
    remove_model("peppa_wutz")
    assert read_pins(folder) == {}
    with pytest.raises(ModelError, match="is not in") as caught:
        remove_model("peppa_wutz")
    assert "nothing to remove" in caught.value.hint


def test_an_added_file_that_went_bad_is_not_fetched(folder, own):
    add_model(own, "inswapper")
    (folder / "mine.onnx").write_bytes(b"x")
    catalog = {"mine": added_models(folder)["mine"]}
    assert state(catalog["mine"], folder) is State.DAMAGED
    stripped = load_catalog() | catalog
    with pytest.raises(ModelError, match="mine, which you added from") as caught:
        ensure(["mine"], folder, catalog=stripped, permit=lambda model: None)
    assert "add it again" in caught.value.hint


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"a": {}}', '{"a": 1}', json.dumps({"a": {"family": "gone", "file": "a.onnx"}})]
)
def test_a_damaged_record_is_told(folder, content):
    folder.mkdir()
    (folder / ADDED_FILE).write_text(content)
    with pytest.raises(ModelError, match="record of added models"):
        added_models(folder)
    # The program's own models do not depend on it.
    assert lookup(["yunet"])[0].name == "yunet"


def test_a_full_disk_while_adding_leaves_nothing(folder, own, monkeypatch):
    def full(source, target):
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("models.added.shutil.copyfile", full)
    with pytest.raises(ModelError, match="no space left"):
        add_model(own, "inswapper")
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_a_recogniser_of_ones_own_takes_the_place_of_the_familys(folder, own, tmp_path):
    recogniser_network(tmp_path / "eyes.onnx")
    add_model(tmp_path / "eyes.onnx", "arcface", "eyes")
    added = add_model(own, "inswapper", needs=["eyes"])
    assert added.needs == ("eyes",)
    assert lookup(["mine"]) == (added,), "it is remembered"
    assert set(ensure(["mine"])) == {"mine", "eyes"}, "nothing else is fetched"


@pytest.mark.parametrize(
    ("needed", "says"),
    [
        ("eyse", "no model named 'eyse' that mine could need"),
        ("crossface_ghost", "crossface_ghost is a converter, and the family inswapper needs a recogniser"),
    ],
)
def test_what_cannot_take_the_place_is_told_and_nothing_is_added(folder, own, needed, says):
    with pytest.raises(ModelError, match=says):
        add_model(own, "inswapper", needs=[needed])
    assert not (folder / "mine.onnx").exists()
    assert "mine" not in added_models(folder)


def test_a_family_that_needs_nothing_takes_nothing(folder, tmp_path):
    picture_swapper(tmp_path / "blend.onnx", side=256, source_side=112)
    with pytest.raises(ModelError, match="blendswap needs no other model"):
        add_model(tmp_path / "blend.onnx", "blendswap", needs=["arcface_w600k_r50"])
