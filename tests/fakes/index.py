"""A file server that misbehaves on request, and a package index made of it."""

import io
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["FileServer", "serve", "wheel_index"]

GATE_TIMEOUT_S = 60.0


@dataclass
class FileServer:
    """Serves `files` by path."""

    files: dict[str, bytes]
    cuts: list[int] = field(default_factory=list)
    """Bytes of the body after which each of the next answers is cut; once empty, answers are whole."""
    ranges: bool = True
    """Whether it honours the Range header."""
    port: int = 0
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, Range header) of each request for a file that is there."""
    gate: threading.Event = field(default_factory=threading.Event)
    """Answers wait for it."""
    asked: threading.Event = field(default_factory=threading.Event)
    """Set by the first request for a gated file."""
    gated: str = ""
    """The path whose answers wait for the gate."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serve(server: FileServer) -> Iterator[FileServer]:
    """Run `server` on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = server.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            wanted = self.headers.get("Range")
            server.requests.append((self.path, wanted))
            if self.path == server.gated:
                server.asked.set()
                server.gate.wait(GATE_TIMEOUT_S)
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
            body = content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            kind = "text/html" if self.path.endswith("/") else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.end_headers()
            if server.cuts:
                body = body[: server.cuts.pop(0)]
                self.close_connection = True
            try:
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http_server.daemon_threads = False
    server.port = http_server.server_address[1]
    thread = threading.Thread(target=http_server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        http_server.shutdown()
        thread.join(GATE_TIMEOUT_S)
        http_server.server_close()


def wheel_index(package: str, version: str, tag: str, members: Mapping[str, bytes]) -> FileServer:
    """An index (at /simple/) whose only package is a wheel with these members."""
    info = f"{package}-{version}.dist-info"
    described = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        f"{info}/RECORD": b"",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (described | dict(members)).items():
            archive.writestr(name, content)
    file = f"{package}-{version}-{tag}.whl"
    page = f'<!DOCTYPE html><html><body><a href="/files/{file}">{file}</a></body></html>'
    return FileServer({f"/simple/{package}/": page.encode(), f"/files/{file}": buffer.getvalue()})
