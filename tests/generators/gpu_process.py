"""Runs a generator on a GPU in a process without TensorFlow, whose LLVM and that of Mesa's driver clash.

`python gpu_process.py FOLDER JSON`: FOLDER holds generator.tflite and photo.npy, and gets result.npy.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from cartoonize.generators import tiles
from cartoonize.generators.engines.vulkan import VulkanEngine
from cartoonize.generators.generator import described

if __name__ == "__main__":
    folder, asked = Path(sys.argv[1]), json.loads(sys.argv[2])
    generator = described((folder / "generator.tflite").read_bytes())
    engine = VulkanEngine(generator, "gpu", 2, asked["precision"])
    photo = np.load(folder / "photo.npy")
    if photo.dtype == np.uint8:
        for limit in ("WHOLE_PIXELS", "TILE_PIXELS"):
            setattr(tiles, limit, asked.get(limit, getattr(tiles, limit)))
        result = tiles.generate(engine, photo, generator.field)
    else:
        result = engine(photo)
    np.save(folder / "result.npy", result)
