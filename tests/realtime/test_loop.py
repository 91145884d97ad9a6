import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from models.cuda.base import DeviceLostError
from realtime.card import Cards
from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.errors import BackendError
from realtime.fault import FaultGate, FaultPolicy, Reason
from realtime.frame import Outcome, Picture, PictureKind
from realtime.health import Health, HealthSettings, State
from realtime.loop import ERRORS_BEFORE_RESTART, FIRST_FACE_NS, HANG_NS, FrameLoop, Limits
from realtime.mark import Mark
from realtime.publisher import Publisher
from tests.fakes.clock import FakeClock
from tests.fakes.frames import RecordingOutputs, ScriptedFeed, TimedWork, secret_frame, shows_secret

FRAME_NS = NS_PER_S // 30
HOLD_NS = 500 * NS_PER_MS


@dataclass
class Rig:
    clock: FakeClock
    feed: ScriptedFeed
    work: TimedWork
    outputs: RecordingOutputs
    health: Health
    loop: FrameLoop
    seq: int = 0

    async def film(self, seconds: float) -> None:
        """A 30 fps camera for a while."""
        for _ in range(round(seconds * 30)):
            self.frame()
            await self.clock.run_for(FRAME_NS)

    def frame(self) -> None:
        self.feed.put(secret_frame(self.seq, self.clock.now_ns()))
        self.seq += 1
        self.loop.wake()

    def pictures(self, kind: PictureKind | None = None) -> list[tuple[int, Picture]]:
        found = [(at, picture) for at, picture in self.outputs.pictures if isinstance(picture, Picture)]
        return [(at, picture) for at, picture in found if kind is None or picture.kind is kind]


@asynccontextmanager
async def rig(
    cost_ms: float = 5,
    policy: FaultPolicy = FaultPolicy.HOLD,
    limits: Limits | None = None,
    outcome: Outcome = Outcome.SWAPPED,
    depth: int = 1,
) -> AsyncIterator[Rig]:
    clock = FakeClock()
    feed, outputs = ScriptedFeed(), RecordingOutputs(clock)
    work = TimedWork(clock, int(cost_ms * NS_PER_MS), outcome)
    work.depth = depth
    health = Health(HealthSettings())
    health.started()
    publisher = Publisher(outputs, Mark(enabled=True), Cards(), clock, (128, 72))
    loop = FrameLoop(feed, work, publisher, FaultGate(policy, HOLD_NS), health, clock, limits or Limits())
    stop = asyncio.Event()
    running = asyncio.create_task(loop.run(stop))
    try:
        yield Rig(clock, feed, work, outputs, health, loop)
    finally:
        stop.set()
        feed.over = True
        await asyncio.wait({running}, timeout=5)
        await work.close()
        assert running.done()
        running.result()


async def test_each_frame_is_published_while_the_worker_keeps_up() -> None:
    async with rig(cost_ms=5) as live:
        await live.film(1)
        swapped = live.pictures(PictureKind.SWAPPED)
    assert len(swapped) == 30
    assert {at - picture.captured_ns for at, picture in swapped} == {5 * NS_PER_MS}
    assert live.loop.counts.outcomes[Outcome.SWAPPED] == 30


async def test_a_50_ms_stage_lowers_the_rate_and_never_raises_the_age() -> None:
    async with rig(cost_ms=50) as live:
        await live.film(20)
        swapped = live.pictures(PictureKind.SWAPPED)
    ages_ms = [(at - picture.captured_ns) / NS_PER_MS for at, picture in swapped]
    assert max(ages_ms) < 100
    assert max(ages_ms[-30:]) <= max(ages_ms[:30]) + 0.01
    assert 13 * 20 <= len(swapped) <= 21 * 20
    assert live.feed.dropped > 100


async def test_with_two_in_flight_the_rate_is_higher_and_the_age_is_not() -> None:
    async with rig(cost_ms=50, depth=2) as live:
        await live.film(5)
        swapped = live.pictures(PictureKind.SWAPPED)
    assert len(swapped) > 28 * 5
    assert max(at - picture.captured_ns for at, picture in swapped) <= 51 * NS_PER_MS


async def test_with_two_in_flight_results_are_shown_in_the_order_of_their_frames() -> None:
    async with rig(depth=2) as live:
        live.work.cost_ns = 60 * NS_PER_MS
        live.frame()
        await live.clock.run_for(FRAME_NS)
        live.work.cost_ns = NS_PER_MS
        live.frame()
        await live.clock.run_for(3 * FRAME_NS)
        stamps = [picture.captured_ns for _, picture in live.pictures(PictureKind.SWAPPED)]
    assert len(stamps) == 2
    assert stamps == sorted(stamps)


async def test_a_worker_that_hangs_with_two_in_flight_is_started_anew_once() -> None:
    async with rig(depth=2) as live:
        live.work.hang = True
        await live.film(6)
        assert live.work.restarts == 1
        await live.film(1)
        assert live.outputs.pictures[-1][1].kind is PictureKind.SWAPPED  # type: ignore[attr-defined]


async def test_no_more_frames_are_begun_than_asked_for() -> None:
    async with rig(cost_ms=50, limits=Limits(frames=3), depth=2) as live:
        await live.film(1)
        assert live.loop.counts.processed == 3
        assert len(live.pictures(PictureKind.SWAPPED)) == 3


async def test_published_pictures_rise_in_number_and_in_capture_time() -> None:
    async with rig(cost_ms=40) as live:
        await live.film(3)
        pictures = [picture for _, picture in live.pictures()]
    assert [picture.number for picture in pictures] == list(range(1, len(pictures) + 1))
    stamps = [picture.captured_ns for picture in pictures]
    assert stamps == sorted(set(stamps))


async def test_with_no_face_the_last_picture_is_held_then_a_card_comes() -> None:
    async with rig() as live:
        await live.film(0.5)
        live.work.outcome = Outcome.NO_FACE
        left_ns = live.clock.now_ns()
        await live.film(1.2)
        later = [(at - left_ns, picture) for at, picture in live.pictures() if at > left_ns]
        assert {picture.kind for _, picture in later} == {PictureKind.CARD}
        assert HOLD_NS - FRAME_NS <= later[0][0] <= HOLD_NS + 2 * FRAME_NS
        assert live.health.state(live.clock.now_ns()) == (State.LIVE, "no face in the picture")
        live.work.outcome = Outcome.SWAPPED
        await live.film(0.1)
        assert live.pictures()[-1][1].kind is PictureKind.SWAPPED
    counts = live.loop.counts.outcomes
    assert counts[Outcome.HELD] > 10
    assert counts[Outcome.NO_FACE] > 10
    assert sum(counts.values()) == live.loop.counts.processed + live.loop.counts.failed


async def test_an_unplugged_camera_brings_a_card_within_a_second_and_recovers_by_itself() -> None:
    async with rig() as live:
        await live.film(1)
        live.feed.trouble = "the camera is gone"
        gone_ns = live.clock.now_ns()
        await live.clock.run_for(3 * NS_PER_S)
        cards = [at - gone_ns for at, _ in live.pictures(PictureKind.CARD)]
        assert 0 < cards[0] <= NS_PER_S
        assert live.health.state(live.clock.now_ns()) == (State.RECOVERING, "the camera is gone")
        live.feed.trouble = None
        await live.film(0.2)
        assert live.pictures()[-1][1].kind is PictureKind.SWAPPED
        assert live.health.state(live.clock.now_ns())[0] is State.LIVE


async def test_a_worker_that_hangs_shows_a_card_and_is_started_anew() -> None:
    async with rig() as live:
        await live.film(0.5)
        live.work.hang = True
        live.frame()
        hung_ns = live.clock.now_ns()
        await live.clock.run_for(HANG_NS + NS_PER_S)
        cards = [at - hung_ns for at, _ in live.pictures(PictureKind.CARD)]
        assert cards[0] <= NS_PER_S
        assert live.work.restarts == live.loop.counts.restarts == 1
        await live.film(0.2)
        assert live.pictures()[-1][1].kind is PictureKind.SWAPPED


async def test_while_the_worker_starts_anew_it_is_not_the_camera_that_is_blamed() -> None:
    async with rig() as live:
        live.work.hang = True
        live.work.restart_ns = 3 * NS_PER_S
        live.frame()
        await live.clock.run_for(HANG_NS + 2 * NS_PER_S)
        assert live.health.state(live.clock.now_ns()) == (State.RECOVERING, Reason.WORKER.value)
        await live.clock.run_for(2 * NS_PER_S)
        await live.film(0.2)
        assert live.pictures()[-1][1].kind is PictureKind.SWAPPED


async def test_a_worker_that_keeps_failing_is_started_anew(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as live:
        live.work.fail = BackendError("the swapper failed", "try again")
        await live.film((ERRORS_BEFORE_RESTART + 2) / 30)
        assert live.work.restarts == 1
    assert "the swapper failed; try again" in caplog.text
    assert live.loop.counts.failed >= ERRORS_BEFORE_RESTART


async def test_an_error_after_which_nothing_can_work_ends_it_behind_a_card() -> None:
    with pytest.RaisesGroup(DeviceLostError):
        async with rig(policy=FaultPolicy.CARD) as live:
            await live.film(0.2)
            live.work.fail = DeviceLostError("illegal address")
            await live.film(0.2)
    assert live.work.restarts == 0
    assert live.pictures()[-1][1].kind is PictureKind.CARD
    assert DeviceLostError("").exit_code == 4


async def test_a_picture_older_than_the_hold_time_is_never_shown() -> None:
    async with rig(cost_ms=800) as live:
        await live.film(4)
        kinds = {picture.kind for _, picture in live.pictures()}
        assert live.health.state(live.clock.now_ns())[0] in {State.DEGRADED, State.RECOVERING}
    assert kinds == {PictureKind.CARD}
    assert live.loop.counts.outcomes[Outcome.FAULT] >= 3


Fault = Callable[[Rig], None]


def lose_the_face(live: Rig) -> None:
    live.work.outcome = Outcome.NO_FACE


def break_the_worker(live: Rig) -> None:
    live.work.fail = BackendError("broken", "mend it")


def hang_the_worker(live: Rig) -> None:
    live.work.hang = True


def slow_the_worker(live: Rig) -> None:
    live.work.cost_ns = NS_PER_S


@pytest.mark.parametrize("fault", [lose_the_face, break_the_worker, hang_the_worker, slow_the_worker])
@pytest.mark.parametrize("policy", [FaultPolicy.HOLD, FaultPolicy.CARD, FaultPolicy.BLUR])
async def test_no_raw_pixel_reaches_an_output(fault: Fault, policy: FaultPolicy) -> None:
    async with rig(policy=policy) as live:
        await live.film(0.3)
        fault(live)
        await live.film(1.5)
        await live.clock.run_for(2 * NS_PER_S)
    pictures = [picture for _, picture in live.pictures()]
    assert any(picture.kind is not PictureKind.SWAPPED for picture in pictures)
    unique = {id(picture.bgr): picture for picture in pictures if picture.kind is not PictureKind.SWAPPED}
    assert not any(shows_secret(picture.bgr) for picture in unique.values())


async def test_the_secret_would_be_seen_if_it_got_out() -> None:
    async with rig(policy=FaultPolicy.RAW, outcome=Outcome.NO_FACE) as live:
        await live.film(0.2)
    raw = [picture for _, picture in live.pictures(PictureKind.RAW)]
    assert raw
    assert all(shows_secret(picture.bgr) for picture in raw)


async def test_every_picture_is_marked_and_read_only() -> None:
    """Each is what it was made of plus the mark, whatever its kind."""
    async with rig(policy=FaultPolicy.RAW) as live:
        await live.film(0.2)
        live.work.outcome = Outcome.NO_FACE
        await live.film(0.2)
        live.feed.trouble = "gone"
        await live.clock.run_for(NS_PER_S)
    bare = {
        PictureKind.SWAPPED: np.full((72, 128, 3), 128, np.uint8),
        PictureKind.RAW: secret_frame(0, 0).bgr,
        PictureKind.CARD: Cards().card(128, 72, Reason.LOST.value),
    }
    assert {picture.kind for _, picture in live.pictures()} == set(bare)
    for _, picture in live.pictures():
        marked = bare[picture.kind].copy()
        Mark(enabled=True).apply(marked)
        assert (marked != bare[picture.kind]).any()
        assert (picture.bgr == marked).all()
        assert not picture.bgr.flags.writeable


async def test_the_card_says_why() -> None:
    seen: list[str] = []

    class Spy(Cards):
        def card(self, width: int, height: int, title: str, detail: str = ""):  # type: ignore[no-untyped-def]
            seen.append(title)
            return super().card(width, height, title, detail)

    clock = FakeClock()
    publisher = Publisher(RecordingOutputs(clock), Mark(enabled=True), Spy(), clock, (128, 72))
    publisher.card(Reason.NO_FACE.value)
    assert seen == ["No face in the picture"]


async def test_it_ends_after_so_many_frames() -> None:
    async with rig(limits=Limits(frames=5)) as live:
        await live.film(1)
    assert live.loop.counts.processed == 5


async def test_it_ends_after_so_many_seconds() -> None:
    async with rig(limits=Limits(seconds=0.5)) as live:
        await live.film(2)
    assert 14 <= live.loop.counts.processed <= 16


async def test_it_ends_with_the_feed_after_the_last_frame() -> None:
    async with rig() as live:
        live.frame()
        live.feed.over = True
        live.loop.wake()
        await live.clock.run_for(NS_PER_S)
    assert live.loop.counts.processed == 1


async def test_a_face_that_no_swapper_replaced_is_told_from_no_face() -> None:
    async with rig() as live:
        await live.film(0.2)
        live.work.outcome = Outcome.FAULT
        await live.film(1)
        assert live.health.state(live.clock.now_ns())[1] == "the face cannot be replaced"
        assert live.pictures(PictureKind.CARD), "held for a while, then a card"
        assert live.loop.counts.outcomes[Outcome.NO_FACE] == 0
        assert live.loop.counts.outcomes[Outcome.FAULT] > 0


async def test_while_the_first_face_is_made_the_card_says_so_and_not_for_ever() -> None:
    async with rig(outcome=Outcome.FAULT) as live:
        await live.film(0.5)
        assert live.health.state(live.clock.now_ns())[1] == "starting"
        await live.clock.run_for(FIRST_FACE_NS)
        await live.film(0.5)
        assert live.health.state(live.clock.now_ns())[1] == "the face cannot be replaced"
