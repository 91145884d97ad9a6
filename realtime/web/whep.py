"""WHEP over aiohttp: reads a request, asks the rules, lets the viewers do it, writes the response."""

import asyncio

from aiohttp import web

from realtime.errors import SignallingError
from realtime.rtc import session
from realtime.rtc.session import AddCandidates, Answer, Remove, Situation
from realtime.rtc.viewers import Viewers
from realtime.web.auth import Guard
from realtime.web.view import StatusView

__all__ = ["WhepHandler"]

BODY_TIMEOUT_S = 5.0


class WhepHandler:
    """Serves /whep and /whep/<id>, all methods."""

    def __init__(self, viewers: Viewers, view: StatusView, guard: Guard) -> None:
        self._viewers = viewers
        self._view = view
        self._guard = guard

    async def handle(self, request: web.Request) -> web.Response:
        """Never raises for a request, whatever is in it."""
        try:
            body = await asyncio.wait_for(_read(request), BODY_TIMEOUT_S)
        except TimeoutError:
            return _response(
                session.refused(SignallingError(408, "the body did not come in time", "send it at once"))
            )
        decision = session.decide(
            session.Request(
                method=request.method,
                path=request.path,
                body=body,
                content_type=request.headers.get("Content-Type", ""),
                if_match=request.headers.get("If-Match"),
                authorised=self._guard.authorised(request.headers.get("Authorization")),
            ),
            Situation(self._view.ready(), self._viewers.full, self._viewers.sessions),
        )
        try:
            match decision:
                case Answer(offer):
                    return _response(session.created(*await self._viewers.answer(offer)))
                case AddCandidates(session_id, candidates):
                    await self._viewers.add_candidates(session_id, candidates)
                    return _response(session.done(decision))
                case Remove(session_id):
                    await self._viewers.remove(session_id)
                    return _response(session.done(decision))
                case session.Response():
                    return _response(decision)
        except SignallingError as error:
            return _response(session.refused(error))


async def _read(request: web.Request) -> bytes:
    """The body, or more than the rules allow of a longer one."""
    body = bytearray()
    while len(body) <= session.MAX_BODY_BYTES and (chunk := await request.content.readany()):
        body += chunk
    return bytes(body)


def _response(response: session.Response) -> web.Response:
    return web.Response(status=response.status, headers=dict(response.headers), body=response.body.encode())
