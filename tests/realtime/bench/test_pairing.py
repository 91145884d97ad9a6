import numpy as np

from realtime.bench.pairing import Pairing, Seen
from realtime.frame import Face
from tests.fakes.head import posed


def at(x: float) -> np.ndarray:
    return posed((x, 100), eyes_px=50)


def seen(number: int, tracked: dict[int, float], fresh: list[float]) -> Seen:
    faces = tuple(Face(face_id, at(x), 0.9) for face_id, x in tracked.items())
    return Seen(number * 1000, faces, tuple(at(x) for x in fresh))


def paired(*frames: Seen) -> Pairing:
    pairing = Pairing()
    for frame in frames:
        pairing.add(frame)
    return pairing


def test_faces_that_go_on_are_one_run_each() -> None:
    found = paired(*(seen(n, {1: 100 + n, 2: 400}, [399, 101 + n]) for n in range(5)))
    runs = found.runs()
    assert [len(run.captured_ns) for run in runs] == [5, 5]
    assert all(np.abs(run.tracked - run.reference).max() < 1.1 for run in runs)
    assert (found.lost, found.unfounded, found.jumps, found.ids) == (0, 0, 0, {1, 2})


def test_a_face_not_tracked_is_lost_and_ends_its_run() -> None:
    found = paired(seen(0, {1: 100}, [100]), seen(1, {}, [100]), seen(2, {1: 100}, [100]))
    assert found.lost == 1
    assert [len(run.captured_ns) for run in found.runs()] == [1, 1]


def test_a_face_where_nobody_is_is_unfounded() -> None:
    assert paired(seen(0, {1: 100, 2: 300}, [100])).unfounded == 1


def test_an_id_that_goes_to_another_face_jumps_and_one_that_moves_with_its_face_does_not() -> None:
    steady = paired(seen(0, {1: 100, 2: 300}, [100, 300]), seen(1, {1: 120, 2: 280}, [120, 280]))
    assert steady.jumps == 0
    crossed = paired(seen(0, {1: 100, 2: 300}, [100, 300]), seen(1, {1: 300, 2: 100}, [100, 300]))
    assert crossed.jumps == 1
    left = paired(seen(0, {1: 100, 2: 300}, [100, 300]), seen(1, {1: 300}, [100, 300]))
    assert (left.jumps, left.lost) == (1, 1)
