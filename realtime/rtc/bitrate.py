"""How many bits a second a viewer gets: aiortc's limits, raised to fit 1280x720.

aiortc keeps them as constants of its encoder modules (H.264: 1 Mbit/s at first, at most 3; VP8: 0.5,
at most 1.5), too low for 720p. This is the one place that sets them. A receiver's own estimate (REMB)
still moves the encoder between the two bounds.
"""

from aiortc.codecs import h264, vpx

from realtime.errors import BackendError

__all__ = ["DEFAULT_BPS", "MAX_BPS", "MIN_BPS", "raise_bitrates"]

DEFAULT_BPS = 3_000_000
MIN_BPS = 600_000
MAX_BPS = 8_000_000

_LIMITS = {"DEFAULT_BITRATE": DEFAULT_BPS, "MIN_BITRATE": MIN_BPS, "MAX_BITRATE": MAX_BPS}


def raise_bitrates() -> None:
    """Set the limits for every encoder made from now on. Idempotent.

    Raises BackendError when this aiortc has no such constants, rather than stream at an unknown rate.
    """
    for codec in (h264, vpx):
        for name, bps in _LIMITS.items():
            if not isinstance(getattr(codec, name, None), int):
                raise BackendError(
                    f"aiortc has no {codec.__name__}.{name}, so the bitrate cannot be set",
                    "install an aiortc that this program was tested with: pip install 'aiortc>=1.16,<1.17'",
                )
            setattr(codec, name, bps)
