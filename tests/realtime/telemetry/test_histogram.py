import math

from hypothesis import given
from hypothesis import strategies as st

from realtime.telemetry.histogram import Histogram

durations = st.lists(st.integers(0, 10**11), min_size=1, max_size=200)


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def exact(values: list[int], percent: float) -> int:
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


@given(durations, st.sampled_from([50, 95, 99]))
def test_a_percentile_is_within_a_sixteenth_of_the_exact_one(values: list[int], percent: int) -> None:
    found, right = filled(values).percentile_ns(percent), exact(values, percent)
    assert abs(found - right) <= right / 16 + 1


@given(durations)
def test_percentiles_rise_and_end_at_the_maximum(values: list[int]) -> None:
    figures = filled(values).percentiles()
    assert 0 <= figures.p50 <= figures.p95 <= figures.p99 <= figures.max == max(values) / 1e6


@given(durations, durations)
def test_merging_counts_all_and_since_takes_it_back(first: list[int], second: list[int]) -> None:
    early = filled(first)
    both = early.merged(filled(second))
    assert both.count == len(first) + len(second)
    assert both.percentile_ns(95) == filled(first + second).percentile_ns(95)
    rest = both.since(early)
    assert rest.count == len(second)
    assert abs(rest.percentile_ns(50) - exact(second, 50)) <= exact(second, 50) / 16 + 1


def test_an_empty_one_says_zero() -> None:
    figures = Histogram().percentiles()
    assert (figures.p50, figures.p95, figures.p99, figures.max) == (0, 0, 0, 0)


def test_a_negative_duration_counts_as_zero_and_a_huge_one_is_kept() -> None:
    histogram = filled([-5, 1 << 60])
    assert histogram.count == 2
    assert histogram.max_ns == 1 << 60
    assert histogram.percentile_ns(1) == 0
