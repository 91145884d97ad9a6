"""When a viewer is given up: pure decisions from what its connection says of itself."""

from realtime.clock import NS_PER_S

__all__ = ["CONNECT_WITHIN_NS", "SILENCE_NS", "Liveness"]

CONNECT_WITHIN_NS = 8 * NS_PER_S
SILENCE_NS = 6 * NS_PER_S


class Liveness:
    """Judges one connection. ICE consent (RFC 7675) would need 30 s to notice a vanished peer in aiortc;
    a receiver reports by RTCP about once a second (RFC 3550, section 6.2), so its silence tells sooner.
    """

    def __init__(self, now_ns: int) -> None:
        self._began_ns = now_ns
        self._heard_ns = now_ns
        self._packets = 0

    def verdict(self, now_ns: int, state: str, packets_received: int) -> str | None:
        """Why the connection is to be dropped, or None.

        `state` is RTCPeerConnection.connectionState, `packets_received` its transport's total.
        """
        if state in ("failed", "closed"):
            return state
        if packets_received != self._packets:
            self._packets, self._heard_ns = packets_received, now_ns
        if state != "connected":
            return "not connected in time" if now_ns - self._began_ns >= CONNECT_WITHIN_NS else None
        # The wait before the connection stood is not silence of the connected peer.
        return "silent" if now_ns - self._heard_ns >= SILENCE_NS else None
