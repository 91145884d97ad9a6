"""The whole program in one process, with the real models."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import av
import cv2
import numpy as np
import pytest

from realtime.app import App, Endpoint
from realtime.capture.base import Source
from realtime.capture.file import FileSource
from realtime.capture.testcard import TestCardSource, read_card
from realtime.clock import MonotonicClock
from realtime.config import Config, FaceConfig, LogConfig, PipelineConfig, WebConfig
from realtime.errors import ConfigError, DeviceError, RealtimeError
from realtime.fault import FaultPolicy
from realtime.frame import PictureKind
from realtime.loop import Limits
from realtime.sinks.base import Sink
from realtime.sinks.file import FileSink
from realtime.sinks.virtualcam import VirtualCameraSink
from tests.fakes.frames import shows_secret
from tests.fakes.recording_sink import RecordingSink
from tests.fakes.secret_source import CELL_PX, SecretSource
from tests.fakes.virtual_camera import virtual_camera_stage
from tests.fakes.whep_client import WhepClient

RUN_S = 40.0
pytestmark = pytest.mark.usefixtures("default_models")


def configured(policy: FaultPolicy = FaultPolicy.HOLD) -> Config:
    return replace(
        Config(),
        pipeline=PipelineConfig(on_fault=policy),
        web=WebConfig(port=0),
        log=LogConfig(status_s=0.25),
    )


class Run:
    """The running app; its status lines, four a second, wake who waits for something."""

    def __init__(self, config: Config, endpoint: Endpoint, limits: Limits) -> None:
        self.said: list[str] = []
        self.stop = asyncio.Event()
        self.over = asyncio.Event()
        self._told = asyncio.Event()
        self.app = App(
            config, endpoint, MonotonicClock(), limits, self.said.append, lambda _: self._told.set()
        )

    async def until(self, true_of: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until something holds of the report."""
        async with asyncio.timeout(RUN_S):
            while not true_of(self.app.report()):
                self._told.clear()
                await self._told.wait()

    async def ended(self) -> None:
        """Wait until the app has ended by itself."""
        async with asyncio.timeout(RUN_S):
            await self.over.wait()

    @property
    def url(self) -> str:
        return next(line for line in self.said if "http://" in line).split()[-1]


@asynccontextmanager
async def running(
    source: Source,
    *sinks: Sink,
    page: bool = False,
    config: Config | None = None,
    limits: Limits | None = None,
    extras: tuple[Sink, ...] = (),
) -> AsyncIterator[Run]:
    endpoint = Endpoint(source, False, sinks, page, extras)
    run = Run(config or configured(), endpoint, limits or Limits())
    task = asyncio.create_task(run.app.run(run.stop))
    task.add_done_callback(lambda _: run.over.set())
    live = asyncio.create_task(run.until(lambda report: report["frames"]["processed"] > 0))
    try:
        await asyncio.wait({task, live}, return_when=asyncio.FIRST_COMPLETED)
        yield run
    finally:
        live.cancel()
        run.stop.set()
        async with asyncio.timeout(RUN_S):
            await task


async def test_a_test_card_comes_out_swapped_marked_and_in_order() -> None:
    sink = RecordingSink()
    async with running(TestCardSource(640, 360, 30), sink, limits=Limits(frames=30)) as run:
        await run.ended()
    swapped = [picture for picture in sink.pictures if picture.kind is PictureKind.SWAPPED]
    assert len(swapped) >= 20
    readings = [read_card(picture.bgr) for picture in swapped]
    numbers = [reading.number for reading in readings if reading is not None]
    assert len(numbers) == len(swapped)
    assert numbers == sorted(set(numbers))
    assert sink.pictures[0].kind is PictureKind.CARD
    report = run.app.report()
    assert report["outcomes"]["swapped"] >= 20
    frames = report["frames"]
    assert frames["captured"] >= frames["processed"] + frames["failed"] + frames["dropped"]
    assert report["detect"]["calls"] <= report["frames"]["processed"] / 4
    assert report["age_ms"]["p95"] > 0
    assert sink.closings >= 1


@pytest.mark.parametrize("policy", [FaultPolicy.HOLD, FaultPolicy.CARD, FaultPolicy.BLUR])
async def test_nothing_of_a_frame_without_a_face_gets_out_anywhere(
    policy: FaultPolicy, tmp_path: Path
) -> None:
    """The secret is looked for in what a recording, a virtual camera, a viewer and a plain sink got."""
    out = tmp_path / "out.mp4"
    sink = RecordingSink()
    seen: list[np.ndarray] = []
    with virtual_camera_stage() as stage:
        camera = VirtualCameraSink("fake-device", backend=stage.backend)
        source = SecretSource()
        async with (
            running(source, sink, FileSink(out), camera, page=True, config=configured(policy)) as run,
            aiohttp.ClientSession() as http,
            WhepClient() as viewer,
        ):
            await viewer.post(http, f"{run.url}/whep")
            for _ in range(3):
                seen.append((await viewer.frame()).to_ndarray(format="bgr24"))
        planes = stage.frames
    with av.open(str(out)) as container:
        seen.extend(frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
    seen.extend(cv2.cvtColor(plane, cv2.COLOR_YUV2BGR_I420) for plane in planes[:: max(1, len(planes) // 5)])
    unique = {id(picture.bgr): picture.bgr for picture in sink.pictures}
    seen.extend(list(unique.values())[:8])
    assert len(planes) > 1
    assert len(seen) > 8
    assert not any(shows_secret(bgr, CELL_PX) for bgr in seen)
    kinds = {picture.kind for picture in sink.pictures}
    assert kinds <= {PictureKind.CARD, PictureKind.BLUR}


async def test_the_secret_would_be_found_in_a_recording_if_it_got_out(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    async with running(
        SecretSource(), FileSink(out), config=configured(FaultPolicy.RAW), limits=Limits(frames=20)
    ) as run:
        await run.ended()
    with av.open(str(out)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert frames
    assert all(shows_secret(bgr, CELL_PX) for bgr in frames[-3:])


async def test_a_clip_ends_the_run_and_its_recording_is_whole(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source = TestCardSource(640, 360, 30)
    async with running(source, FileSink(clip), limits=Limits(seconds=1)) as run:
        await run.ended()
    async with running(FileSource(clip), FileSink(out)) as run:
        await run.ended()
    with av.open(str(out)) as container:
        stamps = [frame.pts for frame in container.decode(video=0)]
    assert len(stamps) >= 20
    assert stamps == sorted(set(stamps))


async def test_a_clip_that_breaks_off_is_told_and_what_was_recorded_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(DeviceError, match="breaks off"):
        async with running(SecretSource(dies_after=20), FileSink(out)) as run:
            await run.ended()
    with av.open(str(out)) as container:
        assert len(list(container.decode(video=0))) >= 1


async def test_the_page_tells_state_and_figures() -> None:
    async with running(TestCardSource(640, 360, 30), page=True) as run, aiohttp.ClientSession() as http:
        async with http.get(f"{run.url}/api/v1/stats") as answer:
            report = await answer.json()
        async with http.get(f"{run.url}/readyz") as ready:
            assert ready.status == 200
        async with http.get(run.url) as page:
            assert page.status == 200
    assert report["version"] == 1
    assert {
        "source",
        "backend",
        "frames",
        "outcomes",
        "detect",
        "fps",
        "age_ms",
        "stages_ms",
        "sinks",
    } <= set(report)


async def started(source: Source, *sinks: Sink, config: Config | None = None) -> None:
    async with running(source, *sinks, page=config is not None, config=config, limits=Limits(frames=3)):
        pass


async def test_what_cannot_start_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="no folder"):
        await started(TestCardSource(640, 360, 30), FileSink(tmp_path / "no" / "out.mp4"))
    with pytest.raises(DeviceError, match="does not open"):
        await started(TestCardSource(640, 360, 30), RecordingSink(failed_openings=99))
    with pytest.raises(ConfigError, match="no persona"):
        await started(
            TestCardSource(640, 360, 30), config=replace(configured(), face=FaceConfig(("persona:nobody",)))
        )
    with pytest.raises(ConfigError, match="token"):
        await started(
            TestCardSource(640, 360, 30), config=replace(configured(), web=WebConfig(host="0.0.0.0", port=0))
        )
    with pytest.raises(RealtimeError, match="backend"):
        await started(
            TestCardSource(640, 360, 30),
            config=replace(configured(), pipeline=PipelineConfig(backend="quantum")),
        )


async def test_an_output_that_nobody_named_is_done_without_and_tried_again() -> None:
    late = RecordingSink("virtualcam", failed_openings=1)
    async with running(TestCardSource(320, 240, 30), RecordingSink(), extras=(late,)) as run:
        await run.until(lambda report: report["sinks"]["virtualcam"]["published"] > 2)
    assert any("going on without" in line for line in run.said)


async def test_a_port_in_use_says_so() -> None:
    async with running(TestCardSource(320, 240, 30), page=True) as run:
        port = int(run.url.rsplit(":", 1)[1])
        taken = replace(configured(), web=WebConfig(port=port))
        with pytest.raises(DeviceError, match="in use"):
            await started(TestCardSource(320, 240, 30), config=taken)


async def test_another_face_is_put_on_by_a_command_and_no_frame_is_lost() -> None:
    sink = RecordingSink()
    async with running(TestCardSource(640, 360, 30), sink, page=True) as run:
        await run.until(lambda report: report["outcomes"]["swapped"] >= 10)
        before = run.app.report()
        worn = len(sink.pictures)
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{run.url}/api/v1/commands", json={"set": {"face.uris": ["persona:ink"]}}) as response,
        ):
            assert response.status == 200
            assert (await response.json())["made"] == "faces"
        seen = run.app.report()["outcomes"]["swapped"]
        await run.until(lambda report: report["outcomes"]["swapped"] >= seen + 10)
        after = run.app.report()
    assert run.app.control.config.face.uris == ("persona:ink",)
    assert after["outcomes"]["no_face"] == before["outcomes"]["no_face"]
    assert after["frames"]["failed"] == 0
    last = sink.pictures[-1].bgr.astype(int)
    assert np.abs(last - sink.pictures[worn - 1].bgr.astype(int)).mean() > 1, "it looks otherwise now"


async def test_a_picture_of_a_person_is_not_put_on_without_a_word_of_consent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.control.program.default_path", lambda: tmp_path / "said.json")
    picture = tmp_path / "somebody.png"
    cv2.imwrite(str(picture), np.full((64, 64, 3), 128, np.uint8))
    async with running(TestCardSource(640, 360, 30), RecordingSink()) as run:
        with pytest.raises(ConfigError, match="real person"):
            await run.app.control.apply({"face.uris": [str(picture)]})
        with pytest.raises(ConfigError, match="face"):
            await run.app.control.apply({"face.uris": [str(picture)]}, consent=True)
    assert run.app.control.config.face.uris == ("persona:porcelain",)
