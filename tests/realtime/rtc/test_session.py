from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import SignallingError
from realtime.rtc import session
from realtime.rtc.session import (
    MAX_BODY_BYTES,
    AddCandidates,
    Answer,
    Remove,
    Request,
    Response,
    SessionFacts,
    Situation,
    decide,
)
from tests.fakes.offers import CANDIDATE, offer_sdp, section

SDP = "application/sdp"
TRICKLE = "application/trickle-ice-sdpfrag"
FACTS = SessionFacts('"our"', "abcd")
OPEN = Situation(ready=True, full=False, sessions={"secret": FACTS})
FRAGMENT = f"a=ice-ufrag:abcd\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:{CANDIDATE}\r\n".encode()

POST = Request("POST", "/whep", offer_sdp().encode(), SDP)
PATCH = Request("PATCH", "/whep/secret", FRAGMENT, TRICKLE)
DELETE = Request("DELETE", "/whep/secret")


def test_a_good_offer_is_to_be_answered() -> None:
    decision = decide(POST, OPEN)
    assert isinstance(decision, Answer)
    response = session.created("s3", FACTS, "v=0 answer")
    assert (response.status, response.body) == (201, "v=0 answer")
    assert response.headers["Location"] == "/whep/s3"
    assert response.headers["ETag"] == '"our"'
    assert response.headers["Content-Type"] == SDP
    assert "Location" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("content_type", ["application/sdp; charset=utf-8", "Application/SDP"])
def test_the_content_type_is_read_as_http_reads_it(content_type: str) -> None:
    assert isinstance(decide(replace(POST, content_type=content_type), OPEN), Answer)


def test_candidates_are_to_be_added() -> None:
    decision = decide(PATCH, OPEN)
    assert isinstance(decision, AddCandidates)
    assert [candidate.value for candidate in decision.candidates] == [CANDIDATE]
    assert session.done(decision).status == 204


@pytest.mark.parametrize("if_match", ["*", '"our"', None])
def test_a_matching_or_absent_condition_is_good(if_match: str | None) -> None:
    assert isinstance(decide(replace(PATCH, if_match=if_match), OPEN), AddCandidates)


def test_a_session_is_to_be_removed_with_exactly_200() -> None:
    assert decide(DELETE, OPEN) == Remove("secret")
    assert session.done(Remove("secret")).status == 200


REFUSED = [
    (replace(POST, content_type="text/plain"), OPEN, 415),
    (replace(POST, content_type=""), OPEN, 415),
    (replace(POST, body=b"v=0\r\n".ljust(MAX_BODY_BYTES + 1)), OPEN, 413),
    (replace(POST, body=b"\xff\xfe"), OPEN, 400),
    (replace(POST, body=b"hello"), OPEN, 400),
    (replace(POST, body=b""), OPEN, 400),
    (replace(POST, body=offer_sdp(section(codec="AV1/90000")).encode()), OPEN, 422),
    (replace(POST, body=offer_sdp(section(kind="audio", codec="opus/48000/2")).encode()), OPEN, 422),
    (replace(POST, authorised=False), OPEN, 401),
    (replace(PATCH, authorised=False), OPEN, 401),
    (replace(DELETE, authorised=False), OPEN, 401),
    (POST, replace(OPEN, ready=False), 503),
    (POST, replace(OPEN, full=True), 503),
    (Request("GET", "/whep"), OPEN, 405),
    (Request("HEAD", "/whep"), OPEN, 405),
    (Request("PUT", "/whep"), OPEN, 405),
    (Request("DELETE", "/whep"), OPEN, 405),
    (Request("GET", "/whep/secret"), OPEN, 405),
    (Request("POST", "/whep/secret"), OPEN, 405),
    (Request("BREW", "/whep"), OPEN, 405),
    (replace(DELETE, path="/whep/other"), OPEN, 404),
    (replace(PATCH, path="/whep/other"), OPEN, 404),
    (replace(PATCH, content_type=SDP), OPEN, 415),
    (replace(PATCH, body=b"hello"), OPEN, 400),
    (replace(PATCH, if_match='"old"'), OPEN, 412),
    (replace(PATCH, body=FRAGMENT.replace(b"abcd", b"wxyz")), OPEN, 422),
]


@pytest.mark.parametrize(("request_", "situation", "status"), REFUSED)
def test_what_is_refused(request_: Request, situation: Situation, status: int) -> None:
    response = decide(request_, situation)
    assert isinstance(response, Response)
    assert response.status == status
    assert response.body.count("\n") == 2, "what and why on one line, what to do on the next"


@pytest.mark.parametrize(
    ("status", "header", "value"),
    [(401, "WWW-Authenticate", "Bearer"), (503, "Retry-After", "2"), (405, "Allow", "OPTIONS, POST")],
)
def test_a_refusal_says_what_its_status_asks_for(status: int, header: str, value: str) -> None:
    assert session.refused(SignallingError(status, "what", "how")).headers[header].startswith(value)


def test_a_sessions_405_names_its_own_methods() -> None:
    response = decide(Request("GET", "/whep/secret"), OPEN)
    assert isinstance(response, Response)
    assert response.headers["Allow"] == "DELETE, OPTIONS, PATCH"


@pytest.mark.parametrize("authorised", [True, False])
def test_options_answers_before_the_token_is_asked_for(authorised: bool) -> None:
    response = decide(Request("OPTIONS", "/whep", authorised=authorised), OPEN)
    assert isinstance(response, Response)
    assert response.status == 204
    assert response.headers["Accept-Post"] == SDP
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


def test_the_etag_is_our_ice_sessions() -> None:
    assert session.etag_of(offer_sdp()) == '"abcd"'


@given(
    request=st.builds(
        Request,
        method=st.sampled_from(["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"]) | st.text(),
        path=st.sampled_from(["/whep", "/whep/", "/whep/secret", "/whep/other"]),
        body=st.binary() | st.sampled_from([POST.body, FRAGMENT]),
        content_type=st.sampled_from([SDP, TRICKLE, ""]) | st.text(),
        if_match=st.none() | st.text(),
        authorised=st.booleans(),
    ),
    situation=st.builds(Situation, ready=st.booleans(), full=st.booleans(), sessions=st.just(OPEN.sessions)),
)
def test_every_request_has_an_answer_and_none_is_a_500(request: Request, situation: Situation) -> None:
    decision = decide(request, situation)
    if isinstance(decision, Response):
        assert decision.status < 500 or decision.status == 503
    else:
        assert request.authorised
