from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from models.catalog import load_catalog
from models.errors import BackendError, SwapError
from models.geometry import apply
from models.landmarker import five_points
from models.masks.masker import Masker
from models.masks.settings import BOX, OWN, MaskSettings
from models.neural.align import align, crop
from models.neural.chain import HEAD, LOOK_AGAIN_NS, WEARER, FaceChain
from models.neural.face import Crop, GivenFace, Template
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed
from models.neural.swapper import Swapped, open_swapper
from tests.fakes.head import posed
from tests.fakes.networks_swap import swapper_network

SWAP: Template = ("arcface_128", 64)
WIDE: Template = ("ffhq_512", 128)
PLAIN = ChainSettings(colour=0.0)
RED, BLUE = (40, 40, 220), (220, 40, 40)
PLACES = ((160, 160), (420, 170))


def feed(colour: Sequence[float] = (0, 0, 0), **more: np.ndarray) -> SourceFeed:
    vector = np.zeros((1, 512), np.float32)
    vector[0, :3], vector[0, 3] = colour, 1
    return SourceFeed(MappingProxyType({"embedding": vector, **more}), wearer_unit=True)


def frame() -> np.ndarray:
    bgr = np.full((320, 580, 3), 90, np.uint8)
    bgr[:, ::7] = 130
    return bgr


def given(
    templates: Sequence[Template],
    number: int = 1,
    bgr: np.ndarray | None = None,
    wearing: SourceFeed | None = None,
    captured_ns: int = 0,
) -> GivenFace:
    points = posed(PLACES[number - 1], 80)
    crops = {}
    for name, size in templates:
        where = align(five_points(points), name, size)
        crops[name, size] = Crop(where, crop(frame() if bgr is None else bgr, where))
    return GivenFace(number, captured_ns, points, wearing or feed(), crops)


class FlatSwapper:
    """Paints one colour; refuses the faces that it is told to."""

    template, size = SWAP

    def __init__(self, colour: tuple[int, int, int] = RED, mask: int | None = None) -> None:
        self.colour, self.mask = colour, mask
        self.refuse: set[int] = set()
        self.seen: list[list[SourceFeed]] = []
        self.closed = 0

    def swap(self, crops: np.ndarray, feeds: Sequence[SourceFeed]) -> Swapped:
        assert crops.shape == (len(feeds), self.size, self.size, 3)
        self.seen.append(list(feeds))
        refused = tuple(at for at, fed in enumerate(feeds) if id(fed) in self.refuse)
        if refused:
            raise SwapError("it painted nothing", "try another", refused)
        crops[:] = self.colour
        mask = None if self.mask is None else np.full(crops.shape[:3], self.mask, np.uint8)
        return Swapped(crops, mask)

    def close(self) -> None:
        self.closed += 1


class AddingEnhancer:
    """Adds ten to everything, and takes down how often it was asked."""

    def __init__(self, template: Template = WIDE) -> None:
        self.template, self.size = template
        self.strength = 1.0
        self.crops: list[np.ndarray] = []
        self.fail: SwapError | None = None
        self.closed = 0

    def enhance(self, crops: np.ndarray, shown_px: float = 0.0) -> np.ndarray:
        assert crops.shape[1:] == (self.size, self.size, 3)
        if self.fail is not None:
            raise self.fail
        self.crops.append(crops.copy())
        return np.minimum(crops, 245) + np.uint8(10)

    def close(self) -> None:
        self.closed += 1


class Looking:
    def __init__(self, vector: np.ndarray) -> None:
        self.value, self.looks, self.closed = vector, 0, 0

    def vector(self, seen: np.ndarray) -> np.ndarray:
        assert seen.shape == (112, 112, 3)
        self.looks += 1
        return self.value

    def close(self) -> None:
        self.closed += 1


def chain(swapper: FlatSwapper, enhancer=None, masks=None, wearer=None, settings=PLAIN, **more) -> FaceChain:  # type: ignore[no-untyped-def]
    ticks = count()
    return FaceChain(swapper, lambda: next(ticks), enhancer, masks, wearer, settings, **more)  # type: ignore[arg-type]


def run(made_by: FaceChain, *faces: int, **more):  # type: ignore[no-untyped-def]
    return made_by.run([given(made_by.templates, number, **more) for number in faces or (1,)])


def test_it_says_which_squares_it_is_to_be_given() -> None:
    swapper = FlatSwapper()
    assert chain(swapper).templates == (SWAP,)
    assert chain(swapper, AddingEnhancer(("arcface_128", 128))).templates == (SWAP,)
    everything = chain(
        swapper, AddingEnhancer(), Masker(MaskSettings((BOX, OWN)), {}), Looking(np.ones(512, np.float32))
    )
    assert everything.templates == (SWAP, WIDE, HEAD, WEARER)


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_a_real_network_paints_each_face_for_its_own_source(tmp_path: Path, backend: str) -> None:
    model = load_catalog()["hyperswap_1a_256"]
    swapper_network(tmp_path / model.file, side=256, mask=True, batch="faces")
    swapper = open_swapper(model, tmp_path, backend)
    alone = open_swapper(model, tmp_path, backend)
    real = FaceChain(swapper, lambda: 0, settings=PLAIN)
    wearing = (feed((0.3, 0.0, -0.2)), feed((-0.2, 0.1, 0.3)))
    job = [given(real.templates, at + 1, wearing=each) for at, each in enumerate(wearing)]
    made = real.run(job).faces
    for face, one in zip(made, job, strict=True):
        crop_of = one.crops[real.templates[0]]
        expected = alone.swap(crop_of.bgr[None], [one.feed])
        np.testing.assert_allclose(face.bgr, expected.bgr[0], atol=1)
        assert expected.mask is not None
        np.testing.assert_allclose(face.alpha, expected.mask[0], atol=1)
        assert face.where is crop_of.where
        assert face.error is None
    real.close()
    alone.close()


def test_what_was_made_stays_while_the_next_is_made() -> None:
    swapper = FlatSwapper()
    made_by = chain(swapper)
    first = run(made_by).faces[0]
    swapper.colour = BLUE
    run(made_by)
    assert (first.bgr == RED).all()


def test_faces_that_no_network_could_make_do_not_keep_the_others() -> None:
    swapper = FlatSwapper()
    made_by = chain(swapper)
    bad, good = feed(), feed()
    swapper.refuse = {id(bad)}
    job = [given(made_by.templates, 1, wearing=bad), given(made_by.templates, 2, wearing=good)]
    refused, made = made_by.run(job).faces
    assert isinstance(refused.error, SwapError)
    assert not refused.alpha.any()
    assert made.error is None
    assert (made.bgr == RED).all()
    assert [len(feeds) for feeds in swapper.seen] == [2, 1]


def test_a_swapper_that_fails_for_nobody_in_particular_fails_for_all() -> None:
    class Failing(FlatSwapper):
        def swap(self, crops: np.ndarray, feeds: Sequence[SourceFeed]) -> Swapped:
            raise SwapError("nothing came", "try another")

    assert all(face.error is not None for face in run(chain(Failing()), 1, 2).faces)


def test_a_backend_that_fails_fails_the_frame() -> None:
    class Failing(FlatSwapper):
        def swap(self, crops: np.ndarray, feeds: Sequence[SourceFeed]) -> Swapped:
            raise BackendError("the device is gone", "restart")

    with pytest.raises(BackendError, match="gone"):
        run(chain(Failing()))


def test_the_colours_are_brought_to_the_wearers_as_far_as_the_slider_says() -> None:
    bgr = frame()
    apart = []
    for colour in (0.0, 0.5, 1.0):
        made_by = chain(FlatSwapper((60, 60, 160)), settings=ChainSettings(colour=colour))
        face = run(made_by, bgr=bgr).faces[0]
        target = given(made_by.templates, bgr=bgr).crops[SWAP].bgr
        middle = np.s_[28:40, 20:26]
        apart.append(np.abs(face.bgr[middle].astype(float) - target[middle]).mean())
    assert apart[0] > apart[1] > apart[2]


def test_the_face_comes_out_in_the_enhancers_square() -> None:
    enhancer = AddingEnhancer()
    made_by = chain(FlatSwapper(), enhancer)
    face = run(made_by).faces[0]
    points = posed(PLACES[0], 80)
    assert (face.where.size, face.bgr.shape) == (128, (128, 128, 3))
    nose = np.rint(apply(face.where.matrix, points[1:2, :2])[0]).astype(int)
    assert tuple(face.bgr[nose[1], nose[0]]) == tuple(value + 10 for value in RED)
    assert face.alpha[nose[1], nose[0]] == 255
    assert face.alpha[0, 0] == 0, "there the enhancer saw the wearer, whom nobody swapped"
    given_view = given(made_by.templates).crops[WIDE].bgr
    np.testing.assert_array_equal(enhancer.crops[0][0][0, 0], given_view[0, 0])


def test_an_enhancer_of_the_same_template_enlarges_the_square() -> None:
    made_by = chain(FlatSwapper(), AddingEnhancer(("arcface_128", 128)))
    face = run(made_by).faces[0]
    points = posed(PLACES[0], 80)
    expected = align(five_points(points), "arcface_128", 128)
    np.testing.assert_allclose(
        apply(face.where.matrix, points[:, :2]), apply(expected.matrix, points[:, :2]), atol=0.51
    )
    assert (face.bgr == np.array(RED) + 10).all()


def test_an_enhancer_in_every_third_frame_leaves_what_it_added() -> None:
    enhancer = AddingEnhancer(("arcface_128", 64))
    made_by = chain(FlatSwapper(), enhancer, settings=ChainSettings(colour=0, enhance_every=3))
    seen = [run(made_by).faces[0].bgr[5, 5].tolist() for _ in range(6)]
    assert len(enhancer.crops) == 2
    assert seen == [[value + 10 for value in RED]] * 6


def test_somebody_new_is_enhanced_at_once() -> None:
    enhancer = AddingEnhancer(("arcface_128", 64))
    made_by = chain(FlatSwapper(), enhancer, settings=ChainSettings(colour=0, enhance_every=3))
    run(made_by, 1)
    faces = run(made_by, 1, 2).faces
    assert [len(crops) for crops in enhancer.crops] == [1, 1]
    assert all((face.bgr == np.array(RED) + 10).all() for face in faces)


def test_an_enhancer_that_makes_nothing_of_a_face_refuses_it() -> None:
    enhancer = AddingEnhancer(("arcface_128", 64))
    enhancer.fail = SwapError("a plain area", "build it in fp32", (0,))
    first, second = run(chain(FlatSwapper(), enhancer), 1, 2).faces
    assert first.error is enhancer.fail
    assert second.error is None


def test_masks_and_the_swappers_own_are_the_least_of_all() -> None:
    masks = Masker(MaskSettings((BOX, OWN)), {})
    face = run(chain(FlatSwapper(mask=100), masks=masks)).faces[0]
    assert face.alpha.max() == 100
    assert face.alpha[0, 0] == 0, "the box"
    whole = run(chain(FlatSwapper(mask=100), masks=masks, own=False)).faces[0]
    assert whole.alpha.max() == 255


def test_without_masks_everything_counts_but_what_the_swapper_leaves() -> None:
    assert run(chain(FlatSwapper())).faces[0].alpha.min() == 255
    assert run(chain(FlatSwapper(mask=7))).faces[0].alpha.max() == 7


def test_the_fidelity_needs_a_look_at_the_wearer_now_and_then() -> None:
    swapper, wearer = FlatSwapper(), Looking(np.eye(512, dtype=np.float32)[7] * 20)
    made_by = chain(swapper, wearer=wearer)
    run(made_by)
    assert wearer.looks == 0, "at 0.5 nobody is looked at"
    made_by.settings = ChainSettings(fidelity=0.0, colour=0)
    for captured_ns in (0, LOOK_AGAIN_NS // 2, LOOK_AGAIN_NS):
        run(made_by, captured_ns=captured_ns)
    assert wearer.looks == 2
    vector = swapper.seen[-1][0].values["embedding"][0]
    assert vector[7] == pytest.approx(0.35)
    assert vector[3] == pytest.approx(0.65)


def test_a_wearer_of_whom_nothing_is_known_is_not_swapped_by_a_fidelity() -> None:
    wearer = Looking(np.zeros(512, np.float32))
    face = run(chain(FlatSwapper(), wearer=wearer, settings=ChainSettings(fidelity=1.0))).faces[0]
    assert isinstance(face.error, SwapError)


def test_the_morph_of_a_file_that_takes_one_is_fed() -> None:
    swapper = FlatSwapper()
    made_by = chain(swapper, settings=ChainSettings(morph=0.25, colour=0))
    run(made_by, wearing=SourceFeed(MappingProxyType({"morph": np.ones(1, np.float32)})))
    assert swapper.seen[0][0].values["morph"] == pytest.approx(0.25)


def test_the_time_of_each_stage_is_told() -> None:
    spent: Mapping[str, int] = run(chain(FlatSwapper(), AddingEnhancer())).spent_ns
    assert set(spent) == {"swap", "enhance"}
    with_masks = run(chain(FlatSwapper(), masks=Masker(MaskSettings((BOX, OWN)), {}))).spent_ns
    assert set(with_masks) == {"swap", "mask"}


def test_nobody_is_nothing() -> None:
    swapper = FlatSwapper()
    assert chain(swapper, AddingEnhancer()).run([]).faces == ()
    assert swapper.seen == []


def test_closing_closes_all_parts() -> None:
    swapper, enhancer, wearer = FlatSwapper(), AddingEnhancer(), Looking(np.ones(512, np.float32))
    chain(swapper, enhancer, wearer=wearer).close()
    assert (swapper.closed, enhancer.closed, wearer.closed) == (1, 1, 1)


def test_a_mask_that_is_no_mask_refuses_its_face_alone() -> None:
    class Blind(Masker):
        def mask(self, crop, points, own=None, *, key=0, frame=None):  # type: ignore[no-untyped-def]
            if key == 1:
                raise SwapError("the mask is not finite", "build it in fp32")
            return super().mask(crop, points, own, key=key, frame=frame)

    first, second = run(chain(FlatSwapper(), masks=Blind(MaskSettings((BOX, OWN)), {})), 1, 2).faces
    assert isinstance(first.error, SwapError)
    assert not first.alpha.any()
    assert second.error is None


def test_a_face_of_which_the_masks_take_nothing_is_refused_alone() -> None:
    class Corner(FlatSwapper):
        def swap(self, crops: np.ndarray, feeds: Sequence[SourceFeed]) -> Swapped:
            swapped = super().swap(crops, feeds)
            assert swapped.mask is not None
            swapped.mask[0] = 0
            swapped.mask[0, :8, :8] = 255
            return swapped

    refused, made = run(chain(Corner(mask=255)), 1, 2).faces
    assert isinstance(refused.error, SwapError)
    assert "would be seen" in refused.error.message
    assert made.error is None
