"""A process that builds an engine as the real one does, without TensorRT: `python engine_builder.py HOW`.

"negates" leaves its number in MODEL.pid and waits for MODEL.go.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

__all__: list[str] = []


def main(how: str) -> int:
    def say(**words: object) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    request = json.loads(sys.stdin.readline())
    sys.stdout.write("[TRT] a library that talks on standard output\n")
    say(share=0.25, phase="Tactics")
    if how == "well":
        say(share=0.75, phase="Tactics")
        with open(request["plan"], "w", encoding="utf-8") as file:
            json.dump(request, file)
        say(done=True)
    elif how == "refuses":
        say(error="TensorRT cannot read it", hint="use another")
    elif how == "dies":
        with open(request["plan"], "w", encoding="utf-8") as file:
            file.write("half")
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "raises":
        raise ValueError("of its own")
    elif how == "negates":
        _note(request["model"] + ".pid", str(os.getpid()))
        say(share=0.4, phase="Tactics")
        while not os.path.exists(request["model"] + ".go"):
            time.sleep(0.02)
        _note(request["plan"], json.dumps(_negating_plan(request)))
        say(done=True)
    elif how == "hangs":
        with open(request["plan"] + ".pid", "w", encoding="utf-8") as file:
            file.write(str(os.getpid()))
        say(share=0.5, phase="hanging")
        time.sleep(100)
    return 0


def _note(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _negating_plan(request: dict[str, Any]) -> dict[str, Any]:
    """As `tests.fakes.tensorrt` has them."""
    from models.onnx_file import read_onnx

    head = read_onnx(Path(request["model"]))
    return {
        "input": head.inputs[0].name,
        "output": head.outputs[0].name,
        "shape": list(head.inputs[0].shape),
        "profiles": [request["shapes"]],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
