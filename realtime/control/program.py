"""The running program's end of commands: what a change needs from disk and from the user."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from realtime.analyser import Analyser
from realtime.assembly import model_names
from realtime.clock import Clock
from realtime.config import Config
from realtime.consent import Acknowledgements, default_path
from realtime.control.changes import Changes, Target
from realtime.control.live_settings import LIVE
from realtime.dressing import Dresser
from realtime.errors import ConfigError
from realtime.faces import PERSONA, face_pictures
from realtime.places import LANDMARKER, wanted
from realtime.telemetry.histogram import Histogram
from realtime.who import worn_uris

__all__ = ["ProgramControl"]


class ProgramControl:
    """Belongs to the event loop. The page's `Control`."""

    def __init__(
        self, config: Config, target: Callable[[], Target | None], clock: Clock, spent: Histogram
    ) -> None:
        """`target`: None while the program starts; `spent`: of the stage "identify"."""
        self._clock = clock
        self._folder: Path | None = None
        self._analyser: Analyser | None = None
        self._changes = Changes(config, target, self._dresser, self._prepare, spent)

    @property
    def config(self) -> Config:
        """In force, or about to be."""
        return self._changes.config

    def settings(self) -> Mapping[str, Any]:
        found = {}
        for key in LIVE:
            section, name = key.split(".", 1)
            found[key] = getattr(getattr(self.config, section), name)
        return found

    async def apply(self, values: Mapping[str, Any], consent: bool = False) -> str:
        need = await self._changes.apply(values, lambda config: _agreed(config, consent))
        return need.name.lower()

    def close(self) -> None:
        """Free the networks that looked at pictures. Idempotent, never raises."""
        if self._analyser is not None:
            self._analyser.close()
            self._analyser = None

    def _prepare(self, config: Config) -> None:
        from models.fetch import ensure

        files = ensure(model_names(config))
        self._folder = next(iter(files.values())).parent

    def _dresser(self) -> Dresser:
        assert self._folder is not None, "models are fetched before anything is made of them"
        if self._analyser is None:
            config = self.config
            self._analyser = Analyser(
                config.pipeline.detector,
                LANDMARKER,
                self._folder,
                wanted(config, "detect"),
                wanted(config, "landmarks"),
            )
        return Dresser(self._folder, self._clock, self._analyser)


def _agreed(config: Config, consent: bool) -> None:
    """Raise ConfigError when a face of a real person would be worn and nobody said that they agreed."""
    acknowledgements = Acknowledgements(default_path(), (lambda _: "y") if consent else None)
    for uri in worn_uris(config.face):
        if uri.startswith(PERSONA):
            continue
        pictures = face_pictures(uri)
        words = acknowledgements.face(pictures.title(), pictures.content(), len(pictures.paths))
        if words:
            raise ConfigError(
                " ".join(words.split()).rstrip("."), 'with their consent, say so: "consent": true'
            )
