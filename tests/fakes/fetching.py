"""What tests of fetching share: entries of a catalogue, servers that count, a folder to fetch into."""

import hashlib

import numpy as np

END_TIMEOUT_S = 60
CONTENT = np.random.default_rng(0).integers(0, 256, 400_000, dtype=np.uint8).tobytes()
OTHER = CONTENT[::-1]
TAG = "py3-none-any"

ENTRY = """
[model.{name}]
role = "detector"
family = "toy"
about = "a toy"
file = "{name}.bin"
sha256 = "{sha256}"
size_bytes = {size_bytes}
licence = "MIT"
source = {source}
contract = {{ layout = "nhwc", height = 8, width = 8, mean = 0, scale = 1, order = "rgb", outputs = {{}} }}
"""
WHEEL = """
[wheel.toyfaces]
package = "toyfaces"
version = "1.0"
platform = "any"
python = "3.11"
implementation = "py"
size_bytes = {size_bytes}
"""


def entry(name, content, source):
    digest = hashlib.sha256(content).hexdigest()
    return ENTRY.format(name=name, sha256=digest, size_bytes=len(content), source=source)


def from_web(*urls, content=CONTENT):
    quoted = ", ".join(f'"{url}"' for url in urls)
    return entry("toy", content, f'{{ kind = "https", urls = [{quoted}] }}')


def from_wheel(server, **contents):
    size_bytes = max(map(len, server.files.values()))
    return WHEEL.format(size_bytes=size_bytes) + "".join(
        entry(name, content, f'{{ kind = "wheel", wheel = "toyfaces", member = "toyfaces/{name}.bin" }}')
        for name, content in contents.items()
    )


def left_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


class RecordingProgress:
    def __init__(self):
        self.starts, self.moves, self.ends = [], [], []

    def start(self, title, total_bytes):
        self.starts.append((title, total_bytes))

    def move_to(self, done_bytes):
        self.moves.append(done_bytes)

    def end(self, *, complete):
        self.ends.append(complete)


def downloads(server):
    return [path for path, _ in server.requests if path.endswith((".whl", ".bin"))]
