import pytest
from aiortc.codecs import h264, vpx
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from realtime.errors import BackendError
from realtime.rtc.bitrate import DEFAULT_BPS, MAX_BPS, MIN_BPS, raise_bitrates


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for codec in (h264, vpx):
        for name in ("DEFAULT_BITRATE", "MIN_BITRATE", "MAX_BITRATE"):
            monkeypatch.setattr(codec, name, getattr(codec, name))


@pytest.mark.parametrize("encoder", [H264Encoder, Vp8Encoder])
def test_encoders_start_at_ours_and_stay_between_our_bounds(encoder: type) -> None:
    raise_bitrates()
    made = encoder()
    assert made.target_bitrate == DEFAULT_BPS
    made.target_bitrate = 1
    assert made.target_bitrate == MIN_BPS
    made.target_bitrate = 10**9
    assert made.target_bitrate == MAX_BPS


@pytest.mark.parametrize("codec", [h264, vpx])
@pytest.mark.parametrize("name", ["DEFAULT_BITRATE", "MIN_BITRATE", "MAX_BITRATE"])
def test_an_aiortc_without_the_constant_is_refused(
    monkeypatch: pytest.MonkeyPatch, codec: object, name: str
) -> None:
    monkeypatch.delattr(codec, name)
    with pytest.raises(BackendError, match=name):
        raise_bitrates()
