"""Hands a v4l2loopback device back after use, which its driver forgets to do.

Up to 0.12.7 (Debian 12, Ubuntu 22.04), the driver does not know a program that only writes frames, as
pyvirtualcam does, for a producer: with `exclusive_caps=1` the device stays without the ability of output
when that program has closed it, and nobody can feed it again before the module is reloaded
(v4l2loopback issues 442 and 470, pyvirtualcam issue 61). A program that starts streaming is known; when it
closes the device, the ability comes back.
"""

import logging
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from realtime.capture.enumerate import (
    CAP_VIDEO_CAPTURE,
    CAP_VIDEO_OUTPUT,
    LOOPBACK_DRIVER,
    Capability,
    query_capability,
)

__all__ = ["hand_back", "revive"]

VIDIOC_STREAMON = 0x40045612
BUF_TYPE_VIDEO_OUTPUT = struct.pack("i", 2)

log = logging.getLogger(__name__)

Query = Callable[[Path], Capability | None]


def hand_back(
    node: Path, query: Query = query_capability, stream: Callable[[Path], None] | None = None
) -> None:
    """After we have fed and closed `node`: make it one that can be fed, if it is not. Never raises."""
    capability = query(node)
    if capability is not None and _is_loopback(capability) and not capability.flags & CAP_VIDEO_OUTPUT:
        (stream or _stream_once)(node)


def revive(node: Path, query: Query = query_capability, stream: Callable[[Path], None] | None = None) -> None:
    """Before we feed `node`: the same, if a program left it able to do nothing at all. Never raises.

    One that can be captured from is left alone: another program may be feeding it.
    """
    capability = query(node)
    if (
        capability is not None
        and _is_loopback(capability)
        and not capability.flags & (CAP_VIDEO_OUTPUT | CAP_VIDEO_CAPTURE)
    ):
        (stream or _stream_once)(node)


def _is_loopback(capability: Capability) -> bool:
    return capability.driver == LOOPBACK_DRIVER


def _stream_once(node: Path) -> None:
    if sys.platform == "linux":
        import fcntl

        try:
            descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
            try:
                fcntl.ioctl(descriptor, VIDIOC_STREAMON, BUF_TYPE_VIDEO_OUTPUT)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.debug("%s could not be handed back: %s", node, error)
