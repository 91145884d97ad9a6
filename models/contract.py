"""Does a network keep the contract of its family? What a file really has, against what the catalogue says.

Exports of one model call their inputs differently, so inputs are known by what they are (four dimensions: a
picture; two: an embedding) and by name only where two are alike.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from models.entries import FREE, Contract, InputContract
from models.errors import ModelError
from models.neural.emap import find_emap
from models.onnx_file import read_onnx
from models.runtime.base import TensorSpec

__all__ = ["bind", "check_file"]

MIN_OPSET = 7
"""The oldest standard operators that ONNX Runtime promises to run."""
_FLOATS = {"float16", "float32"}


def check_file(path: Path, contract: Contract, *, family: str) -> None:
    """Raise ModelError, showing both sides, when the ONNX file `path` does not keep `contract`.

    A file of another kind (.tflite, .xml) is left to the backend that reads it.
    """
    if path.suffix.lower() not in (".onnx", ".dfm"):
        return
    file = read_onnx(path)
    for name in file.external_files:
        if not (path.parent / name).is_file():
            raise ModelError(
                f"{path} keeps its weights in {name}, which is not beside it",
                f"put {name} into {path.parent}, or save the model in one file",
            )
    if 0 < file.opset < MIN_OPSET:
        raise ModelError(
            f"{path} uses version {file.opset} of ONNX's operators, and the oldest that runs is {MIN_OPSET}",
            "export the model again, or convert it with onnx.version_converter",
        )
    bind(contract, file.inputs, file.outputs, what=f"{path.name} is not of the family {family}")
    if contract.embedding == "emap":
        find_emap(file, path)


def bind(
    contract: Contract, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], *, what: str
) -> Mapping[str, str]:
    """Role -> the name that this network has for it, of its inputs and of the outputs that have a role.

    `inputs` and `outputs` are those of a session or of a file; a session that prepares the picture itself has
    another picture input than the contract, and is to be checked before. Raises ModelError that begins with
    `what` and shows both sides when a role finds no tensor or an input no role.
    """
    names: dict[str, str] = {}
    unbound = list(inputs)
    missing = []
    for wanted in sorted(contract.inputs, key=lambda each: each.optional):
        found = _find(wanted, unbound)
        if found is not None:
            unbound.remove(found)
            names[wanted.role] = found.name
        elif not wanted.optional:
            missing.append(f"no input is its {wanted.role}")
    missing += [f"its input {spec.name!r} has no meaning here" for spec in unbound]
    missing += _bind_outputs(contract, outputs, names)
    if missing:
        raise ModelError(
            f"{what}: {'; '.join(missing)}\n"
            f"  the contract:  {_wanted(contract)}\n"
            f"  the file:      {_told(inputs)} -> {_told(outputs)}",
            "name the right family, or use the file as its maker published it",
        )
    return MappingProxyType(names)


def _find(wanted: InputContract, inputs: Sequence[TensorSpec]) -> TensorSpec | None:
    fitting = [spec for spec in inputs if _fits(wanted.shape, spec.shape) and _same_kind(wanted, spec)]
    return next((spec for spec in fitting if spec.name == wanted.name), fitting[0] if fitting else None)


def _fits(wanted: tuple[int, ...], real: tuple[int, ...]) -> bool:
    return len(wanted) == len(real) and all(
        FREE in (ours, theirs) or ours == theirs for ours, theirs in zip(wanted, real, strict=True)
    )


def _same_kind(wanted: InputContract, spec: TensorSpec) -> bool:
    return wanted.dtype == spec.dtype or {wanted.dtype, spec.dtype} <= _FLOATS


def _bind_outputs(contract: Contract, outputs: Sequence[TensorSpec], names: dict[str, str]) -> list[str]:
    complaints = []
    there = {spec.name for spec in outputs}
    for meaning, name in contract.outputs.items():
        if name in there:
            names[f"output:{meaning}"] = name
        else:
            complaints.append(f"no output is called {name!r}, its {meaning}")
    unbound = list(outputs)
    for meaning, shape in contract.returns.items():
        # A shape that an export leaves open says nothing against it.
        found = next((spec for spec in unbound if not spec.shape or _fits(shape, spec.shape)), None)
        if found is None:
            complaints.append(f"no output is its {meaning}")
        else:
            unbound.remove(found)
            names[f"output:{meaning}"] = found.name
    if len(outputs) < contract.output_count:
        complaints.append(f"it has {len(outputs)} outputs, not {contract.output_count}")
    return complaints


def _wanted(contract: Contract) -> str:
    fed = [
        f"{each.role} {_shape(each.shape)} {each.dtype}{' (optional)' if each.optional else ''}"
        for each in contract.inputs
    ]
    given = [f"{meaning} {_shape(shape)}" for meaning, shape in contract.returns.items()]
    given += [f"{meaning} called {name!r}" for meaning, name in contract.outputs.items()]
    if contract.output_count:
        given.append(f"{contract.output_count} outputs")
    return f"{', '.join(fed)} -> {', '.join(given) or 'anything'}"


def _told(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(f"{spec.name!r} {_shape(spec.shape)} {spec.dtype}" for spec in specs) or "nothing"


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join('?' if size == FREE else str(size) for size in shape)})"
