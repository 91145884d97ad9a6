import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.web.auth import Guard, check_bind, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1"])
def test_loopback_needs_no_token(host: str) -> None:
    assert is_loopback(host)
    check_bind(host, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "example.org"])
@pytest.mark.parametrize("token", [None, ""])
def test_any_other_bind_does(host: str, token: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        check_bind(host, token)
    assert caught.value.exit_code == 2
    check_bind(host, "secret")


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("127.0.0.1:8080", True),
        ("localhost:8080", True),
        ("LocalHost:8080", True),
        ("[::1]:8080", True),
        ("127.0.0.1", False),
        ("127.0.0.1:81", False),
        ("evil.example:8080", False),
        ("127.0.0.1.evil.example:8080", False),
        ("", False),
        (None, False),
    ],
)
def test_the_host_must_be_ours_on_loopback(header: str | None, allowed: bool) -> None:
    assert Guard("127.0.0.1", 8080).host_allowed(header) is allowed


def test_the_default_port_may_be_left_out() -> None:
    assert Guard("localhost", 80).host_allowed("localhost")


def test_a_public_server_goes_by_any_name() -> None:
    assert Guard("0.0.0.0", 8080, "secret").host_allowed("studio.lan:8080")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:8080", True),
        ("https://obs.example", True),
        ("http://evil.example", False),
        ("http://127.0.0.1:9999", False),
        ("null", False),
        ("http://[", False),
        ("file://127.0.0.1:8080", False),
    ],
)
def test_a_foreign_page_may_not_ask(origin: str | None, allowed: bool) -> None:
    guard = Guard("127.0.0.1", 8080, allow_origins=("https://obs.example",))
    assert guard.origin_allowed(origin, "127.0.0.1:8080") is allowed


def test_cors_is_for_named_origins_only() -> None:
    guard = Guard("127.0.0.1", 8080, allow_origins=("https://obs.example",))
    assert guard.cors_headers("https://obs.example")["Access-Control-Allow-Origin"] == "https://obs.example"
    assert guard.cors_headers("http://evil.example") == guard.cors_headers(None) == {}


@pytest.mark.parametrize(
    ("header", "allowed"),
    [
        ("Bearer s3cret", True),
        ("bearer  s3cret ", True),
        ("Bearer S3cret", False),
        ("Bearer s3cre", False),
        ("Basic s3cret", False),
        ("s3cret", False),
        ("Bearer", False),
        ("", False),
        (None, False),
    ],
)
def test_the_token_is_borne_or_not(header: str | None, allowed: bool) -> None:
    assert Guard("0.0.0.0", 8080, "s3cret").authorised(header) is allowed


@given(st.text(st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC80, max_codepoint=0xDCFF)))
def test_no_header_breaks_it(header: str) -> None:
    assert not Guard("0.0.0.0", 8080, "s3cret-with-ä").authorised(header)


def test_without_a_token_everybody_is_welcome() -> None:
    assert Guard("127.0.0.1", 8080).authorised(None)
