from collections import Counter

import numpy as np
import pytest

from models.topology import (
    BROWS,
    CANONICAL,
    HOLES,
    LEFT_BROW,
    LEFT_EYE,
    LEFT_EYE_OUTER,
    LIDS,
    LIPS_INNER,
    LIPS_OUTER,
    MIRROR,
    OVAL,
    POINT_COUNT,
    RIGHT_BROW,
    RIGHT_EYE,
    RIGHT_EYE_OUTER,
    TRIANGLES,
    UV,
)

RINGS = {
    "oval": OVAL,
    "outer lips": LIPS_OUTER,
    "inner lips": LIPS_INNER,
    "left eye": LEFT_EYE,
    "right eye": RIGHT_EYE,
    "left brow": LEFT_BROW,
    "right brow": RIGHT_BROW,
}


def signed_area(polygon):
    x, y = polygon[..., 0].astype(float), polygon[..., 1].astype(float)
    return (x * np.roll(y, -1, axis=-1) - y * np.roll(x, -1, axis=-1)).sum(axis=-1) / 2


def edges(triangles):
    return Counter(frozenset((int(row[k]), int(row[(k + 1) % 3]))) for row in triangles for k in range(3))


def ring_edges(ring):
    return {frozenset((int(a), int(b))) for a, b in zip(ring, np.roll(ring, -1), strict=True)}


def test_tables_have_their_shapes_and_cannot_be_written():
    assert CANONICAL.shape == (POINT_COUNT, 3)
    assert UV.shape == (POINT_COUNT, 2)
    assert MIRROR.shape == (POINT_COUNT,)
    for table in (CANONICAL, UV, MIRROR, TRIANGLES, LIDS, *RINGS.values()):
        with pytest.raises(ValueError, match="read-only"):
            table[0] = 0


def test_every_point_is_a_corner():
    assert set(TRIANGLES.ravel().tolist()) == set(range(POINT_COUNT))


def test_triangles_cover_the_oval_but_for_the_holes_once():
    areas = signed_area(UV[TRIANGLES])
    assert (areas > 0).all(), "clockwise on the screen, none folded over"
    expected = signed_area(UV[OVAL]) - sum(signed_area(UV[hole]) for hole in HOLES)
    assert areas.sum() == pytest.approx(expected, rel=1e-5)


def test_the_mesh_ends_at_the_oval_and_the_holes_and_nowhere_else():
    used = edges(TRIANGLES)
    assert max(used.values()) == 2
    open_edges = {edge for edge, count in used.items() if count == 1}
    assert open_edges == set().union(*(ring_edges(ring) for ring in (OVAL, *HOLES)))


def test_lids_close_the_holes_and_nothing_else():
    areas = signed_area(UV[LIDS])
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(sum(signed_area(UV[hole]) for hole in HOLES), rel=1e-5)
    whole = edges(np.concatenate([TRIANGLES, LIDS]))
    assert {edge for edge, count in whole.items() if count == 1} == ring_edges(OVAL)


def test_mirror_pairs_points_left_and_right():
    assert (MIRROR[MIRROR] == np.arange(POINT_COUNT)).all()
    np.testing.assert_allclose(CANONICAL[MIRROR] * (-1, 1, 1), CANONICAL, atol=2e-4)
    np.testing.assert_allclose(UV[MIRROR], UV * (-1, 1) + (1, 0), atol=2e-5)


def test_triangles_are_mirrored():
    mirrored = {frozenset(row) for row in MIRROR[TRIANGLES].tolist()}
    assert mirrored == {frozenset(row) for row in TRIANGLES.tolist()}
    assert len(mirrored) == len(TRIANGLES)


def test_the_canonical_face_stands_upright_about_its_eyes():
    right, left = CANONICAL[RIGHT_EYE_OUTER], CANONICAL[LEFT_EYE_OUTER]
    assert left[0] > right[0], "the left eye is on the right of the picture"
    assert np.linalg.norm(left - right) == pytest.approx(1, abs=1e-3)
    assert CANONICAL[LIPS_INNER, 1].mean() > CANONICAL[RIGHT_EYE, 1].mean(), "y goes down"
    assert CANONICAL[1, 2] < CANONICAL[OVAL, 2].mean(), "z goes away from the viewer"


@pytest.mark.parametrize("name", RINGS)
def test_rings_run_clockwise_round_their_feature(name):
    ring = RINGS[name]
    assert len(set(ring.tolist())) == len(ring)
    assert signed_area(UV[ring]) > 0


@pytest.mark.parametrize(("one", "other"), [(LEFT_EYE, RIGHT_EYE), (LEFT_BROW, RIGHT_BROW)])
def test_left_and_right_rings_mirror_each_other(one, other):
    assert set(MIRROR[one].tolist()) == set(other.tolist())
    assert len(BROWS) == 2
