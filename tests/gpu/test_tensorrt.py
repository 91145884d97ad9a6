import numpy as np
import pytest

from models.engines.profile import Range
from models.runtime.base import InputSpec, Normalisation

pytestmark = pytest.mark.gpu

SHAPE = (1, 3, 256, 256)


def noise(seed, shape=SHAPE):
    return {"picture": np.random.default_rng(seed).random(shape, np.float32)}


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("graphs", [False, True])
def test_each_frame_gets_its_own_result(load, depth, graphs):
    session = load(depth=depth, graphs=graphs)
    session.warmup()
    sent, got = [], 0
    first = None
    while got < 12:
        while len(sent) < 12 and session.in_flight < depth:
            sent.append(noise(len(sent)))
            number = session.submit(sent[-1])
            first = number if first is None else first
        result = session.collect()
        assert result.sequence == first + got
        np.testing.assert_array_equal(result.outputs["negated"], -sent[got]["picture"])
        got += 1


def test_a_graph_is_captured(load, library):
    session = load()
    session.warmup()
    assert session.uses_graphs is (library == "cuda-bindings"), "pycuda has none"


def test_events_show_the_overlap(load):
    session = load((1, 3, 2048, 2048), depth=2, timed=True)
    session.warmup()
    feeds = [noise(seed, (1, 3, 2048, 2048)) for seed in range(2)]
    overlaps = []
    session.submit(feeds[0])
    for index in range(1, 20):
        session.submit(feeds[index % 2])
        before = session.collect().sequence
        spans = session.spans(before)
        overlaps.append((spans.upload, spans.download))
    session.collect()
    uploads, downloads = [up for up, _ in overlaps], [down for _, down in overlaps]
    assert any(up[0] < down[1] and down[0] < up[1] for up, down in zip(uploads[1:], downloads, strict=False))


def test_a_free_batch_follows_the_input(load):
    session = load(("batch", 3), shapes={"picture": Range((1, 3), (2, 3), (4, 3))})
    for batch in (1, 4, 4, 4, 2):
        fed = noise(batch, (batch, 3))
        np.testing.assert_array_equal(session.run(fed)["negated"], -fed["picture"])


def test_a_picture_is_prepared(load):
    session = load((1, 3, 6, 5), picture=InputSpec(6, 5, "nchw", Normalisation(127.5, 127.5)))
    bgr = np.random.default_rng(0).integers(0, 256, (1, 6, 5, 3), dtype=np.uint8)
    expected = -(bgr[..., ::-1].astype(np.float32) - 127.5) / 127.5
    np.testing.assert_allclose(
        session.run({"picture": bgr})["negated"], expected.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5
    )


def test_the_second_session_builds_nothing(load):
    load().close()

    def build(*_):
        raise AssertionError("the engine is there")

    load(build=build).close()
