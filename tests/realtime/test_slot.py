import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.slot import Broadcast, Latest, Lossless, TripleBuffer

SHAPE = (4, 6, 3)
JOIN_S = 10.0


def write(buffer: TripleBuffer, value: int) -> None:
    pixels = buffer.writable(SHAPE)
    pixels[:] = value
    buffer.publish(pixels, captured_ns=value)


class TestTripleBuffer:
    def test_hands_over_the_newest_frame_and_counts_the_rest(self) -> None:
        buffer = TripleBuffer()
        for value in range(5):
            write(buffer, value)
        frame = buffer.take()
        assert frame is not None
        assert (frame.seq, frame.captured_ns, int(frame.bgr[0, 0, 0])) == (4, 4, 4)
        assert buffer.take() is None
        stats = buffer.stats()
        assert (stats.offered, stats.taken, stats.overwritten) == (5, 1, 4)

    @given(st.lists(st.booleans(), max_size=60), st.integers(1, 3))
    def test_no_held_frame_is_ever_written_to(self, steps: list[bool], held: int) -> None:
        buffer = TripleBuffer(held=held)
        kept: list[tuple[int, np.ndarray]] = []
        for value, writes in enumerate(steps):
            if writes:
                write(buffer, value % 251)
            elif (frame := buffer.take()) is not None:
                kept = [*kept, (frame.captured_ns, frame.bgr)][-held:]
            for stamp, pixels in kept:
                assert (pixels == stamp).all()

    @given(st.lists(st.booleans(), max_size=60))
    def test_counts_add_up(self, steps: list[bool]) -> None:
        buffer = TripleBuffer()
        waiting = False
        for writes in steps:
            if writes:
                write(buffer, 1)
                waiting = True
            else:
                buffer.take()
                waiting = False
        stats = buffer.stats()
        assert stats.offered == stats.taken + stats.overwritten + waiting

    def test_reuses_its_buffers(self) -> None:
        buffer = TripleBuffer()
        seen = set()
        for value in range(40):
            write(buffer, value)
            frame = buffer.take()
            assert frame is not None
            seen.add(frame.bgr.ctypes.data)
        assert len(seen) <= 3

    def test_follows_a_change_of_size(self) -> None:
        buffer = TripleBuffer()
        write(buffer, 1)
        buffer.publish(buffer.writable((2, 2, 3)), 7)
        frame = buffer.take()
        assert frame is not None
        assert frame.bgr.shape == (2, 2, 3)

    def test_a_reader_and_a_writer_in_threads_see_whole_frames_in_order(self) -> None:
        buffer = TripleBuffer()
        total = 3000
        torn: list[int] = []
        stamps: list[int] = []
        done = threading.Event()

        def read() -> None:
            while not (done.is_set() and buffer.stats().offered == buffer.stats().taken + over()):
                frame = buffer.take()
                if frame is not None:
                    stamps.append(frame.seq)
                    if len({int(frame.bgr.min()), int(frame.bgr.max()), frame.captured_ns}) != 1:
                        torn.append(frame.seq)

        def over() -> int:
            return buffer.stats().overwritten

        reader = threading.Thread(target=read)
        reader.start()
        for value in range(total):
            write(buffer, value % 200)
        done.set()
        reader.join(JOIN_S)
        assert not reader.is_alive()
        assert torn == []
        assert stamps == sorted(set(stamps))
        assert stamps[-1] == total - 1
        assert len(stamps) + over() == total


class TestLatest:
    @given(st.lists(st.one_of(st.integers(), st.none()), max_size=50))
    def test_gives_the_newest_once(self, steps: list[int | None]) -> None:
        slot: Latest[int] = Latest()
        newest: int | None = None
        for step in steps:
            if step is None:
                assert slot.take() == newest
                newest = None
            else:
                slot.offer(step)
                newest = step
        stats = slot.stats()
        assert stats.offered == stats.taken + stats.overwritten + (newest is not None)

    def test_wakes_a_waiting_reader(self) -> None:
        slot: Latest[str] = Latest()
        got: list[str | None] = []
        reader = threading.Thread(target=lambda: got.append(slot.take(JOIN_S)))
        reader.start()
        slot.offer("picture")
        reader.join(JOIN_S)
        assert got == ["picture"]

    def test_close_wakes_a_waiting_reader_and_refuses_more(self) -> None:
        slot: Latest[str] = Latest()
        got: list[str | None] = []
        reader = threading.Thread(target=lambda: got.append(slot.take(JOIN_S)))
        reader.start()
        slot.close()
        reader.join(JOIN_S)
        slot.offer("late")
        assert got == [None]
        assert slot.take() is None

    def test_notifies_the_writer_s_thread(self) -> None:
        calls: list[int] = []
        slot: Latest[int] = Latest(lambda: calls.append(threading.get_ident()))
        slot.offer(1)
        assert calls == [threading.get_ident()]


class TestLossless:
    @given(st.lists(st.integers(), max_size=8))
    def test_keeps_every_value_in_order(self, values: list[int]) -> None:
        queue: Lossless[int] = Lossless(capacity=8)
        assert all(queue.offer(value, timeout_s=0.0) for value in values)
        assert [queue.take() for _ in values] == values

    def test_holds_its_writer_back_until_there_is_room(self) -> None:
        queue: Lossless[int] = Lossless(capacity=1)
        assert queue.offer(1, timeout_s=0.0)
        assert not queue.offer(2, timeout_s=0.0)
        written: list[bool] = []
        writer = threading.Thread(target=lambda: written.append(queue.offer(2, timeout_s=JOIN_S)))
        writer.start()
        assert queue.take(JOIN_S) == 1
        writer.join(JOIN_S)
        assert written == [True]
        assert queue.take() == 2

    def test_counts_what_found_no_room(self) -> None:
        queue: Lossless[int] = Lossless(capacity=1)
        queue.offer(1)
        queue.offer(2)
        assert queue.stats().overwritten == 1

    def test_what_waits_can_be_taken_after_close(self) -> None:
        queue: Lossless[int] = Lossless()
        queue.offer(1)
        queue.close()
        assert not queue.offer(2)
        assert queue.take() == 1
        assert queue.take() is None


class TestBroadcast:
    def test_gives_each_reader_the_newest(self) -> None:
        broadcast: Broadcast[int] = Broadcast()
        quick, slow = broadcast.subscribe(), broadcast.subscribe()
        for value in range(3):
            broadcast.offer(value)
            assert quick.take() == value
        assert slow.take() == 2
        assert (quick.stats().overwritten, slow.stats().overwritten) == (0, 2)

    def test_unsubscribe_closes_the_slot_and_may_come_twice(self) -> None:
        broadcast: Broadcast[int] = Broadcast()
        slot = broadcast.subscribe()
        broadcast.unsubscribe(slot)
        broadcast.unsubscribe(slot)
        broadcast.offer(1)
        assert len(broadcast) == 0
        assert slot.take() is None

    def test_takes_a_lossless_reader_too(self) -> None:
        broadcast: Broadcast[int] = Broadcast()
        queue: Lossless[int] = Lossless(capacity=2)
        broadcast.attach(queue)
        for value in range(3):
            broadcast.offer(value)
        assert [queue.take(), queue.take(), queue.take()] == [0, 1, None]

    @pytest.mark.parametrize("readers", [0, 1, 5])
    def test_offer_reaches_all(self, readers: int) -> None:
        broadcast: Broadcast[int] = Broadcast()
        slots = [broadcast.subscribe() for _ in range(readers)]
        broadcast.offer(9)
        assert [slot.take() for slot in slots] == [9] * readers
