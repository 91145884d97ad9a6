"""INT8 as OpenVINO's IR, by NNCF: it also corrects the biases for what the rounding shifts."""

import contextlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.build.extra import needed, needed_openvino

__all__ = ["to_int8_ir"]

_OPENVINO_NAMES = {
    "Conv": "Convolution",
    "ConvTranspose": "ConvolutionBackpropData",
    "Div": "Divide",
    "Gemm": "MatMul",
    "InstanceNormalization": "MVN",
    "LeakyRelu": "PRelu",
    "Mul": "Multiply",
    "Resize": "Interpolate",
    "Sub": "Subtract",
}
"""What its ONNX reader makes of these operators."""


def to_int8_ir(
    source: Path, made: Path, calibration: Sequence[dict[str, Any]], keep_fp32: Sequence[str]
) -> None:
    """Quantise `source` by what its tensors hold for the inputs of `calibration`.

    `keep_fp32` names operators as ONNX does, or as OpenVINO does. Raises BackendError.
    """
    openvino = needed_openvino("a build in INT8 for OpenVINO")
    own_class = logging.getLoggerClass()
    try:
        nncf = needed("nncf", "a build in INT8 for OpenVINO")
    finally:
        logging.setLoggerClass(own_class)  # it makes every logger of the process one of its own
    # Not by its set_log_level, which changes handlers that are not its own.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    model = openvino.Core().read_model(source)
    free = {
        port.any_name: port.get_partial_shape()
        for port in model.inputs
        if port.get_partial_shape().is_dynamic
    }
    if free:
        model.reshape({name: list(calibration[0][name].shape) for name in free})
    present = {operation.get_type_name() for operation in model.get_ordered_ops()}
    kept = sorted(present.intersection({*keep_fp32, *(_OPENVINO_NAMES.get(name, "") for name in keep_fp32)}))
    with contextlib.redirect_stdout(sys.stderr):  # where NNCF's bar belongs
        quantised = nncf.quantize(
            model,
            nncf.Dataset(calibration, lambda feeds: feeds),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(calibration),
            ignored_scope=nncf.IgnoredScope(types=kept) if kept else None,
        )
    if free:
        quantised.reshape(free)
    openvino.save_model(quantised, made, compress_to_fp16=False)
