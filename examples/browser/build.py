"""Puts the page together in a folder that any web server can hold: the page, a generator as ONNX, onnxruntime-web.

    python examples/browser/build.py site && python -m http.server --directory site

onnxruntime-web comes from npm once, at this moment; the page itself fetches nothing from elsewhere.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import asdict
from pathlib import Path

from cartoonize.generators.generator import load
from cartoonize.generators.writers.onnx import write_onnx

HERE = Path(__file__).parent
RUNTIME = "onnxruntime-web@1.22"
PARTS = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def runtime(folder: Path) -> None:
    """Fetch the runtime's files with npm."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        subprocess.run(["npm", "pack", "--silent", RUNTIME], cwd=work, check=True, stdout=subprocess.DEVNULL)
        (packed,) = Path(work).glob("*.tgz")
        with tarfile.open(packed) as archive:
            for name in PARTS:
                (folder / name).write_bytes(archive.extractfile(f"package/dist/{name}").read())


def build(folder: Path, weights: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("index.html", "style.css", "cartoon.js"):
        shutil.copy(HERE / name, folder / name)
    generator = load(weights)
    (folder / "model.onnx").write_bytes(write_onnx(generator, image=True))
    (folder / "card.json").write_text(json.dumps(asdict(generator.card)), encoding="utf-8")
    if not all((folder / "ort" / name).is_file() for name in PARTS):
        runtime(folder / "ort")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", default="fast")
    options = parser.parse_args()
    build(options.folder, options.weights)
    print(f"{options.folder}/index.html; serve it: python -m http.server --directory {options.folder}")
