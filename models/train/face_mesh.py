"""Makes the tables `face_mesh.csv` and `face_mesh_triangles.csv` beside `models/topology.py`.

    python -m models.train.face_mesh PICTURES DETECTOR.onnx LANDMARKER.onnx

PICTURES is a folder of portraits with one face each; the committed tables were made of 404 official
portraits in the public domain. DETECTOR is YuNet, LANDMARKER the 468-point mesh (1x192x192x3 RGB in
[0, 1] to 1404 numbers in crop pixels). Only means over many faces reach the tables.

The way: landmarks of every face that looks nearly straight ahead; each face and its mirror image aligned
to their mean by similarities, and the mean taken anew until it stands (generalised Procrustes analysis,
Gower 1975); the mean flattened on a cylinder about the head's axis; Delaunay triangles of the right half of
that plane, mirrored to the left.
"""

import sys
from itertools import pairwise
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.registry import open_session

OUTER_EYES = (33, 263)
NOSE_TIP = 1
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148,
        176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
LIPS = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306, 307, 320, 404, 315, 16, 85, 180, 90, 77),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292, 325, 319, 403, 316, 15, 86, 179, 89, 96),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95),
)
"""The rings of the lips from the outer to the inner edge; point k of each lies on one line across the lip."""
HOLES = (
    LIPS[0],
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
CROP = 192
CROP_PER_FACE = 1.5
FRONTAL = 0.12
"""How far the tip of the nose may lie from the middle of the eyes, in inter-ocular distances."""
AXIS_DEPTH = 1.4
"""Depth of the cylinder's axis behind the outer eye corners, in inter-ocular distances."""
MARGIN = 0.04
"""Free border of the plane, so that a texture can bleed over the oval."""
ROUNDS = 12
FRAME_SIZE = 320
PLANE = 4096
"""Side of the texture plane for the triangulation, which wants numbers far from float32's grain."""
BULGE = 0.01
CORNER = 0.01
"""How far the inner corners of the mouth are moved inwards, so that the lips have width there too."""

Points = NDArray[np.float64]
Indices = NDArray[np.int64]


def landmarks_of(folder: Path, detector_file: Path, landmarker_file: Path) -> Points:
    """(faces, 468, 3): the landmarks of the largest face of every picture, in its pixels."""
    detector = cv2.FaceDetectorYN.create(str(detector_file), "", (FRAME_SIZE, FRAME_SIZE), 0.8)
    landmarker = open_session(landmarker_file, "openvino")
    taken, given = landmarker.inputs[0].name, landmarker.outputs[0].name
    found = []
    for path in sorted(folder.glob("*.jpg")):
        bgr = np.asarray(cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR))
        scale = FRAME_SIZE / max(bgr.shape[:2])
        small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        detector.setInputSize((small.shape[1], small.shape[0]))
        rows = cast("Points | None", detector.detect(small)[1])
        if rows is None:
            continue
        x, y, w, h, *eyes = max(rows, key=lambda row: row[2] * row[3])[:8] / scale
        across = np.array([eyes[2] - eyes[0], eyes[3] - eyes[1]])
        points = np.array([[x, y], [x + w, y + h]])
        for _ in range(2):
            centre, side = (points.min(0) + points.max(0)) / 2, np.ptp(points, axis=0).max() * CROP_PER_FACE
            to_crop = upright(centre, side, across)
            crop = cv2.warpAffine(bgr, to_crop, (CROP, CROP), flags=cv2.INTER_LINEAR)
            rgb = crop[None, :, :, ::-1].astype(np.float32) / 255
            face = np.asarray(landmarker.run({taken: rgb})[given], np.float64).reshape(468, 3)
            back = cv2.invertAffineTransform(to_crop)
            plane = face[:, :2] @ back[:, :2].T + back[:, 2]
            whole = np.column_stack([plane, face[:, 2] * side / CROP])
            points, across = plane, plane[OUTER_EYES[1]] - plane[OUTER_EYES[0]]
        found.append(whole)
    return np.array(found)


def upright(centre: Points, side: float, across: Points) -> Points:
    """The 2x3 map that brings a square of `side` round `centre`, turned level, into the crop."""
    c, s = across / np.linalg.norm(across) * (CROP / side)
    turn = np.array([[c, s], [-s, c]])
    return np.column_stack([turn, CROP / 2 - turn @ centre])


def normalise(faces: Points) -> Points:
    """Faces about the middle of their outer eye corners, unit = inter-ocular distance, level."""
    right, left = faces[:, OUTER_EYES[0]], faces[:, OUTER_EYES[1]]
    across = left[:, :2] - right[:, :2]
    length = np.linalg.norm(across, axis=1)
    c, s = (across / length[:, None] ** 2).T
    centred = faces - ((left + right) / 2)[:, None]
    turn = np.stack([np.stack([c, s], 1), np.stack([-s, c], 1)], 1)
    plane = np.einsum("nij,nkj->nki", turn, centred[:, :, :2])
    return np.concatenate([plane, centred[:, :, 2:] / length[:, None, None]], axis=2)


def similarity(faces: Points, mean: Points) -> Points:
    """Each face brought to the mean by the best rotation, scale and shift (Umeyama 1991)."""
    aligned = np.empty_like(faces)
    target = mean - mean.mean(0)
    for number, face in enumerate(faces):
        centred = face - face.mean(0)
        u, sizes, vt = np.linalg.svd(target.T @ centred)
        turn = u @ vt
        aligned[number] = centred @ turn.T * (sizes.sum() / (centred**2).sum()) + mean.mean(0)
    return aligned


def mirror_pairs(mean: Points) -> Indices:
    """(468,): for each point, the point nearest to its mirror image; raises unless they pair up."""
    reflected = mean * (-1, 1, 1)
    distance = np.linalg.norm(mean[:, None] - reflected[None], axis=2)
    pairs: Indices = distance.argmin(axis=0)
    if not np.array_equal(pairs[pairs], np.arange(len(mean))):
        raise ValueError("the mean face does not pair up left and right")
    return pairs


def canonical(faces: Points) -> tuple[Points, Indices]:
    """The symmetric mean face, (468, 3), and its mirror pairs, (468,)."""
    faces = normalise(faces)
    faces = faces[abs(faces[:, NOSE_TIP, 0]) < FRONTAL]
    print(f"{len(faces)} faces look straight ahead")
    mean = faces.mean(0)
    pairs = mirror_pairs(mean)
    for _ in range(ROUNDS):
        mirrored = faces[:, pairs] * (-1, 1, 1)
        everyone = similarity(np.concatenate([faces, mirrored]), mean)
        mean = np.median(everyone, axis=0)
        mean = (mean + mean[pairs] * (-1, 1, 1)) / 2
        mean = normalise(mean[None])[0]
    return mean, mirror_pairs(mean)


def flatten(mean: Points) -> Points:
    """(468, 2) in [0, 1]: the mean on a cylinder about the head's axis, square, u mirrored about 0.5."""
    angle = np.arctan2(mean[:, 0], AXIS_DEPTH - mean[:, 2])
    across, down = angle * AXIS_DEPTH, mean[:, 1]
    span = max(np.ptp(across), np.ptp(down)) / (1 - 2 * MARGIN)
    uv = np.column_stack([0.5 + across / span, 0.5 + (down - (down.min() + down.max()) / 2) / span])
    return unroll_lips(uv)


def unroll_lips(uv: Points) -> Points:
    """The mouth half closed and the rings of the lips spread evenly.

    Officials smile, and seen from the front the inner rings of a lip hide one another.
    """
    outer, inner = uv[list(LIPS[0])], uv[list(LIPS[3])]
    opposite = inner[(-np.arange(len(inner))) % len(inner)]
    inner[:, 1] += (opposite[:, 1] - inner[:, 1]) / 4
    inner[[0, 10], 0] += (CORNER, -CORNER)
    uv = uv.copy()
    for ring, share in zip(LIPS[1:], (0.4, 0.75, 1.0), strict=True):
        uv[list(ring)] = outer + (inner - outer) * share
    return uv


def triangulate(uv: Points, pairs: Indices) -> Indices:
    """(N, 3): Delaunay triangles of one half of the plane and their mirror images, clockwise on the screen.

    Only those inside the oval and outside the holes, and the lips in strips. The points on the middle line
    are bulged out a little first: on a straight border thin triangles would be lost.
    """
    half = np.flatnonzero((pairs == np.arange(len(uv))) | (uv[:, 0] < 0.5))
    bulged = uv.copy()
    bulged[:, 0] += np.where(pairs == np.arange(len(uv)), BULGE * np.sin(np.pi * uv[:, 1]), 0)
    bulged = (bulged * PLANE).astype(np.float32)
    plane = cv2.Subdiv2D((-4 * PLANE, -4 * PLANE, 9 * PLANE, 9 * PLANE))
    plane.insert(bulged[half].tolist())
    corner = {(float(x), float(y)): int(i) for i, (x, y) in zip(half, bulged[half], strict=True)}
    kept = []
    for ax, ay, bx, by, cx, cy in np.asarray(plane.getTriangleList(), np.float64):
        if not all(point in corner for point in ((ax, ay), (bx, by), (cx, cy))):
            continue
        triangle = [corner[ax, ay], corner[bx, by], corner[cx, cy]]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        centre = uv[triangle].mean(0)
        if within(uv, OVAL, centre) and not any(within(uv, hole, centre) for hole in HOLES):
            kept.append(triangle if area > 0 else triangle[::-1])
    one = np.array(sorted(kept + lip_strips(uv)))
    return np.concatenate([one, pairs[one][:, ::-1]])


def lip_strips(uv: Points) -> list[list[int]]:
    """Two triangles for each field between two rings and two lines of the lips, on the half u <= 0.5."""
    strips = []
    for outer, inner in pairwise(LIPS):
        for k in (*range(-5, 0), *range(5)):
            a, b, c, d = outer[k], outer[k + 1], inner[k + 1], inner[k]
            short = np.linalg.norm(uv[a] - uv[c]) <= np.linalg.norm(uv[b] - uv[d])
            strips += [[a, b, c], [a, c, d]] if short else [[a, b, d], [b, c, d]]
    return strips


def within(uv: Points, ring: tuple[int, ...], point: Points) -> bool:
    polygon = (uv[list(ring)] * PLANE).astype(np.float32)
    return cv2.pointPolygonTest(polygon, (point * PLANE).tolist(), False) > 0


def main() -> None:
    pictures, detector, landmarker = map(Path, sys.argv[1:4])
    faces = landmarks_of(pictures, detector, landmarker)
    mean, pairs = canonical(faces)
    uv = flatten(mean)
    triangles = triangulate(uv, pairs)
    home = Path(__file__).resolve().parent.parent
    with (home / "face_mesh.csv").open("w") as table:
        table.write("x,y,z,u,v,mirror\n")
        for (x, y, z), (u, v), mirror in zip(mean, uv, pairs, strict=True):
            table.write(f"{x:.4f},{y:.4f},{z:.4f},{u:.5f},{v:.5f},{mirror}\n".replace("-0.0000", "0.0000"))
    with (home / "face_mesh_triangles.csv").open("w") as table:
        table.write("a,b,c\n")
        table.writelines(f"{a},{b},{c}\n" for a, b, c in triangles)
    print(f"{len(triangles)} triangles")


if __name__ == "__main__":
    main()
