import numpy as np
import pytest

from models.catalog import lookup
from models.masks.view import InFrame
from models.neural.align import align
from models.neural.source_feed import SourceFeed
from models.topology import CANONICAL
from realtime.bench.chain_networks import (
    ENHANCER,
    MASK,
    SWAPPER,
    network_masks,
    outline_masks,
    ready,
    ready_enhancer,
    ready_swapper,
)
from tests.fakes.drawn_face import drawn_face

FEED = SourceFeed({"embedding": np.ones((1, 512), np.float32)})


def test_the_swapper_paints_what_it_is_fed_in_another_tone():
    """Through its preparation and its decoding, as many faces as there are."""
    swapper = ready_swapper()
    assert (swapper.template, swapper.size, swapper.batches, swapper.has_mask) == (
        "arcface_128",
        256,
        True,
        True,
    )
    for count in (1, 3):
        crops = np.stack([drawn_face(256)] * count)
        swapped = swapper.swap(crops, [FEED] * count)
        assert abs(swapped.bgr - crops * np.array([0.9, 0.8, 1.0])).max() <= 2
        assert swapped.mask is not None
        assert (swapped.mask == 255).all()


def test_its_answer_is_there_already():
    """The second face gets the first one's picture: nothing is computed."""
    swapper = ready_swapper()
    first = swapper.swap(drawn_face(256)[None], [FEED]).bgr.copy()
    np.testing.assert_array_equal(swapper.swap(drawn_face(256)[None, ::-1].copy(), [FEED]).bgr, first)


def test_a_run_takes_its_time_once_however_many_faces_it_has():
    runs = []
    swapper, enhancer = (
        ready_swapper(lambda: runs.append("swap")),
        ready_enhancer(lambda: runs.append("enhance")),
    )
    swapper.swap(np.stack([drawn_face(256)] * 4), [FEED] * 4)
    assert runs == ["swap"]
    enhancer.enhance(np.stack([drawn_face(512)] * 4))
    assert runs == ["swap", "enhance"]


def test_the_enhancer_keeps_its_contract():
    enhancer = ready_enhancer()
    assert (enhancer.template, enhancer.size) == ("ffhq_512", 512)
    crops = drawn_face(512)[None]
    assert abs(enhancer.enhance(crops) - crops * (0.2 + 0.8 * np.array([0.9, 0.8, 1.0]))).max() <= 2


def test_the_masks_are_what_a_chain_has():
    points = np.ascontiguousarray(CANONICAL[:, :2] * 120 + (128, 110), np.float32)
    own = np.full((256, 256), 200, np.uint8)
    where = align([[0, 0], [255, 0], [128, 128], [0, 255], [255, 255]], "arcface_128", 256)
    seen = network_masks().mask(drawn_face(256), points, own)
    outlined = outline_masks().mask(drawn_face(256), points, own, frame=InFrame(drawn_face(512), where, 0))
    assert seen.max() == outlined.max() == 200
    assert outlined[128, 128] == 200
    assert outlined[40, 20] == 0 < seen[40, 20], "the hull"


@pytest.mark.parametrize("name", [SWAPPER, ENHANCER, MASK])
def test_sessions_keep_the_catalogues_shapes(name):
    (model,) = lookup([name])
    session = ready(model).session
    picture = model.contract.picture
    assert session.inputs[0].shape[1:] == (picture.height, picture.width, 3)
    assert len(session.inputs) == len(model.contract.inputs)
    assert [spec.name for spec in session.outputs] == list(model.contract.returns)
    session.warmup()
    session.close()
