from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import SignallingError
from realtime.rtc.offer import MAX_CANDIDATES, IceCandidate, Offer, TrickleFragment
from tests.fakes.offers import CANDIDATE, offer_sdp, section
from tests.fakes.whep_client import WhepClient, as_obs

T = TypeVar("T")


def status_of(sdp: str) -> int:
    with pytest.raises(SignallingError) as caught:
        Offer.parse(sdp)
    assert caught.value.message
    assert caught.value.hint
    return caught.value.status


def parsed(parse: Callable[[str], T], text: str) -> tuple[T | None, int]:
    """What the text says, and the status it would get."""
    try:
        return parse(text), 201
    except SignallingError as error:
        return None, error.status


def test_candidates_are_taken_out_and_handed_over() -> None:
    offer = Offer.parse(offer_sdp())
    assert offer.candidates == (IceCandidate(CANDIDATE, "0"),)
    assert "candidate" not in offer.sdp
    assert offer.ufrag == "abcd"


def test_names_of_the_local_network_are_told_apart() -> None:
    named = CANDIDATE.replace("192.0.2.7", "0b1c-22.local")
    offer = Offer.parse(offer_sdp(section().replace(CANDIDATE, named)))
    assert [candidate.is_mdns for candidate in offer.candidates] == [True]


def test_what_is_no_usable_candidate_is_passed_over() -> None:
    strange = [CANDIDATE.replace("udp", "tcp"), CANDIDATE.replace("1 1 udp", "1 2 udp"), "x", ""]
    strange += [CANDIDATE.replace("50000", "99999"), CANDIDATE.replace("192.0.2.7", "bad host")]
    lines = "".join(f"a=candidate:{value}\r\n" for value in strange)
    assert len(Offer.parse(offer_sdp(section() + lines)).candidates) == 1


def test_candidates_are_bounded() -> None:
    lines = "".join(f"a=candidate:{CANDIDATE.replace('50000', str(port))}\r\n" for port in range(1, 200))
    assert len(Offer.parse(offer_sdp(section() + lines)).candidates) == MAX_CANDIDATES


async def test_aiortcs_own_offer_is_good() -> None:
    async with WhepClient() as client:
        sdp = await client.offer()
        assert Offer.parse(sdp).candidates
        bare = Offer.parse(as_obs(sdp))
    assert not bare.candidates
    assert "end-of-candidates" not in bare.sdp


@pytest.mark.parametrize(
    ("without", "instead"),
    [
        ("v=0", "v=1"),
        ("m=video", "m=text"),
        ("m=video 9 UDP", "m=video nine UDP"),
        ("a=ice-ufrag:abcd\r\n", ""),
        ("a=ice-pwd:0123456789abcdefghijkl\r\n", ""),
        ("a=fingerprint:sha-256", "a=fingerprint:md5"),
        ("a=setup:actpass", "a=setup:holdconn"),
        ("a=rtcp-mux\r\n", ""),
        ("a=mid:0\r\n", ""),
        ("BUNDLE 0", "BUNDLE 0 7"),
    ],
)
def test_what_webrtc_needs_is_asked_for(without: str, instead: str) -> None:
    good = offer_sdp()
    assert without in good
    assert status_of(good.replace(without, instead)) == 400


def test_too_much_is_refused() -> None:
    assert status_of(offer_sdp(*(section(mid=str(index)) for index in range(5)))) == 400
    assert status_of(offer_sdp(section() + "a=x\r\n" * 5000)) == 400
    assert status_of(offer_sdp(section(), section())) == 400


@pytest.mark.parametrize(
    "sections",
    [
        [section(kind="audio", codec="opus/48000/2")],
        [section(codec="H265/90000")],
        [section(way="sendonly")],
        [section(way="inactive")],
    ],
)
def test_what_we_cannot_serve_is_unprocessable(sections: list[str]) -> None:
    assert status_of(offer_sdp(*sections)) == 422


@given(st.text())
def test_any_text_is_an_offer_or_an_error_with_a_status(text: str) -> None:
    assert status_of(text) in (400, 422)


@given(st.data())
def test_a_damaged_offer_is_an_offer_or_an_error_with_a_status(data: st.DataObject) -> None:
    lines = offer_sdp(section(), section(kind="audio", mid="1", codec="opus/48000/2")).split("\r\n")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(lines) - 1))
        lines[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.lists(st.one_of(st.sampled_from(lines), st.text(max_size=20)), max_size=2)
        )
    offer, status = parsed(Offer.parse, "\r\n".join(lines))
    assert status in (201, 400, 422)
    assert offer is None or "a=candidate" not in offer.sdp


def test_a_fragment_names_its_section_and_its_ice_session() -> None:
    text = f"a=ice-ufrag:abcd\r\na=ice-pwd:x\r\nm=video 9 RTP/AVP 0\r\na=mid:7\r\na=candidate:{CANDIDATE}\r\n"
    assert TrickleFragment.parse(text) == TrickleFragment((IceCandidate(CANDIDATE, "7"),), "abcd")


def test_a_fragment_may_be_empty() -> None:
    assert TrickleFragment.parse("") == TrickleFragment((), None)


@given(st.text())
def test_any_text_is_a_fragment_or_malformed(text: str) -> None:
    assert parsed(TrickleFragment.parse, text)[1] in (201, 400)
