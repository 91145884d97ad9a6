"""From a configuration to what replaces faces: the painter with its networks, and the faces to put on."""

import logging
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path

from models.catalog import lookup
from models.enhancer import ENHANCERS, NONE, open_crop_enhancer, open_enhancer
from models.entries import Model
from models.errors import ModelError
from models.hidden import HiddenFace
from models.masks.choice import open_masker
from models.masks.settings import BOX, BUILT_IN, HULL, OWN, MaskSettings
from models.mesh import MeshSwapper
from models.neural.chain import FaceChain, WearerLook
from models.neural.crop_enhancer import CropEnhancer
from models.neural.settings import ChainSettings
from models.neural.source_feed import SourceFeed, source_feed
from models.neural.swapper import NeuralSwapper, open_swapper
from models.neural.upscaler import open_upscaler
from models.occlusion import open_occlusion
from models.recogniser import ROLE as RECOGNISER
from models.recogniser import open_recogniser
from models.store import expected_sha256
from realtime.clock import NS_PER_MS, Clock
from realtime.config import Config
from realtime.errors import ConfigError
from realtime.face_cache import FaceCache, preparation
from realtime.face_cache import cache_folder as faces_folder
from realtime.faces import PERSONA, face_pictures, load_face
from realtime.identification import Identification
from realtime.identities import IdentityCache, identities_folder, load_identity
from realtime.places import LANDMARKER, MESH, wanted
from realtime.replacement import Replacement
from realtime.source_pictures import Analyse
from realtime.swap.base import Painter, Sliders, Source
from realtime.swap.heavy import HeavyThread
from realtime.swap.mesh import MeshPainter
from realtime.swap.neural import Networks, NeuralPainter
from realtime.swap.patience import Patience
from realtime.telemetry.histogram import Histogram
from realtime.who import open_identification, worn_uris

__all__ = ["Dresser", "sliders", "swap_models"]

_log = logging.getLogger(__name__)


def swap_models(config: Config) -> tuple[str, ...]:
    """The models of the catalogue that replacing faces needs, without those that they need themselves."""
    chosen = config.pipeline
    names = [] if chosen.swapper == MESH else [chosen.swapper]
    if chosen.enhancer != NONE and chosen.enhancer not in ENHANCERS:
        names.append(chosen.enhancer)
    if chosen.swapper != MESH:
        names.extend(_masks(config).networks)
    return tuple(names)


def sliders(config: Config) -> Sliders:
    """What a painter is told. Raises SettingError for what is outside its range."""
    neural = config.neural
    chain = ChainSettings(
        neural.fidelity, neural.morph, neural.colour, neural.blend, neural.weight, neural.enhance_every
    )
    masks = _masks(config)
    quick = tuple(name for name in masks.masks if name in (BOX, HULL, BUILT_IN))
    return Sliders(config.pipeline.late, chain, replace(masks, masks=(*quick, OWN)))


def _masks(config: Config) -> MaskSettings:
    chosen = config.mask
    kept = tuple(name for name in chosen.masks if name != BUILT_IN or config.pipeline.occlusion == "on")
    return MaskSettings(
        kept,
        chosen.edge,
        chosen.blur,
        chosen.padding,
        chosen.forehead,
        chosen.regions,
        chosen.keep_mouth == "on",
        chosen.every,
    )


class Dresser:
    """Makes what a configuration asks for. Blocks; for one thread at a time."""

    def __init__(self, folder: Path, clock: Clock, analyse: Analyse) -> None:
        """`folder`: of the models, which are all there; `analyse`: finds the faces of a picture."""
        self._folder = folder
        self._clock = clock
        self._analyse = analyse

    def replacement(self, config: Config, *, lossless: bool = False) -> Replacement:
        """The painter with its networks open and warm, and the faces that it puts on.

        `lossless`: every frame waits for its own faces. Raises ConfigError for faces, ModelError and
        BackendError for models, SettingError for sliders.
        """
        worn = self.worn(config)
        painter = (
            self._mesh(config) if config.pipeline.swapper == MESH else self._neural(config, worn, lossless)
        )
        return Replacement(painter, worn, self._clock)

    def identification(self, config: Config, spent: Histogram) -> Identification:
        """Who gets which face. Raises as `open_identification`."""
        models = config.pipeline.detector, LANDMARKER
        return open_identification(config, self._folder, self._analyse, models, self._clock, spent)

    def worn(self, config: Config) -> tuple[Source, ...]:
        """The faces to put on, of the kind that the swapper draws. Raises ConfigError."""
        uris = worn_uris(config.face)
        if config.pipeline.swapper != MESH:
            return self._feeds(config, uris)
        cache = FaceCache(faces_folder(), preparation(self._made_with(config)))
        return tuple(load_face(uri, self._analyse, cache) for uri in uris)

    def _made_with(self, config: Config) -> list[str]:
        """The checksums of the networks that prepare pictures."""
        models = lookup((config.pipeline.detector, LANDMARKER))
        return [expected_sha256(model, self._folder) for model in models]

    def _mesh(self, config: Config) -> Painter:
        chosen = config.pipeline
        if config.backend.swap:
            _log.warning("backend.swap has no effect: %s runs no network", MESH)
        occlusion = open_occlusion(*astuple(wanted(config, "mask"))) if chosen.occlusion == "on" else None
        try:
            place = wanted(config, "enhance")
            neural = config.neural
            enhancer = open_enhancer(
                chosen.enhancer,
                self._folder,
                place.backend,
                place.device,
                strength=neural.blend,
                weight=neural.weight,
            )
        except BaseException:
            if occlusion is not None:
                occlusion.close()
            raise
        return MeshPainter(MeshSwapper(), self._clock, occlusion, enhancer)

    def _neural(self, config: Config, worn: tuple[Source, ...], lossless: bool) -> Painter:
        built: list[FaceChain] = []

        def build() -> FaceChain:
            built.append(self._chain(config, worn))
            return built[-1]

        told = sliders(config)
        place = wanted(config, "mask")
        masks = open_masker(told.masks, self._folder, place.backend, place.device)
        networks: Networks = HeavyThread(build, self._clock, "networks")
        try:
            networks.start()
        except BaseException:
            networks.close()
            masks.close()
            raise
        patience = Patience(told.late, round(config.pipeline.hold_ms * NS_PER_MS), lossless=lossless)
        return NeuralPainter(networks, built[0], masks, patience, self._clock)

    def _chain(self, config: Config, worn: tuple[Source, ...]) -> FaceChain:
        """In the thread that will run it."""
        model = _swapper(config)
        place = wanted(config, "swap")
        told = sliders(config)
        masks = _masks(config)
        swapper = open_swapper(model, self._folder, place.backend, place.device, boost=config.neural.boost)
        opened: list[NeuralSwapper | CropEnhancer | WearerLook] = [swapper]
        try:
            feeds = [each for each in worn if isinstance(each, SourceFeed)]
            if feeds:
                swapper.warmup(feeds[:1])
            enhancer = self._enhancer(config, swapper)
            if enhancer is not None:
                opened.append(enhancer)
            wearer = self._wearer(config, model)
            if wearer is not None:
                opened.append(wearer)
            seen = wanted(config, "mask")
            networks = None
            if masks.networks:
                slow = replace(masks, masks=(BOX, OWN, *masks.networks))
                networks = open_masker(slow, self._folder, seen.backend, seen.device)
            return FaceChain(
                swapper,
                self._clock.now_ns,
                enhancer,
                networks,
                wearer,
                told.chain,
                own=OWN in masks.masks,
            )
        except BaseException:
            for part in opened:
                part.close()
            raise

    def _enhancer(self, config: Config, swapper: NeuralSwapper) -> CropEnhancer | None:
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
                self._folder,
                place.backend,
                place.device,
                template=swapper.template,
                size=max(512, swapper.size),
                strength=config.neural.blend,
                known_px=swapper.size,
            )
        return open_crop_enhancer(
            name,
            self._folder,
            place.backend,
            place.device,
            strength=config.neural.blend,
            weight=config.neural.weight,
        )

    def _wearer(self, config: Config, model: Model) -> WearerLook | None:
        """The recogniser for the fidelity, opened for a swapper that is fed by its vectors."""
        recogniser = _recogniser(model)
        if recogniser is None or model.contract.embedding == "":
            return None
        place = wanted(config, "identify")
        return open_recogniser(recogniser, self._folder, place.backend, place.device)

    def _feeds(self, config: Config, uris: tuple[str, ...]) -> tuple[Source, ...]:
        model = _swapper(config)
        place = wanted(config, "swap")
        make = partial(
            source_feed,
            model,
            folder=self._folder,
            backend=place.backend,
            device=place.device,
            morph=config.neural.morph,
        )
        if not {"embedding", "source_picture"} & {each.role for each in model.contract.inputs}:
            return (make(None),)
        recogniser = _recogniser(model)
        cache = None
        if recogniser is not None:
            sha256 = expected_sha256(recogniser, self._folder)
            cache = IdentityCache(identities_folder(), sha256, self._made_with(config)) if sha256 else None
        seen = wanted(config, "identify")
        opened = None
        if recogniser is not None:
            opened = open_recogniser(recogniser, self._folder, seen.backend, seen.device)
        try:
            found: list[Source] = []
            for uri in uris:
                if uri.startswith(PERSONA):
                    found.append(_hidden(uri, model, self._analyse))
                    continue
                if opened is None:
                    raise ModelError(
                        f"the catalogue names no recogniser for {model.name}",
                        "correct it: `needs` of its family",
                    )
                found.append(make(load_identity(face_pictures(uri), self._analyse, opened, cache)))
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
            f"{model.name} is a {model.role}, not a swapper",
            f"choose {MESH}, or one by: realtime models list",
        )
    return model


def _recogniser(model: Model) -> Model | None:
    """Whose vectors a swapper is fed with."""
    return next((each for each in lookup(model.needs) if each.role == RECOGNISER), None)
