import hashlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.engines import digest as digest_module
from models.engines.digest import RECORD_NAME, SETTLED_NS, Digests, model_digest
from models.errors import ModelError
from tests.fakes.onnx_file import adding_network, negating_network

LATER_NS = 10**30
"""All files have long been as they are."""


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "models" / "toy.onnx"
    path.parent.mkdir()
    path.write_bytes(negating_network((1, 3)))
    return path


@pytest.fixture
def split(tmp_path):
    """A model whose weights lie beside it."""
    path = tmp_path / "models" / "split.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(adding_network("split.weights"))
    (path.parent / "split.weights").write_bytes(b"1234")
    return path


@pytest.fixture
def hashed(monkeypatch):
    """The names of the files that were read to be hashed."""
    names = []
    real = digest_module._file_digest

    def noted(model, name):
        names.append(name)
        return real(model, name)

    monkeypatch.setattr(digest_module, "_file_digest", noted)
    return names


def digests(tmp_path, now_ns=LATER_NS):
    return Digests(tmp_path / "engines", lambda: now_ns)


def test_a_model_in_one_file_is_that_files_digest_whatever_its_name(model):
    expected = hashlib.sha256(model.read_bytes()).hexdigest()
    assert model_digest(model) == expected
    assert model_digest(model.rename(model.with_name("other.onnx"))) == expected


def test_weights_beside_the_model_are_part_of_it(split):
    before = model_digest(split)
    (split.parent / "split.weights").write_bytes(b"1235")
    assert model_digest(split) != before
    (split.parent / "split.weights").write_bytes(b"1234")
    assert model_digest(split.rename(split.with_name("renamed.onnx"))) == before


def test_two_weight_files_that_change_places_are_another_model(split, monkeypatch):
    monkeypatch.setattr(digest_module, "_names", lambda model: (model.name, "a", "b"))
    (split.parent / "a").write_bytes(b"one")
    (split.parent / "b").write_bytes(b"two")
    before = model_digest(split)
    (split.parent / "a").write_bytes(b"two")
    (split.parent / "b").write_bytes(b"one")
    assert model_digest(split) != before


def test_weights_that_are_missing_are_named(split, tmp_path):
    (split.parent / "split.weights").unlink()
    for of in (model_digest, digests(tmp_path).of):
        with pytest.raises(
            ModelError, match=r"split\.onnx keeps weights in split\.weights, which is missing"
        ):
            of(split)


def test_a_model_that_is_missing_or_no_model(tmp_path, model):
    with pytest.raises(ModelError, match="cannot be read"):
        digests(tmp_path).of(tmp_path / "none.onnx")
    model.write_bytes(b"<html>404</html>")
    with pytest.raises(ModelError, match="web page"):
        digests(tmp_path).of(model)


def test_an_unchanged_file_is_hashed_once(tmp_path, model, split, hashed):
    for path in (model, split):
        first = digests(tmp_path).of(path)
        assert digests(tmp_path).of(path) == first == model_digest(path)
    assert hashed == [*["toy.onnx"] * 2, *["split.onnx", "split.weights"] * 2], (
        "once each, and once more by us"
    )


@pytest.mark.parametrize("which", ["split.onnx", "split.weights"])
@pytest.mark.parametrize("how", ["content", "size", "same size and time", "another file"])
def test_what_changed_is_hashed_again(tmp_path, split, which, how):
    record = digests(tmp_path)
    before = record.of(split)
    path = split.parent / which
    stat = path.stat()
    content = path.read_bytes()
    changed = content.replace(b"toy", b"tov") if which == "split.onnx" else b"4321"
    if how == "another file":
        other = path.with_name("other")
        other.write_bytes(changed)
        os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        os.replace(other, path)
    else:
        path.write_bytes(changed + b"\x00" * (how == "size" and which != "split.onnx"))
        if how == "same size and time":
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert record.of(split) == model_digest(split) != before


def test_weights_that_vanish_after_they_were_recorded(tmp_path, split):
    record = digests(tmp_path)
    record.of(split)
    (split.parent / "split.weights").unlink()
    with pytest.raises(ModelError, match="missing"):
        record.of(split)


def test_a_file_that_has_just_been_written_is_not_trusted(tmp_path, model, hashed):
    stat = model.stat()
    changed_ns = max(stat.st_mtime_ns, stat.st_ctime_ns)
    for now_ns in (changed_ns, changed_ns + SETTLED_NS, changed_ns - SETTLED_NS):
        digests(tmp_path, now_ns).of(model)
    assert len(hashed) == 3
    digests(tmp_path, changed_ns + SETTLED_NS + 1).of(model)
    digests(tmp_path, changed_ns).of(model)
    assert len(hashed) == 4


def test_a_file_that_changes_while_it_is_hashed_is_hashed_again(tmp_path, model, monkeypatch):
    def meanwhile(path, name):
        path.write_bytes(negating_network((1, 4)))
        return "0" * 64

    with monkeypatch.context() as patch:
        patch.setattr(digest_module, "_file_digest", meanwhile)
        digests(tmp_path).of(model)
    assert digests(tmp_path).of(model) == model_digest(model)


def test_a_digest_is_gone_when_its_model_was_replaced(tmp_path, model, split):
    record = digests(tmp_path)
    old = record.of(model)
    record.of(split)
    assert record.gone() == frozenset()
    content = model.read_bytes()
    model.write_bytes(negating_network((2, 3)))
    record.of(model)
    assert record.gone() == {old}
    model.write_bytes(content)
    record.of(model)
    assert old not in record.gone()


def test_a_digest_that_another_file_has_is_not_gone(tmp_path, model):
    record = digests(tmp_path)
    record.of(model)
    copy = model.with_name("copy.onnx")
    copy.write_bytes(model.read_bytes())
    record.of(copy)
    model.write_bytes(negating_network((2, 3)))
    record.of(model)
    assert record.gone() == frozenset()


def test_models_that_are_there_no_more_leave_the_record(tmp_path, model, split):
    record = digests(tmp_path)
    record.of(model)
    model.unlink()
    record.of(split)
    assert str(model) not in (tmp_path / "engines" / RECORD_NAME).read_text("utf-8")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data())
def test_a_damaged_record_costs_time_only(tmp_path, model, data):
    path = tmp_path / "engines" / RECORD_NAME
    digests(tmp_path).of(model)
    content = bytearray(path.read_bytes())
    before, after = data.draw(st.integers(0, len(content))), data.draw(st.binary(max_size=3))
    content[before : before + data.draw(st.integers(1, 40))] = after
    path.write_bytes(bytes(content))
    assert isinstance(digests(tmp_path).of(model), str)
    assert isinstance(digests(tmp_path).gone(), frozenset)
    path.unlink()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"version": 9, "models": {}}', b'{"version": 1}', b"\xff"]
)
def test_a_record_of_another_kind_is_replaced(tmp_path, model, hashed, content):
    path = tmp_path / "engines" / RECORD_NAME
    path.parent.mkdir()
    path.write_bytes(content)
    digests(tmp_path).of(model)
    digests(tmp_path).of(model)
    assert len(hashed) == 1


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path, model):
    (tmp_path / "engines").write_bytes(b"a file")
    assert digests(tmp_path).of(model) == model_digest(model)
    assert digests(tmp_path).gone() == frozenset()
