import numpy as np

from models.neural.source_feed import SourceFeed
from realtime.bench.chain_batch import batch_swapper
from tests.fakes.drawn_face import drawn_face


def feed(seed: int) -> SourceFeed:
    vector = np.random.default_rng(seed).standard_normal((1, 512), dtype=np.float32)
    return SourceFeed({"embedding": vector / np.linalg.norm(vector)})


def test_it_takes_several_faces_in_one_run(tmp_path):
    """Each gets its own answer, the one it gets alone."""
    swapper = batch_swapper(tmp_path, "onnx")
    assert swapper.batches
    crops = np.stack([drawn_face(128), drawn_face(128)[:, ::-1], drawn_face(128)[::-1]])
    feeds = [feed(1), feed(2), feed(3)]
    together = swapper.swap(crops, feeds).bgr.copy()
    for number in range(3):
        alone = swapper.swap(crops[number : number + 1], feeds[number : number + 1]).bgr[0]
        assert abs(together[number].astype(int) - alone).max() <= 1
    assert abs(together[0].astype(int) - together[1]).max() > 5
    swapper.close()


def test_the_vector_matters(tmp_path):
    swapper = batch_swapper(tmp_path, "onnx")
    crops = drawn_face(128)[None]
    one, other = (swapper.swap(crops, [feed(seed)]).bgr.copy() for seed in (1, 2))
    swapper.close()
    assert (one != other).any()
