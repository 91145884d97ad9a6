"""INT8 as an ONNX file with quantise/dequantise pairs: one recipe for CPUs, another for TensorRT.

Both are made by ONNX Runtime's static quantisation. On a CPU with VNNI the fast kernels take unsigned
activations and signed weights; signed activations are slower there than FP32. TensorRT takes symmetric
signed ones, no zero point and no quantised bias.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from models.build.extra import needed
from models.build.plan import Target

__all__ = ["QUANTISED", "to_int8_onnx"]

QUANTISED = ("Conv", "ConvTranspose", "Gemm", "MatMul", "Add")
"""Operators whose inputs are quantised: those with INT8 kernels worth it. Measured on a 5 GFLOP network of
convolutions, quantising what lies between them too made ONNX Runtime slower by a tenth and no nearer."""
MIN_OPSET = 13
"""From which an ONNX file can hold one scale for each channel; files of older ones are raised to it."""
_STANDARD = ("", "ai.onnx")
"""Names of ONNX's own set of operators."""

Feeds = dict[str, Any]


def to_int8_onnx(
    source: Path, made: Path, target: Target, calibration: Iterable[Feeds], keep_fp32: Sequence[str]
) -> None:
    """Quantise `source` by what its tensors hold for the inputs of `calibration`. Raises BackendError."""
    onnx = needed("onnx", "a build in INT8")
    needed("onnx.version_converter", "a build in INT8")
    quantization = needed("onnxruntime.quantization", "a build in INT8")
    shapes = needed("onnxruntime.quantization.shape_inference", "a build in INT8")

    class Reader(quantization.CalibrationDataReader):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            self._left: Iterator[Feeds] = iter(calibration)

        def get_next(self) -> Feeds | None:
            return next(self._left, None)

    signed, unsigned = quantization.QuantType.QInt8, quantization.QuantType.QUInt8
    options: dict[str, Any] = {"WeightSymmetric": True}
    if target is Target.TENSORRT:
        options |= {
            "ActivationSymmetric": True,
            "QuantizeBias": False,
            "AddQDQPairToWeight": True,
            "DedicatedQDQPair": True,
        }
    with tempfile.TemporaryDirectory(prefix=".folded-", dir=made.parent) as folder:
        folded = Path(folder) / "folded.onnx"
        fitting = source
        sets = onnx.load(str(source), load_external_data=False).opset_import
        if max((each.version for each in sets if each.domain in _STANDARD), default=0) < MIN_OPSET:
            fitting = Path(folder) / "raised.onnx"
            raised = onnx.version_converter.convert_version(onnx.load(str(source)), MIN_OPSET)
            onnx.save(raised, str(fitting))
        shapes.quant_pre_process(str(fitting), str(folded), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(folded),
            str(made),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=[name for name in QUANTISED if name not in keep_fp32],
            per_channel=True,
            activation_type=signed if target is Target.TENSORRT else unsigned,
            weight_type=signed,
            extra_options=options,
        )
