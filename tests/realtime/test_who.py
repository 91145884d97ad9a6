from contextlib import closing

import cv2
import numpy as np
import pytest

from models.added import add_model
from models.catalog import DEFAULT_CHAIN
from models.detector import open_detector
from models.errors import ModelError
from models.landmarker import Landmarks, open_landmarker
from realtime import who
from realtime.assembly import analyse
from realtime.bench.replay import replay
from realtime.casting.parts import COVERED, Hide, Leave, Wear
from realtime.cli import parser
from realtime.clock import NS_PER_MS
from realtime.commands.flags import configured
from realtime.config import FaceConfig
from realtime.config_layers import Layers, load, schema
from realtime.errors import ConfigError
from realtime.frame import Face, Frame
from realtime.telemetry.histogram import Histogram
from realtime.who import check_who, open_identification, others_of, recogniser_of, worn_uris
from tests.data import clip
from tests.data import model as shared_model
from tests.fakes.clock import FakeClock
from tests.fakes.head import picture_of, posed, skin_texture
from tests.fakes.recognisers import PlacedRecogniser, colour_recogniser

ANNA, BEN = "anna.png", "ben.png"


@pytest.mark.parametrize(
    "face",
    [
        FaceConfig(),
        FaceConfig((ANNA, BEN)),
        FaceConfig((ANNA,), "one", "alone"),
        FaceConfig((ANNA, BEN), "left-to-right", "persona:bronze"),
        FaceConfig((ANNA, ANNA), "reference", "blur", ("x.png", "y.png")),
    ],
)
def test_what_goes_together(face: FaceConfig) -> None:
    check_who(face)


@pytest.mark.parametrize(
    ("face", "says"),
    [
        (FaceConfig(()), "no face to put on"),
        (FaceConfig((ANNA,), "many", "blur"), "everybody gets one"),
        (FaceConfig((ANNA, BEN), "one"), "2 faces are given"),
        (FaceConfig((ANNA,), "one", references=("x.png",)), "nobody is compared"),
        (FaceConfig((ANNA,), "reference"), "1 face, no references"),
        (FaceConfig((ANNA, BEN), "reference", references=("x.png",)), "nobody is named to wear ben.png"),
        (FaceConfig((ANNA,), "reference", references=("x.png", "y.png")), "for the person of y.png"),
        (FaceConfig((ANNA,), "reference", references=("persona:bronze",)), "nobody looks like a persona"),
        (FaceConfig((ANNA,), "one", "persona:bronzze"), "did you mean persona:bronze"),
        (FaceConfig((ANNA,), "one", "bronze"), "did you mean persona:bronze"),
        (FaceConfig((ANNA,), "one", "blurr"), "did you mean blur"),
        (FaceConfig((ANNA,), "one", "me.png"), "says nothing"),
    ],
)
def test_what_does_not(face: FaceConfig, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_who(face)
    assert says in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("others", "part"),
    [
        ("", COVERED),
        ("cover", COVERED),
        ("blur", Hide("blur")),
        ("pixel", Hide("pixel")),
        ("persona:blur", Hide("blur")),
        ("alone", Leave()),
        ("persona:bronze", Wear(2)),
    ],
)
def test_what_becomes_of_the_others(others: str, part: object) -> None:
    face = FaceConfig((ANNA, BEN), "left-to-right", others)
    assert others_of(face) == part
    worn = (ANNA, BEN, others) if isinstance(part, Wear) else (ANNA, BEN)
    assert worn_uris(face) == worn


def test_flags_file_and_environment_set_it() -> None:
    environment = {"REALTIME_FACE_REFERENCES": "x.png, y.png", "REALTIME_FACE_WHO": "one"}
    face = load(Layers(environment=environment, flags={"face.who": "reference"})).face
    assert face.references == ("x.png", "y.png")
    assert face.who == "reference"
    with pytest.raises(ConfigError, match=r"face\.who"):
        load(Layers(flags={"face.who": "largest"}))
    with pytest.raises(ConfigError, match=r"face\.likeness"):
        load(Layers(flags={"face.likeness": 1.5}))


def test_the_command_line_sets_it() -> None:
    line = "run --face a.png --reference x.png --face b.png --reference y.png --who reference --others blur"
    face = configured(parser().parse_args([*line.split(), "--recogniser", "mine"])).face
    assert face == FaceConfig(("a.png", "b.png"), "reference", "blur", ("x.png", "y.png"), "mine")


def test_the_schema_says_what_may_become_of_the_others() -> None:
    properties = schema()["$defs"]["FaceConfig"]["properties"]
    assert "alone: shown bare" in properties["others"]["description"]
    assert "left-to-right" in properties["who"]["enum"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("REALTIME_MODELS", str(folder))
    monkeypatch.setenv("REALTIME_FACES", str(tmp_path / "faces"))
    return folder


SEEN = Landmarks(posed((160, 160), 60.0), 0.9)


def opened(folder, flags, spent=None, analyse=lambda bgr: (SEEN,)):
    config = load(Layers(flags={f"face.{key}": value for key, value in flags.items()}))
    return open_identification(
        config, folder, analyse, ("blazeface_short_range",), FakeClock(), spent or Histogram()
    )


def picture(path, dimmed=1):
    cv2.imwrite(str(path), picture_of(skin_texture(), posed()) // dimmed)
    return str(path)


def test_without_references_no_recogniser_is_needed(folder, caplog) -> None:
    assert recogniser_of(FaceConfig(), folder) is None
    frame = Frame(0, 0, np.zeros((320, 320, 3), np.uint8))
    faces = [Face(1, SEEN.points, 0.9), Face(2, SEEN.points, 0.9)]
    identification = opened(folder, {"who": "one", "others": "blur"})
    assert identification.cast(frame, faces) == {1: Wear(0), 2: Hide("blur")}
    assert opened(folder, {}).cast(frame, faces) == {1: Wear(0), 2: Wear(0)}
    assert caplog.records == []


def test_leaving_people_bare_is_said_aloud(folder, caplog) -> None:
    opened(folder, {"who": "one", "others": "alone"})
    assert "are shown bare" in caplog.text


def test_a_reference_without_a_recogniser_says_what_to_fetch(folder, tmp_path) -> None:
    with pytest.raises(ModelError, match="needs a recogniser"):
        opened(folder, {"who": "reference", "references": [picture(tmp_path / "x.png")]})


def test_what_does_not_go_together_is_not_opened(folder) -> None:
    with pytest.raises(ConfigError, match="everybody gets one"):
        opened(folder, {"others": "blur"})


def test_a_recogniser_is_closed_when_a_reference_shows_nobody(folder, tmp_path, monkeypatch) -> None:
    add_model(colour_recogniser(tmp_path / "mine.onnx"), "arcface", "mine", folder)
    recogniser = PlacedRecogniser()
    monkeypatch.setattr(who, "open_recogniser", lambda *_: recogniser)
    flags = {"who": "reference", "references": [picture(tmp_path / "x.png")]}
    with pytest.raises(ConfigError, match="no face was found"):
        opened(folder, flags, analyse=lambda bgr: ())
    assert recogniser.closed == 1


@pytest.mark.parametrize(("likeness", "near"), [(0.0, Wear(0)), (0.95, COVERED)])
def test_a_person_like_the_reference_gets_the_face(folder, tmp_path, likeness: float, near) -> None:
    add_model(colour_recogniser(tmp_path / "mine.onnx"), "arcface", "mine", folder)
    flags = {"who": "reference", "references": [picture(tmp_path / "x.png")], "likeness": likeness}
    spent = Histogram()
    identification = opened(folder, flags, spent)
    like = cv2.imread(str(tmp_path / "x.png"))
    alike = like.copy()
    alike[:, 190:] = 255 - alike[:, 190:]
    for number, (bgr, part) in enumerate(((like, Wear(0)), (alike, near), (255 - like, COVERED)), 1):
        for frame in range(10):
            at_ns = (10 * number + frame) * 100 * NS_PER_MS
            parts = identification.cast(Frame(frame, at_ns, bgr), [Face(number, SEEN.points, 0.9)])
        assert parts == {number: part}
    assert spent.count >= 6
    identification.close()


def test_a_reference_is_kept_for_the_next_start(folder, tmp_path) -> None:
    add_model(colour_recogniser(tmp_path / "mine.onnx"), "arcface", "mine", folder)
    flags = {"who": "reference", "references": [picture(tmp_path / "x.png")]}
    opened(folder, flags).close()

    def never(bgr):
        raise AssertionError("the reference was looked at before")

    opened(folder, flags, analyse=never).close()


def test_people_of_a_real_clip_are_told_apart_within_a_second(folder, tmp_path, default_models) -> None:
    recogniser = shared_model("foamliu_MobileFaceNet.onnx")
    (folder / recogniser.name).symlink_to(recogniser)
    frames = []
    for frame in replay(str(clip("mosaic4_1280x720.mp4")), 1280, 720, 25.0, 3.0):
        frames.append(frame)
    # The person at the upper right and the one at the lower left, as they look three seconds later.
    cv2.imwrite(str(tmp_path / "upper.png"), frames[-1].bgr[:360, 640:])
    cv2.imwrite(str(tmp_path / "lower.png"), frames[-1].bgr[360:, :640])
    references = [str(tmp_path / name) for name in ("upper.png", "lower.png")]
    faces = ["persona:bronze", "persona:ink"]
    flags = {"who": "reference", "uris": faces, "references": references, "others": "alone"}
    detector_name, landmarker_name = DEFAULT_CHAIN
    with (
        closing(open_detector(detector_name, default_models)) as detector,
        closing(open_landmarker(landmarker_name, default_models)) as landmarker,
    ):
        identification = opened(folder, flags, analyse=lambda bgr: analyse(bgr, detector, landmarker))
        people = [
            Face(n, one.points, one.score)
            for n, one in enumerate(analyse(frames[0].bgr, detector, landmarker), 1)
        ]
        first = identification.cast(frames[0], people)
        assert set(first.values()) == {COVERED}
        for seq in range(1, 26):
            parts = identification.cast(Frame(seq, seq * 40 * NS_PER_MS, frames[0].bgr), people)
        identification.close()
    assert len(people) == 4
    for face in people:
        x, y = face.points[:, :2].mean(axis=0)
        upper, lower = x > 640 and y < 360, x < 640 and y > 360
        assert parts[face.id] == (Wear(0) if upper else Wear(1) if lower else Leave())
