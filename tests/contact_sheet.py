"""Sheets to look at: clips with faces on them, through the pipeline that users get. Made on demand, not kept.

    python -m tests.contact_sheet --out DIR
        still:, the default face, every second
    python -m tests.contact_sheet --out DIR --clip a.mp4 --face me.jpg --every 0.5 --show frame,swapped,mesh
    python -m tests.contact_sheet --out DIR --clip a.mp4 --frames 90-113
        a strip: frame by frame, to see what pops
    python -m tests.contact_sheet --out DIR --enhancer none --enhancer detail --scale 3

Every frame up to the last one shown goes through the pipeline, so that tracking is what it is in a run.
"""

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.errors import RealtimeError
from models.fetch import ensure
from models.topology import TRIANGLES
from realtime.assembly import build_pipeline, model_names
from realtime.bench.replay import replay
from realtime.clock import NS_PER_S, MonotonicClock
from realtime.config_layers import Layers, load
from realtime.frame import Face, Frame, Outcome, Result
from realtime.lettering import blend, text_mask
from realtime.mark import Mark
from realtime.pipeline import Pipeline, PipelineFigures

__all__ = ["Plan", "main", "sheets"]

Picture = NDArray[np.uint8]

HEADER_PX, CAPTION_PX, GAP_PX = 34, 18, 3
WIDEST_PX, TALLEST_PX = 2000, 2000
"""Size of a sheet; what does not fit goes onto a further one."""
ROOM, STRIP_ROOM = 0.30, 0.45
"""Shown beside the face on each side, in sides of its box. In a strip the window stands still."""
INK, FAINT, GROUND = (240, 236, 232), (150, 144, 140), (30, 24, 22)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames are shown, and how."""

    every_s: float = 1.0
    """Seconds of the clip between two tiles. Not looked at in a strip."""
    strip: tuple[int, int] | None = None
    """First and last frame of a strip, counted from 0."""
    seconds: float = 10.0
    """Where a clip is left. Not looked at in a strip."""
    show: tuple[str, ...] = ("frame", "swapped")
    """Names of SHOWN: a tile each."""
    scale: float = 1.0
    """Pixels of the sheet a pixel of the clip."""
    whole: bool = False
    """The whole frame instead of the first face."""
    size: tuple[int, int] = (1280, 720)
    """Size of the built-in sources: (width, height)."""
    fps: float = 30.0
    """Rate of the built-in sources."""


def _frame(result: Result) -> Picture:
    return result.frame.bgr


def _swapped(result: Result) -> Picture:
    return result.bgr


def _mesh(result: Result) -> Picture:
    """The frame with the tracked triangles."""
    picture = result.frame.bgr.copy()
    for face in result.faces:
        corners = np.rint(face.points[:, :2] * 16).astype(np.int32)[TRIANGLES]
        cv2.polylines(picture, list(corners), True, (80, 230, 120), 1, cv2.LINE_AA, 4)
    return picture


def _mask(result: Result) -> Picture:
    """How far each pixel was changed, four times as strong."""
    change = cv2.absdiff(result.bgr, result.frame.bgr).max(axis=2)
    return np.asarray(cv2.cvtColor(cv2.convertScaleAbs(change, alpha=4), cv2.COLOR_GRAY2BGR), np.uint8)


SHOWN: dict[str, Callable[[Result], Picture]] = {
    "frame": _frame,
    "swapped": _swapped,
    "mesh": _mesh,
    "mask": _mask,
}


def sheets(pipeline: Pipeline, frames: Iterator[Frame], plan: Plan, title: str) -> Iterator[Picture]:
    """Sheets of the frames that `plan` names, (H, W, 3) uint8."""
    window: _Window | None = None
    groups: list[Picture] = []
    due_s = 0.0
    for number, frame in enumerate(frames):
        if plan.strip is not None and number > plan.strip[1]:
            break
        result = pipeline.process(replace(frame, seq=number))
        at_s = frame.captured_ns / NS_PER_S
        if number < plan.strip[0] if plan.strip is not None else at_s < due_s - 1e-6:
            continue
        due_s += plan.every_s
        if window is None and (plan.whole or result.faces):
            window = _window(result, plan)
        if window is None:
            continue
        if plan.strip is None and result.faces and not plan.whole:
            window = window.on(result.faces[0], result.frame.bgr.shape)
        groups.append(_group(result, window, plan, f"{number}  {at_s:.2f} s"))
    yield from _pages(groups, title)


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of the frame that is shown, in pixels of it."""

    x: int
    y: int
    width: int
    height: int

    def on(self, face: Face, shape: tuple[int, ...]) -> "_Window":
        """The same, moved onto a face as far as a frame of `shape` reaches."""
        x0, y0, x1, y1 = face.box
        x, y = round((x0 + x1 - self.width) / 2), round((y0 + y1 - self.height) / 2)
        x, y = min(max(x, 0), shape[1] - self.width), min(max(y, 0), shape[0] - self.height)
        return replace(self, x=x, y=y)

    def cut(self, picture: Picture, scale: float) -> Picture:
        """The part, scaled."""
        part = picture[self.y : self.y + self.height, self.x : self.x + self.width]
        if scale == 1:
            return part
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
        return np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=way), np.uint8)


def _window(result: Result, plan: Plan) -> _Window:
    height, width = result.frame.bgr.shape[:2]
    if plan.whole:
        return _Window(0, 0, width, height)
    x0, y0, x1, y1 = result.faces[0].box
    share = 1 + 2 * (ROOM if plan.strip is None else STRIP_ROOM)
    wide, tall = min(width, round((x1 - x0) * share)), min(height, round((y1 - y0) * share))
    return _Window(0, 0, wide, tall).on(result.faces[0], (height, width))


def _group(result: Result, window: _Window, plan: Plan, caption: str) -> Picture:
    """The tiles of one frame, side by side over their caption."""
    tiles = [window.cut(SHOWN[name](result), plan.scale) for name in plan.show]
    across = np.concatenate(tiles, axis=1)
    group = np.full((across.shape[0] + CAPTION_PX, across.shape[1], 3), GROUND, np.uint8)
    group[: across.shape[0]] = across
    if result.outcome is not Outcome.SWAPPED:
        caption += f"  {result.outcome.value}"
    blend(group, text_mask(caption, 13, 400), 3, across.shape[0] + 1, FAINT)
    return group


def _pages(groups: Sequence[Picture], title: str) -> Iterator[Picture]:
    if not groups:
        return
    tall, wide = groups[0].shape[0] + GAP_PX, groups[0].shape[1] + GAP_PX
    columns = min(len(groups), max(1, (WIDEST_PX - GAP_PX) // wide))
    rows = max(1, (TALLEST_PX - HEADER_PX) // tall)
    for first in range(0, len(groups), columns * rows):
        shown = groups[first : first + columns * rows]
        used = -(-len(shown) // columns)
        page = np.full((HEADER_PX + used * tall, GAP_PX + columns * wide, 3), GROUND, np.uint8)
        for place, group in enumerate(shown):
            y, x = HEADER_PX + place // columns * tall, GAP_PX + place % columns * wide
            page[y : y + group.shape[0], x : x + group.shape[1]] = group
        header = page[:HEADER_PX]
        Mark().apply(header)
        blend(header, text_mask(title, 16, 600), 130, 6, INK)
        yield page


def main(argv: Sequence[str] | None = None) -> int:
    """Make the sheets; prints the path of each. 2 when something asked for cannot be had."""
    arguments = _parser().parse_args(argv)
    plan = Plan(**{part.name: getattr(arguments, part.name) for part in fields(Plan)})
    arguments.out.mkdir(parents=True, exist_ok=True)
    try:
        for clip in arguments.clip or ["still:"]:
            for face in arguments.face or [None]:
                for enhancer in arguments.enhancer or [None]:
                    for path in _written(arguments.out, clip, face, enhancer, plan):
                        sys.stdout.write(f"{path}\n")
    except RealtimeError as error:
        sys.stderr.write(f"{error.told()}\n")
        return 2
    return 0


def _written(out: Path, clip: str, face: str | None, enhancer: str | None, plan: Plan) -> Iterator[Path]:
    flags: dict[str, object] = {"source.width": plan.size[0], "source.height": plan.size[1]}
    if face is not None:
        flags["face.uris"] = [face]
    if enhancer is not None:
        flags["pipeline.enhancer"] = enhancer
    config = load(Layers(flags=flags))
    folder = next(iter(ensure(model_names(config)).values())).parent
    words = [_stem(clip), _stem(config.face.uris[0]), *([enhancer] if enhancer else [])]
    if plan.strip:
        words.append(f"{plan.strip[0]}-{plan.strip[1]}")
    pipeline = build_pipeline(config, folder, MonotonicClock(), PipelineFigures(), lossless=True)
    try:
        frames = replay(clip, *plan.size, plan.fps, plan.seconds if plan.strip is None else math.inf)
        for number, sheet in enumerate(sheets(pipeline, frames, plan, "  ".join(words))):
            path = out / ("_".join(words) + (f"_{number + 1}" if number else "") + ".png")
            cv2.imwrite(str(path), sheet)
            yield path
    finally:
        pipeline.close()


def _stem(uri: str) -> str:
    return re.sub(r"[^\w.-]+", "-", Path(uri).stem or uri).strip("-")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.contact_sheet",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clip", action="append", metavar="URI", help="a clip or still:; repeatable")
    parser.add_argument(
        "--face", action="append", metavar="URI", help="persona:NAME or a picture; repeatable"
    )
    parser.add_argument("--enhancer", action="append", metavar="NAME", help="repeatable")
    parser.add_argument(
        "--every", dest="every_s", type=float, default=1.0, metavar="S", help="seconds between tiles (1)"
    )
    parser.add_argument("--seconds", type=float, default=10.0, metavar="S", help="how far into the clip (10)")
    parser.add_argument(
        "--frames", dest="strip", type=_span, metavar="A-B", help="a strip: these frames, one by one"
    )
    parser.add_argument(
        "--show", type=_names, default=("frame", "swapped"), metavar="NAMES", help=",".join(SHOWN)
    )
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="pixels a pixel (1)")
    parser.add_argument("--whole", action="store_true", help="whole frames, not the first face")
    parser.add_argument(
        "--size", type=_size, default=(1280, 720), metavar="WxH", help="of still: and testcard:"
    )
    parser.add_argument("--fps", type=float, default=30.0, metavar="N", help="of still: and testcard: (30)")
    return parser


def _span(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)-(\d+)", text)
    if match is None or int(match[1]) > int(match[2]):
        raise argparse.ArgumentTypeError("write the first and the last frame, such as 90-113")
    return int(match[1]), int(match[2])


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{2,5})x(\d{2,5})", text)
    if match is None:
        raise argparse.ArgumentTypeError("write width x height, such as 1280x720")
    return int(match[1]), int(match[2])


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(SHOWN):
        raise argparse.ArgumentTypeError(f"there are {', '.join(SHOWN)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
