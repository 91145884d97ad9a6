"""The page's files, the statistics for the page and for Prometheus, and the two questions of an operator:
does it run, is it ready.
"""

from importlib.resources import files

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from realtime.rtc.viewers import Viewers
from realtime.telemetry.prometheus import CONTENT_TYPE, exposition
from realtime.web.auth import Guard
from realtime.web.commands import CommandHandler, Control
from realtime.web.view import StatusView
from realtime.web.whep import WhepHandler

__all__ = ["build_app"]

_PAGES = {"/": "index.html", "/player": "player.html"}
_FILES = {
    "style.css": "text/css",
    "whep.js": "text/javascript",
    "page.js": "text/javascript",
    "player.js": "text/javascript",
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def build_app(
    viewers: Viewers, view: StatusView, guard: Guard, control: Control | None = None
) -> web.Application:
    """The application; it starts nothing. Without `control` there are no commands."""
    app = web.Application(middlewares=[_gate(guard)])
    for path, name in _PAGES.items():
        app.router.add_get(path, _page_file(name, "text/html"))
    for name, content_type in _FILES.items():
        app.router.add_get(f"/page/{name}", _page_file(name, content_type))

    async def stats(request: web.Request) -> web.Response:
        if (refused := _refused(request, guard)) is not None:
            return refused
        now = viewers.stats()
        report = {
            **view.report(),
            "ready": view.ready(),
            "status": view.status_line(),
            "viewers": {"connected": now.connected, "limit": now.limit, "missed": now.pictures_missed},
        }
        # msgspec writes a figure that is not a number as null, which JSON has no word for.
        return web.Response(body=msgspec.json.encode(report), content_type="application/json")

    async def metrics(request: web.Request) -> web.Response:
        if (refused := _refused(request, guard)) is not None:
            return refused
        text = exposition(view.snapshot, viewers.stats().connected)
        # Set as it is: aiohttp would split it, and lose the format's version.
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        ready = view.ready()
        return web.Response(status=200 if ready else 503, text="ready\n" if ready else "not ready\n")

    app.router.add_get("/api/v1/stats", stats)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    if control is not None:
        commands = CommandHandler(control, guard)
        app.router.add_get("/api/v1/config", commands.read)
        app.router.add_post("/api/v1/commands", commands.command)
    whep = WhepHandler(viewers, view, guard)
    app.router.add_route("*", "/whep", whep.handle)
    app.router.add_route("*", "/whep/{session}", whep.handle)
    return app


def _refused(request: web.Request, guard: Guard) -> web.Response | None:
    """The answer to who does not bear the token."""
    if guard.authorised(request.headers.get("Authorization")):
        return None
    return web.Response(
        status=401,
        headers={"WWW-Authenticate": 'Bearer realm="realtime"'},
        text="the token is missing or wrong\nsend Authorization: Bearer TOKEN\n",
    )


def _page_file(name: str, content_type: str) -> Handler:
    body = files("realtime.web").joinpath("page", name).read_bytes()

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return serve


def _gate(guard: Guard) -> Middleware:
    """Turns away foreign hosts and origins, and gives every response its protective headers."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        host, origin = request.headers.get("Host"), request.headers.get("Origin")
        response: web.StreamResponse
        if not guard.host_allowed(host):
            response = web.Response(
                status=403, text="this server does not go by that name\nuse its own URL\n"
            )
        elif not guard.origin_allowed(origin, host):
            response = web.Response(
                status=403, text="a page of another site may not ask\nuse this server's page\n"
            )
        else:
            try:
                response = await handler(request)
            except web.HTTPException as error:
                error.headers.update({**_HEADERS, **guard.cors_headers(origin)})
                raise
        response.headers.update({**_HEADERS, **guard.cors_headers(origin)})
        return response

    return gate
