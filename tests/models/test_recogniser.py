import numpy as np
import pytest

from models.added import add_model
from models.catalog import load_catalog
from models.errors import ModelError
from models.recogniser import LIKENESS, PREFERRED, ROLE, find_recogniser, open_recogniser
from tests.data import model as shared_model
from tests.fakes.head import posed
from tests.fakes.recognisers import colour_recogniser


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("REALTIME_MODELS", str(folder))
    return folder


def put(folder, *names):
    for name in names:
        model = load_catalog()[name]
        with (folder / model.file).open("wb") as file:
            file.truncate(model.size_bytes or 10)


def own(folder, name="mine"):
    return add_model(colour_recogniser(folder.parent / f"{name}.onnx"), "arcface", name, folder)


def test_nothing_at_hand_says_what_to_fetch_and_what_to_add(folder):
    with pytest.raises(ModelError) as caught:
        find_recogniser("", folder)
    assert "realtime models fetch mobilefacenet" in caught.value.hint
    assert "arcface_w600k_r50" in caught.value.hint
    assert "realtime models add FILE --family arcface" in caught.value.hint


def test_the_best_of_those_at_hand_is_taken(folder):
    put(folder, "mobilefacenet")
    assert find_recogniser("", folder).name == "mobilefacenet"
    own(folder)
    assert find_recogniser("", folder).name == "mine"
    put(folder, "arcface_r50_buffalo")
    assert find_recogniser("", folder).name == "arcface_r50_buffalo"
    put(folder, "arcface_w600k_r50")
    assert find_recogniser("", folder).name == "arcface_w600k_r50"


def test_a_file_of_another_size_is_not_at_hand(folder):
    (folder / load_catalog()["mobilefacenet"].file).write_bytes(b"half")
    with pytest.raises(ModelError, match="there is none here"):
        find_recogniser("", folder)


def test_one_that_is_asked_for_is_taken_though_it_is_not_here_yet(folder):
    put(folder, "mobilefacenet")
    assert find_recogniser("arcface_w600k_r50", folder).name == "arcface_w600k_r50"
    own(folder)
    assert find_recogniser("mine", folder).family == "arcface"


@pytest.mark.parametrize(
    ("name", "why"), [("facemesh_468", "it is a landmarker"), ("arcfase", "it is not known")]
)
def test_what_cannot_tell_people_apart_is_refused_with_what_can(folder, name, why):
    with pytest.raises(ModelError, match=why) as caught:
        find_recogniser(name, folder)
    assert "mobilefacenet" in caught.value.hint


def test_those_preferred_are_known_and_each_family_has_a_threshold():
    catalog = load_catalog()
    able = {model.name for model in catalog.values() if model.role == ROLE}
    assert set(PREFERRED) == able
    assert {catalog[name].family for name in able} == set(LIKENESS)


def test_a_file_of_the_users_own_is_opened_and_tells_pictures_apart(folder):
    recogniser = open_recogniser(own(folder), folder)
    try:
        points = posed((160, 160), 60.0)
        blue, red = (np.full((320, 320, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
        assert recogniser.embed(blue, points) @ recogniser.embed(blue, points) == pytest.approx(1, abs=1e-5)
        # Black is -1 and white 1: two channels of three disagree.
        assert recogniser.embed(blue, points) @ recogniser.embed(red, points) == pytest.approx(
            -1 / 3, abs=0.02
        )
    finally:
        recogniser.close()


def test_a_network_of_another_kind_is_refused_and_closed(folder, tmp_path):
    model = own(folder)
    with pytest.raises(ModelError):
        open_recogniser(load_catalog()["mobilefacenet"], folder)
    assert open_recogniser(model, folder).close() is None


def test_the_light_one_is_fed_as_the_catalogue_says():
    path = shared_model("foamliu_MobileFaceNet.onnx")
    recogniser = open_recogniser(load_catalog()["mobilefacenet"], path.parent)
    try:
        vector = recogniser.embed(np.full((320, 320, 3), 90, np.uint8), posed((160, 160), 60.0))
        assert vector.shape == (128,)
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    finally:
        recogniser.close()
