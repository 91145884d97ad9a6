import io
import threading

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.capture.testcard import (
    CELLS,
    CardReading,
    TestCardSource,
    read_card,
    strip_bits,
    write_strip,
)
from realtime.clock import NS_PER_MS
from tests.fakes.clock import FakeClock
from tests.realtime.capture.contract import SourceContract, fresh

WIDTH, HEIGHT = 1280, 720
words = st.integers(0, (1 << 24) - 1)


class TestTestCard(SourceContract):
    endless = True

    def make(self):
        return TestCardSource(320, 180, 25.0)


def noisy(width=WIDTH, height=HEIGHT):
    """What a strip may be drawn on."""
    coarse = np.random.default_rng(2).integers(0, 256, (height // 20, width // 20, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


GROUND = noisy()


def card(number, wall_ms):
    bgr = GROUND.copy()
    write_strip(bgr, number, wall_ms)
    return bgr


@given(number=words, wall_ms=words)
@settings(deadline=None)
def test_any_number_and_time_are_read_back(number, wall_ms):
    assert read_card(card(number, wall_ms)) == CardReading(number, wall_ms)


@given(number=words, wall_ms=words, scale=st.floats(0.5, 2.0), quality=st.integers(30, 95))
@settings(max_examples=30, deadline=None)
def test_they_survive_scaling_and_jpeg(number, wall_ms, scale, quality):
    size = (round(WIDTH * scale), round(HEIGHT * scale))
    scaled = cv2.resize(
        card(number, wall_ms), size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    data = cv2.imencode(".jpg", scaled, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    assert read_card(cv2.imdecode(data, cv2.IMREAD_COLOR)) == CardReading(number, wall_ms)


@given(number=words, wall_ms=words)
@settings(max_examples=20, deadline=None)
def test_they_survive_half_size_at_jpeg_quality_30(number, wall_ms):
    half = cv2.resize(card(number, wall_ms), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", half, [cv2.IMWRITE_JPEG_QUALITY, 30])[1]
    assert read_card(cv2.imdecode(data, cv2.IMREAD_COLOR)) == CardReading(number, wall_ms)


@pytest.mark.parametrize(
    "size", [(1280, 720), (640, 360), (854, 480), (320, 180), (720, 1280), (1919, 1079), (175, 144)]
)
def test_every_size_of_card_is_read(size):
    source = TestCardSource(*size, 30.0, wall_ms=lambda: 123_456_789)
    source.open()
    for number in range(3):
        assert read_card(source.read(fresh).bgr) == CardReading(number, 123_456_789 % (1 << 24))


@pytest.mark.parametrize(("black", "white"), [(16, 235), (60, 150), (0, 120)])
def test_other_levels_of_black_and_white_are_read(black, white):
    dull = (black + card(77, 88).astype(float) * (white - black) / 255).astype(np.uint8)
    assert read_card(dull) == CardReading(77, 88)


def test_i420_and_back_is_read():
    yuv = cv2.cvtColor(card(4_000_001, 5), cv2.COLOR_BGR2YUV_I420)
    assert read_card(cv2.cvtColor(yuv, cv2.COLOR_YUV2BGR_I420)) == CardReading(4_000_001, 5)


@pytest.mark.parametrize(("codec", "container"), [("libx264", "mp4"), ("libvpx", "webm")])
def test_a_stream_of_one_megabit_is_read(codec, container):
    source = TestCardSource(WIDTH, HEIGHT, 30.0, wall_ms=iter(range(1000, 9000)).__next__)
    source.open()
    data = io.BytesIO()
    with av.open(data, "w", format=container) as output:
        stream = output.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 1_000_000
        stream.options = (
            {"preset": "ultrafast"} if codec == "libx264" else {"deadline": "realtime", "cpu-used": "8"}
        )
        for _ in range(12):
            frame = av.VideoFrame.from_ndarray(source.read(fresh).bgr, format="bgr24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    data.seek(0)
    with av.open(data) as clip:
        read = [read_card(frame.to_ndarray(format="bgr24")) for frame in clip.decode(video=0)]
    assert read == [CardReading(number, 1000 + number) for number in range(12)]


@given(number=words, wall_ms=words, bit=st.integers(16, 71))
@settings(max_examples=60, deadline=None)
def test_a_flipped_cell_is_noticed(number, wall_ms, bit):
    damaged = card(number, wall_ms)
    cell = WIDTH // CELLS
    damaged[-2 * cell :, bit * cell : (bit + 1) * cell] ^= 255
    assert read_card(damaged) is None


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_picture_has_no_strip(level):
    assert read_card(np.full((HEIGHT, WIDTH, 3), level, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (2, 100), (10, 79), (0, 0), (3, 1280)])
def test_a_picture_too_small_for_a_strip_has_none(shape):
    assert read_card(np.zeros((*shape, 3), np.uint8)) is None


def test_other_pictures_have_no_strip():
    rng = np.random.default_rng(7)
    for _ in range(200):
        row = np.repeat(rng.integers(0, 2, CELLS, dtype=np.uint8) * 255, 4)
        assert read_card(np.repeat(np.tile(row, (40, 1))[..., None], 3, axis=2)) is None


def test_the_layout_is_the_published_one():
    bits = "".join(map(str, strip_bits(1, 2)))
    assert bits[:16] == "00000000" + "10110010"
    assert int(bits[16:40], 2) == 1
    assert int(bits[40:64], 2) == 2
    # CRC-8 (0x07) of 00 00 01 00 00 02, by long division by hand of x^8 + x^2 + x + 1
    assert int(bits[64:72], 2) == crc_by_division("000001000002")
    assert bits[72:] == "00000000"
    bgr = GROUND.copy()
    write_strip(bgr, 1, 2)
    assert [int(bgr[-16, 16 * cell + 8, 0] > 128) for cell in range(CELLS)] == list(strip_bits(1, 2))
    assert np.array_equal(bgr[:-32], GROUND[:-32])


def crc_by_division(payload_hex):
    rest = int(payload_hex, 16) << 8
    for shift in range(rest.bit_length() - 1, 7, -1):
        if rest >> shift & 1:
            rest ^= 0b1_0000_0111 << (shift - 8)
    return rest


def test_it_is_numbered_from_zero_each_time_it_is_opened():
    source = TestCardSource(320, 180, 30.0, wall_ms=lambda: 9)
    for _ in range(2):
        source.open()
        assert [read_card(source.read(fresh).bgr).number for _ in range(3)] == [0, 1, 2]


def test_the_number_is_written_for_people_too():
    source = TestCardSource(640, 360, 30.0, wall_ms=lambda: 9)
    source.open()
    first, second = source.read(fresh).bgr, source.read(fresh).bgr
    corner = np.s_[270:340, 450:620]
    assert (first[corner].max(axis=2) > 230).any()
    assert (first[corner] != second[corner]).any()


def test_the_truth_is_the_portraits():
    source = TestCardSource(640, 360, 30.0)
    assert source.truth(0) == pytest.approx(np.eye(2, 3))
    assert source.truth(2_000_000_000) != pytest.approx(np.eye(2, 3))


def test_a_paced_card_tells_the_time_of_its_hand_over() -> None:
    clock = FakeClock()
    source = TestCardSource(
        320, 240, 10, wall_ms=lambda: clock.now_ns() // NS_PER_MS, paced=True, clock=clock
    )
    assert source.open().live
    began_ns = clock.now_ns()
    source.read(lambda shape: np.empty(shape, np.uint8))
    got: list[CardReading | None] = []
    reader = threading.Thread(
        target=lambda: got.append(read_card(source.read(lambda shape: np.empty(shape, np.uint8)).bgr))
    )
    reader.start()
    while reader.is_alive():
        clock.advance(10 * NS_PER_MS)
        reader.join(0.01)
    source.close()
    assert got[0] is not None
    assert got[0].number == 1
    assert got[0].wall_ms * NS_PER_MS >= began_ns + 100 * NS_PER_MS
