from tests.fakes.scripted_source import ScriptedSource, shots
from tests.realtime.capture.contract import SourceContract


class TestScriptedSource(SourceContract):
    def make(self) -> ScriptedSource:
        return ScriptedSource(shots(20))
