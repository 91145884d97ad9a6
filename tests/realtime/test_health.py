from realtime.clock import NS_PER_MS, NS_PER_S
from realtime.health import Health, HealthSettings, State


def live(budget_ms: int = 100) -> Health:
    health = Health(HealthSettings(budget_ns=budget_ms * NS_PER_MS, recovering_after_ns=NS_PER_S))
    health.started()
    return health


def test_the_phases_in_order() -> None:
    health = Health(HealthSettings())
    states = [health.state(0)[0]]
    for step in (health.warming, health.started, health.stopping):
        step()
        states.append(health.state(0)[0])
    assert states == [State.STARTING, State.WARMING, State.LIVE, State.STOPPING]


def test_a_late_picture_degrades_and_a_prompt_one_mends() -> None:
    health = live(budget_ms=100)
    health.shown(101 * NS_PER_MS)
    assert health.state(0) == (State.DEGRADED, "pictures are older than the budget")
    health.shown(100 * NS_PER_MS)
    assert health.state(0) == (State.LIVE, "")


def test_a_lasting_fault_is_recovering_from_its_first_moment_on() -> None:
    health = live()
    health.fault("the camera is silent", 0)
    health.fault("the camera is gone", NS_PER_S - 1)
    assert health.state(NS_PER_S - 1) == (State.DEGRADED, "the camera is gone")
    assert health.state(NS_PER_S) == (State.RECOVERING, "the camera is gone")
    health.shown(0)
    assert health.state(NS_PER_S) == (State.LIVE, "")


def test_an_empty_chair_is_no_fault_and_is_told() -> None:
    health = live()
    health.fault("x", 0)
    health.no_face()
    assert health.state(10 * NS_PER_S) == (State.LIVE, "no face in the picture")
