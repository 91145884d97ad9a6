"""face.cu through real NVRTC where it is installed, and what is kept of it."""

import hashlib
import logging

import pytest

from models.cuda.base import CudaError
from models.cuda.kernels import compile as compiling
from models.cuda.kernels.compile import Nvrtc, find_compiler, image, source
from models.cuda.kernels.parameters import PARAMETERS

CAPABILITIES = [(7, 5), (8, 6), (8, 9), (9, 0)]


@pytest.fixture(scope="module")
def nvrtc():
    try:
        return Nvrtc()
    except CudaError as error:
        pytest.skip(f"NVRTC is not installed (uv run --group gpu-compile): {error.message}")


class ScriptedCompiler:
    """Its images name what was asked for."""

    version = "scripted 1"

    def __init__(self, known=(75, 86, 89, 90)):
        self.known = known
        self.targets = []

    def architectures(self):
        return self.known

    def compile(self, code, target):
        assert code == source()
        self.targets.append(target)
        return f"image for {target} by {self.version}".encode()


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_nvrtc_compiles_for_the_gpus_of_now(nvrtc, capability, tmp_path):
    made = image(capability, nvrtc, tmp_path)
    assert made.startswith(b"\x7fELF")
    for name in PARAMETERS:
        assert b".text." + name.encode() + b"\0" in made, "a kernel under its plain name"


def test_nvrtc_makes_ptx_for_a_gpu_that_it_does_not_know(nvrtc, tmp_path):
    made = image((99, 0), nvrtc, tmp_path)
    assert b".visible .entry warp_crop(" in made
    assert made.endswith(b"\0"), "the driver reads up to there"


def test_each_kernel_takes_one_structure_of_the_size_that_is_filled(nvrtc):
    """The PTX says how many bytes; ctypes must fill as many."""
    import ctypes
    import re

    made = nvrtc.compile(source(), "compute_75").decode()
    sizes = re.findall(r"\.visible \.entry (\w+)\(\s*\.param \.align \d+ \.b8 \w+\[(\d+)\]\s*\)", made)
    assert {name: int(size) for name, size in sizes} == {
        name: ctypes.sizeof(kind) for name, kind in PARAMETERS.items()
    }


def test_what_nvrtc_says_of_a_mistake_is_told(nvrtc):
    with pytest.raises(CudaError, match=r"face\.cu\(1\): error: identifier \"oops\" is undefined"):
        nvrtc.compile('extern "C" __global__ void f() { oops; }', "sm_89")


def test_kernels_are_compiled_once(tmp_path):
    compiler = ScriptedCompiler()
    first = image((8, 9), compiler, tmp_path / "kernels")
    assert image((8, 9), compiler, tmp_path / "kernels") == first == b"image for sm_89 by scripted 1"
    assert compiler.targets == ["sm_89"]
    assert [path.name.split("-")[0] for path in (tmp_path / "kernels").iterdir()] == ["sm_89"]


def test_another_gpu_compiler_or_source_is_compiled_anew(tmp_path, monkeypatch):
    compiler = ScriptedCompiler()
    image((8, 9), compiler, tmp_path)
    image((9, 0), compiler, tmp_path)
    compiler.version = "scripted 2"
    image((8, 9), compiler, tmp_path)
    monkeypatch.setattr(compiling, "source", lambda: source() + "\n")
    compiler.compile = lambda code, target: compiler.targets.append(target) or b"other"
    image((8, 9), compiler, tmp_path)
    assert compiler.targets == ["sm_89", "sm_90", "sm_89", "sm_89"]
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"0" * 64 + b"\nimage", hashlib.sha256(b"").hexdigest().encode()]
)
def test_a_damaged_file_is_compiled_anew(tmp_path, content, caplog):
    compiler = ScriptedCompiler()
    image((8, 9), compiler, tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert image((8, 9), compiler, tmp_path) == b"image for sm_89 by scripted 1"
    assert "damaged" in caplog.text
    caplog.clear()
    assert image((8, 9), compiler, tmp_path)
    assert (compiler.targets, caplog.text) == (["sm_89"] * 2, "")


def test_a_folder_that_cannot_be_written_costs_time_and_no_more(tmp_path, caplog):
    (tmp_path / "kernels").write_text("a file")
    assert image((8, 9), ScriptedCompiler(), tmp_path / "kernels")
    with caplog.at_level(logging.WARNING):
        assert "cannot be" in caplog.text


@pytest.mark.parametrize(("capability", "target"), [((12, 0), "compute_90"), ((8, 8), "compute_86")])
def test_a_gpu_newer_than_the_compiler_gets_ptx(tmp_path, capability, target):
    compiler = ScriptedCompiler()
    image(capability, compiler, tmp_path)
    assert compiler.targets == [target]


def test_a_compiler_that_does_not_say_is_asked_for_the_gpu_itself(tmp_path):
    compiler = ScriptedCompiler(known=())
    image((8, 7), compiler, tmp_path)
    assert compiler.targets == ["sm_87"]


def test_a_gpu_that_is_too_old(tmp_path):
    with pytest.raises(CudaError, match=r"7\.0; 7\.5 is the least"):
        image((7, 0), ScriptedCompiler(), tmp_path)
    with pytest.raises(CudaError, match=r"compute capability 8\.6 and newer only") as caught:
        image((7, 5), ScriptedCompiler(known=(86, 90)), tmp_path)
    assert "older nvidia-cuda-nvrtc" in caught.value.hint


def test_the_folder_is_that_of_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("REALTIME_CACHE", str(tmp_path))
    image((8, 9), ScriptedCompiler())
    assert len(list((tmp_path / "kernels" / compiling.FORMAT_VERSION).iterdir())) == 1


@pytest.mark.parametrize(
    ("installed", "expected"), [({"cuda", "pycuda"}, "Nvrtc"), ({"pycuda"}, "Nvcc"), (set(), None)]
)
def test_nvrtc_comes_before_nvcc(installed, expected, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name in installed or None)
    for kind in ("Nvrtc", "Nvcc"):
        monkeypatch.setattr(compiling, kind, lambda kind=kind: kind)
    if expected is None:
        with pytest.raises(CudaError, match="nothing to compile") as caught:
            find_compiler()
        assert "nvidia-cuda-nvrtc" in caught.value.hint
    else:
        assert find_compiler() == expected


def test_pycudas_nvcc_is_asked_for_one_architecture(monkeypatch):
    import sys
    from types import ModuleType

    asked = []

    class CompileError(Exception):
        pass

    def compile(code, **options):
        asked.append(options)
        if code == "bad":
            raise CompileError("nvcc compilation failed")
        return b"cubin"

    package, driver, compiler = (
        ModuleType("pycuda"),
        ModuleType("pycuda.driver"),
        ModuleType("pycuda.compiler"),
    )
    driver.CompileError = CompileError
    compiler.compile = compile
    compiler.get_nvcc_version = lambda nvcc: "nvcc: NVIDIA\nBuild cuda_13.0.r13.0/compiler.1\n"
    package.compiler = compiler
    for module in (package, driver, compiler):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    nvcc = compiling.Nvcc()
    assert nvcc.version == "Build cuda_13.0.r13.0/compiler.1"
    assert nvcc.compile("good", "sm_89") == b"cubin"
    assert asked == [{"options": ["--std=c++17"], "no_extern_c": True, "arch": "sm_89"}]
    with pytest.raises(CudaError, match="nvcc compilation failed"):
        nvcc.compile("bad", "sm_89")

    def missing(nvcc):
        raise OSError("nvcc was not found")

    compiler.get_nvcc_version = missing
    with pytest.raises(CudaError, match="nvcc was not found"):
        compiling.Nvcc()
