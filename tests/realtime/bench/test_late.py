import pytest

from realtime.bench.late import measure
from realtime.cli import parser


@pytest.mark.usefixtures("default_models")
def test_faces_of_a_slow_swapper_lie_where_the_faces_are() -> None:
    arguments = parser().parse_args(
        ["bench", "late", "--seconds", "3", "--cost-ms", "150", "--size", "640x360", "--late", "always"]
    )
    found, code = measure([], arguments)
    assert code == 0
    late = found["late"]
    assert late["painted"] > 10
    assert late["face_age_ms"]["p50"] >= 100, "they are made of earlier frames"
    assert late["off_px"]["p50"] < late["had_it_not_moved_px"]["p50"]
    assert found["outcomes"]["swapped"] > 10
