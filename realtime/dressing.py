"""From a configuration to what replaces faces: the painter with its networks, and the faces to put on."""

from pathlib import Path

from models.catalog import lookup
from models.enhancer import ENHANCERS, NONE
from models.store import expected_sha256
from realtime.clock import Clock
from realtime.config import Config
from realtime.face_cache import FaceCache, preparation
from realtime.face_cache import cache_folder as faces_folder
from realtime.faces import load_face
from realtime.identification import Identification
from realtime.places import LANDMARKER, MESH
from realtime.replacement import Replacement
from realtime.source_pictures import Analyse
from realtime.swap.base import Painter, Source
from realtime.telemetry.histogram import Histogram
from realtime.who import open_identification, worn_uris

__all__ = ["Dresser", "swap_models"]


def swap_models(config: Config) -> tuple[str, ...]:
    """The models of the catalogue that replacing faces needs, without those that they need themselves."""
    chosen = config.pipeline
    names = [] if chosen.swapper == MESH else [chosen.swapper]
    if chosen.enhancer != NONE and chosen.enhancer not in ENHANCERS:
        names.append(chosen.enhancer)
    if chosen.swapper != MESH:
        from realtime.swap.sliders import masks_of

        names.extend(masks_of(config).networks)
    return tuple(names)


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
        painter: Painter
        if config.pipeline.swapper == MESH:
            from realtime.swap.open_mesh import open_mesh_painter

            painter = open_mesh_painter(config, self._folder, self._clock)
        else:
            from realtime.swap.open_neural import open_neural_painter

            painter = open_neural_painter(config, self._folder, self._clock, worn, lossless=lossless)
        return Replacement(painter, worn, self._clock)

    def identification(self, config: Config, spent: Histogram) -> Identification:
        """Who gets which face. Raises as `open_identification`."""
        models = config.pipeline.detector, LANDMARKER
        return open_identification(config, self._folder, self._analyse, models, self._clock, spent)

    def worn(self, config: Config) -> tuple[Source, ...]:
        """The faces to put on, of the kind that the swapper draws. Raises ConfigError."""
        uris = worn_uris(config.face)
        if config.pipeline.swapper != MESH:
            from realtime.swap.open_neural import load_feeds

            return load_feeds(config, self._folder, uris, self._analyse, self._made_with(config))
        cache = FaceCache(faces_folder(), preparation(self._made_with(config)))
        return tuple(load_face(uri, self._analyse, cache) for uri in uris)

    def _made_with(self, config: Config) -> list[str]:
        """The checksums of the networks that prepare pictures."""
        models = lookup((config.pipeline.detector, LANDMARKER))
        return [expected_sha256(model, self._folder) for model in models]
