"""How a head is turned: yaw, pitch and roll in degrees."""

from dataclasses import dataclass
from math import asin, atan2, degrees

import numpy as np
from numpy.typing import NDArray

from models.mesh_fit import fit_mesh

__all__ = ["HeadPose", "head_pose", "pose_of_rotation"]


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Turned by yaw first, then pitch, then roll; all 0 when the head faces the camera upright."""

    yaw: float
    """Degrees, -180 to 180; positive when the face looks to the left of the picture."""
    pitch: float
    """Degrees, -90 to 90; positive when it looks down."""
    roll: float
    """Degrees, -180 to 180; positive when it leans clockwise as seen."""


def head_pose(points: NDArray[np.float32]) -> HeadPose:
    """The pose of a face of (468, 3) landmarks, pixels of any frame, z in the same unit, smaller nearer.

    Seen without perspective: a face at the edge of a wide picture reads as turned by the angle under which
    the camera sees it.
    """
    return pose_of_rotation(fit_mesh(points).rotation)


def pose_of_rotation(rotation: NDArray[np.float64]) -> HeadPose:
    """From (3, 3) roll @ pitch @ yaw, on axes x right, y down, z away from the viewer."""
    pitch = asin(min(1.0, max(-1.0, float(rotation[2, 1]))))
    yaw = atan2(-float(rotation[2, 0]), float(rotation[2, 2]))
    roll = atan2(-float(rotation[0, 1]), float(rotation[1, 1]))
    return HeadPose(degrees(yaw), degrees(pitch), degrees(roll))
