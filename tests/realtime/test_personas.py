import itertools

import cv2
import numpy as np
import pytest

from models.mesh import MeshSwapper
from models.topology import LIPS_INNER, LIPS_OUTER, UV
from models.uv_mask import ring_mask
from realtime import personas
from realtime.compose import paste

SIDE = 512


@pytest.fixture(params=personas.NAMES)
def face(request):
    return personas.draw(request.param)


def on_face():
    return ring_mask(tuple(range(0)) or tuple(OVAL), SIDE) > 0


OVAL = __import__("models.topology", fromlist=["OVAL"]).OVAL


def test_the_default_is_porcelain_and_there_are_four():
    assert personas.NAMES[0] == "porcelain"
    assert set(personas.NAMES) == {"porcelain", "bronze", "ink", "collage"}
    assert all(personas.PERSONAS[name].about for name in personas.NAMES)
