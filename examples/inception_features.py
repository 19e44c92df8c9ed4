"""Makes the file for `cartoonize evaluate --features inception` out of the weights that FID is usually taken with.

    python -m venv torch && torch/bin/pip install torch numpy
    torch/bin/python examples/inception_features.py inception.npz
    cartoonize evaluate --features inception.npz …

The weights (96 MB; pytorch-fid has them from TensorFlow's graph inception-2015-12-05, Apache-2.0) are downloaded from
pytorch-fid's release on GitHub, or read from a copy (`--weights PATH`), and must have the published SHA-256. They are
read by PyTorch's reader for data alone, which runs nothing that is in a file. Needs nothing of this project.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import urllib.request
from pathlib import Path

import numpy as np
import torch

URL = "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
SIZE = 95_628_359  # bytes
PARTS = ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")


def fetch(url: str) -> bytes:
    """Download the weights, showing how far it is; one byte beyond their size is enough to know that it is another."""
    content = bytearray()
    with urllib.request.urlopen(url, timeout=30) as response:
        while len(content) <= SIZE and (part := response.read(2**18)):
            content += part
            print(f"\r{len(content) / 1e6:.0f} of {SIZE / 1e6:.0f} MB", end="", file=sys.stderr)
    print(file=sys.stderr)
    return bytes(content)


def convert(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of all convolutions and what normalises them under their published names, and the SHA-256."""
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    arrays = {name: array.numpy() for name, array in state.items() if name.endswith(PARTS)}
    return {"source": np.array(hashlib.sha256(content).hexdigest()), **arrays}


def main() -> None:
    """Write the file whole or not at all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path, help="the .npz to write")
    parser.add_argument("--weights", type=Path, help="a copy of pt_inception-2015-12-05-6726825d.pth; else downloaded")
    parser.add_argument("--any", action="store_true", help="convert other weights too: not to be compared with a paper")
    chosen = parser.parse_args()
    try:
        content = chosen.weights.read_bytes() if chosen.weights else fetch(URL)
    except OSError as error:
        sys.exit(f"{chosen.weights or URL}: {error}; --weights PATH takes a copy")
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256 and not chosen.any:
        sys.exit(f"{chosen.weights or URL}: expected SHA-256 {SHA256}, found {found} of {len(content):,} bytes")
    chosen.target.parent.mkdir(parents=True, exist_ok=True)
    part = chosen.target.with_name(f"{chosen.target.name}.part")
    with part.open("wb") as stream:
        np.savez(stream, **convert(content))
    part.replace(chosen.target)
    print(f"{chosen.target}: {chosen.target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
