"""The state of the program in one word, and why it is so."""

from dataclasses import dataclass
from enum import StrEnum

from realtime.clock import NS_PER_MS, NS_PER_S

__all__ = ["Health", "HealthSettings", "State"]


class State(StrEnum):
    """STARTING and WARMING come before the first picture, STOPPING after the last."""

    STARTING = "starting"
    WARMING = "warming"
    LIVE = "live"
    DEGRADED = "degraded"
    RECOVERING = "recovering"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """When a picture counts as late, and when a fault has lasted too long to be a hiccup."""

    budget_ns: int = 100 * NS_PER_MS
    recovering_after_ns: int = 1 * NS_PER_S


class Health:
    """Pure: told what happened and when, says the state.

    LIVE while pictures go out within the budget; DEGRADED while they are late or a fault is fresh;
    RECOVERING once a fault has lasted. No face in the picture is no fault: it stays LIVE, with a reason.
    """

    def __init__(self, settings: HealthSettings) -> None:
        self._settings = settings
        self._phase = State.STARTING
        self._fault_since_ns: int | None = None
        self._reason = ""
        self._late = False

    def warming(self) -> None:
        """The sources and outputs are being opened, the models loaded."""
        self._phase = State.WARMING

    def started(self) -> None:
        """Everything is loaded; frames may come."""
        self._phase = State.LIVE

    def stopping(self) -> None:
        self._phase = State.STOPPING

    def shown(self, age_ns: int) -> None:
        """A swapped picture went out, `age_ns` after its capture."""
        self._fault_since_ns = None
        self._late = age_ns > self._settings.budget_ns
        self._reason = "pictures are older than the budget" if self._late else ""

    def no_face(self) -> None:
        """A frame was processed and has no face to swap."""
        self._fault_since_ns = None
        self._late = False
        self._reason = "no face in the picture"

    def fault(self, reason: str, now_ns: int) -> None:
        """Nothing could be shown, because of `reason` (for people)."""
        if self._fault_since_ns is None:
            self._fault_since_ns = now_ns
        self._reason = reason

    def state(self, now_ns: int) -> tuple[State, str]:
        """The state and its reason; the reason is empty when there is nothing to say."""
        if self._phase is not State.LIVE:
            return self._phase, ""
        if self._fault_since_ns is not None:
            lasted_ns = now_ns - self._fault_since_ns
            long = lasted_ns >= self._settings.recovering_after_ns
            return (State.RECOVERING if long else State.DEGRADED), self._reason
        if self._late:
            return State.DEGRADED, self._reason
        return State.LIVE, self._reason
