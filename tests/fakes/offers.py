"""SDP offers, good and bad, without a peer behind them."""

__all__ = ["offer_sdp", "section"]

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
CANDIDATE = "1 1 udp 2130706431 192.0.2.7 50000 typ host"


def section(kind: str = "video", mid: str = "0", codec: str = "VP8/90000", way: str = "recvonly") -> str:
    """One media section with all that WebRTC asks for."""
    return "\r\n".join(
        [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF 96",
            "c=IN IP4 0.0.0.0",
            f"a=candidate:{CANDIDATE}",
            "a=end-of-candidates",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:0123456789abcdefghijkl",
            f"a=fingerprint:{FINGERPRINT}",
            "a=setup:actpass",
            f"a=mid:{mid}",
            f"a={way}",
            "a=rtcp-mux",
            f"a=rtpmap:96 {codec}",
            "",
        ]
    )


def offer_sdp(*sections: str) -> str:
    """An offer of these sections, or of one video section."""
    parts = sections or (section(),)
    mids = " ".join(str(index) for index in range(len(parts)))
    head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mids}", ""]
    return "\r\n".join(head) + "".join(parts)
