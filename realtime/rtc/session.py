"""The rules of WHEP without I/O: a request in, an answer or something to do out.

WHEP is draft-ietf-wish-whep-03; what it leaves open is taken from WHIP, RFC 9725, section 4.

    POST    /whep        an SDP offer          -> `Answer`, then `created`: 201 and the session's secret URL
    PATCH   /whep/<id>   trickled candidates   -> `AddCandidates`, then `done`: 204
    DELETE  /whep/<id>                         -> `Remove`, then `done`: 200
    OPTIONS either                             -> 204
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from realtime.errors import SignallingError
from realtime.rtc.offer import IceCandidate, Offer, TrickleFragment

__all__ = [
    "ENDPOINT",
    "MAX_BODY_BYTES",
    "Action",
    "AddCandidates",
    "Answer",
    "Remove",
    "Request",
    "Response",
    "SessionFacts",
    "Situation",
    "created",
    "decide",
    "done",
    "refused",
]

ENDPOINT = "/whep"
MAX_BODY_BYTES = 128 * 1024
RETRY_AFTER_S = 2

OFFER_TYPE = "application/sdp"
TRICKLE_TYPE = "application/trickle-ice-sdpfrag"

_ENDPOINT_METHODS = ("OPTIONS", "POST")
_SESSION_METHODS = ("DELETE", "OPTIONS", "PATCH")
_UFRAG = re.compile(r"^a=ice-ufrag:(\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, read but not judged."""

    method: str
    path: str
    """/whep or /whep/<id>."""
    body: bytes = b""
    """Cut off anywhere past MAX_BODY_BYTES."""
    content_type: str = ""
    if_match: str | None = None
    authorised: bool = True
    """Whether it carries the token, or none is asked for."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What the rules must know of one viewer's session."""

    etag: str
    """Names our side of its ICE session; a quoted string."""
    ufrag: str
    """The viewer's ICE user name fragment."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the rules must know of the program."""

    ready: bool
    full: bool
    sessions: Mapping[str, SessionFacts]


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Make a session for this offer, then respond with `created`."""

    offer: Offer


@dataclass(frozen=True, slots=True)
class AddCandidates:
    """Hand these candidates to the session, then respond with `done`."""

    session_id: str
    candidates: tuple[IceCandidate, ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """End the session, then respond with `done`."""

    session_id: str


Action = Answer | AddCandidates | Remove

_EXPOSE = {"Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After"}


def decide(request: Request, situation: Situation) -> Response | Action:
    """What to do about `request`. Never raises."""
    session_id = request.path.removeprefix(ENDPOINT).removeprefix("/")
    allowed = _SESSION_METHODS if session_id else _ENDPOINT_METHODS
    if request.method == "OPTIONS":
        return _options(allowed)
    try:
        if request.method not in allowed:
            raise SignallingError(
                405,
                f"{request.method} has no meaning here",
                f"use {', '.join(allowed)}: this is a WHEP endpoint",
            )
        if not request.authorised:
            raise SignallingError(401, "the token is missing or wrong", "send Authorization: Bearer TOKEN")
        if not session_id:
            return _post(request, situation)
        if session_id not in situation.sessions:
            raise SignallingError(404, "there is no such session", "POST an offer to make one")
        if request.method == "DELETE":
            return Remove(session_id)
        return _patch(request, session_id, situation.sessions[session_id])
    except SignallingError as error:
        return refused(error, allowed)


def _options(allowed: tuple[str, ...]) -> Response:
    accept = {"Accept-Post": OFFER_TYPE} if "POST" in allowed else {"Accept-Patch": TRICKLE_TYPE}
    return Response(
        204,
        {
            "Allow": ", ".join(allowed),
            "Access-Control-Allow-Methods": ", ".join(allowed),
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            **accept,
            **_EXPOSE,
        },
    )


def _post(request: Request, situation: Situation) -> Answer:
    offer = Offer.parse(_text(request, OFFER_TYPE))
    if not situation.ready:
        raise SignallingError(503, "the program is still warming up", "try again in a moment")
    if situation.full:
        raise SignallingError(503, "there are as many viewers as are allowed", "close one")
    return Answer(offer)


def _patch(request: Request, session_id: str, facts: SessionFacts) -> AddCandidates:
    fragment = TrickleFragment.parse(_text(request, TRICKLE_TYPE))
    if request.if_match not in (None, "*", facts.etag):
        raise SignallingError(412, "If-Match is not the session's ETag", "send the ETag of the session's 201")
    if fragment.ufrag not in (None, facts.ufrag):
        raise SignallingError(422, "ICE restarts are not supported", "DELETE the session, POST a new offer")
    return AddCandidates(session_id, fragment.candidates)


def _text(request: Request, content_type: str) -> str:
    if request.content_type.split(";")[0].strip().lower() != content_type:
        raise SignallingError(415, f"the content type is not {content_type}", "name it as it is")
    if len(request.body) > MAX_BODY_BYTES:
        raise SignallingError(413, f"the body is longer than {MAX_BODY_BYTES} bytes", "send a shorter one")
    try:
        return request.body.decode()
    except UnicodeDecodeError as error:
        raise SignallingError(400, "the body is not UTF-8", "send SDP as text") from error


def created(session_id: str, facts: SessionFacts, answer_sdp: str) -> Response:
    """201: the session is made."""
    return Response(
        201,
        {
            "Location": f"{ENDPOINT}/{session_id}",
            "ETag": facts.etag,
            "Content-Type": OFFER_TYPE,
            "Accept-Patch": TRICKLE_TYPE,
            **_EXPOSE,
        },
        answer_sdp,
    )


def done(action: AddCandidates | Remove) -> Response:
    """204 for candidates taken, 200 (which OBS wants exactly) for a session ended."""
    return Response(200 if isinstance(action, Remove) else 204, _EXPOSE)


def refused(error: SignallingError, allowed: tuple[str, ...] = _ENDPOINT_METHODS) -> Response:
    """The error as a response that a person can read."""
    headers = {"Content-Type": "text/plain; charset=utf-8", **_EXPOSE}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="realtime"'
    elif error.status == 405:
        headers["Allow"] = ", ".join(allowed)
    elif error.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return Response(error.status, headers, f"{error.message}\n{error.hint}\n")


def etag_of(answer_sdp: str) -> str:
    """The entity tag of the ICE session that our answer opens: its user name fragment, quoted."""
    found = _UFRAG.search(answer_sdp)
    return f'"{found[1] if found else ""}"'
