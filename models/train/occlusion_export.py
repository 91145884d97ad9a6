"""The trained network as an ONNX file of 8-bit numbers; needs torch and onnx (`uv sync --group train`)."""

import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime import InferenceSession
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from models.occlusion import CROP_PX, NORMALISATION
from models.train.occlusion_net import OcclusionNet, load

__all__ = ["export"]

CALIBRATED_ON = 200
OPSET = 17


class _Pictures(CalibrationDataReader):  # type: ignore[misc, unused-ignore]
    """One picture after the other, as the network takes them."""

    def __init__(self, pictures: NDArray[np.float32]) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, Any] | None:
        picture = next(self._left, None)
        return None if picture is None else {"picture": picture[None]}


def export(weights: Path, held: Path, out: Path) -> None:
    """Write `out`; print its size and how far its answers lie from those of the trained network."""
    logging.getLogger().setLevel(logging.ERROR)
    net: OcclusionNet = load(weights)
    samples = np.load(held, mmap_mode="r")[:, :, :, :3].transpose(0, 3, 1, 2).astype(np.float32)
    mean, scale = (
        np.array(each, np.float32)[:, None, None] for each in (NORMALISATION.mean, NORMALISATION.scale)
    )
    pictures = (samples - mean) / scale
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.onnx"
        blank = torch.zeros(1, 3, CROP_PX, CROP_PX)
        torch.onnx.export(
            net, (blank,), str(plain), input_names=["picture"], output_names=["covered"],
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip
        quantize_static(
            plain,
            out,
            _Pictures(pictures[:CALIBRATED_ON]),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
    described(out)
    session = InferenceSession(str(out), providers=["CPUExecutionProvider"])
    apart, differ = [], []
    with torch.no_grad():
        for picture in pictures[CALIBRATED_ON:]:
            exact = net(torch.from_numpy(picture[None])).numpy()
            rounded = session.run(None, {"picture": picture[None]})[0]
            apart.append(abs(1 / (1 + np.exp(-exact)) - 1 / (1 + np.exp(-rounded))).mean())
            differ.append(((exact > 0) != (rounded > 0)).mean())
    size = out.stat().st_size
    print(f"{out.name}: {size} bytes, mean difference {np.mean(apart):.4f}, other side {np.mean(differ):.4%}")


def described(path: Path) -> None:
    """Leave nothing of the machine in the file; say what it is."""
    model = onnx.load(str(path))
    model.doc_string = "Occlusion of a face from its crop; see models/occlusion.md. MIT licence."
    model.producer_name, model.producer_version = "realtime-face", ""
    for node in model.graph.node:
        node.doc_string = ""
    del model.metadata_props[:]
    onnx.save(model, str(path))
