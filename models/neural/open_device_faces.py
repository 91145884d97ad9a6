"""Opens a swapper of the catalogue by TensorRT with its pictures kept on the GPU, where that can be done.

Not run on a GPU: see `models.neural.device_faces`.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from models.contract import bind
from models.cuda.kernels.compile import Compiler, find_compiler, image
from models.engines.cache import EngineCache
from models.engines.child import build_in_child
from models.entries import Model
from models.errors import BackendError
from models.neural.device_faces import DeviceFaces
from models.neural.settings import ChainSettings
from models.neural.swapper import as_in_file
from models.neural.wearer_feed import WearerLook
from models.onnx_file import read_onnx
from models.precision import FP32, chosen_file
from models.runtime.base import EACH
from models.runtime.container import check_container
from models.runtime.place import Place
from models.runtime.registry import BACKENDS

if TYPE_CHECKING:
    from models.engines.tensorrt import Build

__all__ = ["NotOnDeviceError", "open_device_faces"]


class NotOnDeviceError(BackendError):
    """This network runs on the GPU, and the work on its pictures does not."""


def open_device_faces(
    model: Model,
    folder: Path,
    device: str,
    now_ns: Callable[[], int],
    *,
    precision: str = FP32,
    wearer: WearerLook | None = None,
    settings: ChainSettings | None = None,
    own: bool = True,
    boost: int = 1,
    library: str | None = None,
    compiler: Callable[[], Compiler] = find_compiler,
    cache: EngineCache | None = None,
    build: "Build | None" = build_in_child,
) -> DeviceFaces:
    """The swapper `model`, its file in `folder`, on the GPU `device`; call in the thread that will run it.

    `wearer` becomes the chain's own once it is open. `own`: whether what the swapper says itself of where its
    face belongs counts. The engine is the one that `models.runtime.tensorrt` uses.

    Raises NotOnDeviceError for what the kernels cannot do and CudaError where they cannot be compiled: such a
    network is to be run with the work on its pictures done by the CPU. DeviceLostError, a CudaError too, is
    final. Else what `open_swapper` raises.
    """
    if (folder / model.file).suffix.lower() not in BACKENDS["tensorrt"].suffixes:
        raise NotOnDeviceError(f"TensorRT does not read {model.file}", "use another backend")
    check_container(folder / model.file)
    what = f"{model.file} is not what the catalogue says of {model.name}"
    contract, each = as_in_file(model.contract, read_onnx(folder / model.file), what)
    file = chosen_file(model, folder, Place("tensorrt", device), precision)
    said = read_onnx(file.path)
    names = bind(contract, said.inputs, said.outputs, what=what)
    picture = replace(contract.picture, batch=EACH if each else 1)
    unfit = _unfit(model, boost, own and bool({"output:mask", "output:own_mask"} & set(names)))
    if picture.height != picture.width:
        unfit = "its pictures are no squares"
    if unfit:
        raise NotOnDeviceError(f"{model.name}: {unfit}", "nothing is to be done: the CPU does it")
    try:
        from models.engines.tensorrt import load, order
        from models.runtime.tensorrt_device import TensorRTOnDevice
    except (ImportError, OSError) as error:  # OSError: a shared library that does not load
        raise NotOnDeviceError(
            f"TensorRT cannot be loaded: {error}", f"run: {BACKENDS['tensorrt'].install}"
        ) from error

    cache = cache or EngineCache()
    wanted = order(file.path, device, picture, None, library, digest=cache.digest)
    cuda, module, network = wanted.cuda, None, None
    try:
        # First, for it takes half a second, and an engine minutes.
        module = cuda.module(image(cuda.device.capability, compiler()))
        held = load(wanted, cache, build)
        ranges = dict(wanted.key.shapes)
        network = TensorRTOnDevice(
            cuda, held, file.path.name, {name: each_range.most for name, each_range in ranges.items()}
        )
        batched = ranges[names["picture"]]
        for name in (names["picture"], names["output:picture"]):
            if network.tensor(name).dtype not in ("float32", "float16"):
                raise NotOnDeviceError(
                    f"{model.name}: {name!r} is {network.tensor(name).dtype}", "nothing is to be done"
                )
        return DeviceFaces(
            cuda,
            module,
            network,
            contract,
            names,
            now_ns,
            wearer,
            settings,
            batches=batched.least != batched.most,
            name=model.name,
        )
    except BaseException:
        if network is not None:
            network.close()
        if module is not None:
            module.close()
        cuda.close()
        raise


def _unfit(model: Model, boost: int, masked: bool) -> str:
    """Why the kernels cannot serve this swapper; empty when they can."""
    if boost > 1:
        return "a boosted picture is taken apart by the CPU"
    if model.contract.sharpen is not None:
        return "its pictures are sharpened by the CPU"
    if masked:
        return "its own mask is read by the CPU"
    if model.contract.picture_out is None:
        return "the catalogue does not say what its output means"
    return ""
