"""Changes of a running program: checked, made aside, and put in force between two frames, in their order."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from realtime.blocking import in_thread
from realtime.config import Config
from realtime.control.live_settings import Change, Need, changed
from realtime.dressing import Dresser
from realtime.errors import ConfigError
from realtime.identification import Identification
from realtime.replacement import Replacement
from realtime.swap.base import Sliders, Source
from realtime.swap.sliders import sliders
from realtime.telemetry.histogram import Histogram

__all__ = ["Changes", "Target"]

_log = logging.getLogger(__name__)


class Target(Protocol):
    """What is changed, between two frames: `realtime.pipeline.Pipeline`."""

    def adjust(self, sliders: Sliders) -> None: ...

    def wear(self, worn: tuple[Source, ...], identification: Identification | None = None) -> None: ...

    def offer(self, replacement: Replacement, identification: Identification | None = None) -> None: ...


class Changes:
    """Belongs to the event loop. One change is made at a time; those that come meanwhile wait."""

    def __init__(
        self,
        config: Config,
        target: Callable[[], Target | None],
        dresser: Callable[[], Dresser],
        prepare: Callable[[Config], None],
        spent: Histogram,
    ) -> None:
        """`target`: None while the program starts; `dresser`: makes what is needed, in a thread; `prepare`:
        fetches models, in a thread, before anything is made of them; it may raise any RealtimeError.
        `spent`: of the stage "identify"."""
        self.config = config
        """In force, or about to be."""
        self._target = target
        self._dresser = dresser
        self._prepare = prepare
        self._spent = spent
        self._one = asyncio.Lock()

    async def apply(
        self, values: Mapping[str, Any], agreed: Callable[[Config], None] = lambda config: None
    ) -> Need:
        """Change keys of the configuration, all or none; what had to be made anew.

        `agreed`: sees to consent to the faces that a configuration puts on, and raises where it is missing.

        Returns when the change is on its way into the next frame, or, for networks, when they are open and
        will take over. Raises ConfigError for what cannot be, and what making it raises: then nothing has
        changed.
        """
        async with self._one:
            change = changed(self.config, values)
            target = self._target()
            if target is None:
                raise ConfigError("the program is still starting", "try again in a moment")
            if change.need is not Need.NOTHING:
                put = await in_thread(lambda: self._make(change, agreed))
                put(target)
                self.config = change.config
                _log.info("changed: %s", ", ".join(f"{key} = {value}" for key, value in values.items()))
            return change.need

    def _make(self, change: Change, agreed: Callable[[Config], None]) -> Callable[[Target], None]:
        """What puts the change in force; all that can fail is done before."""
        config = change.config
        told = sliders(config)
        if change.need is Need.SLIDERS:
            return lambda target: target.adjust(told)
        agreed(config)
        self._prepare(config)
        dresser = self._dresser()
        if change.need is Need.FACES:
            worn = dresser.worn(config)
            identification = dresser.identification(config, self._spent)
            return lambda target: target.wear(worn, identification)
        replacement = dresser.replacement(config)
        try:
            identification = dresser.identification(config, self._spent)
        except BaseException:
            replacement.close()
            raise
        return lambda target: target.offer(replacement, identification)
