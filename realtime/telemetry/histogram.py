"""A histogram of durations with fixed buckets: adding is integer arithmetic, memory never grows."""

from dataclasses import dataclass

__all__ = ["Histogram", "Percentiles"]

_STEPS_BITS = 4
"""Each octave is cut into 16 buckets, so a percentile is off by 1/16 of its value at most."""
_STEPS = 1 << _STEPS_BITS
_OCTAVES = 40
"""From 1 ns to 2**40 ns, which is 18 minutes; what is longer goes into the last bucket."""
_SIZE = (_OCTAVES - _STEPS_BITS) * _STEPS + _STEPS


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Durations in milliseconds; all 0.0 when nothing was added."""

    p50: float
    p95: float
    p99: float
    max: float


class Histogram:
    """Durations in nanoseconds. One thread adds; any thread may read a copy."""

    __slots__ = ("_counts", "count", "max_ns")

    def __init__(self) -> None:
        self._counts = [0] * _SIZE
        self.count = 0
        self.max_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count one duration; a negative one counts as 0."""
        if duration_ns < 0:
            duration_ns = 0
        self._counts[_bucket(duration_ns)] += 1
        self.count += 1
        if duration_ns > self.max_ns:
            self.max_ns = duration_ns

    def merged(self, *others: "Histogram") -> "Histogram":
        """A new histogram of this one's durations and the others'."""
        total = Histogram()
        for part in (self, *others):
            total._counts = [a + b for a, b in zip(total._counts, part._counts, strict=True)]
            total.max_ns = max(total.max_ns, part.max_ns)
        total.count = sum(total._counts)
        return total

    def since(self, earlier: "Histogram") -> "Histogram":
        """What was added after `earlier`, a copy of this one. Its `max_ns` is a bucket's upper edge."""
        part = Histogram()
        part._counts = [a - b for a, b in zip(self._counts, earlier._counts, strict=True)]
        part.count = sum(part._counts)
        last = max((index for index, count in enumerate(part._counts) if count), default=None)
        part.max_ns = 0 if last is None else min(_edges(last)[1] - 1, self.max_ns)
        return part

    def percentile_ns(self, percent: float) -> float:
        """The duration that `percent` of all do not exceed, interpolated inside its bucket.

        Never more than `max_ns`; 0.0 when nothing was added.
        """
        rank = percent / 100 * self.count
        passed = 0
        for index, count in enumerate(self._counts):
            if count and passed + count >= rank:
                low, high = _edges(index)
                return min(low + (high - 1 - low) * max(rank - passed, 0) / count, float(self.max_ns))
            passed += count
        return 0.0

    def percentiles(self) -> Percentiles:
        p50, p95, p99 = (self.percentile_ns(percent) / 1e6 for percent in (50, 95, 99))
        return Percentiles(p50, p95, p99, self.max_ns / 1e6)


def _bucket(duration_ns: int) -> int:
    """Values under 16 have a bucket each; above, the leading one bit and the four after it choose."""
    if duration_ns < _STEPS:
        return duration_ns
    shift = duration_ns.bit_length() - 1 - _STEPS_BITS
    return min((shift << _STEPS_BITS) + (duration_ns >> shift), _SIZE - 1)


def _edges(index: int) -> tuple[int, int]:
    """The first duration in a bucket, and the first one past it."""
    if index < _STEPS:
        return index, index + 1
    shift = (index >> _STEPS_BITS) - 1
    low = ((index & (_STEPS - 1)) | _STEPS) << shift
    return low, low + (1 << shift)
