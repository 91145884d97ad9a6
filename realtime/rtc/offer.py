"""What a WHEP offer and a trickled fragment say: parsed and judged without I/O.

aiortc's own parser is lenient where its connection later is not, and answers bad input with assertion
and key errors, some of them in tasks that nobody awaits. Here is checked all that it relies on.
"""

import re
from dataclasses import dataclass

from realtime.errors import SignallingError

__all__ = ["IceCandidate", "Offer", "TrickleFragment"]

CODECS = ("VP8", "H264")
MAX_LINES = 2000
MAX_SECTIONS = 4
MAX_CANDIDATES = 32

_CANDIDATE = re.compile(
    r"\S{1,32} 1 (?:udp|UDP) \d{1,10} [0-9A-Za-z.:-]{1,253} \d{1,5} typ (?:host|srflx|prflx|relay)(?: .*)?"
)
_MEDIA = re.compile(r"m=(\S+) (\d{1,5}) ([A-Z/]+) (.+)")
_FINGERPRINT = re.compile(r"sha-(?:256|384|512) [0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+")
_ICE_WORD = re.compile(r"[A-Za-z0-9+/]{4,256}")


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """One remote candidate: `value` is what follows "candidate:", `mid` names its media section."""

    value: str
    mid: str

    @property
    def is_mdns(self) -> bool:
        """True when the address is a name that must be asked for on the local network (browsers' default)."""
        return self.value.split()[4].endswith(".local")


@dataclass(frozen=True, slots=True)
class Offer:
    """A viewer's offer that can be answered."""

    sdp: str
    """The offer without its candidates. "end-of-candidates" is gone too: with no candidate beside it, as
    OBS sends it, aiortc would give up before it could learn the peer's address from its checks."""
    candidates: tuple[IceCandidate, ...]
    ufrag: str
    """The peer's ICE user name fragment; another one in a PATCH means an ICE restart."""

    @classmethod
    def parse(cls, text: str) -> "Offer":
        """Raises SignallingError: 400 when it is no offer of WebRTC, 422 when we cannot serve it."""
        lines = text.splitlines()
        if not lines or lines[0].strip() != "v=0":
            raise _malformed("it does not begin with v=0")
        if len(lines) > MAX_LINES:
            raise _malformed(f"it has more than {MAX_LINES} lines")
        session, sections = _split(lines)
        if not 1 <= len(sections) <= MAX_SECTIONS:
            raise _malformed(f"it has {len(sections)} media sections, not 1 to {MAX_SECTIONS}")
        mids = [_attribute(section, "mid") or "" for section in sections]
        if "" in mids or len(set(mids)) < len(mids):
            raise _malformed("its media sections have no mid of their own")
        for group in _attributes(session, "group"):
            if group.startswith("BUNDLE") and not set(group.split()[1:]) <= set(mids):
                raise _malformed("its BUNDLE group names a media section that is not there")
        for section in sections:
            _check_section(session, section)
        _check_video(sections)
        return cls(
            sdp="\r\n".join(line for line in lines if not _is_candidate(line)) + "\r\n",
            candidates=_candidates(sections, mids),
            ufrag=_attribute(sections[0], "ice-ufrag") or _attribute(session, "ice-ufrag") or "",
        )


@dataclass(frozen=True, slots=True)
class TrickleFragment:
    """The body of a PATCH: more candidates (RFC 8840)."""

    candidates: tuple[IceCandidate, ...]
    ufrag: str | None

    @classmethod
    def parse(cls, text: str) -> "TrickleFragment":
        """Raises SignallingError 400 when it is not a fragment of SDP."""
        lines = [line for line in text.splitlines() if line.strip()]
        if any(not re.match(r"[a-z]=", line) for line in lines):
            raise SignallingError(400, "the body is not a fragment of SDP", "send it as RFC 8840 describes")
        session, sections = _split(lines)
        mids = [_attribute(section, "mid") or "0" for section in sections]
        ufrag = _attribute(session, "ice-ufrag")
        for section in sections:
            ufrag = ufrag or _attribute(section, "ice-ufrag")
        return cls(_candidates(sections, mids), ufrag)


def _malformed(why: str) -> SignallingError:
    return SignallingError(400, f"the body is not an SDP offer: {why}", "send a browser's offer as it is")


def _split(lines: list[str]) -> tuple[list[str], list[list[str]]]:
    """The session's lines, and each media section's, its m= line first."""
    session: list[str] = []
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            sections.append([line])
        else:
            (sections[-1] if sections else session).append(line)
    return session, sections


def _attributes(lines: list[str], name: str) -> list[str]:
    """The values of every "a=name:value" and the "" of every "a=name"."""
    return [
        line[len(name) + 3 :].strip()
        for line in lines
        if line == f"a={name}" or line.startswith(f"a={name}:")
    ]


def _attribute(lines: list[str], name: str) -> str | None:
    return next(iter(_attributes(lines, name)), None)


def _is_candidate(line: str) -> bool:
    return line.startswith("a=candidate:") or line.strip() == "a=end-of-candidates"


def _candidates(sections: list[list[str]], mids: list[str]) -> tuple[IceCandidate, ...]:
    """Those of UDP and of component 1 (RTCP is multiplexed), at most 32; others are passed over, as ICE
    wants it (RFC 8839, section 5.1)."""
    found = [
        IceCandidate(value, mid)
        for section, mid in zip(sections, mids, strict=True)
        for value in _attributes(section, "candidate")
        if _CANDIDATE.fullmatch(value) and int(value.split()[5]) < 65536
    ]
    return tuple(dict.fromkeys(found))[:MAX_CANDIDATES]


def _check_section(session: list[str], section: list[str]) -> None:
    media = _MEDIA.fullmatch(section[0].strip())
    if media is None or media[1] not in ("audio", "video", "application"):
        raise _malformed(f"the media line {section[0][:40]!r} is none of WebRTC")
    both = section + session
    for name in ("ice-ufrag", "ice-pwd"):
        if not _ICE_WORD.fullmatch(_attribute(both, name) or ""):
            raise _malformed(f"{name} is missing or wrong")
    if not any(_FINGERPRINT.fullmatch(value) for value in _attributes(both, "fingerprint")):
        raise _malformed("it has no DTLS fingerprint")
    if _attribute(both, "setup") not in ("actpass", "active", "passive"):
        raise _malformed("it has no DTLS setup role")
    if media[1] != "application" and _attribute(section, "rtcp-mux") is None:
        raise _malformed("rtcp-mux is missing")


def _check_video(sections: list[list[str]]) -> None:
    video = [section for section in sections if section[0].startswith("m=video ")]
    if not video:
        raise SignallingError(422, "the offer has no video section", "offer to receive video")
    if not any(_attribute(video[0], way) is not None for way in ("recvonly", "sendrecv")):
        raise SignallingError(422, "the offer does not want to receive video", "offer it as recvonly")
    offered = [value.split(" ", 1)[-1].split("/")[0] for value in _attributes(video[0], "rtpmap")]
    if not any(name.upper() in CODECS for name in offered):
        raise SignallingError(
            422,
            f"no common codec: the offer has {', '.join(offered)[:80] or 'none'}",
            f"offer {' or '.join(CODECS)}",
        )
