"""A backend of pyvirtualcam that keeps what it is sent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["VirtualCameraStage", "virtual_camera_stage"]

STDERR = 2


class VirtualCameraStage:
    """What the cameras of one registered backend do and did."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        """The name to open it by."""
        self.refusal: str | None = None
        """When set, opening fails with this message."""
        self.write_error: str | None = None
        """When set, a frame is not taken, and this is printed to descriptor 2, as the Linux backend does."""
        self.sizes: list[tuple[int, int]] = []
        """(width, height) of each opening."""
        self.frames: list[NDArray[np.uint8]] = []
        """I420, (height * 3 / 2, width)."""
        self.closings = 0


@contextmanager
def virtual_camera_stage(backend: str = "fake") -> Iterator[VirtualCameraStage]:
    """Register a backend of pyvirtualcam for the length of the block."""
    import pyvirtualcam.camera

    stage = VirtualCameraStage(backend)

    class FakeCamera:
        def __init__(
            self, *, width: int, height: int, fps: float, fourcc: int, device: str | None, **kw: Any
        ) -> None:
            if stage.refusal is not None:
                raise RuntimeError(stage.refusal)
            self._shape = (height * 3 // 2, width)
            self._device = device or "Fake Camera"
            stage.sizes.append((width, height))

        def send(self, frame: NDArray[np.uint8]) -> None:
            if stage.write_error is not None:
                os.write(STDERR, f"{stage.write_error}\n".encode())
                return
            stage.frames.append(frame.reshape(self._shape).copy())

        def close(self) -> None:
            stage.closings += 1

        def device(self) -> str:
            return self._device

        def native_fourcc(self) -> int | None:
            return None

    pyvirtualcam.register_backend(backend, FakeCamera)
    try:
        yield stage
    finally:
        del pyvirtualcam.camera.BACKENDS[backend]
