"""The neural chain as the program opens it, on networks whose answers can be computed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from models.errors import ModelError, SettingError
from models.hidden import HiddenFace
from models.landmarker import Landmarks
from models.neural.source_feed import SourceFeed
from realtime.casting.parts import Wear
from realtime.clock import MonotonicClock
from realtime.config import Config, FaceConfig, MaskConfig, NeuralConfig, PipelineConfig
from realtime.dressing import Dresser, swap_models
from realtime.errors import ConfigError
from realtime.frame import Face, Frame
from realtime.replacement import Replacement
from realtime.swap.base import Times
from realtime.swap.patience import Late
from realtime.swap.sliders import sliders
from tests.fakes.head import picture_of, posed, skin_texture
from tests.fakes.networks_masks import xseg_network
from tests.fakes.networks_swap import dfm_network, picture_swapper, recogniser_network, swapper_network

SWAPPER = "hyperswap_1a_256"
POINTS = posed((160, 160), 90)
WHOLE_FACE = Landmarks(POINTS, 0.95)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    swapper_network(tmp_path / f"{SWAPPER}.onnx", side=256, mask=True, batch="faces")
    recogniser_network(tmp_path / "arcface_w600k_r50.onnx", gain=20)
    xseg_network(tmp_path / "xseg_3.onnx")
    return tmp_path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "anna.png"
    # Somebody else than the wearer: red and blue are the other way round.
    cv2.imwrite(str(path), picture_of(skin_texture(), POINTS)[:, :, ::-1])
    return path


def config(picture: Path | str, swapper: str = SWAPPER, **sections: Any) -> Config:
    """Every frame waits for its own faces, however slow this machine is."""
    given = {"late": Late.NEVER, **sections.pop("pipeline", {})}
    pipeline = PipelineConfig(swapper=swapper, occlusion="off", **given)
    return replace(Config(), pipeline=pipeline, face=FaceConfig(uris=(str(picture),)), **sections)


def dresser(folder: Path) -> Dresser:
    return Dresser(folder, MonotonicClock(), lambda bgr: (WHOLE_FACE,))


@pytest.fixture
def opened(folder: Path) -> Iterator[list[Replacement]]:
    made: list[Replacement] = []
    yield made
    for replacement in made:
        replacement.close()


def painted(replacement: Replacement, times: Times | None = None) -> tuple[np.ndarray, np.ndarray, bool]:
    """A frame, what is made of it, and whether its face was replaced."""
    frame = Frame(1, MonotonicClock().now_ns(), picture_of(skin_texture(), POINTS))
    face, spent = Face(1, POINTS, 0.95), times or Times()
    parts = {1: Wear(0)}
    replacement.begin(frame, [face], parts, spent)
    picture = frame.bgr.copy()
    return frame.bgr, picture, replacement.replace(picture, frame, face, parts[1], spent)


def test_a_picture_becomes_a_face_and_the_face_is_painted(
    folder: Path, picture: Path, opened: list[Replacement]
) -> None:
    plain = config(picture, neural=NeuralConfig(colour=0))
    opened.append(dresser(folder).replacement(plain))
    times = Times()
    before, after, replaced = painted(opened[0], times)
    assert replaced
    middle = np.s_[150:170, 150:170]
    assert (after[middle] != before[middle]).any()
    np.testing.assert_array_equal(after[:20], before[:20])
    assert {"swap", "mask", "compose"} <= set(times.spent_ns)


def test_lossless_work_waits_for_every_face(folder: Path, picture: Path, opened: list[Replacement]) -> None:
    opened.append(dresser(folder).replacement(config(picture, pipeline={"late": Late.ALWAYS}), lossless=True))
    assert painted(opened[0])[2]


def test_a_mask_of_the_catalogue_comes_with_the_face(
    folder: Path, picture: Path, opened: list[Replacement]
) -> None:
    masked = config(picture, mask=MaskConfig(masks=("box", "hull", "own", "xseg_3")))
    assert swap_models(masked) == (SWAPPER, "xseg_3")
    opened.append(dresser(folder).replacement(masked))
    assert painted(opened[0])[2]


def test_sliders_are_told_to_the_open_chain(folder: Path, picture: Path, opened: list[Replacement]) -> None:
    start = config(picture, neural=NeuralConfig(colour=0))
    opened.append(dresser(folder).replacement(start))
    _, as_it_is, _ = painted(opened[0])
    beyond = replace(start, neural=NeuralConfig(colour=0, fidelity=1.0))
    opened[0].adjust(sliders(beyond))
    _, beyond_it, replaced = painted(opened[0])
    assert replaced
    middle = np.s_[150:170, 150:170]
    assert (as_it_is[middle] != beyond_it[middle]).any()
    opened[0].adjust(sliders(start))
    np.testing.assert_array_equal(painted(opened[0])[1], as_it_is)


def test_a_face_in_the_file_itself_needs_no_picture(tmp_path: Path, opened: list[Replacement]) -> None:
    from models.added import add_model

    dfm_network(tmp_path / "celeb.dfm", side=64)
    folder = tmp_path / "models"
    folder.mkdir()
    add_model(tmp_path / "celeb.dfm", "dfm", "celeb", folder)
    environment = pytest.MonkeyPatch()
    environment.setenv("REALTIME_MODELS", str(folder))
    try:
        wanted = config("persona:porcelain", "celeb", neural=NeuralConfig(morph=0.2))
        opened.append(dresser(folder).replacement(wanted))
        assert painted(opened[0])[2]
    finally:
        environment.undo()


def test_a_swapper_that_is_fed_by_a_picture_needs_no_recogniser(
    folder: Path, picture: Path, opened: list[Replacement]
) -> None:
    picture_swapper(folder / "blendswap_256.onnx", side=256, source_side=112)
    (folder / "arcface_w600k_r50.onnx").unlink()
    plain = config(picture, "blendswap_256", neural=NeuralConfig(colour=0))
    opened.append(dresser(folder).replacement(plain))
    before, after, replaced = painted(opened[0])
    assert replaced
    assert (after[150:170, 150:170] != before[150:170, 150:170]).any()


def test_a_fidelity_that_changes_nothing_is_told(
    folder: Path, picture: Path, opened: list[Replacement], caplog: pytest.LogCaptureFixture
) -> None:
    picture_swapper(folder / "blendswap_256.onnx", side=256, source_side=112)
    told = config(picture, "blendswap_256", neural=NeuralConfig(fidelity=1.0))
    opened.append(dresser(folder).replacement(told))
    assert "the fidelity changes nothing" in caplog.text


def test_a_persona_that_is_drawn_is_not_for_networks(folder: Path) -> None:
    with pytest.raises(ConfigError, match="looks like nobody"):
        dresser(folder).worn(config("persona:porcelain"))


def test_a_persona_that_hides_is(folder: Path) -> None:
    (hidden,) = dresser(folder).worn(config("persona:blur"))
    assert isinstance(hidden, HiddenFace)


def test_each_picture_is_its_own_feed(folder: Path, picture: Path) -> None:
    two = replace(config(picture), face=FaceConfig(uris=(str(picture), str(picture))))
    feeds = dresser(folder).worn(two)
    assert len(feeds) == 2
    assert all(isinstance(feed, SourceFeed) for feed in feeds)


def test_a_picture_without_a_face_is_told(folder: Path, picture: Path) -> None:
    cv2.imwrite(str(picture), np.full((200, 200, 3), 77, np.uint8))
    blind = Dresser(folder, MonotonicClock(), lambda bgr: ())
    with pytest.raises(ConfigError, match="no face was found"):
        blind.worn(config(picture))


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"swapper": "gfpgan_1.4"}, ModelError, "not a swapper"),
        ({"swapper": "inswaper_128"}, ModelError, "no model named"),
        ({"neural": NeuralConfig(boost=5)}, SettingError, "cannot be boosted 5 times"),
        ({"mask": MaskConfig(masks=("hull",))}, SettingError, "box cannot be left out"),
        ({"mask": MaskConfig(masks=("box", "scrfd_500m"))}, ModelError, "not a mask"),
        ({"pipeline": {"enhancer": SWAPPER}}, ModelError, "not an enhancer"),
    ],
)
def test_what_cannot_be_opened_is_told(
    folder: Path, picture: Path, changed: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        dresser(folder).replacement(config(picture, **changed))


def test_a_swapper_whose_file_is_missing_is_told(tmp_path: Path, picture: Path) -> None:
    recogniser_network(tmp_path / "arcface_w600k_r50.onnx")
    with pytest.raises(ModelError, match="hyperswap"):
        dresser(tmp_path).replacement(config(picture))
