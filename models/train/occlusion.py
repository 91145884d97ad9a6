"""Trains the network of `models/occlusion.py` from scratch, quantises it, and checks it on clips.

    python -m models.train.occlusion train WEIGHTS.pt HELD.npy MINUTES SAMPLES.npy...
    python -m models.train.occlusion export WEIGHTS.pt HELD.npy [OUT.onnx]
    python -m models.train.occlusion evaluate MODELS CLIP...

The samples are made by `models/train/occlusion_data.py`. `train` goes on from WEIGHTS.pt where it exists.
`export` writes 8-bit weights and activations (quantise-dequantise pairs, which OpenVINO and ONNX Runtime both
read); by default to `models/occlusion.onnx`. `train` and `export` need `uv sync --group train`; `evaluate`
does not. `models/occlusion.md` says what the committed weights were trained on and what they cannot do.
"""

import sys
from pathlib import Path

from models.occlusion import WEIGHTS

__all__ = ["main"]

SEED = 1


def main() -> None:
    command, *given = sys.argv[1:]
    if command == "train":
        from models.train.occlusion_net import train

        weights, held, minutes, *samples = given
        train([Path(path) for path in samples], Path(held), Path(weights), float(minutes), SEED)
    elif command == "export":
        from models.train.occlusion_export import export

        weights, held, *out = given
        export(Path(weights), Path(held), Path(out[0]) if out else WEIGHTS)
    elif command == "evaluate":
        from models.train.occlusion_check import evaluate

        folder, *clips = given
        evaluate(Path(folder), [Path(clip) for clip in clips])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
