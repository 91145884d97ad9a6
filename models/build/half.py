"""FP16 by conversion of the graph: TensorRT 11 takes the precision from the file, as all others do."""

from collections.abc import Sequence
from pathlib import Path

from models.build.extra import needed, needed_openvino

__all__ = ["KEPT_FP32", "to_half_ir", "to_half_onnx"]

KEPT_FP32 = (
    "CumSum",
    "Exp",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "LpNormalization",
    "MeanVarianceNormalization",
    "NonMaxSuppression",
    "Pow",
    "Range",
    "ReduceL2",
    "ReduceMean",
    "ReduceSum",
    "ReduceSumSquare",
    "Reciprocal",
    "Resize",
    "RoiAlign",
    "Softmax",
    "Sqrt",
    "TopK",
    "Upsample",
)
"""Operators left in FP32. Sums over a picture and squares pass 65504, the largest finite number of FP16;
a small variance becomes 0 and is divided by; the others compute or take coordinates, which FP16 rounds by
half a pixel from 1024 on."""


def to_half_onnx(source: Path, made: Path, keep_fp32: Sequence[str]) -> None:
    """Write `source` with FP16 weights and operations; inputs and outputs stay FP32. Raises BackendError."""
    onnx = needed("onnx", "a build in FP16")
    converter = needed("onnxruntime.transformers.float16", "a build in FP16")
    kept = [*converter.DEFAULT_OP_BLOCK_LIST, *KEPT_FP32, *keep_fp32]
    half = converter.convert_float_to_float16(
        onnx.load(str(source)), keep_io_types=True, op_block_list=sorted(set(kept))
    )
    onnx.save(half, str(made))


def to_half_ir(source: Path, made: Path) -> None:
    """Write `source` as OpenVINO's IR with FP16 weights: half the size. A device that reckons in FP32, as a
    CPU does, still does; only the weights are rounded. Raises BackendError."""
    openvino = needed_openvino("a build in FP16")
    openvino.save_model(openvino.Core().read_model(source), made, compress_to_fp16=True)
