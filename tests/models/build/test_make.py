import errno
import os
import shutil
import threading
from importlib.util import find_spec

import numpy as np
import pytest
from filelock import FileLock

from models.build import make as maker
from models.build.make import make
from models.build.origin import Origin, read_origin
from models.build.plan import Build, Format, Precision, Target
from models.entries import Tolerance
from models.errors import ModelError
from models.runtime.registry import open_session
from models.verified import digest
from tests.fakes.networks import scaling_network, tiny_network

FEEDS = [
    {"picture": np.random.default_rng(number).random((1, 3, 16, 16), dtype=np.float32)} for number in range(6)
]
LOOSE = Tolerance(psnr_db=25)


@pytest.fixture
def source(tmp_path):
    return tiny_network(tmp_path / "tiny.onnx")


def a_build(source, precision="int8", target="cpu", format_="onnx"):
    return Build(source, Precision(precision), Target(target), Format(format_))


def made(source, build=None, tolerance=LOOSE):
    return make(build or a_build(source), FEEDS[:4], FEEDS[4:], tolerance)


def test_a_build_says_what_it_was_made_of_and_where_it_is_faster(source):
    def timed(before, after, feeds):
        assert (before, feeds) == (source, FEEDS[4])
        return {"onnx": 3.0, "openvino": 1.05}

    checked = make(a_build(source), FEEDS[:4], FEEDS[4:], LOOSE, timed=timed)
    assert {one.backend: one.times_as_fast for one in checked} == {"onnx": 3.0, "openvino": 1.05}
    assert read_origin(a_build(source).path) == Origin(digest(source), ("onnx",))


def test_for_tensorrt_nothing_is_timed(source):
    def timed(*_):
        pytest.fail("it was timed")

    make(a_build(source, target="tensorrt"), FEEDS[:4], FEEDS[4:], LOOSE, timed=timed)
    assert read_origin(a_build(source, target="tensorrt").path) == Origin(digest(source))


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".building.lock")


@pytest.fixture
def converting(monkeypatch):
    """Put a conversion in the place of the real one; it is given the file to write."""

    def put(convert):
        monkeypatch.setattr(maker, "_convert", lambda build, made, *rest: convert(made))

    return put


@pytest.mark.parametrize(
    ("precision", "target", "format_", "files"),
    [
        ("fp16", "cpu", "onnx", ["tiny.fp16.onnx"]),
        ("fp16", "cpu", "ir", ["tiny.fp16.bin", "tiny.fp16.xml"]),
        ("int8", "cpu", "onnx", ["tiny.int8.onnx"]),
        ("int8", "cpu", "ir", ["tiny.int8.bin", "tiny.int8.xml"]),
        ("int8", "tensorrt", "onnx", ["tiny.int8-tensorrt.onnx"]),
    ],
)
def test_every_build_is_made_beside_the_original_and_agrees(source, precision, target, format_, files):
    for package in ["onnx"] * (format_ == "onnx") + ["nncf"] * (files[0] == "tiny.int8.bin"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    checked = made(source, a_build(source, precision, target, format_))
    assert checked
    assert all(one.agreements[0].psnr_db > 25 for one in checked)
    assert left(source.parent) == sorted([*files, "tiny.onnx"])


def test_a_spoiled_build_is_refused_and_the_old_one_stays(source, converting):
    place = a_build(source).path
    place.write_bytes(b"the old one")
    converting(lambda made: scaling_network(made, 0.9))
    with pytest.raises(ModelError, match="too far from FP32: onnx: result: PSNR"):
        made(source)
    assert place.read_bytes() == b"the old one"
    assert left(source.parent) == ["tiny.int8.onnx", "tiny.onnx"]


def test_a_network_that_overflows_in_fp16_is_refused(tmp_path):
    pytest.importorskip("onnx")
    source = scaling_network(tmp_path / "hot.onnx", 300.0, 300.0, 1 / 90000)
    with pytest.raises(ModelError, match=r"hot\.onnx is refused.*not finite"):
        made(source, a_build(source, "fp16"))
    assert left(tmp_path) == ["hot.onnx"]


def test_a_forbidden_precision_is_not_even_tried(source, converting):
    converting(lambda made: pytest.fail("converted"))
    with pytest.raises(ModelError, match="forbids"):
        made(source, tolerance=Tolerance(forbid=("int8",)))


def test_a_damaged_original_is_said_before_the_conversion(source, converting):
    converting(lambda made: pytest.fail("converted"))
    source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cut short"):
        made(source)


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_build_leaves_nothing(source, converting, interruption):
    def convert(made):
        made.write_bytes(b"half")
        raise interruption

    converting(convert)
    with pytest.raises(interruption):
        made(source)
    assert left(source.parent) == ["tiny.onnx"]


def test_what_a_killed_build_left_is_cleared_by_the_next(source, converting):
    (source.parent / f"{maker.WORK_PREFIX}dead").mkdir()
    (source.parent / f"{maker.WORK_PREFIX}dead" / "half.onnx").write_bytes(b"half")
    converting(lambda made: shutil.copy(source, made))
    made(source)
    assert left(source.parent) == ["tiny.int8.onnx", "tiny.onnx"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said(source, converting, number):
    def convert(made):
        made.write_bytes(b"half")
        raise OSError(number, os.strerror(number))

    converting(convert)
    with pytest.raises(ModelError, match="no space left"):
        made(source)
    assert left(source.parent) == ["tiny.onnx"]


@pytest.mark.parametrize(("free", "told"), [(1, "no space left"), (10**9, "cannot be converted: odd")])
def test_a_full_disk_behind_a_librarys_own_words(source, converting, monkeypatch, free, told):
    def convert(made):
        usage = shutil._ntuple_diskusage(10**9, 10**9 - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
        raise RuntimeError("Exception from somewhere\nodd.")

    converting(convert)
    with pytest.raises(ModelError, match=told.replace("converted", "converted to int8")):
        made(source)


def test_too_little_room_is_said_before_the_start(source, converting, monkeypatch):
    converting(lambda made: pytest.fail("converted"))
    usage = shutil._ntuple_diskusage(100, 99, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ModelError, match=r"needs .* MB"):
        made(source)


def test_a_folder_that_is_not_writable(source, converting, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(maker.tempfile, "mkdtemp", refuse)
    with pytest.raises(ModelError, match="Permission denied"):
        made(source)


def test_the_second_build_waits_for_the_first(source, converting, caplog):
    converting(lambda made: shutil.copy(source, made))
    lock = FileLock(source.parent / ".building.lock", thread_local=False)
    lock.acquire()
    waiting = threading.Event()
    caplog.handler.addFilter(lambda record: waiting.set() or True)
    second = threading.Thread(target=made, args=(source,))
    second.start()
    try:
        assert waiting.wait(60)
        assert not a_build(source).path.exists()
        assert "another process" in caplog.text
    finally:
        lock.release()
        second.join(60)
    assert a_build(source).path.is_file()


def test_a_lock_that_is_never_given_up(source, converting, monkeypatch):
    monkeypatch.setattr(maker, "LOCK_TIMEOUT_S", 0.0)
    with FileLock(source.parent / ".building.lock"), pytest.raises(ModelError, match="another process"):
        made(source)


def test_a_new_ir_replaces_both_halves(source, converting):
    build = a_build(source, "fp16", "cpu", "ir")
    for half in (build.path, build.path.with_suffix(".bin")):
        half.write_bytes(b"old")
    made(source, build)
    session = open_session(build.path, "openvino")
    try:
        assert session.run(FEEDS[0])["result"].shape == (1, 3, 16, 16)
    finally:
        session.close()
