"""What a run is made of when the user left it open: which source, which outputs."""

from collections.abc import Callable

from realtime.app import Endpoint
from realtime.capture.registry import open_source, parse_source
from realtime.config import Config
from realtime.sinks.registry import open_sink

__all__ = ["choose"]

STILL = "still:"
PAGE = "webrtc:"


def choose(
    config: Config,
    say: Callable[[str], None],
    find_camera: Callable[[], int | None],
    find_virtual_camera: Callable[[], str | None],
) -> Endpoint:
    """The source and the outputs of a run; what was chosen for the user is said in one line each.

    Raises ConfigError for an unknown scheme and DeviceError for a source that is not there.
    """
    uri = config.source.uri
    if not uri:
        camera = find_camera()
        uri = STILL if camera is None else f"camera:{camera}"
        say(
            "no camera opens here: showing the built-in animated still"
            if camera is None
            else f"using the first camera that opens, {uri}"
        )
    settings = config.source
    source = open_source(
        uri, width=settings.width, height=settings.height, fps=settings.fps, loop=settings.loop
    )
    live = parse_source(uri).scheme == "camera"
    if config.sink.uris:
        named = tuple(open_sink(sink) for sink in config.sink.uris if sink != PAGE)
        return Endpoint(source, live, named, PAGE in config.sink.uris)
    device = find_virtual_camera()
    if device is None:
        say("no virtual camera here: the page is the only output (see `realtime check`)")
        return Endpoint(source, live, (), page=True)
    return Endpoint(source, live, (), page=True, extras=(open_sink(f"virtualcam:{device}"),))
