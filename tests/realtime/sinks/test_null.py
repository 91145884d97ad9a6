from pathlib import Path

from realtime.sinks.null import NullSink
from tests.realtime.sinks.contract import SinkContract


class TestNullSink(SinkContract):
    def make(self, folder: Path) -> NullSink:
        return NullSink()
