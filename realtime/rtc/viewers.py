"""The viewers: a peer connection each, made from an offer, gone when its peer is."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.exceptions import OperationError
from aiortc.sdp import candidate_from_sdp

from realtime.clock import Clock, MonotonicClock
from realtime.errors import SignallingError
from realtime.frame import Picture
from realtime.rtc.bitrate import raise_bitrates
from realtime.rtc.i420 import I420Converter
from realtime.rtc.liveness import Liveness
from realtime.rtc.offer import CODECS, IceCandidate, Offer
from realtime.rtc.session import SessionFacts, etag_of
from realtime.rtc.track import PictureTrack
from realtime.slot import Broadcast

__all__ = ["MAX_VIEWERS", "Viewers", "ViewersStats"]

logger = logging.getLogger(__name__)

MAX_VIEWERS = 4
ANSWER_TIMEOUT_S = 8.0
CANDIDATE_TIMEOUT_S = 3.0
CLOSE_TIMEOUT_S = 3.0
LOOK_EVERY_S = 1.0
SESSION_ID_BYTES = 24


@dataclass(frozen=True, slots=True)
class ViewersStats:
    """Counts since the start; `connected` and `limit` are of now."""

    connected: int
    limit: int
    accepted: int
    frames_sent: int
    """Frames handed to encoders, all viewers together."""
    pictures_missed: int
    """Pictures that a viewer was too slow for, all viewers together."""


@dataclass(slots=True)
class _Peer:
    connection: RTCPeerConnection
    track: PictureTrack
    liveness: Liveness
    facts: SessionFacts
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class Viewers:
    """Everybody who watches. Used in one event loop; the broadcast may be fed from any thread.

    VP8 is preferred to H.264: as aiortc sets them up, one 720p frame costs libvpx a third of the CPU
    time that it costs x264.
    """

    def __init__(
        self,
        broadcast: Broadcast[Picture],
        max_viewers: int = MAX_VIEWERS,
        ice_servers: Sequence[RTCIceServer] = (),
        clock: Clock | None = None,
    ) -> None:
        """`ice_servers` is empty for the local network alone: aiortc's own default would ask Google's STUN.

        Raises BackendError when aiortc's bitrates cannot be set.
        """
        raise_bitrates()
        self._broadcast = broadcast
        self._max_viewers = max_viewers
        self._configuration = RTCConfiguration(iceServers=list(ice_servers))
        self._clock = clock or MonotonicClock()
        self._converter = I420Converter()
        self._peers: dict[str, _Peer] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[Any]] = set()
        self._changed = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._closed = False
        self._accepted = 0
        self._gone_sent = 0
        self._gone_missed = 0

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def full(self) -> bool:
        """True when no further viewer is taken."""
        return self._closed or len(self._peers) + len(self._answering) >= self._max_viewers

    @property
    def sessions(self) -> Mapping[str, SessionFacts]:
        """The sessions by their secret identifiers."""
        return {session_id: peer.facts for session_id, peer in self._peers.items()}

    async def answer(self, offer: Offer) -> tuple[str, SessionFacts, str]:
        """Make a session: its secret identifier, its facts and the SDP answer, candidates and all.

        Raises SignallingError: 422 without a common codec, 400 when aiortc cannot use the offer,
        503 when there are too many viewers already.
        """
        if self.full:
            raise _no_room()
        answering = asyncio.current_task()
        assert answering is not None, "a coroutine runs in a task"
        self._answering.add(answering)
        connection = RTCPeerConnection(self._configuration)
        track = PictureTrack(self._broadcast, self._converter, self._clock)
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer_sdp = await _negotiate(connection, track, offer)
            if self._closed:
                raise _no_room()
        except BaseException as error:
            track.stop()
            await _close(connection)
            if isinstance(error, TimeoutError):
                raise SignallingError(503, "the answer took too long", "try again") from error
            raise
        finally:
            self._answering.discard(answering)
        facts = SessionFacts(etag_of(answer_sdp), offer.ufrag)
        session_id = secrets.token_urlsafe(SESSION_ID_BYTES)
        self._peers[session_id] = peer = _Peer(connection, track, Liveness(self._clock.now_ns()), facts)
        self._accepted += 1
        connection.on("connectionstatechange", self._changed.set)
        track.on("ended", self._changed.set)
        self._add_later(peer, offer.candidates)
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch(), name="viewers")
        logger.info("a viewer comes: %d of %d", len(self._peers), self._max_viewers)
        return session_id, facts, answer_sdp

    async def add_candidates(self, session_id: str, candidates: Sequence[IceCandidate]) -> None:
        """Hand trickled candidates to a session; harmless when it is gone.

        Names of the local network are looked up in the background: that can take a second each.
        """
        peer = self._peers.get(session_id)
        if peer is not None:
            self._add_later(peer, candidates)

    def _add_later(self, peer: _Peer, candidates: Sequence[IceCandidate]) -> None:
        if candidates:
            task = asyncio.create_task(_add(peer.connection, candidates), name="candidates")
            peer.tasks.add(task)
            task.add_done_callback(peer.tasks.discard)

    async def remove(self, session_id: str) -> None:
        """End a session and wait until it is gone, about 3 s at most; harmless when it is gone already."""
        peer = self._peers.pop(session_id, None)
        if peer is None:
            return
        peer.track.stop()
        self._gone_sent += peer.track.sent
        self._gone_missed += peer.track.slot_stats().overwritten
        # A task of its own, so that a cancelled caller does not leave the connection half closed.
        closing = asyncio.create_task(_end(peer), name="viewer closing")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        await asyncio.shield(closing)
        logger.info("a viewer goes: %d of %d", len(self._peers), self._max_viewers)

    async def _watch(self) -> None:
        while not self._closed:
            # Not wait_for: before Python 3.12 it can swallow the cancellation that `close` sends.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._changed.wait()
            self._changed.clear()
            for session_id, peer in tuple(self._peers.items()):
                reason = await self._verdict(peer)
                if reason is not None:
                    logger.info("a viewer's connection ends: %s", reason)
                    await self.remove(session_id)

    async def _verdict(self, peer: _Peer) -> str | None:
        if peer.track.readyState == "ended":
            return "its track ended"
        try:
            report = await peer.connection.getStats()
        except Exception:
            logger.exception("a viewer's statistics failed")
            return "its statistics failed"
        received = sum(entry.packetsReceived for entry in report.values() if entry.type == "transport")
        return peer.liveness.verdict(self._clock.now_ns(), peer.connection.connectionState, received)

    def stats(self) -> ViewersStats:
        """Counts for people; nothing in it tells one viewer from another."""
        tracks = [peer.track for peer in self._peers.values()]
        return ViewersStats(
            connected=len(tracks),
            limit=self._max_viewers,
            accepted=self._accepted,
            frames_sent=self._gone_sent + sum(track.sent for track in tracks),
            pictures_missed=self._gone_missed + sum(track.slot_stats().overwritten for track in tracks),
        )

    async def close(self) -> None:
        """End every session, and take no more. Idempotent, bounded, never raises."""
        self._closed = True
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait({watcher}, timeout=CLOSE_TIMEOUT_S)
        if self._answering:
            # What is half made sees that it is late, and ends itself.
            await asyncio.wait(self._answering, timeout=ANSWER_TIMEOUT_S)
        await asyncio.gather(*(self.remove(session_id) for session_id in tuple(self._peers)))
        await asyncio.gather(*self._closing)
        self._converter.close()


def _no_room() -> SignallingError:
    return SignallingError(503, "there are as many viewers as are allowed", "close one")


async def _negotiate(connection: RTCPeerConnection, track: PictureTrack, offer: Offer) -> str:
    sending = connection.addTransceiver(track, direction="sendonly")
    codecs = RTCRtpSender.getCapabilities("video").codecs
    rank = {f"video/{name}": place for place, name in enumerate((*CODECS, "rtx"))}
    sending.setCodecPreferences(sorted(codecs, key=lambda codec: rank.get(codec.mimeType, len(rank))))
    try:
        await connection.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        for transceiver in connection.getTransceivers():
            # aiortc would receive, decode and queue whatever else the peer offers to send.
            if transceiver is not sending:
                transceiver.direction = "inactive"
        await connection.setLocalDescription(await connection.createAnswer())
    except OperationError as error:
        raise SignallingError(422, "no common codec", f"offer video as {' or '.join(CODECS)}") from error
    except Exception as error:
        # aiortc's parser answers bad input with nearly any exception: assertions, key and type errors.
        logger.debug("an offer was refused", exc_info=True)
        raise SignallingError(400, "the offer cannot be used", "send a browser's offer as it is") from error
    sdp: str = connection.localDescription.sdp
    return sdp


async def _add(connection: RTCPeerConnection, candidates: Sequence[IceCandidate]) -> None:
    # Addresses first: they are usable at once, names have to be asked for.
    for given in sorted(candidates, key=lambda candidate: candidate.is_mdns):
        try:
            candidate = candidate_from_sdp(given.value)
            candidate.sdpMid = given.mid
            async with asyncio.timeout(CANDIDATE_TIMEOUT_S):
                await connection.addIceCandidate(candidate)
        except Exception as error:
            # One bad candidate is no reason to lose the others: mostly, the peer's own checks connect us.
            logger.debug("a candidate was passed over: %r", error)


async def _end(peer: _Peer) -> None:
    tasks = tuple(peer.tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await _close(peer.connection)


async def _close(connection: RTCPeerConnection) -> None:
    try:
        await asyncio.wait_for(connection.close(), CLOSE_TIMEOUT_S)
    except TimeoutError:
        logger.warning("a viewer's connection did not close in %.0f s", CLOSE_TIMEOUT_S)
    except Exception:
        logger.exception("a viewer's connection did not close cleanly")
