"""The HTTP server: starts, says where it is, stops in bounded time."""

import asyncio
import errno
import logging
import os
import socket
from urllib.parse import quote

from aiohttp import web

from realtime.errors import DeviceError
from realtime.rtc.viewers import Viewers
from realtime.web.auth import Guard, check_bind
from realtime.web.commands import Control
from realtime.web.routes import build_app
from realtime.web.view import StatusView

__all__ = ["WebServer"]

logger = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S = 1.0
CLOSE_TIMEOUT_S = 3.0
BACKLOG = 64


class WebServer:
    """Serves the page, WHEP and the statistics. The viewers stay their owner's to close."""

    def __init__(
        self,
        host: str,
        port: int,
        token: str | None,
        viewers: Viewers,
        view: StatusView,
        allow_origins: tuple[str, ...] = (),
        control: Control | None = None,
    ) -> None:
        """`port` 0 takes any free one. Raises ConfigError for a bind that needs a token and has none."""
        check_bind(host, token)
        self._host = host
        self._port = port
        self._token = token
        self._viewers = viewers
        self._view = view
        self._allow_origins = allow_origins
        self._control = control
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page's URL on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self._host, self._host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}"

    @property
    def page_url(self) -> str:
        """The page's URL with the token in its fragment, if there is one: for a terminal, not for a log."""
        return f"{self.url}/#token={quote(self._token, safe='')}" if self._token else self.url

    async def start(self) -> None:
        """Listen. Raises DeviceError when the port cannot be had."""
        listening = self._listen()
        self._port = listening.getsockname()[1]
        guard = Guard(self._host, self._port, self._token, self._allow_origins)
        runner = web.AppRunner(
            build_app(self._viewers, self._view, guard, self._control),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=SHUTDOWN_TIMEOUT_S,
        )
        self._runner = runner
        await runner.setup()
        await web.SockSite(runner, listening, backlog=BACKLOG).start()
        logger.debug("listening on %s", self.url)

    def _listen(self) -> socket.socket:
        host, port = self._host, self._port
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            listening = socket.socket(family, kind, protocol)
            try:
                # Windows gives this option another meaning: two servers on one port.
                if os.name == "posix":
                    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind(address)
                listening.listen(BACKLOG)
            except OSError:
                listening.close()
                raise
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise DeviceError(
                    f"port {port} on {host} is in use",
                    "choose another with --port N, or stop the other program",
                ) from error
            reason = error.strerror or str(error)
            raise DeviceError(
                f"cannot listen on {host} port {port}: {reason}", "choose another address or --port N"
            ) from error
        listening.setblocking(False)
        return listening

    async def close(self) -> None:
        """Stop listening and end open requests. Idempotent, bounded, never raises."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        try:
            await asyncio.wait_for(runner.cleanup(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            logger.warning("the web server did not stop in %.0f s", CLOSE_TIMEOUT_S)
        except Exception:
            logger.exception("the web server did not stop cleanly")
