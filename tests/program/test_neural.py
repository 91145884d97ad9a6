"""Neural swappers at their worst, as a user meets them: a clear error, or a face that nobody sees."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.added import add_model
from realtime.capture.portrait import draw_portrait
from tests.fakes.frames import secret_picture, shows_secret
from tests.fakes.networks_masks import parts_network
from tests.fakes.networks_swap import (
    Fault,
    converter_network,
    permutation,
    recogniser_network,
    swapper_network,
)
from tests.program.process import realtime

SIZE = (640, 360)
CELL_PX = 16
FRAMES = 8


@pytest.fixture
def folder(tmp_path: Path, default_models: Path) -> Iterator[Path]:
    """Models of the test's own: a recogniser that sees something, and one that sees nothing."""
    folder = tmp_path / "models"
    shutil.copytree(default_models, folder, ignore=shutil.ignore_patterns("*.onnx", "*.json", ".*"))
    for name, gain in (("seeing", 1.0), ("blind", 0.0)):
        add_model(recogniser_network(tmp_path / f"{name}.onnx", gain=gain), "arcface", name, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REALTIME_MODELS", str(folder))
        yield folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A face beside a pattern that only the raw frame shows."""
    height, width = SIZE[1], SIZE[0]
    picture = draw_portrait(SIZE)
    picture[:, :128] = secret_picture(height, 128, CELL_PX)
    cv2.imwrite(str(tmp_path / "face.png"), draw_portrait((480, 480)))
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        for packet in [*(p for _ in range(FRAMES) for p in stream.encode(frame)), *stream.encode()]:
            container.mux(packet)
    return path


def swapper(
    tmp_path: Path, folder: Path, fault: Fault = "", sees: str = "seeing", family: str = "hyperswap"
) -> str:
    hyper = family == "hyperswap"
    path = swapper_network(tmp_path / "mine.onnx", side=256, mask=hyper, fault=fault)
    return add_model(path, family, "mine", folder, needs=[sees]).name


def made(tmp_path: Path) -> list[np.ndarray]:
    with av.open(str(tmp_path / "out.mp4")) as container:
        return [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]


def test_a_good_one_shows_the_frame_and_another_face(tmp_path: Path, folder: Path, clip: Path) -> None:
    swapper(tmp_path, folder)
    done = realtime(
        "convert", clip, "-o", "out.mp4", "--swapper", "mine", "--face", "face.png", "--report", "r.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["outcomes"]["swapped"] == FRAMES
    assert report["detect"]["covered"] == 0
    assert shows_secret(made(tmp_path)[0], CELL_PX), "the pattern survives where the frame is shown"


@pytest.mark.parametrize(
    ("fault", "masks", "says"),
    [
        ("nan", (), "no numbers"),
        ("constant", (), "nothing but one colour"),
        ("same", (), "the wearer's own face back"),
        ("", ("box", "hull", "parts"), "the wearer's own would be seen"),
    ],
)
def test_what_cannot_be_shown_is_covered_and_counted(
    tmp_path: Path, folder: Path, clip: Path, fault: Fault, masks: tuple[str, ...], says: str
) -> None:
    swapper(tmp_path, folder, fault)
    if masks:  # it takes a drawn face for the ground behind
        add_model(parts_network(tmp_path / "parts.onnx"), "bisenet", "parts", folder)
    done = realtime(
        "convert", clip, "-o", "out.mp4", "--swapper", "mine", "--face", "face.png", "--report", "r.json",
        *(word for mask in masks for word in ("--mask", mask)),
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a face is covered") == 1
    assert says in done.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["detect"]["covered"] == FRAMES
    assert report["outcomes"]["swapped"] == 0
    pictures = made(tmp_path)
    assert len(pictures) == FRAMES
    assert not any(shows_secret(picture, CELL_PX) for picture in pictures)


@pytest.mark.parametrize(
    ("sees", "family", "more", "code", "says", "cure"),
    [
        ("blind", "hyperswap", {}, 2, "makes nothing of picture 1", "check the recogniser"),
        ("seeing", "simswap", {}, 4, "crossface_simswap", "models fetch crossface_simswap"),
        ("seeing", "hyperswap", {"--fidelity": "1.5"}, 2, "neural.fidelity", "config schema"),
        ("seeing", "hyperswap", {"--boost": "5"}, 2, "boosted 5 times", "choose one of"),
        ("seeing", "hyperswap", {"REALTIME_MASK_PADDING": "45,45,45,45"}, 2, "next to nothing", "smaller"),
        ("seeing", "hyperswap", {"--swapper": "seeing"}, 4, "not a swapper", "models list"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(
    tmp_path: Path,
    folder: Path,
    clip: Path,
    sees: str,
    family: str,
    more: dict[str, str],
    code: int,
    says: str,
    cure: str,
) -> None:
    swapper(tmp_path, folder, sees=sees, family=family)
    flags = {"--swapper": "mine", "--face": "face.png", "-o": "out.mp4"}
    flags |= {key: value for key, value in more.items() if key.startswith("-")}
    with pytest.MonkeyPatch.context() as patch:
        for key in set(more) - set(flags):
            patch.setenv(key, more[key])
        done = realtime("convert", clip, *(word for pair in flags.items() for word in pair), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert done.stderr.count("error: ") == 1
    assert says in done.stderr
    assert cure in done.stderr.partition("\n  -> ")[2]
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("out*"))


def test_a_converter_of_ones_own_is_used(tmp_path: Path, folder: Path, clip: Path) -> None:
    add_model(converter_network(tmp_path / "own.onnx", permutation()), "crossface", "own", folder)
    path = swapper_network(tmp_path / "sim.onnx", side=256)
    add_model(path, "simswap", "sim", folder, needs=["seeing", "own"])
    done = realtime("convert", clip, "-o", "out.mp4", "--swapper", "sim", "--face", "face.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(made(tmp_path)) == FRAMES
