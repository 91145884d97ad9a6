"""What an engine was built from and for: whatever changes here calls for another build."""

import hashlib
import json
from dataclasses import asdict, dataclass

from models.cuda.base import DeviceInfo
from models.engines.profile import Range

__all__ = ["EngineKey", "timing_name"]

_SHORT = 20  # hexadecimal digits: 80 bits tell the engines of one machine apart


@dataclass(frozen=True, slots=True)
class EngineKey:
    """Everything that a plan depends on."""

    model_sha256: str
    """Of all its files, those with its weights too."""
    precision: str
    """Of the weights, as the model's build says it; TensorRT itself takes what the file holds."""
    shapes: tuple[tuple[str, Range], ...]
    """By input, in order of their names."""
    backend: str
    """"tensorrt 11.4.0.106"."""
    device: str
    capability: tuple[int, int]
    driver_major: int
    options: tuple[tuple[str, int | str], ...] = ()
    """Builder settings that change the plan."""

    @classmethod
    def of(
        cls,
        model_sha256: str,
        shapes: dict[str, Range],
        backend: str,
        device: DeviceInfo,
        *,
        precision: str = "as in the file",
        options: tuple[tuple[str, int | str], ...] = (),
    ) -> "EngineKey":
        """`model_sha256`: of `models.engines.digest`."""
        return cls(
            model_sha256,
            precision,
            tuple(sorted(shapes.items())),
            backend,
            device.name,
            device.capability,
            device.driver_major,
            tuple(sorted(options)),
        )

    def text(self) -> str:
        """As JSON, the same for the same key."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def name(self) -> str:
        """The stem of its files."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:_SHORT]


def timing_name(key: EngineKey) -> str:
    """The stem of the timing cache: builds of all models on one device with one backend share it."""
    of = json.dumps([key.backend, key.device, key.capability, key.driver_major])
    return f"timing-{hashlib.sha256(of.encode()).hexdigest()[:_SHORT]}"
