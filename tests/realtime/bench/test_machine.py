import json
import os
import platform

from realtime.bench.machine import machine


def test_what_figures_were_measured_on_is_told() -> None:
    told = machine()
    assert set(told) == {"processor", "cores", "system", "python"}
    assert told["processor"]
    assert told["cores"] == os.cpu_count()
    assert platform.system() in told["system"]
    assert told["python"] == platform.python_version()
    json.dumps(told)
