"""Faces in a frame for chains that cut them out themselves, and what the CPU makes of them."""

import cv2
import numpy as np

from models.landmarker import five_points
from models.masks.box import box_mask
from models.neural.align import align, crop
from models.neural.chain import FaceChain
from models.neural.face import Crop, GivenFace, Uncut
from models.neural.settings import ChainSettings
from models.neural.swapper import open_swapper
from models.paste_back import PasteBack, aligned_face
from tests.fakes.device_gpu import coloured
from tests.fakes.head import posed

__all__ = ["PLAIN", "SHAPE", "TEMPLATE", "alike", "by_the_cpu", "frame_of", "given", "laid"]

TEMPLATE = ("arcface_128", 256)
PLAIN = ChainSettings(colour=0.0)
SHAPE = (320, 620, 3)


def frame_of(*places, shape=SHAPE, eyes_px=60):
    bgr = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 256, shape, np.uint8), (0, 0), 3)
    for place in places:
        points = posed(place, eyes_px)
        cv2.fillConvexPoly(bgr, cv2.convexHull(points[:, :2].astype(np.int32)), (140, 165, 215))
        for dark in points[::9, :2].astype(int):
            cv2.circle(bgr, tuple(map(int, dark)), 2, (90, 110, 160), -1)
    return bgr


def given(bgr, place, number=1, feed=None, captured_ns=0, alpha=True, cut=None, eyes_px=60):
    points = posed(place, eyes_px)
    where = align(five_points(points), *TEMPLATE)
    counts = box_mask(256, 0.3, (0, 0, 0, 0)) if alpha else None
    crops = {} if cut is None else {TEMPLATE: Crop(where, cut)}
    feed = feed or coloured((0.2, -0.1, 0.0))
    return GivenFace(number, captured_ns, points, feed, crops, Uncut(bgr, where, counts))


def by_the_cpu(model, folder, bgr, faces, settings=PLAIN):
    """What the CPU's chain makes of the same faces, and the frame with them in it."""
    chain = FaceChain(open_swapper(model, folder), lambda: 0, settings=settings)
    cut = []
    for one in faces:
        where = one.uncut.where
        cut.append(
            GivenFace(
                one.id, one.captured_ns, one.points, one.feed, {TEMPLATE: Crop(where, crop(bgr, where))}
            )
        )
    made = chain.run(cut).faces
    out = bgr.copy()
    for face, one in zip(made, faces, strict=True):
        PasteBack().paste(out, aligned_face(face.bgr, one.uncut.alpha), face.where)
    chain.close()
    return made, out


def laid(bgr, made):
    out = bgr.copy()
    for face in made:
        part = face.pasted
        height, width = part.bgr.shape[:2]
        out[part.y : part.y + height, part.x : part.x + width] = part.bgr
    return out


def alike(got, expected, most, mean):
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= most
    assert difference.mean() <= mean
