"""A swapper whose faces stay on the GPU, from frame to frame: a network within `models.cuda.device_chain`.

    frame up -> crops -> swapped -> colours -> pasted -> rows that changed and the squares down

For a frame that waits for its own faces, the pasted rows are all that is needed; the squares come down too,
each a few hundred KB, for whom the next frames show late (`models.neural.face.follow`) and for faces that
cannot be pasted here. All of it is waited for once, but for a face whose colours were never measured: its
tones are looked at in mid-frame. Later ones come down with the frame, and its map is used from the next on.

It does what `models.neural.chain.FaceChain` does without an enhancer or networks for masks.

Not run on a GPU: tested on face.cu as a C++ compiler takes it, behind a CUDA runtime and a TensorRT without a
GPU (tests/fakes), against the CPU's chain. `tests/gpu` holds the checks for a machine that has one.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.colour_match import LOOK_PX, ColourMatch
from models.cuda.base import Cuda, Module, Stream
from models.cuda.device_chain import DeviceChain, Squares
from models.cuda.device_memory import quietly
from models.cuda.kernels.face import DevicePicture, DeviceTensor
from models.cuda.kernels.parameters import MOST_FACES
from models.cuda.kernels.places import landing
from models.entries import Contract
from models.errors import ModelError, SwapError
from models.neural.align import Alignment
from models.neural.answer import faults_of
from models.neural.device_face import DeviceFace, DeviceNetwork, batches_of, meet, own_of, slot_of
from models.neural.face import GivenFace, MadeFace, MadeFaces, Pasted, Template
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed
from models.neural.wearer_feed import WearerFeeds, WearerLook
from models.runtime.base import PictureOut
from models.skin_weight import skin_weight

__all__ = ["SOURCES", "DeviceFaces"]

SOURCES = ("embedding", "source_picture", "morph")
"""Roles of the inputs that a `SourceFeed` fills."""
_AS_IT_IS = np.eye(2, 3)

Picture = NDArray[np.uint8]


class DeviceFaces:
    """What a networks' thread runs. Belongs to that thread; `settings` alone may be set by another one, and
    `room` be asked for while nothing runs."""

    def __init__(
        self,
        cuda: Cuda,
        module: Module,
        network: DeviceNetwork,
        contract: Contract,
        names: Mapping[str, str],
        now_ns: Callable[[], int],
        wearer: WearerLook | None = None,
        settings: ChainSettings | None = None,
        *,
        batches: bool = False,
        name: str = "the swapper",
    ) -> None:
        """Owns all that it is given. `module`: face.cu on that device; `names`: of `models.contract.bind`;
        `batches`: whether the network's first dimensions are free; `name`: for errors."""
        self.settings = settings or ChainSettings()
        self._cuda, self._module, self._network = cuda, module, network
        self._spec = contract.picture
        picture_out = contract.picture_out
        if picture_out is None:
            raise ModelError(f"{name} gives no picture", "correct its output_range in the catalogue")
        self._out: PictureOut = picture_out
        self._template: Template = (contract.template, self._spec.height)
        self._picture, self._painted = names["picture"], names["output:picture"]
        self._sources = {role: names[role] for role in SOURCES if role in names}
        self._feeds = WearerFeeds(wearer)
        self._now_ns = now_ns
        self._batches = batches
        self._name = name
        self._colours = ColourMatch()
        self._fed: dict[str, tuple[NDArray[Any], ...]] = {}
        self._chain: DeviceChain | None = None
        self._shape = (0, 0)

    @property
    def template(self) -> Template:
        """Of the square that the network takes: `Uncut.where`, and a crop of a face that is cut before."""
        return self._template

    @property
    def templates(self) -> tuple[Template, ...]:
        """The squares that each given face is to bring all the same."""
        return self._feeds.templates

    def room(self, height: int, width: int) -> Picture:
        """(H, W, 3) for the frame of the next job: a frame that is written here is copied once less."""
        if self._chain is not None and self._shape == (height, width):
            return self._chain.pinned_frame
        return np.empty((height, width, 3), np.uint8)

    def run(self, job: Sequence[GivenFace]) -> MadeFaces:
        """The faces of one frame, whose `uncut` is there. A face that could not be made has an error.

        One that brings a crop of `template` is made of that, and not pasted; so is one whose square meets
        another's. Raises BackendError; DeviceLostError, which is final.
        """
        began_ns = self._now_ns()
        settings = self.settings
        faces = [DeviceFace(given, given.uncut) for given in job if given.uncut is not None]
        if len(faces) < len(job):
            raise ValueError("a face came without its frame")
        good: list[DeviceFace] = []
        for face in faces:
            try:
                face.feed = self._checked(self._feeds.feed(face.given, settings))
            except SwapError as error:
                face.error = error
                continue
            if len(good) == MOST_FACES:
                face.error = self._refused(f"there are more than {MOST_FACES} in one frame")
                continue
            good.append(face)
        if good:
            self._make(good, settings)
        made = tuple(self._made(face) for face in faces)
        return MadeFaces(made, MappingProxyType({"swap": self._now_ns() - began_ns}))

    def close(self) -> None:
        """Free all that it was given. Idempotent, never raises."""
        if self._chain is not None:
            self._chain.close()
        self._network.close()
        quietly(self._module.close)
        self._feeds.close()
        self._cuda.close()

    def warmup(self, feed: SourceFeed) -> None:
        """Run the network once on what lies in its memory, so that the first frame is no slower.

        Raises BackendError, ModelError for the feed of another model.
        """
        stream = self._cuda.stream()
        try:
            if self._batches:
                self._network.reshape(self._shapes(1))
            self._feed([self._checked(feed)], stream)
            self._network.enqueue(stream)
        finally:
            quietly(stream.synchronise)
            quietly(stream.close)

    def _make(self, faces: list[DeviceFace], settings: ChainSettings) -> None:
        chain = self._chain_for(faces[0].uncut.frame)
        try:
            self._through(chain, faces, settings)
        except BaseException:
            # What the next frame writes over may still be read.
            quietly(chain.stream.synchronise)
            raise

    def _through(self, chain: DeviceChain, faces: list[DeviceFace], settings: ChainSettings) -> None:
        frame = faces[0].uncut.frame
        chain.begin(frame)
        self._colours.strength = settings.colour
        for number, group in enumerate(self._groups(faces)):
            self._swap(chain, group, str(number))
        batches = batches_of(faces)
        # Of each, for one that is of one colour, or the wearer's own again, was not painted.
        small = [
            chain.bring(chain.thinned(each, f"small {number}", LOOK_PX), f"small {number}")
            for number, each in enumerate(batches)
        ]
        seen = self._targets(chain, faces)
        looked = [face for face in faces if settings.colour and self._looks_due(face)]
        fresh = [face for face in looked if self._standing(face) is None]
        if fresh:
            finite = chain.look()
            for face in fresh:
                if finite[faces.index(face)]:
                    self._estimate(face, own_of(face, batches, small), seen)
        self._colour(chain, batches, faces)
        self._paste(chain, faces)
        whole = [chain.bring(each, f"whole {number}") for number, each in enumerate(batches)]
        for face, finite_one in zip(faces, chain.finish(frame), strict=True):
            thin = own_of(face, batches, small)
            # A morph may ask for the wearer's own face.
            own = None if self._has_morph else _sized(seen[face.given.id], len(thin))[np.newaxis]
            if not finite_one:
                face.error = self._refused(f"{self._painted!r} is not finite")
            elif wrong := faults_of(thin[np.newaxis], None, own):
                face.error = self._refused(wrong[0])
            else:
                # A copy: the face is shown while the next one is made.
                face.bgr = own_of(face, batches, whole).copy()
                if face in looked and face not in fresh:
                    self._estimate(face, thin, seen)

    def _chain_for(self, frame: Picture) -> DeviceChain:
        shape = (frame.shape[0], frame.shape[1])
        if self._chain is None or shape != self._shape:
            if self._chain is not None:
                self._chain.close()
                self._chain = None
            self._chain = DeviceChain(self._cuda, self._module, *shape)
            self._shape = shape
        return self._chain

    def _groups(self, faces: list[DeviceFace]) -> list[list[DeviceFace]]:
        """What goes through the network in one run. A morph is one number for the whole run."""
        morphs = {float(face.feed.values["morph"][0]) for face in faces if face.feed and self._has_morph}
        if self._batches and len(morphs) <= 1:
            return [faces]
        return [[face] for face in faces]

    @property
    def _has_morph(self) -> bool:
        return "morph" in self._sources

    def _swap(self, chain: DeviceChain, group: list[DeviceFace], name: str) -> None:
        if self._batches:
            self._network.reshape(self._shapes(len(group)))
        self._feed([face.feed for face in group if face.feed is not None], chain.stream)
        tensor = self._network.tensor(self._picture)
        uncut = [face for face in group if self._template not in face.given.crops]
        if len(uncut) == len(group):
            targets = chain.crop(
                [face.uncut.where for face in group],
                into=(tensor, self._spec),
                name=f"target {name}",
            )
            for face in group:
                face.targets = targets
        else:
            for index, face in enumerate(group):
                self._crop_one(chain, face, slot_of(tensor, index), f"{name} {index}")
        self._network.enqueue(chain.stream)
        painted = self._network.tensor(self._painted)
        squares = chain.decode(painted, self._out, f"swapped {name}", count=len(group))
        for index, face in enumerate(group):
            face.squares, face.index = squares, index

    def _crop_one(self, chain: DeviceChain, face: DeviceFace, slot: DeviceTensor, name: str) -> None:
        cut = face.given.crops.get(self._template)
        if cut is None:
            chain.crop([face.uncut.where], into=(slot, self._spec))
            return
        source: DevicePicture = chain.send(f"cut {name}", cut.bgr).picture()
        chain.crop([Alignment(_AS_IT_IS, cut.where.size)], into=(slot, self._spec), source=source)

    def _feed(self, feeds: list[SourceFeed], stream: Stream) -> None:
        """What says whose faces they are to be; sent again only where one has changed."""
        for role, name in self._sources.items():
            values = tuple(feed.values[role] for feed in feeds)
            if role == "morph":
                values = values[:1]
            before = self._fed.get(name, ())
            if len(before) == len(values) and all(a is b for a, b in zip(before, values, strict=True)):
                continue
            self._fed.pop(name, None)
            self._network.feed(name, np.concatenate(values), stream)
            self._fed[name] = values

    def _shapes(self, count: int) -> dict[str, tuple[int, ...]]:
        names = [self._picture, *(name for role, name in self._sources.items() if role != "morph")]
        return {name: (count, *self._network.tensor(name).shape[1:]) for name in names}

    def _checked(self, feed: SourceFeed) -> SourceFeed:
        for role, name in self._sources.items():
            value, shape = feed.values.get(role), self._network.tensor(name).shape
            if value is None or value.shape[1:] != shape[1:]:
                has = "none" if value is None else f"one of {value.shape}"
                raise ModelError(
                    f"{self._name} was fed with the face of another model: its {role} is of {shape}, and "
                    f"there is {has}",
                    "make the feed for this model: source_feed",
                )
        return feed

    def _looks_due(self, face: DeviceFace) -> bool:
        return self._colours.due(face.given.id, face.given.captured_ns)

    def _standing(self, face: DeviceFace) -> NDArray[np.float32] | None:
        return self._colours.standing(face.given.id, face.given.captured_ns)

    def _targets(self, chain: DeviceChain, faces: list[DeviceFace]) -> dict[int, Picture]:
        """id of a face -> the wearer's own, small; there once it was waited for."""
        seen: dict[int, Picture] = {}
        small: dict[int, Picture] = {}
        for face in faces:
            cut = face.given.crops.get(self._template)
            if cut is not None:
                seen[face.given.id] = cut.bgr
            elif face.targets is None:
                alone = chain.crop([face.uncut.where], name=f"target of {face.given.id}")
                assert alone is not None
                name = f"look of {face.given.id}"
                seen[face.given.id] = chain.bring(chain.thinned(alone, name, LOOK_PX), name)[0]
            else:
                address = face.targets.address
                if address not in small:
                    name = f"looks {len(small)}"
                    small[address] = chain.bring(chain.thinned(face.targets, name, LOOK_PX), name)
                seen[face.given.id] = small[address][face.index]
        return seen

    def _estimate(self, face: DeviceFace, swapped: Picture, seen: Mapping[int, Picture]) -> None:
        given = face.given
        skin = skin_weight(given.points, face.uncut.where, LOOK_PX)
        self._colours.estimate(swapped, seen[given.id], skin, given.id, given.captured_ns)

    def _colour(self, chain: DeviceChain, batches: list[Squares], faces: list[DeviceFace]) -> None:
        if not self._colours.strength:
            return
        for squares in batches:
            maps = [self._standing(face) for face in faces if face.squares is squares]
            if any(each is not None for each in maps):
                chain.colour(squares, [np.eye(3, 4) if each is None else each for each in maps])

    def _paste(self, chain: DeviceChain, faces: list[DeviceFace]) -> None:
        """Those that no other one touches: who is refused afterwards must not be seen in another's part."""
        height, width = self._shape
        landed = []
        for face in faces:
            place = landing(face.uncut.where, width, height)
            if place is not None:
                landed.append((face, place.region))
        for number, (face, region) in enumerate(landed):
            alpha = face.uncut.alpha
            alone = not any(meet(region, other) for each, other in landed if each is not face)
            if alpha is None or not alone or self._template in face.given.crops or face.squares is None:
                continue
            address = chain.mask(f"alpha {number}", [alpha])
            if chain.paste(face.squares, address, face.uncut.where, face.index):
                face.region = region

    def _made(self, face: DeviceFace) -> MadeFace:
        where, size = face.uncut.where, face.uncut.where.size
        if face.error is not None or face.bgr is None:
            nothing = np.zeros((size, size), np.uint8)
            return MadeFace(face.given, where, np.zeros((size, size, 3), np.uint8), nothing, face.error)
        pasted = None
        if face.region is not None:
            at = face.region
            part = face.uncut.frame[at.y : at.y + at.height, at.x : at.x + at.width]
            pasted = Pasted(at.x, at.y, part)
        everywhere = np.full((size, size), 255, np.uint8)
        return MadeFace(face.given, where, face.bgr, everywhere, None, pasted)

    def _refused(self, wrong: str) -> SwapError:
        return SwapError(
            f"{self._name} gave no face that can be shown: {wrong}",
            "if it goes on, use the model in fp32, or another backend",
        )


def _sized(picture: Picture, side: int) -> Picture:
    """(side, side, 3)."""
    if len(picture) == side:
        return picture
    return np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
