"""Each kernel against the CPU path, whatever memory they run on.

`memory` is a `tests.fakes.kernel_memory`. OpenCV 5 interpolates in float, not in steps of 1/32 pixel as
OpenCV 4 did, so a warped picture differs only where a value lies half-way between two levels: by one, in
fewer than one value in a hundred. Pasting rounds colour, alpha and both products on the CPU, once here: two
levels at most, under half a level in the mean. `cv2.transform` rounds its factors to 1/1024: one at most.
"""

import cv2
import numpy as np

from models.cuda.kernels.face import DevicePicture, DeviceTensor
from models.cuda.kernels.places import landing
from models.geometry import crop_matrix
from models.neural.align import Alignment, crop
from models.paste_back import PasteBack, aligned_face
from models.runtime.base import InputSpec, Normalisation, PictureOut
from models.runtime.decode import decode_picture
from models.runtime.encode import PictureEncoder

PADDING = 5
"""Bytes behind each row of a frame."""
IMAGENET = Normalisation((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


def noise(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(seed, *shape):
    """As pictures are: neighbours are much alike."""
    picture = cv2.GaussianBlur(noise(seed, *shape), (0, 0), 4)
    return cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)


def placed(centre, side, angle, size):
    return Alignment(crop_matrix(centre, side, angle, size), size)


def put_frame(memory, bgr):
    height, width = bgr.shape[:2]
    padded = np.full((height, width * 3 + PADDING), 99, np.uint8)
    padded[:, : width * 3] = bgr.reshape(height, -1)
    return DevicePicture(memory.put(padded), height, width, padded.shape[1])


def get_frame(memory, frame):
    padded = memory.get(frame.address, (frame.height, frame.pitch))
    assert (padded[:, frame.width * 3 :] == 99).all(), "written between two rows"
    return padded[:, : frame.width * 3].reshape(frame.height, frame.width, 3)


def same_but_for_ties(got, expected, ties=0.01):
    """`ties`: the share of values that may differ."""
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() <= ties


def check_crops(memory, bgr, where, ties=0.01):
    frame, size = put_frame(memory, bgr), where[0].size
    out = memory.put(noise(9, len(where), size, size, 3))
    memory.kernels.warp_crop(memory.stream, frame, where, crops=out)
    got = memory.get(out, (len(where), size, size, 3))
    for picture, alignment in zip(got, where, strict=True):
        same_but_for_ties(picture, crop(bgr, alignment), ties)
    get_frame(memory, frame)


def check_network_input(memory, layout, order, dtype, normalisation=IMAGENET):
    """What is normalised is the kernel's own crop, which another check compares."""
    bgr, size = smooth(1, 90, 120, 3), 33
    where = [placed((50, 40), 40, 0.3, size), placed((10, 80), 60, -1.2, size)]
    spec = InputSpec(
        size, size, layout, Normalisation(normalisation.mean, normalisation.scale, order), batch=2
    )
    shape = (3, 3, size, size) if layout == "nchw" else (3, size, size, 3)
    before = np.random.default_rng(2).random(shape).astype(dtype)
    tensor = DeviceTensor(memory.put(before), shape, dtype)
    crops = memory.put(np.zeros((2, size, size, 3), np.uint8))
    memory.kernels.warp_crop(memory.stream, put_frame(memory, bgr), where, into=(tensor, spec), crops=crops)
    got = memory.get(tensor.address, shape, dtype)
    np.testing.assert_array_equal(got[2], before[2], "the batch has one more place than there are faces")
    expected = np.empty((2, *shape[1:]), np.float32)
    PictureEncoder(spec).encode(memory.get(crops, (2, size, size, 3)), expected)
    # A half has 11 bits; a float has two roundings more here than on the CPU.
    relative, absolute = (2**-10, 2**-10) if dtype == "float16" else (1e-5, 1e-5)
    np.testing.assert_allclose(got[:2].astype(np.float32), expected, rtol=relative, atol=absolute)


def check_decoded(memory, layout, order, dtype, black_white):
    black, white = black_white
    shape = (2, 3, 21, 37) if layout == "nchw" else (2, 21, 37, 3)
    values = np.random.default_rng(3).uniform(-0.2, 1.2, shape)
    output = (black + (white - black) * values).astype(dtype)
    pictures, flags = memory.put(noise(4, 2, 21, 37, 3)), memory.put(np.array([5, 5], np.int32))
    spec = PictureOut(black_white, order, layout)
    tensor = DeviceTensor(memory.put(output), shape, dtype)
    memory.kernels.decode(memory.stream, tensor, spec, pictures, flags, 7)
    got = memory.get(pictures, (2, 21, 37, 3))
    expected = np.empty_like(got)
    assert decode_picture(output.astype(np.float32), black_white, order, expected, layout=layout)
    same_but_for_ties(got, expected)
    np.testing.assert_array_equal(memory.get(flags, (2,), np.int32), [5, 5])


def check_unfinite(memory, value, dtype):
    output = np.full((3, 3, 8, 9), 0.5, dtype)
    output[1, 2, 7, 8] = value
    pictures, flags = memory.put(noise(5, 3, 8, 9, 3)), memory.put(np.zeros(3, np.int32))
    tensor = DeviceTensor(memory.put(output), output.shape, dtype)
    memory.kernels.decode(memory.stream, tensor, PictureOut((0.0, 1.0)), pictures, flags, 41)
    np.testing.assert_array_equal(memory.get(flags, (3,), np.int32), [0, 41, 0])


def check_colour(memory):
    pictures = noise(6, 2, 19, 19, 3)
    maps = np.random.default_rng(7).normal(0, 0.4, (2, 3, 4)) + np.eye(3, 4)
    maps[:, :, 3] = [[20.4, -31.7, 5.2], [-80.0, 90.5, 0.0]]
    address = memory.put(pictures)
    memory.kernels.colour(memory.stream, address, 19, maps)
    got = memory.get(address, pictures.shape)
    for picture, before, each in zip(got, pictures, maps, strict=True):
        exact = before @ each[:, :3].T + each[:, 3]
        same_but_for_ties(picture, np.rint(exact).clip(0, 255))
        assert np.abs(picture.astype(int) - cv2.transform(before, each)).max() <= 1


def check_least_mask(memory, count):
    masks = [noise(index, 23, 23) for index in range(count)]
    addresses = [memory.put(mask) for mask in masks]
    memory.kernels.least_mask(memory.stream, addresses, 23, addresses[0])
    np.testing.assert_array_equal(memory.get(addresses[0], (23, 23)), np.min(masks, axis=0))
    for address, mask in zip(addresses[1:], masks[1:], strict=True):
        np.testing.assert_array_equal(memory.get(address, (23, 23)), mask)


def pasted(memory, bgr, face, alpha, where):
    """On the device, and whether any of it lay inside."""
    frame, size = put_frame(memory, bgr), where.size
    crop_at, alpha_at = memory.put(face), memory.put(alpha)
    place = landing(where, bgr.shape[1], bgr.shape[0])
    if place is None:
        return bgr, False
    if place.factor > 1:
        small = -(-size // place.factor)
        small_crop = memory.put(np.zeros((small, small, 3), np.uint8))
        small_alpha = memory.put(np.zeros((small, small), np.uint8))
        assert small == memory.kernels.shrink(
            memory.stream, crop_at, alpha_at, size, place.factor, small_crop, small_alpha
        )
        crop_at, alpha_at, size = small_crop, small_alpha, small
    memory.kernels.blend(memory.stream, frame, crop_at, alpha_at, size, place.to_crop, place.region)
    return get_frame(memory, frame), True


def check_pasted(memory, bgr, face, alpha, where, *, most=2, mean=0.5):
    expected = bgr.copy()
    touched = PasteBack().paste(expected, aligned_face(face, alpha), where)
    got, some = pasted(memory, bgr, face, alpha, where)
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= most
    assert difference.mean() <= mean
    return touched, some


def check_shrunk(memory, size, factor):
    face, alpha = noise(1, size, size, 3), noise(2, size, size)
    side = -(-size // factor)
    small_crop, small_alpha = (
        memory.put(np.zeros(shape, np.uint8)) for shape in ((side, side, 3), (side, side))
    )
    memory.kernels.shrink(
        memory.stream, memory.put(face), memory.put(alpha), size, factor, small_crop, small_alpha
    )
    # Half the blocks of a picture whose side `factor` does not divide are not whole ones.
    short = side * factor - size
    weight = np.pad(np.ones((size, size)), (0, short)).reshape(side, factor, side, factor).sum((1, 3))
    padded = np.pad(face.astype(float), ((0, short), (0, short), (0, 0)))
    sums = padded.reshape(side, factor, side, factor, 3).sum((1, 3))
    same_but_for_ties(memory.get(small_crop, (side, side, 3)), np.rint(sums / weight[..., None]))
    covered = np.pad(alpha.astype(float), (0, short)).reshape(side, factor, side, factor).mean((1, 3))
    same_but_for_ties(memory.get(small_alpha, (side, side)), np.rint(covered))
