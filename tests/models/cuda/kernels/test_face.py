"""The maths of face.cu, run by the CPU, against the CPU path."""

import ctypes

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.cuda.kernels.face import DevicePicture, DeviceTensor, Region
from models.cuda.kernels.parameters import MOST_FACES, PARAMETERS
from models.neural.align import Alignment, crop
from models.runtime.base import InputSpec, Normalisation, PictureOut
from tests.data import portrait
from tests.models.cuda.chains import soft_alpha
from tests.models.cuda.kernels import parity
from tests.models.cuda.kernels.parity import noise, placed, smooth

any_alignment = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
alignments = st.builds(
    placed,
    st.tuples(st.floats(-40, 160), st.floats(-40, 130)),
    st.floats(4, 300),
    st.floats(-7, 7),
    st.just(24),
)


@pytest.mark.parametrize("name", PARAMETERS)
def test_both_sides_lay_out_the_structures_alike(host_kernels, name):
    assert host_kernels.size_of(name) == ctypes.sizeof(PARAMETERS[name])


def test_a_crop_is_that_of_the_cpu(memory):
    parity.check_crops(memory, noise(0, 240, 320, 3), [placed((150, 120), 90, 0.35, 128)])


def test_a_batch_of_crops_over_the_edges(memory):
    places = [(0, 0, 60), (119, 89, 60), (60, 45, 500), (-300, 20, 30), (60, 45, 3)]
    where = [placed((x, y), side, index, 40) for index, (x, y, side) in enumerate(places)]
    parity.check_crops(memory, noise(1, 90, 120, 3), where)


@any_alignment
@given(where=st.lists(alignments, min_size=1, max_size=3))
def test_any_crop_is_that_of_the_cpu(memory, where):
    """Where pixels lie half-way between those of the frame, many values are ties."""
    parity.check_crops(memory, smooth(2, 90, 120, 3), where, ties=1.0)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_network_is_fed_what_the_cpu_feeds_it(memory, layout, order, dtype):
    parity.check_network_input(memory, layout, order, dtype)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("black_white", [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (1.0, 0.0)])
def test_an_output_is_decoded_as_on_the_cpu(memory, layout, order, dtype, black_white):
    parity.check_decoded(memory, layout, order, dtype, black_white)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_what_is_not_finite_is_told_of_its_picture_alone(memory, value, dtype):
    parity.check_unfinite(memory, value, dtype)


def test_fewer_pictures_than_the_batch_are_decoded(memory):
    output = np.full((2, 3, 8, 8), 1.0, np.float32)
    output[1] = np.nan
    pictures, flags = memory.put(noise(0, 2, 8, 8, 3)), memory.put(np.zeros(2, np.int32))
    tensor = DeviceTensor(memory.put(output), output.shape, "float32")
    memory.kernels.decode(None, tensor, PictureOut((0.0, 1.0)), pictures, flags, 3, count=1)
    np.testing.assert_array_equal(memory.get(flags, (2,), np.int32), [0, 0])
    got = memory.get(pictures, (2, 8, 8, 3))
    assert (got[0] == 255).all()
    np.testing.assert_array_equal(got[1], noise(0, 2, 8, 8, 3)[1])


def test_colours_are_mapped_as_on_the_cpu(memory):
    parity.check_colour(memory)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_the_least_of_masks(memory, count):
    parity.check_least_mask(memory, count)


@pytest.mark.parametrize(("size", "factor"), [(32, 2), (33, 2), (50, 4), (7, 7)])
def test_a_square_is_averaged_down(memory, size, factor):
    parity.check_shrunk(memory, size, factor)


def test_a_face_is_pasted_as_on_the_cpu(memory):
    bgr, where = smooth(3, 240, 320, 3), placed((150, 120), 200, 0.35, 128)
    assert parity.check_pasted(memory, bgr, noise(4, 128, 128, 3), soft_alpha(128), where) == (True, True)


@pytest.mark.parametrize("size", [128, 256])
def test_a_real_face_is_cropped_and_pasted_as_on_the_cpu(memory, size):
    bgr = cv2.imread(str(portrait("skimage_astronaut.png")))
    height, width = bgr.shape[:2]
    where = placed((0.44 * width, 0.25 * height), 0.4 * width, 0.1, size)
    assert where.scale < 2
    parity.check_crops(memory, bgr, [where])
    mirrored = np.ascontiguousarray(crop(bgr, where)[:, ::-1])
    parity.check_pasted(memory, bgr, mirrored, soft_alpha(size), where)


def test_a_wholly_opaque_face_fades_out_over_its_last_pixel(memory):
    """Where the CPU's rim and the kernel's zero beyond the edge must agree."""
    bgr, where = noise(3, 120, 160, 3), placed((80, 60), 70, 0.2, 32)
    parity.check_pasted(memory, bgr, noise(4, 32, 32, 3), np.full((32, 32), 255, np.uint8), where)


@pytest.mark.parametrize("side", [50, 20, 9])
def test_a_face_finer_than_the_frame_is_averaged_down_first(memory, side):
    """The CPU lays its blocks from where alpha begins, the kernel from the square's corner."""
    bgr, where = smooth(5, 90, 120, 3), placed((60, 45), side, 0.4, 128)
    face, alpha = smooth(6, 128, 128, 3), soft_alpha(128)
    assert where.scale >= 2
    parity.check_pasted(memory, bgr, face, alpha, where, most=24, mean=0.1)


def test_a_fine_pattern_does_not_show_in_a_small_face(memory):
    face = np.zeros((128, 128, 3), np.uint8)
    face[::2] = 255
    bgr, where = np.full((60, 60, 3), 128, np.uint8), placed((30, 30), 30, 0.0, 128)
    got, _ = parity.pasted(memory, bgr, face, np.full((128, 128), 255, np.uint8), where)
    assert np.abs(got.astype(int) - 128).max() <= 2


@any_alignment
@given(where=alignments)
def test_any_face_is_pasted_as_on_the_cpu(memory, where):
    if where.scale >= 2:
        where = where.resized(max(1, int(where.size / where.scale)))
    bgr, size = smooth(7, 90, 120, 3), where.size
    touched, some = parity.check_pasted(memory, bgr, smooth(8, size, size, 3), soft_alpha(size), where)
    assert some or not touched, "what the CPU sees inside, the device does too"


def test_nothing_but_the_face_is_touched(memory):
    bgr, where = noise(8, 90, 120, 3), placed((60, 45), 30, 0.5, 32)
    got, _ = parity.pasted(memory, bgr, noise(9, 32, 32, 3), np.zeros((32, 32), np.uint8), where)
    np.testing.assert_array_equal(got, bgr)


@pytest.mark.parametrize("matrix", [np.full((2, 3), np.nan), np.array([[1, 0, np.inf], [0, 1, 0]])])
def test_an_alignment_that_is_not_finite(memory, matrix):
    frame = DevicePicture(0, 9, 9, 27)
    with pytest.raises(ValueError, match="not finite"):
        memory.kernels.warp_crop(None, frame, [Alignment(matrix, 8)], crops=1)
    with pytest.raises(ValueError, match="not finite"):
        parity.landing(Alignment(matrix, 8), 9, 9)


def test_what_does_not_fit_is_refused(memory):
    kernels, frame = memory.kernels, DevicePicture(1, 90, 120, 360)
    one, other = placed((60, 45), 30, 0, 32), placed((60, 45), 30, 0, 64)
    spec = InputSpec(32, 32, "nchw", Normalisation(0, 1))
    with pytest.raises(ValueError, match=r"of one size, not \[32, 64\]"):
        kernels.warp_crop(None, frame, [one, other], crops=1)
    for where in ([], [one] * (MOST_FACES + 1)):
        with pytest.raises(ValueError, match="1 to 16 crops"):
            kernels.warp_crop(None, frame, where, crops=1)
    for shape, count in (((1, 3, 64, 64), 1), ((1, 32, 32, 3), 1), ((1, 3, 32, 32), 2)):
        tensor = DeviceTensor(1, shape, "float32")
        with pytest.raises(ValueError, match="do not fit"):
            kernels.warp_crop(None, frame, [one] * count, into=(tensor, spec))
    with pytest.raises(ValueError, match="not uint8"):
        kernels.warp_crop(None, frame, [one], into=(DeviceTensor(1, (1, 3, 32, 32), "uint8"), spec))
    for shape in ((1, 1, 8, 8), (3, 8, 8)):
        with pytest.raises(ValueError, match="no batch of pictures"):
            kernels.decode(None, DeviceTensor(1, shape, "float32"), PictureOut((0, 1)), 1, 1, 1)
    with pytest.raises(ValueError, match="2 pictures are not in"):
        kernels.decode(None, DeviceTensor(1, (1, 3, 8, 8), "float32"), PictureOut((0, 1)), 1, 1, 1, count=2)
    with pytest.raises(ValueError, match=r"shape \(3, 4\)"):
        kernels.colour(None, 1, 8, [np.eye(3)])
    with pytest.raises(ValueError, match="1 to 16 pictures"):
        kernels.colour(None, 1, 8, [])
    with pytest.raises(ValueError, match="1 to 8 masks"):
        kernels.least_mask(None, [1] * 9, 8, 1)
    for region in (Region(-1, 0, 4, 4), Region(0, 87, 4, 4), Region(117, 0, 4, 4)):
        with pytest.raises(ValueError, match="not inside"):
            kernels.blend(None, frame, 1, 1, 8, one.matrix, region)
