"""One start of `realtime run` in this process, with a stopwatch at the doors it goes through.

`python -m realtime.bench.watched BEGAN_NS OUT FLAG ...`: BEGAN_NS is `time.monotonic_ns()` from before this
process was started, OUT the file that takes the spans as JSON. Only a timer is put before each door, so the
figures are those of the program.
"""

import builtins
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FIRST_FRAME", "Spans", "main"]

FIRST_FRAME = "first swapped frame"
_HEAVY = frozenset({"aiohttp", "aiortc", "av", "cv2", "numpy", "openvino", "onnxruntime"})
"""Packages whose import takes long enough to be told."""


class Spans:
    """From when to when, in milliseconds since the process was asked for."""

    def __init__(self, began_ns: int, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._began_ns = began_ns
        self._now_ns = now_ns
        self.found: dict[str, tuple[float, float]] = {}

    def now_ms(self) -> float:
        return (self._now_ns() - self._began_ns) / 1e6

    def add(self, name: str, from_ms: float) -> None:
        """A span that ends now; of a name that comes again the first counts."""
        self.found.setdefault(name, (from_ms, self.now_ms()))

    def timed(self, name: Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, with each call a span whose name comes from the arguments."""

        def call(*args: Any, **kwargs: Any) -> Any:
            from_ms = self.now_ms()
            try:
                return function(*args, **kwargs)
            finally:
                self.add(name(*args, **kwargs), from_ms)

        return call


class _FirstRun:
    """A session whose first run is a span; everything else is the session's own."""

    def __init__(self, session: Any, name: str, spans: Spans) -> None:
        self._session = session
        self._name = name
        self._spans = spans

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, feeds: Any) -> Any:
        from_ms = self._spans.now_ms()
        results = self._session.run(feeds)
        self._spans.add(self._name, from_ms)
        return results


def main(arguments: Sequence[str]) -> int:
    """Run the program with the flags; its exit code."""
    began_ns, out, *flags = arguments
    spans = Spans(int(began_ns))
    spans.add("interpreter", 0.0)
    _watch_imports(spans)
    _watch_doors(spans)
    from realtime.cli import main as program

    try:
        return program(["run", *flags])
    finally:
        Path(out).write_text(json.dumps(spans.found), "utf-8")


def _watch_imports(spans: Spans) -> None:
    real = builtins.__import__

    def importing(name: str, *args: Any, **kwargs: Any) -> Any:
        package = name.partition(".")[0]
        if package not in _HEAVY or package in sys.modules:
            return real(name, *args, **kwargs)
        from_ms = spans.now_ms()
        try:
            return real(name, *args, **kwargs)
        finally:
            spans.add(f"import {package}", from_ms)

    builtins.__import__ = importing


def _watch_doors(spans: Spans) -> None:
    """The functions are replaced where they are defined, before anything has taken them from there."""
    from models.runtime import registry

    opened = registry.open_session

    def open_session(path: Path, *args: Any, **kwargs: Any) -> Any:
        from_ms = spans.now_ms()
        session = opened(path, *args, **kwargs)
        spans.add(f"open {path.stem}", from_ms)
        return _FirstRun(session, f"first run of {path.stem}", spans)

    registry.open_session = open_session

    from models import fetch
    from realtime import faces, publisher

    fetch.ensure = spans.timed(lambda *_, **__: "models checked", fetch.ensure)
    faces.load_face = spans.timed(lambda uri, *_, **__: f"face {uri}", faces.load_face)
    shown = publisher.Publisher.swapped

    def swapped(self: publisher.Publisher, *args: Any, **kwargs: Any) -> None:
        shown(self, *args, **kwargs)
        spans.add(FIRST_FRAME, 0.0)

    publisher.Publisher.swapped = swapped  # type: ignore[method-assign]
    spans.add("imports of the parts", spans.found["interpreter"][1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
