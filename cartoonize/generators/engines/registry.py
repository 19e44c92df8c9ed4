"""Which engines there are, the devices of this machine, and loading a generator on one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cartoonize.errors import EngineError, WeightsError
from cartoonize.generators.engines.engine import Device, Engine, Precision

if TYPE_CHECKING:
    from cartoonize.generators.generator import Generator


def devices(*, gpus: bool = True) -> list[Device]:
    """Return the devices of this machine, the CPU first; raises EngineError, saying why, when there is no GPU."""
    from cartoonize.generators.engines import litert

    if not gpus:
        return [litert.device()]
    from cartoonize.generators.engines import vulkan

    return [litert.device(), *vulkan.devices()]


def open_engine(generator: Generator, device: str, threads: int, precision: Precision = "float16") -> Engine:
    """Load a generator on a device: "cpu", "gpu", "gpu:N", or "auto", a GPU if there is one that can run it.

    threads: cores used by one picture. precision: of what a GPU stores, float16 where it can; a CPU has float32.
    Raises EngineError when the device is not there, WeightsError when it cannot run the generator.
    """
    if device == "auto":
        try:
            chosen = _hardware()
            return _ENGINES["gpu"](generator, chosen, threads, precision) if chosen else _cpu(generator, threads)
        except (EngineError, WeightsError):
            return _cpu(generator, threads)
    return _ENGINES[device.split(":")[0]](generator, device, threads, precision)


def _hardware() -> str | None:
    """Return the first GPU that is one."""
    return next((each.name for each in devices()[1:] if not each.is_software), None)


def _cpu(generator: Generator, threads: int) -> Engine:
    from cartoonize.generators.engines.litert import LiteRTEngine

    return LiteRTEngine(generator, threads)


def _gpu(generator: Generator, device: str, threads: int, precision: Precision) -> Engine:
    from cartoonize.generators.engines.vulkan import VulkanEngine

    return VulkanEngine(generator, device, threads, precision)


_ENGINES: dict[str, Callable[[Generator, str, int, Precision], Engine]] = {
    "cpu": lambda generator, _device, threads, _precision: _cpu(generator, threads),
    "gpu": _gpu,
}
