"""Commands to the running program over HTTP: its settings, read and changed."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from aiohttp import web

from realtime.errors import RealtimeError
from realtime.web.auth import Guard

__all__ = ["CommandHandler", "Control"]

GREATEST_BODY = 64 * 1024
_UNAUTHORISED = {"WWW-Authenticate": 'Bearer realm="realtime"'}

_log = logging.getLogger(__name__)


class Control(Protocol):
    """What a command reaches: `realtime.control.program`."""

    def settings(self) -> Mapping[str, Any]:
        """Every key that can be changed while the program runs, with its value."""
        ...

    async def apply(self, values: Mapping[str, Any], consent: bool) -> str:
        """Change keys, all or none; what was made anew. Raises RealtimeError, and then nothing has changed.

        `consent`: the user says that whoever is in the pictures agreed.
        """
        ...


class _Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    set: dict[str, Any]
    consent: bool = False


class CommandHandler:
    """`GET /api/v1/config` and `POST /api/v1/commands`."""

    def __init__(self, control: Control, guard: Guard) -> None:
        self._control = control
        self._guard = guard

    async def read(self, request: web.Request) -> web.Response:
        """The settings that can be changed, as a JSON object."""
        if refused := self._refused(request):
            return refused
        return _json(200, {"settings": dict(self._control.settings())})

    async def command(self, request: web.Request) -> web.Response:
        """`{"set": {"face.uris": ["persona:ink"]}, "consent": false}`: 200 when it is on its way."""
        if refused := self._refused(request):
            return refused
        # A page of another site cannot send this type without asking first.
        if request.content_type != "application/json":
            return _json(415, _wrong("a command is JSON", "send Content-Type: application/json"))
        if (request.content_length or 0) > GREATEST_BODY:
            return _json(413, _wrong("the command is too long", "send one at a time"))
        try:
            asked = msgspec.json.decode(await request.content.read(GREATEST_BODY + 1), type=_Command)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _json(400, _wrong(f"the command cannot be read: {error}", 'send {"set": {"key": value}}'))
        try:
            made = await self._control.apply(asked.set, asked.consent)
        except RealtimeError as error:
            _log.info("a command was refused: %s", error.message)
            return _json(400, _wrong(error.message, error.hint))
        return _json(200, {"made": made, "settings": dict(self._control.settings())})

    def _refused(self, request: web.Request) -> web.Response | None:
        if self._guard.authorised(request.headers.get("Authorization")):
            return None
        wrong = _wrong("the token is missing or wrong", "send Authorization: Bearer TOKEN")
        return _json(401, wrong, _UNAUTHORISED)


def _wrong(message: str, hint: str) -> dict[str, str]:
    return {"error": message, "hint": hint}


def _json(status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=msgspec.json.encode(body), content_type="application/json", headers=headers
    )
