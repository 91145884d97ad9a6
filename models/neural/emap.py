"""The matrix of an inswapper, by which a face's vector is multiplied before the network sees it.

It lies in the file as a constant that no operator takes: the programs that use the network multiply by it.
They do not agree how, with e the vector of ArcFace as it is (its length is about 20):

    InsightFace, Deep-Live-Cam, VisoMaster, roop     l = (e / |e|) M, and l / |l|
    FaceFusion                                       (e M) / |e|, which has another length than 1

We take the first: it is the maker's, and all but one follow it.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.onnx_file import Initialiser, OnnxFile, read_initialiser, read_onnx, taken_by_nodes

__all__ = ["EMAP_SHAPE", "apply_emap", "beside", "emap_of", "find_emap"]

EMAP_SHAPE = (512, 512)
NAMES = ("emap", "buff2fs", "initializer")
"""What exports call it: ours and others' own, InsightFace's, FaceFusion's."""
_FLOATS = ("float16", "float32", "float64")
_HINT = "use the file as its maker published it: realtime models fetch inswapper_128"


def find_emap(file: OnnxFile, path: Path) -> Initialiser:
    """The matrix among the constants of `file`, which was read from `path`.

    The only one of its shape; of several the one that has its name; else the one that no operator takes.
    That it comes last is not relied on: whoever saves the file anew may put it elsewhere. Raises ModelError
    when there is none, or it cannot be told from others.
    """
    found = [each for each in file.initialisers if each.shape == EMAP_SHAPE and each.dtype in _FLOATS]
    if not found:
        raise ModelError(
            f"{path.name} has no matrix of 512x512, by which an inswapper multiplies the face's vector",
            f"an optimiser may have thrown it away: {_HINT}",
        )
    chosen = [each for each in found if each.name in NAMES] if len(found) > 1 else found
    if not chosen:
        taken = taken_by_nodes(path)
        chosen = [each for each in found if each.name not in taken]
    if len(chosen) != 1:
        told = ", ".join(repr(each.name) for each in chosen or found)
        raise ModelError(
            f"{path.name} has several matrices of 512x512 ({told}), and which of them the face's vector is "
            "multiplied by cannot be told",
            _HINT,
        )
    return chosen[0]


def beside(path: Path) -> Path:
    """Where the matrix of the model `path` is looked for if the model itself has lost it: `NAME.emap.npy`."""
    return path.with_name(f"{path.stem}.emap.npy")


def emap_of(path: Path) -> NDArray[np.float32]:
    """(512, 512) float32 of the inswapper file `path`, or, where it has none, of the file `beside` it.

    Only its own bytes are read. Raises ModelError when neither has one, or its values are no matrix to
    multiply by: not finite, or of no length.
    """
    file = read_onnx(path)
    try:
        matrix = read_initialiser(path, find_emap(file, path)).astype(np.float32)
        holder = path
    except ModelError:
        holder = beside(path)
        if not holder.is_file():
            raise
        matrix = _kept(holder)
    if not np.isfinite(matrix).all() or not matrix.any():
        raise ModelError(f"the matrix of 512x512 in {holder} is empty or damaged", _HINT)
    matrix.setflags(write=False)
    return matrix


def apply_emap(embedding: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """(512,) as an inswapper takes it: of unit length, times the matrix, of unit length again.

    `embedding`: (512,), of any length but none. What the matrix makes nothing of comes out as zeros.
    """
    turned = (embedding / np.linalg.norm(embedding)) @ matrix
    length = float(np.linalg.norm(turned))
    return np.asarray(turned / length if length > 0 else turned, np.float32)


def _kept(path: Path) -> NDArray[np.float32]:
    try:
        matrix = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"{path} cannot be read: {error}", "delete it, and fetch the model again") from error
    if getattr(matrix, "shape", None) != EMAP_SHAPE or matrix.dtype.kind != "f":
        raise ModelError(f"{path} is not a matrix of 512x512 numbers", "delete it, and fetch the model again")
    return np.asarray(matrix, np.float32)
