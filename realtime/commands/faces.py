"""`realtime faces list`."""

import argparse
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.hidden import FaceHider, HiddenFace
from models.landmarker import Landmarks
from models.mesh import MeshSwapper
from models.patch import Patch
from realtime import personas
from realtime.bench.replay import replay
from realtime.capture.portrait import draw_portrait
from realtime.capture.registry import parse_source
from realtime.commands.face_library import list_added
from realtime.compose import Paster
from realtime.errors import ConfigError, DeviceError
from realtime.lettering import blend, text_mask
from realtime.mark import Mark
from realtime.picture_file import SUFFIXES, read_picture
from realtime.source_pictures import LEAST_FACE_PX

__all__ = ["contact_sheet", "faces_list"]

TILE = (660, 620)
"""Size of each persona's tile: (width, height)."""
COLUMNS = 3
GAP_PX = 6
FACE_SHARE = 0.46
"""Height of the face in a tile, as a share of the tile's."""
FACE_AT = 0.50
"""Where its middle lies, down the tile."""
STILL_SIZE = (1280, 960)
"""Size at which the built-in portrait is drawn for the sheet: (width, height)."""
CLIP_SECONDS, LOOKS_PER_S, LOOKED_AT_FPS = 10.0, 2, 30.0
INK, FAINT, GROUND = (250, 248, 246), (214, 206, 200), (24, 18, 16)
_RIGHT_SIDE, _LEFT_SIDE, _NOSE = 234, 454, 1

Analyse = Callable[[NDArray[np.uint8]], tuple[Landmarks, ...]]


def faces_list(args: argparse.Namespace) -> int:
    """Print every face by name; with `args.contact_sheet`, draw the personas into that PNG, on `args.on`.

    Raises ModelError when the models for the sheet cannot be had, ConfigError or DeviceError when `args.on`
    cannot be read or shows no face, DeviceError when the sheet cannot be written.
    """
    added = list_added()
    wide = max(map(len, [*personas.NAMES, *(name for name, _ in added)]))
    for number, name in enumerate(personas.NAMES):
        default = " (default)" if number == 0 else ""
        print(f"{name:<{wide}}  {personas.PERSONAS[name].about}{default}")
    for name, about in added:
        print(f"{name:<{wide}}  {about}")
    sheet: Path | None = args.contact_sheet
    on: str | None = args.on
    if sheet is None:
        if on is not None:
            raise ConfigError("--on says on what the contact sheet is drawn", "add --contact-sheet out.png")
        return 0
    _write(sheet, contact_sheet(*_wearer(on)))
    print(f"\nwritten: {sheet}")
    return 0


def contact_sheet(wearer: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Every persona on `wearer`, (H, W, 3) uint8 BGR, with landmarks `points`, (468, 3), in one picture.

    Each tile is TILE large, marked, and shows what lies round the face.
    """
    framed, points = _framed(wearer, points)
    swapper, hider = MeshSwapper(), FaceHider()
    tiles = []
    for name in personas.NAMES:
        face = personas.draw(name)
        patch: Patch
        if isinstance(face, HiddenFace):
            patch = hider.hide(framed, points, face)
        else:
            patch = swapper.swap(framed, points, face)
        tile = framed.copy()
        Paster().paste(tile, patch)
        _label(tile, name)
        tiles.append(tile)
    rows = -(-len(tiles) // COLUMNS)
    wide, tall = TILE[0] + GAP_PX, TILE[1] + GAP_PX
    sheet = np.empty((rows * tall + GAP_PX, COLUMNS * wide + GAP_PX, 3), np.uint8)
    sheet[:] = GROUND
    for number, tile in enumerate(tiles):
        y, x = GAP_PX + number // COLUMNS * tall, GAP_PX + number % COLUMNS * wide
        sheet[y : y + TILE[1], x : x + TILE[0]] = tile
    return sheet


def _framed(
    wearer: NDArray[np.uint8], points: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """What lies round the face, TILE large, and the landmarks in it: the personas are drawn at that size."""
    height, width = wearer.shape[:2]
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    middle, tall = (low + high) / 2, float(high[1] - low[1]) / FACE_SHARE
    tall = min(tall, height, width * TILE[1] / TILE[0])
    wide = tall * TILE[0] / TILE[1]
    x = min(max(float(middle[0]) - wide / 2, 0), width - wide)
    y = min(max(float(middle[1]) - tall * FACE_AT, 0), height - tall)
    scale = TILE[1] / tall
    x0, y0, x1, y1 = round(x), round(y), round(x + wide), round(y + tall)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    framed = cv2.resize(wearer[y0:y1, x0:x1], TILE, interpolation=way)
    scales = np.array([TILE[0] / (x1 - x0), TILE[1] / (y1 - y0)], np.float32)
    moved = points.copy()
    moved[:, :2] = (points[:, :2] - (x0, y0) + 0.5) * scales - 0.5
    moved[:, 2] *= scales.mean()
    return np.asarray(framed, np.uint8), moved


def _label(tile: NDArray[np.uint8], name: str) -> None:
    """The mark, and along the lower edge the persona's name and what it is."""
    height = tile.shape[0]
    fade = np.linspace(0, 1, 150, dtype=np.float32)[:, None, None] ** 1.5 * np.float32(0.72)
    foot = tile[-len(fade) :]
    foot[:] = foot * (1 - fade)
    blend(tile, text_mask(name, 34, 600), 24, height - 88, INK)
    blend(tile, text_mask(personas.PERSONAS[name].about, 17, 400), 24, height - 42, FAINT)
    Mark().apply(tile)


def _wearer(on: str | None) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The picture to put the personas on and its landmarks, found by the default models."""
    from models.catalog import DEFAULT_CHAIN
    from models.detector import open_detector
    from models.fetch import ensure
    from models.landmarker import open_landmarker
    from realtime.assembly import analyse

    # What is wrong with the request is said before anything is fetched.
    pictures = _pictures(on)
    first = list(islice(pictures, 1))
    files = ensure(DEFAULT_CHAIN)
    detector_name, landmarker_name = DEFAULT_CHAIN
    detector = open_detector(detector_name, files[detector_name].parent)
    try:
        landmarker = open_landmarker(landmarker_name, files[landmarker_name].parent)
        try:
            best = _straightest(chain(first, pictures), lambda bgr: analyse(bgr, detector, landmarker))
        finally:
            landmarker.close()
    finally:
        detector.close()
    if best is None:
        raise ConfigError(
            f"no face was found in {on or 'the built-in portrait'}",
            "choose one that shows a face from the front, or check the models: realtime models verify",
        )
    return best


def _pictures(on: str | None) -> Iterator[NDArray[np.uint8]]:
    """What to look for a face in: the built-in portrait, a picture, or some frames of a clip's beginning."""
    if on is None:
        yield draw_portrait(STILL_SIZE)
        return
    if Path(on).suffix.lower() in SUFFIXES and parse_source(on).scheme == "file":
        yield read_picture(Path(on))
        return
    due_s = 0.0
    width, height = STILL_SIZE
    for frame in replay(on, width, height, LOOKED_AT_FPS, CLIP_SECONDS):
        if frame.captured_ns >= due_s * 1e9:
            due_s += 1 / LOOKS_PER_S
            yield frame.bgr


def _straightest(
    pictures: Iterator[NDArray[np.uint8]], analyse: Analyse
) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
    """The picture and the landmarks of the face, large enough, that looks straightest; None without any."""
    best, least = None, np.inf
    for picture in pictures:
        for face in analyse(picture):
            turned = _turned(face.points)
            if turned < least and np.ptp(face.points[:, 0]) >= LEAST_FACE_PX:
                best, least = (picture, face.points), turned
    return best


def _turned(points: NDArray[np.float32]) -> float:
    """How far the face looks aside: 0 from the front."""
    right, left, nose = (points[place, :2] for place in (_RIGHT_SIDE, _LEFT_SIDE, _NOSE))
    across = left - right
    return abs(float((nose - (left + right) / 2) @ across) / max(float(across @ across), 1e-6))


def _write(path: Path, sheet: NDArray[np.uint8]) -> None:
    encoded, data = cv2.imencode(".png", sheet)
    if not encoded:
        raise DeviceError("the contact sheet cannot be encoded as PNG", "report this as a bug")
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise DeviceError(
            f"the contact sheet cannot be written to {path}: {error.strerror or error}",
            "choose a file in a folder that exists and that you may write to",
        ) from error
