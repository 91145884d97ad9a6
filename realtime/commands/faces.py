"""`realtime faces list`."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime import personas
from realtime.capture.portrait import draw_portrait
from realtime.errors import DeviceError, ModelError
from realtime.lettering import blend, text_mask
from realtime.mark import Mark

__all__ = ["contact_sheet", "faces_list"]

SHEET_PORTRAIT = (960, 720)
"""Size at which the portrait is drawn for the sheet: (width, height)."""
TILE = (660, 620)
"""What of it each persona's tile shows, round its middle: (width, height)."""
COLUMNS = 2
GAP_PX = 6
INK, FAINT, GROUND = (250, 248, 246), (214, 206, 200), (24, 18, 16)


def faces_list(args: argparse.Namespace) -> int:
    """Print every persona; with `args.contact_sheet`, also draw them all into that PNG.

    Raises ModelError when the models for the sheet cannot be had, DeviceError when it cannot be written.
    """
    wide = max(map(len, personas.NAMES))
    for number, name in enumerate(personas.NAMES):
        default = " (default)" if number == 0 else ""
        print(f"{name:<{wide}}  {personas.PERSONAS[name].about}{default}")
    sheet: Path | None = args.contact_sheet
    if sheet is not None:
        portrait = draw_portrait(SHEET_PORTRAIT)
        _write(sheet, contact_sheet(portrait, _landmarks(portrait)))
        print(f"\nwritten: {sheet}")
    return 0


def contact_sheet(portrait: NDArray[np.uint8], points: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Every persona on `portrait`, (H, W, 3) uint8 BGR, with landmarks `points`, (468, 3), in one picture."""
    from models.mesh import MeshSwapper
    from realtime.compose import paste

    swapper = MeshSwapper()
    tiles = []
    for name in personas.NAMES:
        picture = portrait.copy()
        paste(picture, swapper.swap(portrait, points, personas.draw(name)))
        tiles.append(_labelled(picture, name))
    rows = [tiles[first : first + COLUMNS] for first in range(0, len(tiles), COLUMNS)]
    tall, wide = tiles[0].shape[:2]
    shape = (len(rows) * (tall + GAP_PX) + GAP_PX, COLUMNS * (wide + GAP_PX) + GAP_PX, 3)
    sheet = np.empty(shape, np.uint8)
    sheet[:] = GROUND
    for row, across in enumerate(rows):
        for column, tile in enumerate(across):
            y, x = GAP_PX + row * (tall + GAP_PX), GAP_PX + column * (wide + GAP_PX)
            sheet[y : y + tall, x : x + wide] = tile
    return sheet


def _labelled(picture: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """The middle of `picture`, marked, with the persona's name and what it is along its lower edge."""
    tall, wide = picture.shape[:2]
    width, height = min(TILE[0], wide), min(TILE[1], tall)
    x, y = (wide - width) // 2, (tall - height) // 2
    tile = np.ascontiguousarray(picture[y : y + height, x : x + width])
    fade = np.linspace(0, 1, min(150, height), dtype=np.float32)[:, None, None] ** 1.5 * np.float32(0.72)
    foot = tile[-len(fade) :]
    foot[:] = foot * (1 - fade)
    blend(tile, text_mask(name, 34, 600), 24, height - 88, INK)
    blend(tile, text_mask(personas.PERSONAS[name].about, 17, 400), 24, height - 42, FAINT)
    Mark().apply(tile)
    return tile


def _landmarks(portrait: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The portrait's landmarks, found by the default models, which are fetched where they are missing."""
    from models.catalog import DEFAULT_CHAIN
    from models.detector import open_detector
    from models.fetch import ensure
    from models.landmarker import open_landmarker
    from realtime.assembly import analyse

    files = ensure(DEFAULT_CHAIN)
    detector_name, landmarker_name = DEFAULT_CHAIN
    detector = open_detector(detector_name, files[detector_name].parent)
    try:
        landmarker = open_landmarker(landmarker_name, files[landmarker_name].parent)
        try:
            found = analyse(portrait, detector, landmarker)
        finally:
            landmarker.close()
    finally:
        detector.close()
    if not found:
        raise ModelError(
            "the default models see no face in the built-in portrait",
            "check them: realtime models verify",
        )
    return found[0].points


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
