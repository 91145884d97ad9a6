"""Who may ask: the bearer token, the Host and the Origin of a request. Pure decisions."""

import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from realtime.errors import ConfigError

__all__ = ["Guard", "check_bind", "is_loopback"]

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def is_loopback(host: str) -> bool:
    """True when only this machine can reach a server bound to `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_bind(host: str, token: str | None) -> None:
    """Raises ConfigError when other machines could reach the server and nothing keeps them out."""
    if not is_loopback(host) and not token:
        raise ConfigError(
            f"{host or 'every address'} can be reached from other machines, and no token is set",
            "set a web token, or bind to 127.0.0.1",
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """Judges the headers of a request to a server that listens on `host` and `port`."""

    host: str
    port: int
    token: str | None = None
    allow_origins: tuple[str, ...] = ()
    """Further web origins, as "https://example.org", whose pages may ask."""

    def host_allowed(self, header: str | None) -> bool:
        """False for a name that is not this server's, on loopback.

        A web page elsewhere can point its own name at 127.0.0.1 (DNS rebinding), but not change the
        Host that the browser then sends. A server that other machines use has names we cannot know;
        there the token keeps strangers out.
        """
        if not is_loopback(self.host):
            return True
        own = (*_LOOPBACK_NAMES, f"[{self.host}]" if ":" in self.host else self.host)
        names = {f"{name}:{self.port}" for name in own}
        if self.port == 80:
            names |= set(own)
        return header is not None and header.lower() in names

    def origin_allowed(self, origin: str | None, host: str | None) -> bool:
        """False when a page of another origin asks. `host` is the request's Host header."""
        if origin is None or origin in self.allow_origins:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and host is not None and parts.netloc.lower() == host.lower()

    def authorised(self, header: str | None) -> bool:
        """True when no token is set or the Authorization header bears it. Compared in constant time."""
        if not self.token:
            return True
        scheme, _, given = (header or "").partition(" ")
        # What aiohttp could not decode in a header arrives as surrogates.
        same = secrets.compare_digest(
            given.strip().encode(errors="surrogateescape"), self.token.encode(errors="surrogateescape")
        )
        return same and scheme.lower() == "bearer"

    def cors_headers(self, origin: str | None) -> dict[str, str]:
        """Allow-Origin for the origins that were named, and for no other."""
        if origin is None or origin not in self.allow_origins:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
