"""Makes the preparation and the decoding of pictures a part of an OpenVINO network.

Import `models.runtime.openvino` first: it keeps openvino from reporting its import.
"""

from collections.abc import Sequence

import numpy as np
import openvino
import openvino.opset13 as operators
from openvino.preprocess import ColorFormat, PrePostProcessor

from models.runtime.base import InputSpec, PictureOut, TensorSpec
from models.runtime.pictures import fed_shape, find_input, network_shape

__all__ = ["give_pictures", "take_pictures"]


def take_pictures(
    model: openvino.Model, inputs: Sequence[TensorSpec], picture: InputSpec, name: str
) -> openvino.Model:
    """The model fed uint8 NHWC BGR. `inputs`: its own; `name` is for the error. Raises ModelError."""
    index, batch = find_input(inputs, picture, name)
    fed, own = fed_shape(picture), network_shape(picture)
    port = model.inputs[index]
    if port.get_partial_shape().is_dynamic:
        model.reshape({port.any_name: openvino.PartialShape([batch, *own[1:]])})
    processor = PrePostProcessor(model)
    entry = processor.input(index)
    tensor = entry.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    tensor.set_shape(openvino.PartialShape([batch, *fed[1:]]))
    entry.model().set_layout(openvino.Layout(picture.layout.upper()))
    tensor.set_color_format(ColorFormat.BGR)
    steps = entry.preprocess().convert_element_type(openvino.Type.f32)
    normalisation = picture.normalisation
    if normalisation.order == "rgb":
        # A convolution that follows takes it into its weights, and it costs nothing.
        steps.convert_color(ColorFormat.RGB)
    if any(mean != 0 for mean in normalisation.mean):
        steps.mean(list(normalisation.mean))
    if any(scale != 1 for scale in normalisation.scale):
        steps.scale(list(normalisation.scale))
    return processor.build()


def give_pictures(model: openvino.Model, index: int, picture: PictureOut) -> None:
    """Make the output at `index` of `model` uint8 NHWC BGR, rounded to the nearest.

    uint8 cannot show what was no number. So the model gets one output more, the last: (N,) float32, of each
    picture the mean of its values before they were rounded, which is finite if all of them were.
    """
    result = model.outputs[index].get_node()
    values = result.input_value(0)
    black, white = picture.black_white
    scale = 255.0 / (white - black)
    single = operators.convert(values, openvino.Type.f32)
    scaled = operators.add(operators.multiply(single, np.float32(scale)), np.float32(-black * scale))
    cut = operators.clamp(operators.round(scaled, "half_to_even"), 0.0, 255.0)
    whole = operators.convert(cut, openvino.Type.u8)
    nhwc = whole if picture.layout == "nhwc" else operators.transpose(whole, np.array([0, 2, 3, 1]))
    bgr = nhwc if picture.order == "bgr" else _reversed(nhwc)
    means = operators.reduce_mean(single, np.array([1, 2, 3]), keep_dims=False)
    names = result.output(0).names
    values.remove_target_input(result.input(0))
    result.input(0).replace_source_output(bgr.output(0))
    bgr.output(0).set_names(names)
    model.add_outputs(means.output(0))
    model.validate_nodes_and_infer_types()


def _reversed(nhwc: openvino.Node) -> openvino.Node:
    """The channels in reverse. Not by Gather: with one at the start and one at the end, OpenVINO 2026.4 folds
    both into the weights, and the picture is wrong."""
    last, before_first, back, axis = (np.array([value]) for value in (-1, -4, -1, 3))
    return operators.slice(nhwc, last, before_first, back, axis)
