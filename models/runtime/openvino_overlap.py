"""OpenVINO with several requests, for several faces of one picture that are all waited for.

The cores are divided among the requests: on two cores, two or four faces took 0.8 of the time that one
request took for them (a 128 px network; more requests without dividing the cores gained nothing), and a lone
face has half the cores. One face is for `OpenVinoSession`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from models.errors import BackendError
from models.runtime.base import InputSpec, PictureOut
from models.runtime.decode import PictureDecoder
from models.runtime.openvino import OpenVinoSession, reason
from models.runtime.overlap import Result
from models.runtime.proof import blank

__all__ = ["OverlappingOpenVinoSession"]


@dataclass(slots=True)
class _Lane:
    """A request with the arrays that it reads and writes: no frame meets another's."""

    request: Any
    inputs: dict[str, NDArray[Any]] = field(default_factory=dict)
    outputs: dict[str, NDArray[Any]] = field(default_factory=dict)
    decoder: PictureDecoder | None = None


class OverlappingOpenVinoSession(OpenVinoSession):
    """One network, `depth` requests. Results come in the order of submission, whichever is through first.

    Belongs to one thread at a time. Inputs are copied when they are submitted.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "CPU",
        picture: InputSpec | None = None,
        picture_out: PictureOut | None = None,
        threads: int | None = None,
        depth: int = 2,
    ) -> None:
        """Raises as `OpenVinoSession` does."""
        self._depth = depth
        super().__init__(path, device=device, picture=picture, picture_out=picture_out, threads=threads)
        compiled = self._request.get_compiled_model()
        requests = [self._request, *(compiled.create_infer_request() for _ in range(depth - 1))]
        self._lanes = [self._lane(request) for request in requests]
        self._submitted = 0
        self._collected = 0

    @property
    def depth(self) -> int:
        return self._depth

    @property
    def in_flight(self) -> int:
        return self._submitted - self._collected

    def submit(self, feeds: Mapping[str, NDArray[Any]]) -> int:
        self._check_open()
        if self.in_flight == self._depth:
            raise RuntimeError(f"{self.in_flight} frames are in flight: collect one first")
        lane = self._lanes[self._submitted % self._depth]
        try:
            for index, spec in enumerate(self._inputs):
                array = feeds[spec.name]
                held = lane.inputs.get(spec.name)
                if held is None or held.shape != array.shape:
                    if -1 not in spec.shape and array.shape != spec.shape:
                        raise ValueError(f"{spec.name} takes {spec.shape}, not {array.shape}")
                    held = np.empty(array.shape, self._dtypes[spec.name])
                    lane.request.set_input_tensor(index, openvino.Tensor(held, shared_memory=True))
                    lane.inputs[spec.name] = held
                np.copyto(held, array, casting="unsafe")
            lane.request.start_async()
        except KeyError as error:
            raise BackendError(f"{self._name} was not fed its input {error}", "feed every input") from error
        except (RuntimeError, TypeError, ValueError) as error:
            lane.inputs.clear()
            raise self._failed(error) from error
        self._submitted += 1
        return self._submitted - 1

    def collect(self) -> Result:
        return self._next(zeros=False)

    def _next(self, *, zeros: bool) -> Result:
        """`zeros`: that is what it was fed, to which a network may have no answer."""
        self._check_open()
        if not self.in_flight:
            raise RuntimeError("no frame is in flight: submit one first")
        sequence = self._collected
        lane = self._lanes[sequence % self._depth]
        # Also when it fails: the frame is lost then, and must not stand in the way of those after it.
        self._collected += 1
        try:
            lane.request.wait()
            for index, name in self._free_outputs:
                lane.outputs[name] = lane.request.get_output_tensor(index).data.copy()
        except RuntimeError as error:
            raise self._failed(error) from error
        return Result(sequence, self._decoded(dict(lane.outputs), lane.request, lane.decoder, zeros=zeros))

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """As the protocol says. Raises RuntimeError while frames are in flight."""
        return self._run(feeds, zeros=False)

    def warmup(self) -> None:
        """Once through every request."""
        for _ in range(self._depth):
            self._run(blank(self._inputs), zeros=True)

    def close(self) -> None:
        if self._closed:
            return
        # A request that is destroyed while it runs takes the process with it.
        for lane in self._lanes:
            try:
                lane.request.wait()
            except RuntimeError:
                continue
        self._collected = self._submitted
        self._lanes.clear()
        super().close()

    def _run(self, feeds: Mapping[str, NDArray[Any]], *, zeros: bool) -> dict[str, NDArray[Any]]:
        if self.in_flight:
            raise RuntimeError(f"{self.in_flight} frames are in flight: collect them first")
        self.submit(feeds)
        return self._next(zeros=zeros).outputs

    def _tuning(self, device: str, threads: int | None) -> dict[str, Any]:
        tuned = super()._tuning(device, threads)
        if self._depth == 1:
            return tuned
        return tuned | {"PERFORMANCE_HINT": "THROUGHPUT", "PERFORMANCE_HINT_NUM_REQUESTS": self._depth}

    def _lane(self, request: Any) -> _Lane:
        lane = _Lane(request, decoder=None if self._decoder is None else self._decoder.another())
        for index, spec in enumerate(self._network_outputs):
            if -1 not in spec.shape:
                array = lane.outputs[spec.name] = np.zeros(spec.shape, spec.dtype)
                request.set_output_tensor(index, openvino.Tensor(array, shared_memory=True))
        return lane

    def _check_open(self) -> None:
        if self._closed:
            raise BackendError(f"the session of {self._name} is closed", "open it again")

    def _failed(self, error: Exception) -> BackendError:
        return BackendError(
            f"OpenVINO failed to run {self._name}: {reason(error)}", "try another backend or device"
        )
