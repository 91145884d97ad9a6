import numpy as np

from models.topology import UV
from realtime.personas.bronze import paint
from realtime.personas.features import SIDES, nostril, upper_lid
from realtime.personas.relief import SIZE, oval_mask


def test_the_green_keeps_off_eyes_and_nose_and_is_somewhere():
    blue, green, red = np.moveaxis(paint().astype(int), 2, 0)
    tarnished = (green > red) & (oval_mask() > 200)
    for side in SIDES:
        for u, v in (upper_lid(side)[0], nostril(side).mean(axis=0)):
            x, y = round(float(u) * SIZE), round(float(v) * SIZE)
            assert tarnished[y - 14 : y + 15, x - 14 : x + 15].mean() < 0.02
    assert 0.001 < tarnished.mean() < 0.1
    nose_u, nose_v = UV[4]
    assert red[int(nose_v * SIZE), int(nose_u * SIZE)] > blue[int(nose_v * SIZE), int(nose_u * SIZE)] + 40
