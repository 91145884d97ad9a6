from collections.abc import Iterator

import numpy as np
import pytest

from realtime.card import Cards
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.conversion import Conversion, MediaClock, OnePicture
from realtime.errors import BackendError
from realtime.fault import FaultGate, FaultPolicy
from realtime.frame import Frame, Outcome, PictureKind
from realtime.mark import Mark
from realtime.pipeline import Pipeline, PipelineFigures
from realtime.publisher import Publisher
from realtime.replacement import Replacement
from realtime.swap.mesh import MeshPainter
from realtime.tracking import Tracker, TrackerSettings
from tests.fakes.casting import everybody
from tests.fakes.clock import FakeClock
from tests.fakes.frames import secret_frame, shows_secret
from tests.fakes.swapper import PaintingSwapper, blank_source
from tests.fakes.vision import FakeDetector, FakeLandmarker, Stage

FRAME_NS = NS_PER_S // 30


class Rig:
    def __init__(self, policy: FaultPolicy = FaultPolicy.HOLD) -> None:
        self.stage, self.swapper = Stage(((64, 36), 60)), PaintingSwapper()
        pipeline = Pipeline(
            FakeDetector(self.stage),
            FakeLandmarker(self.stage),
            Tracker(TrackerSettings()),
            everybody(),
            Replacement(MeshPainter(self.swapper, FakeClock()), (blank_source("anna"),), FakeClock()),
            FakeClock(),
            PipelineFigures(),
        )
        clock, shown = MediaClock(), OnePicture()
        publisher = Publisher(shown, Mark(enabled=True), Cards(), clock, (128, 72))
        self.conversion = Conversion(pipeline, publisher, shown, clock, FaultGate(policy, 500 * NS_PER_MS))

    def frames(self, count: int, face_until: int) -> Iterator[Frame]:
        for seq in range(count):
            if seq == face_until:
                self.stage.faces.clear()
            yield secret_frame(seq, seq * FRAME_NS)


def test_every_frame_makes_one_picture_with_its_own_time() -> None:
    rig = Rig()
    pictures = list(rig.conversion.pictures(rig.frames(60, face_until=20)))
    assert [picture.captured_ns for picture in pictures] == [seq * FRAME_NS for seq in range(60)]
    assert sum(rig.conversion.outcomes.values()) == 60


def test_a_lost_face_is_held_for_half_a_second_of_the_clip_then_a_card_stands() -> None:
    rig = Rig()
    pictures = list(rig.conversion.pictures(rig.frames(60, face_until=20)))
    kinds = [picture.kind for picture in pictures]
    assert kinds[:20] == [PictureKind.SWAPPED] * 20
    first_card = kinds.index(PictureKind.CARD)
    assert 19 * FRAME_NS + 500 * NS_PER_MS <= first_card * FRAME_NS <= 21 * FRAME_NS + 500 * NS_PER_MS
    assert set(kinds[first_card:]) == {PictureKind.CARD}
    assert rig.conversion.outcomes[Outcome.HELD] == first_card - 20


@pytest.mark.parametrize("policy", [FaultPolicy.HOLD, FaultPolicy.CARD, FaultPolicy.BLUR])
def test_a_frame_without_a_face_is_not_written_as_it_is(policy: FaultPolicy) -> None:
    rig = Rig(policy)
    pictures = list(rig.conversion.pictures(rig.frames(30, face_until=0)))
    shown = {id(picture.bgr): picture.bgr for picture in pictures}
    assert not any(shows_secret(bgr) for bgr in shown.values())


def test_a_broken_model_ends_it_at_the_start_and_is_a_fault_later() -> None:
    rig = Rig()
    rig.swapper.fail = BackendError("broken", "mend it")
    with pytest.raises(BackendError):
        list(rig.conversion.pictures(rig.frames(3, face_until=3)))
    rig = Rig(FaultPolicy.CARD)
    kinds = []
    for index, picture in enumerate(rig.conversion.pictures(rig.frames(4, face_until=4))):
        kinds.append(picture.kind)
        if index == 1:
            rig.swapper.fail = BackendError("broken", "mend it")
    assert kinds == [PictureKind.SWAPPED] * 2 + [PictureKind.CARD] * 2
    assert rig.conversion.outcomes[Outcome.FAULT] == 2


def test_pictures_are_marked() -> None:
    rig = Rig()
    (picture,) = rig.conversion.pictures(rig.frames(1, face_until=1))
    bare = secret_frame(0, 0).bgr
    corner = np.s_[:20, :60]
    assert (picture.bgr[corner] != bare[corner]).any()
