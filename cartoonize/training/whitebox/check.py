"""`cartoonize train --check`: what a configuration would do, found out in a few steps."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from time import perf_counter

from cartoonize.machine import available_cores
from cartoonize.method.pixels import Image, to_image
from cartoonize.training.callbacks import Watch
from cartoonize.training.devices import refuse_several_machines
from cartoonize.training.pictures import write_png
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import Batches
from cartoonize.training.whitebox.gan import WhiteBoxGAN
from cartoonize.training.whitebox.pictures import columns_sheet
from cartoonize.training.whitebox.run import Phase, session, train_until

SHEET = "check.png"
SHOWN = 4  # pictures of each kind and group on the sheet
TIMED_STEPS = 3
_UNITS = ((86_400, "days"), (3600, "h"), (60, "min"))


def check(config: TrainConfig, say: Callable[[str], None]) -> None:
    """Count pictures, write a sheet of the first ones, take steps of each phase, and say speed and memory.

    Nothing but the sheet is written. Raises ConfigError, DatasetError, DivergedError, WeightsError.
    """
    refuse_several_machines()
    batches = Batches(config, say)
    for group, photos, cartoons in zip(config.groups, batches.photos, batches.cartoons, strict=True):
        say(f"{group.name}: {len(photos.files)} photos, {len(cartoons.files)} cartoons, weight {group.weight}")
    with session(config, say) as model:
        write_png(config.run / SHEET, _first_pictures(batches))
        say(f"first pictures: {config.run / SHEET}")
        for line in _times(model, batches, config):
            say(line)
    if memory := _peak_memory(config.workers or available_cores()):
        say(f"memory: {memory / 1e9:.1f} GB")


def times(config: TrainConfig) -> list[str]:
    """Take steps of each phase, and return how fast they are and how long the phase would take, a line each.

    Nothing is written. Raises what `check` raises.
    """
    batches = Batches(config, _ignore)
    with session(config, _ignore) as model:
        return list(_times(model, batches, config))


def _ignore(_: str) -> None:
    pass


def _times(model: WhiteBoxGAN, batches: Batches, config: TrainConfig) -> Iterator[str]:
    lengths: dict[Phase, int] = {"pretrain": config.pretrain_steps, "adversarial": config.steps.adversarial}
    for phase, steps in lengths.items():
        if steps:
            seconds = _seconds_per_step(model, batches, phase, config)
            yield f"{phase}: {1 / seconds:.2g} steps/s, {steps} steps in {_duration(steps * seconds)}"


def _duration(seconds: float) -> str:
    """Say a time in the largest unit of which there are two."""
    unit, name = next(((n, name) for n, name in _UNITS if seconds >= 2 * n), (1, "s"))
    return f"{seconds / unit:.{0 if seconds >= 10 * unit else 1}f} {name}"


def _first_pictures(batches: Batches) -> Image:
    photos, cartoons = batches.samples(SHOWN)
    return columns_sheet({"photos": to_image(photos), "cartoons": to_image(cartoons)})


def _seconds_per_step(model: WhiteBoxGAN, batches: Batches, phase: Phase, config: TrainConfig) -> float:
    """Return the time of a step once everything is compiled."""
    train_until(model, batches, phase, model.steps_done + 1, [Watch(config.run)])
    began = perf_counter()
    train_until(model, batches, phase, model.steps_done + TIMED_STEPS, [Watch(config.run)])
    return (perf_counter() - began) / TIMED_STEPS


def _peak_memory(workers: int) -> int | None:
    """Return the most bytes this process and its workers, now ended, have held; None where the system cannot say."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    own, largest_worker = (resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + workers * largest_worker) * unit
