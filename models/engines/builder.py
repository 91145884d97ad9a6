"""The process that builds a TensorRT engine: `python -m models.engines.builder`, spoken to by `child`.

For TensorRT 10.12 to 11. Precision is in the ONNX file: the network is typed as the file says (in 10 by a
flag, in 11 always), and there are no calibrators.

Not run on a GPU: names were checked against the bindings of 11.4.0.106, the steps against a stand-in.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from models.engines.progress import BuildProgress, Phases
from models.errors import BackendError

__all__ = ["build", "main", "step_back"]

NICENESS = 10
"""About a tenth of the processor's time where it is wanted by others."""


def main(requests: IO[str] = sys.stdin, answers: IO[str] = sys.stdout) -> int:
    """Build what one line of `requests` asks for; say how far it is, and how it ended, on `answers`."""
    say = _Speaker(answers)
    line = requests.readline()
    threading.Thread(target=_end_with_parent, args=(requests,), daemon=True).start()
    try:
        import tensorrt

        build(json.loads(line), tensorrt, lambda now: say(share=now.share, phase=now.phase))
    except BackendError as error:
        say(error=error.message, hint=error.hint)
        return 0
    except OSError as error:
        say(error=f"the engine cannot be written: {error.strerror or error}", hint="free some space")
        return 0
    except ImportError as error:
        say(error=f"TensorRT cannot be loaded: {error}", hint="install it again, or use another backend")
        return 0
    say(done=True)
    return 0


def build(request: dict[str, Any], trt: Any, progress: Callable[[BuildProgress], None]) -> None:
    """Write the plan, and the timings of the kernels, to where the request says. Raises BackendError."""
    name = Path(request["model"]).name
    _use_device(int(request["device"]))
    logger = trt.Logger(trt.Logger.ERROR)
    try:
        builder = trt.Builder(logger)
    except TypeError as error:  # how its bindings say that the library made none
        raise BackendError(
            "TensorRT cannot start: it finds no GPU that it can use",
            "update NVIDIA's driver, or use another backend",
        ) from error
    # In 11 every network is strongly typed and the flag changes nothing; in 10 it has to be asked for.
    typed = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if typed is None else 1 << int(typed))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse_from_file(request["model"]):
        reasons = [str(parser.get_error(index).desc()) for index in range(parser.num_errors)]
        raise BackendError(
            f"TensorRT cannot read {name}: {reasons[0] if reasons else 'it does not say why'}",
            "use another backend, or a build of the model for TensorRT",
        )
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, int(request["workspace_bytes"]))
    config.builder_optimization_level = int(request["level"])
    if request["tf32"]:
        config.set_flag(trt.BuilderFlag.TF32)
    else:
        config.clear_flag(trt.BuilderFlag.TF32)
    profile = builder.create_optimization_profile()
    for tensor, (least, best, most) in request["shapes"].items():
        profile.set_shape(tensor, tuple(least), tuple(best), tuple(most))
    config.add_optimization_profile(profile)
    timing = Path(request["timing"])
    config.set_timing_cache(_timings(config, timing), ignore_mismatch=False)
    config.progress_monitor = _monitor(trt, progress)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise BackendError(
            f"TensorRT could not build an engine of {name}",
            "use another backend; `--log-level debug` shows what TensorRT wrote",
        )
    Path(request["plan"]).write_bytes(bytes(plan))
    timing.write_bytes(bytes(config.get_timing_cache().serialize()))


def _timings(config: Any, path: Path) -> Any:
    """What earlier builds measured; nothing where it is not of this TensorRT."""
    with suppress(OSError):
        if (kept := config.create_timing_cache(path.read_bytes())) is not None:
            return kept
    return config.create_timing_cache(b"")


def _monitor(trt: Any, progress: Callable[[BuildProgress], None]) -> Any:
    phases = Phases()

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress(phases.start(phase_name, parent_phase, num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            progress(phases.step(phase_name, step))
            return True

        def phase_finish(self, phase_name: str) -> None:
            progress(phases.finish(phase_name))

    return Monitor()


def _use_device(index: int) -> None:
    """TensorRT builds for the device that is the process's own."""
    if index != 0:
        from models.cuda.choice import open_cuda

        open_cuda(index).use()


class _Speaker:
    """One line of JSON per call, flushed: the parent reads along."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()  # TensorRT reports from threads of its own

    def __call__(self, **words: Any) -> None:
        with self._lock:
            self._stream.write(json.dumps(words) + "\n")
            self._stream.flush()


def step_back() -> None:
    """Leave the processor to whoever needs it more: frames are served while this builds."""
    if sys.platform != "win32":
        os.nice(NICENESS)


def _end_with_parent(requests: IO[str]) -> None:
    requests.read()
    os._exit(1)


if __name__ == "__main__":
    step_back()
    sys.exit(main())
