"""A viewer's video track: the newest published picture, whenever the encoder asks."""

import asyncio
import fractions
import logging

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from realtime.clock import Clock
from realtime.frame import Picture
from realtime.rtc.i420 import I420Converter
from realtime.rtc.timestamps import RTP_CLOCK_HZ, RtpStamps
from realtime.slot import Broadcast, SlotStats

__all__ = ["REPEAT_AFTER_S", "PictureTrack"]

logger = logging.getLogger(__name__)

REPEAT_AFTER_S = 1.0
_TIME_BASE = fractions.Fraction(1, RTP_CLOCK_HZ)


class PictureTrack(MediaStreamTrack):
    """Latest wins: a viewer that cannot keep up misses pictures, and never delays anybody.

    After a second without a new picture the last one is sent again, so that the viewer's connection
    and its decoder stay alive.
    """

    kind = "video"

    def __init__(
        self,
        broadcast: Broadcast[Picture],
        converter: I420Converter,
        clock: Clock,
        repeat_after_s: float = REPEAT_AFTER_S,
    ) -> None:
        """To be made in the event loop that will call `recv`."""
        super().__init__()
        self._home = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._broadcast = broadcast
        self._slot = broadcast.subscribe(self._notify)
        self._converter = converter
        self._clock = clock
        self._repeat_after_s = repeat_after_s
        self._stamps = RtpStamps()
        self._last: Picture | None = None
        self._last_taken_ns = 0
        self.sent = 0
        """Frames handed to the encoder."""

    def _notify(self) -> None:
        # Runs in the publisher's thread. A loop that is gone has nobody left to wake.
        try:
            self._home.call_soon_threadsafe(self._news.set)
        except RuntimeError:
            logger.debug("a picture came after the event loop had closed")

    async def recv(self) -> av.VideoFrame:
        """The newest picture not yet sent, as yuv420p, its pts from its capture stamp at 90 kHz.

        Raises MediaStreamError, and nothing else, once the track is stopped.
        """
        picture, captured_ns = await self._next()
        try:
            frame = await self._converter.frame(picture)
        except (ValueError, RuntimeError) as error:
            if self.readyState == "live":
                logger.error("a viewer ends: %s", error)
                self.stop()
            raise MediaStreamError from error
        frame.pts = self._stamps.stamp(captured_ns, self._clock.now_ns())
        frame.time_base = _TIME_BASE
        self.sent += 1
        return frame

    async def _next(self) -> tuple[Picture, int]:
        """The picture to send and the capture stamp to send it under."""
        while self.readyState == "live":
            self._news.clear()
            picture = self._slot.take()
            if picture is not None:
                self._last, self._last_taken_ns = picture, self._clock.now_ns()
                return picture, picture.captured_ns
            try:
                # Not wait_for: before Python 3.12 it can swallow a cancellation, and aiortc cancels us.
                async with asyncio.timeout(self._repeat_after_s):
                    await self._news.wait()
            except TimeoutError:
                if self._last is not None and self.readyState == "live":
                    since_ns = self._clock.now_ns() - self._last_taken_ns
                    return self._last, self._last.captured_ns + since_ns
        raise MediaStreamError

    def stop(self) -> None:
        """Leave the broadcast and end a waiting `recv`. Idempotent; in the event loop's thread."""
        self._broadcast.unsubscribe(self._slot)
        super().stop()
        self._news.set()

    def slot_stats(self) -> SlotStats:
        """What was offered to this viewer, and what it missed."""
        return self._slot.stats()
