"""What every source keeps to. Subclass `SourceContract` and say how to make one."""

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime.capture.base import Grab, Source, SourceInfo
from realtime.errors import DeviceError

__all__ = ["SourceContract"]

READ_TIMEOUT_S = 10.0


def fresh(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.empty(shape, np.uint8)


class SourceContract:
    """Override `make`; set `endless` when the source never ends by itself."""

    endless = False

    def make(self) -> Source:
        """A new source, not yet open, that hands over at least three pictures."""
        raise AssertionError("the subclass makes the source")

    @pytest.fixture
    def source(self):
        source = self.make()
        yield source
        source.close()

    def read(self, source: Source, count: int) -> list[Grab]:
        grabs = []
        for _ in range(count):
            grab = source.read(fresh)
            assert grab is not None, f"the source ended after {len(grabs)} pictures"
            grabs.append(grab)
        return grabs

    def test_open_says_what_the_source_is(self, source: Source) -> None:
        info = source.open()
        assert isinstance(info, SourceInfo)
        assert info.uri
        assert info.description
        assert info.width > 0
        assert info.height > 0
        assert info.fps > 0

    def test_pictures_are_as_announced(self, source: Source) -> None:
        info = source.open()
        for grab in self.read(source, 3):
            assert grab.bgr.shape == (info.height, info.width, 3)
            assert grab.bgr.dtype == np.uint8
            assert grab.bgr.flags.c_contiguous

    def test_the_callers_buffer_is_used_or_an_array_given_away(self, source: Source) -> None:
        source.open()
        lent: list[NDArray[np.uint8]] = []

        def pixels(shape: tuple[int, ...]) -> NDArray[np.uint8]:
            lent.append(fresh(shape))
            return lent[-1]

        first = source.read(pixels)
        second = source.read(pixels)
        assert first is not None
        assert second is not None
        assert first.bgr is not second.bgr
        before = first.bgr.copy()
        source.read(pixels)
        assert np.array_equal(first.bgr, before), "a picture changed after it was handed over"

    def test_media_time_starts_at_zero_and_rises(self, source: Source) -> None:
        source.open()
        grabs = self.read(source, 3)
        stamps = [grab.media_ns for grab in grabs]
        assert stamps[0] >= 0
        assert all(later > earlier for earlier, later in pairwise(stamps))

    def test_opening_twice_starts_anew(self, source: Source) -> None:
        source.open()
        self.read(source, 2)
        info = source.open()
        (grab,) = self.read(source, 1)
        assert grab.bgr.shape == (info.height, info.width, 3)

    def test_it_opens_again_after_close(self, source: Source) -> None:
        source.open()
        source.close()
        source.open()
        self.read(source, 1)

    def test_close_is_idempotent(self, source: Source) -> None:
        source.open()
        source.close()
        source.close()

    def test_close_before_open_is_harmless(self, source: Source) -> None:
        source.close()
        source.open()
        self.read(source, 1)

    def test_reading_a_closed_source_is_a_device_error(self, source: Source) -> None:
        with pytest.raises(DeviceError) as caught:
            source.read(fresh)
        assert caught.value.hint
        source.open()
        source.close()
        with pytest.raises(DeviceError):
            source.read(fresh)

    def test_close_from_another_thread_does_not_hang_or_crash_the_reader(self, source: Source) -> None:
        source.open()
        reading, outcome = threading.Event(), []

        def read_on() -> None:
            try:
                while source.read(fresh) is not None:
                    reading.set()
                outcome.append("ended")
            except DeviceError:
                outcome.append("lost")
            finally:
                reading.set()

        thread = threading.Thread(target=read_on)
        thread.start()
        assert reading.wait(READ_TIMEOUT_S)
        begun = time.monotonic()
        source.close()
        thread.join(READ_TIMEOUT_S)
        assert not thread.is_alive(), f"still reading {time.monotonic() - begun:.1f} s after close"
        assert outcome in (["ended"], ["lost"])

    def test_the_end_stays_the_end(self, source: Source) -> None:
        if self.endless:
            return
        source.open()
        while source.read(fresh) is not None:
            pass
        assert source.read(fresh) is None
