"""The built-in generators on every device of this machine, beside the CPU, in one run."""

from __future__ import annotations

import argparse
from functools import partial

from measure import header, median_seconds, photo, row

from cartoonize import Cartoonizer
from cartoonize.errors import EngineError
from cartoonize.generators.engines import registry
from cartoonize.generators.weights import BUILTIN

SHAPE = (720, 1080)


def measured(device: str, precision: str, shape: tuple[int, int]) -> dict[str, float]:
    """Seconds of each generator on a device."""
    image, seconds = photo(*shape), {}
    for name in BUILTIN:
        cartoonizer = Cartoonizer(name, size="full", device=device, precision=precision)
        seconds[name] = median_seconds(partial(cartoonizer.generate, image), repeats=3)
    return seconds


def compare(shape: tuple[int, int] = SHAPE) -> None:
    """Print every device's seconds, and their ratio to the CPU's."""
    try:
        found = registry.devices()
    except EngineError as error:
        found = registry.devices(gpus=False)
        print(error)
    for device in found:
        print(f"{device.name:<6} {device.description}{' (in software)' if device.is_software else ''}")
    cpu = measured("cpu", "float32", shape)
    for weights, seconds in cpu.items():
        row(f"`{weights}` on the CPU", seconds)
    for device, precision in [(each.name, kind) for each in found[1:] for kind in ("float16", "float32")]:
        for weights, seconds in measured(device, precision, shape).items():
            row(f"`{weights}` on {device}, {precision}", seconds)
            row("  ratio", cpu[weights] / seconds, "x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=2, default=SHAPE, metavar=("HEIGHT", "WIDTH"))
    shape = parser.parse_args().shape
    header()
    compare(tuple(shape))


if __name__ == "__main__":
    main()
