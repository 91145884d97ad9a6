"""A swapper whose pictures stay on a real GPU, beside the CPU's chain on the same network."""

import sys
import time
from statistics import median

import cv2
import numpy as np
import pytest

from models.catalog import load_catalog
from models.cuda.base import CudaError
from models.errors import SwapError
from models.neural.align import crop
from models.neural.chain import FaceChain
from models.neural.face import Crop, GivenFace
from models.neural.open_device_faces import open_device_faces
from models.neural.settings import ChainSettings
from models.neural.swapper import open_swapper
from models.paste_back import PasteBack, aligned_face
from tests.fakes.device_gpu import SWAPPER, coloured
from tests.fakes.networks_swap import swapper_network
from tests.fakes.wearers import PLAIN, TEMPLATE, alike, by_the_cpu, frame_of, given, laid

pytestmark = pytest.mark.gpu

SHAPE = (1080, 1920, 3)
EYES_PX = 170
LEFT, RIGHT = (500, 500), (1400, 520)
ROUNDS = 100


@pytest.fixture
def opened(library, tmp_path, monkeypatch):
    """Open a swapper on the GPU; all are closed after the test."""
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path / "kept"))
    model = load_catalog()[SWAPPER]
    made = []

    def opened(settings=PLAIN, **network):
        swapper_network(tmp_path / model.file, **{"side": 256, "batch": "faces", **network})
        try:
            made.append(
                open_device_faces(
                    model, tmp_path, "GPU", time.perf_counter_ns, settings=settings, library=library
                )
            )
        except CudaError as error:
            pytest.skip(f"no compiled kernels: {error.message}")
        return made[-1]

    opened.model, opened.folder = model, tmp_path
    try:
        import tensorrt  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"no TensorRT: {error}")
    yield opened
    for each in made:
        each.close()


@pytest.mark.parametrize("settings", [PLAIN, ChainSettings(colour=1.0)])
@pytest.mark.parametrize("places", [(LEFT,), (LEFT, RIGHT), ((30, 40),)])
def test_faces_are_those_of_the_cpu(opened, places, settings):
    chain = opened(settings)
    bgr = frame_of(*places, shape=SHAPE, eyes_px=EYES_PX)
    frame = chain.room(*SHAPE[:2])
    np.copyto(frame, bgr)
    jobs = [given(frame, place, number, eyes_px=EYES_PX) for number, place in enumerate(places)]
    expected, picture = by_the_cpu(opened.model, opened.folder, bgr, jobs, settings)
    made = chain.run(jobs).faces
    for face, other in zip(made, expected, strict=True):
        assert face.error is None
        # TF32, which TensorRT may use for products, has 10 bits.
        alike(face.bgr, other.bgr, 4, 0.5)
    alike(laid(bgr, made), picture, 5, 0.5)


def test_what_is_not_finite_is_refused(opened):
    chain = opened(fault="nan")
    frame = frame_of(LEFT, RIGHT, shape=SHAPE, eyes_px=EYES_PX)
    refused, made = chain.run(
        [
            given(frame, LEFT, 1, coloured((-3.0, -3.0, -3.0)), eyes_px=EYES_PX),
            given(frame, RIGHT, 2, coloured((0.1, 0.1, 0.1)), eyes_px=EYES_PX),
        ]
    ).faces
    assert isinstance(refused.error, SwapError)
    assert made.error is None


def test_how_long_it_takes_beside_the_cpu(opened, capsys):
    """Told, not judged. Both run the network by TensorRT; the CPU's side cuts, decodes and pastes itself."""
    chain = opened(ChainSettings(colour=1.0))
    cpu = FaceChain(
        open_swapper(opened.model, opened.folder, "tensorrt"),
        time.perf_counter_ns,
        settings=ChainSettings(colour=1.0),
    )
    bgr = frame_of(LEFT, shape=SHAPE, eyes_px=EYES_PX)
    out, paster, feed = bgr.copy(), PasteBack(), coloured((0.2, -0.1, 0.0))
    took_ms: dict[str, list[float]] = {"device": [], "CPU": []}
    for turn in range(ROUNDS):
        captured_ns = turn * 33_000_000
        began = time.perf_counter()
        frame = chain.room(*SHAPE[:2])
        np.copyto(frame, bgr)
        job = given(frame, LEFT, feed=feed, captured_ns=captured_ns, eyes_px=EYES_PX)
        chain.run([job])
        between = time.perf_counter()
        where = job.uncut.where
        cut = {TEMPLATE: Crop(where, crop(bgr, where))}
        (face,) = cpu.run([GivenFace(1, captured_ns, job.points, feed, cut)]).faces
        np.copyto(out, bgr)
        paster.paste(out, aligned_face(face.bgr, cv2.min(face.alpha, job.uncut.alpha)), where)
        took_ms["device"].append(1e3 * (between - began))
        took_ms["CPU"].append(1e3 * (time.perf_counter() - between))
    cpu.close()
    with capsys.disabled():
        told = ", ".join(f"{side} {median(each):.2f} ms" for side, each in took_ms.items())
        sys.stdout.write(
            f"\n1080p, one face, its pictures on the device or the CPU, p50 of {ROUNDS}: {told}\n"
        )
