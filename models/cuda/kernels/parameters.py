"""What each kernel of face.cu takes: its structure, field by field, as C lays it out."""

import ctypes
from collections.abc import Mapping
from ctypes import c_float, c_int, c_longlong, c_void_p
from types import MappingProxyType

__all__ = [
    "MOST_FACES",
    "MOST_MASKS",
    "PARAMETERS",
    "Blend",
    "Colour",
    "Decode",
    "LeastMask",
    "Shrink",
    "WarpCrop",
]

MOST_FACES = 16
"""Pictures of one launch; their matrices travel with the launch, whose parameters may have 4 KiB."""
MOST_MASKS = 8


class WarpCrop(ctypes.Structure):
    _fields_ = (
        ("frame", c_void_p),
        ("input", c_void_p),
        ("crops", c_void_p),
        ("pitch", c_longlong),
        ("width", c_int),
        ("height", c_int),
        ("size", c_int),
        ("count", c_int),
        ("half", c_int),
        ("nhwc", c_int),
        ("rgb", c_int),
        ("gain", c_float * 3),
        ("bias", c_float * 3),
        ("to_frame", c_float * 6 * MOST_FACES),
    )


class Decode(ctypes.Structure):
    _fields_ = (
        ("output", c_void_p),
        ("pictures", c_void_p),
        ("unfinite", c_void_p),
        ("width", c_int),
        ("height", c_int),
        ("count", c_int),
        ("stamp", c_int),
        ("half", c_int),
        ("nhwc", c_int),
        ("rgb", c_int),
        ("scale", c_float),
        ("shift", c_float),
    )


class Colour(ctypes.Structure):
    _fields_ = (
        ("pictures", c_void_p),
        ("width", c_int),
        ("height", c_int),
        ("count", c_int),
        ("affine", c_float * 12 * MOST_FACES),
    )


class LeastMask(ctypes.Structure):
    _fields_ = (
        ("out", c_void_p),
        ("masks", c_void_p * MOST_MASKS),
        ("width", c_int),
        ("height", c_int),
        ("count", c_int),
    )


class Shrink(ctypes.Structure):
    _fields_ = (
        ("crop", c_void_p),
        ("alpha", c_void_p),
        ("small_crop", c_void_p),
        ("small_alpha", c_void_p),
        ("size", c_int),
        ("factor", c_int),
        ("small_size", c_int),
    )


class Blend(ctypes.Structure):
    _fields_ = (
        ("frame", c_void_p),
        ("crop", c_void_p),
        ("alpha", c_void_p),
        ("pitch", c_longlong),
        ("x", c_int),
        ("y", c_int),
        ("width", c_int),
        ("height", c_int),
        ("size", c_int),
        ("to_crop", c_float * 6),
    )


PARAMETERS: Mapping[str, type[ctypes.Structure]] = MappingProxyType(
    {
        "warp_crop": WarpCrop,
        "decode": Decode,
        "colour": Colour,
        "least_mask": LeastMask,
        "shrink": Shrink,
        "blend": Blend,
    }
)
"""Name of the kernel to what it takes."""
