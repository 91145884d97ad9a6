"""Opens what a configuration with a neural swapper asks for: its painter, and whom it paints."""

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.catalog import lookup
from models.cuda.base import CudaError
from models.embedder import FaceEmbedder
from models.enhancer import ENHANCERS, NONE, open_crop_enhancer
from models.entries import Model
from models.errors import ModelError
from models.hidden import HiddenFace
from models.masks.choice import open_masker
from models.masks.settings import BOX, OWN
from models.neural.chain import FaceChain, WearerLook
from models.neural.crop_enhancer import CropEnhancer
from models.neural.device_faces import DeviceFaces
from models.neural.open_device_faces import NotOnDeviceError, open_device_faces
from models.neural.source_feed import NEUTRAL_FIDELITY, SourceFeed, source_feed
from models.neural.swapper import NeuralSwapper, open_swapper
from models.neural.upscaler import open_upscaler
from models.recogniser import ROLE as RECOGNISER
from models.recogniser import open_recogniser
from models.runtime.place import Place
from models.store import expected_sha256
from realtime.clock import NS_PER_MS, Clock
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.faces import PERSONA, face_pictures, load_face
from realtime.identities import IdentityCache, identities_folder, load_identity
from realtime.places import MESH, precision_of, start_timeout_s, wanted
from realtime.source_pictures import Analyse
from realtime.swap.base import Painter, Source
from realtime.swap.device import DevicePainter
from realtime.swap.heavy import HeavyThread
from realtime.swap.neural import Networks, NeuralPainter
from realtime.swap.patience import Patience
from realtime.swap.sliders import masks_of, sliders

__all__ = ["load_feeds", "open_neural_painter"]

_log = logging.getLogger(__name__)


def open_neural_painter(
    config: Config, folder: Path, clock: Clock, worn: tuple[Source, ...], *, lossless: bool = False
) -> Painter:
    """The painter with its networks open and warm, in a thread of their own.

    `folder`: of the models; `lossless`: every frame waits for its own faces. Raises ModelError, BackendError
    and SettingError.
    """
    built: list[FaceChain | DeviceFaces] = []

    def build() -> FaceChain | DeviceFaces:
        on_device = _open_on_device(config, folder, clock, worn)
        built.append(on_device or _open_chain(config, folder, clock, worn))
        return built[-1]

    told, place = sliders(config), wanted(config, "mask")
    masks = open_masker(told.masks, folder, place.backend, place.device, precision_of(config, "mask"))
    networks: Networks = HeavyThread(build, clock, "networks")
    try:
        networks.start(start_timeout_s(config))
    except BaseException:
        networks.close()
        masks.close()
        raise
    patience = Patience(told.late, round(config.pipeline.hold_ms * NS_PER_MS), lossless=lossless)
    chain = built[0]
    if isinstance(chain, DeviceFaces):
        return DevicePainter(networks, chain, masks, patience, clock)
    return NeuralPainter(networks, chain, masks, patience, clock)


def _open_on_device(
    config: Config, folder: Path, clock: Clock, worn: tuple[Source, ...]
) -> DeviceFaces | None:
    """In the thread that will run it. None, and the log says why, where the CPU is to work on the pictures;
    None without a word where TensorRT was not asked for."""
    place = wanted(config, "swap")
    if place.backend != "tensorrt":
        return None
    model, told, masks = _swapper(config), sliders(config), masks_of(config)
    try:
        if config.pipeline.enhancer != NONE or masks.networks:
            raise NotOnDeviceError("there is an enhancer, or a network for a mask", "leave it out")
        opened = open_device_faces(
            model,
            folder,
            place.device,
            clock.now_ns,
            precision=precision_of(config, "swap"),
            wearer=_wearer(config, folder, model),
            settings=told.chain,
            own=OWN in masks.masks,
            boost=config.neural.boost,
        )
    except (NotOnDeviceError, CudaError) as error:
        if error.final:
            raise
        _log.warning("faces are cut out and pasted by the CPU, not the GPU: %s", error.message)
        return None
    feed = next((each for each in worn if isinstance(each, SourceFeed)), None)
    try:
        if feed is not None:
            opened.warmup(feed)
    except BaseException:
        opened.close()
        raise
    return opened


def _open_chain(config: Config, folder: Path, clock: Clock, worn: tuple[Source, ...]) -> FaceChain:
    """In the thread that will run it."""
    model = _swapper(config)
    place = wanted(config, "swap")
    told = sliders(config)
    masks = masks_of(config)
    swapper = open_swapper(
        model,
        folder,
        place.backend,
        place.device,
        boost=config.neural.boost,
        precision=precision_of(config, "swap"),
        depth=config.pipeline.depth,
    )
    opened: list[NeuralSwapper | CropEnhancer] = [swapper]
    try:
        feeds = [each for each in worn if isinstance(each, SourceFeed)]
        if feeds:
            swapper.warmup(feeds[:1])
        enhancer = _open_enhancer(config, folder, swapper)
        if enhancer is not None:
            opened.append(enhancer)
        seen = wanted(config, "mask")
        networks = None
        if masks.networks:
            slow = replace(masks, masks=(BOX, OWN, *masks.networks))
            networks = open_masker(slow, folder, seen.backend, seen.device, precision_of(config, "mask"))
        return FaceChain(
            swapper,
            clock.now_ns,
            enhancer,
            networks,
            _wearer(config, folder, model),
            told.chain,
            own=OWN in masks.masks,
        )
    except BaseException:
        for part in opened:
            part.close()
        raise


def _open_enhancer(config: Config, folder: Path, swapper: NeuralSwapper) -> CropEnhancer | None:
    name, place = config.pipeline.enhancer, wanted(config, "enhance")
    if name == NONE:
        return None
    if name in ENHANCERS:
        _log.warning("the enhancer %s is for the swapper %s: going on without", name, MESH)
        return None
    model = lookup([name])[0]
    if model.role == "enhancer" and not model.contract.template:
        return open_upscaler(
            model,
            folder,
            place.backend,
            place.device,
            template=swapper.template,
            size=max(512, swapper.size),
            strength=config.neural.blend,
            known_px=swapper.size,
            precision=precision_of(config, "enhance"),
        )
    return open_crop_enhancer(
        name,
        folder,
        place.backend,
        place.device,
        strength=config.neural.blend,
        weight=config.neural.weight,
        precision=precision_of(config, "enhance"),
    )


class _Wearer:
    """A recogniser that is opened when the fidelity first asks who the wearer is: it is large, and most leave
    the fidelity as it is."""

    def __init__(self, model: Model, folder: Path, place: Place, precision: str) -> None:
        self._opening = partial(open_recogniser, model, folder, place.backend, place.device, precision)
        self._opened: FaceEmbedder | None = None

    def vector(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        if self._opened is None:
            self._opened = self._opening()
        return self._opened.vector(crop)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


def _wearer(config: Config, folder: Path, model: Model) -> WearerLook | None:
    """For a swapper that is fed by a recogniser's vectors."""
    recogniser = _recogniser(model)
    if recogniser is None or not model.contract.embedding:
        if config.neural.fidelity != NEUTRAL_FIDELITY:
            _log.warning("%s is told by no vector whose face it is: the fidelity changes nothing", model.name)
        return None
    return _Wearer(recogniser, folder, wanted(config, "identify"), precision_of(config, "identify"))


def load_feeds(
    config: Config, folder: Path, uris: tuple[str, ...], analyse: Analyse, made_with: list[str]
) -> tuple[Source, ...]:
    """Whom the swapper is to paint: pictures of people, or a persona that only hides.

    `analyse` finds the faces of a picture; `made_with`: the checksums of the networks that it uses. A swapper
    that has its face in its file needs none. Raises ConfigError for faces, ModelError and BackendError.
    """
    model = _swapper(config)
    place = wanted(config, "swap")
    make = partial(
        source_feed,
        model,
        folder=folder,
        backend=place.backend,
        device=place.device,
        morph=config.neural.morph,
    )
    if not {"embedding", "source_picture"} & {each.role for each in model.contract.inputs}:
        return (make(None),)
    recogniser = _recogniser(model)
    cache = None
    if recogniser is not None:
        sha256 = expected_sha256(recogniser, folder)
        cache = IdentityCache(identities_folder(), sha256, made_with) if sha256 else None
    seen = wanted(config, "identify")
    opened = None
    if recogniser is not None:
        opened = open_recogniser(
            recogniser, folder, seen.backend, seen.device, precision_of(config, "identify")
        )
    try:
        found: list[Source] = []
        for uri in uris:
            if uri.startswith(PERSONA):
                found.append(_hidden(uri, model, analyse))
                continue
            if opened is None and model.contract.embedding:
                raise ModelError(
                    f"the catalogue names no recogniser for {model.name}",
                    "correct it: `needs` of its family",
                )
            found.append(make(load_identity(face_pictures(uri), analyse, opened, cache)))
        return tuple(found)
    finally:
        if opened is not None:
            opened.close()


def _hidden(uri: str, model: Model, analyse: Analyse) -> HiddenFace:
    """A persona that only hides. Raises ConfigError for one that is drawn: it looks like no person."""
    face = load_face(uri, analyse)
    if isinstance(face, HiddenFace):
        return face
    raise ConfigError(
        f"{uri} is drawn and looks like nobody, and {model.name} paints people from pictures",
        "give a picture: --face PICTURE; or keep the persona with --swapper mesh",
    )


def _swapper(config: Config) -> Model:
    model = lookup([config.pipeline.swapper])[0]
    if model.role != "swapper":
        raise ModelError(
            f"{model.name} is not a swapper: its role is {model.role}",
            f"choose {MESH}, or one by: realtime models list",
        )
    return model


def _recogniser(model: Model) -> Model | None:
    """Whose vectors a swapper is fed with."""
    return next((each for each in lookup(model.needs) if each.role == RECOGNISER), None)
