"""The built-in generators on every device of this machine, 720 x 1080, beside the CPU: one run, a process a device.

A process a device, since `engine.py`, which ends with this, has TensorFlow, whose LLVM and Mesa's driver's clash.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

from measure import cartoonize, header, median_seconds, photo, row

from cartoonize import Cartoonizer
from cartoonize.generators.weights import BUILTIN

SHAPE = (720, 1080)


def measured(device: str, precision: str) -> dict[str, float]:
    """Seconds of each generator on a device, in this process."""
    image = photo(*SHAPE)
    seconds = {}
    for name in BUILTIN:
        cartoonizer = Cartoonizer(name, device=device, precision=precision)
        seconds[name] = median_seconds(lambda c=cartoonizer: c.generate(image), repeats=3)
    return seconds


def apart(device: str, precision: str) -> dict[str, float]:
    """The same, in a process of its own."""
    command = [sys.executable, __file__, "--device", device, "--precision", precision]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def compare() -> None:
    """Print every device's seconds, and their ratio to the CPU's."""
    listed = subprocess.run(cartoonize("devices"), check=True, capture_output=True, text=True)
    print(listed.stdout + listed.stderr, end="")
    names = [line.split()[0] for line in listed.stdout.splitlines()]
    cpu = apart("cpu", "float32")
    for device, precision in [(name, kind) for name in names[1:] for kind in ("float16", "float32")]:
        for weights, seconds in apart(device, precision).items():
            row(f"`{weights}` on the CPU", cpu[weights])
            row(f"`{weights}` on {device}, {precision}", seconds)
            row("  ratio", cpu[weights] / seconds, "x")
    if len(names) == 1:
        for weights, seconds in cpu.items():
            row(f"`{weights}` on the CPU", seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", help="measure this one here, and print JSON")
    parser.add_argument("--precision", default="float16")
    options = parser.parse_args()
    if options.device:
        print(json.dumps(measured(options.device, options.precision)))
        return
    header()
    compare()


if __name__ == "__main__":
    main()
