"""`cartoonize train --check`: what a configuration would do, found out in a few steps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter

from cartoonize.machine import available_cores
from cartoonize.method.pixels import Image, to_image
from cartoonize.training.callbacks import Watch
from cartoonize.training.pictures import write_png
from cartoonize.training.whitebox.config import TrainConfig
from cartoonize.training.whitebox.data import Batches
from cartoonize.training.whitebox.gan import WhiteBoxGAN
from cartoonize.training.whitebox.pictures import columns_sheet
from cartoonize.training.whitebox.run import Phase, session, train_until

SHEET = "check.png"
SHOWN = 4  # pictures of each kind and group on the sheet
TIMED_STEPS = 3


def check(config: TrainConfig, say: Callable[[str], None]) -> None:
    """Count pictures, write a sheet of the first ones, take steps of each phase, and say speed and memory.

    Nothing but the sheet is written. Raises ConfigError, DatasetError, DivergedError, WeightsError.
    """
    batches = Batches(config, say)
    for group, photos, cartoons in zip(config.groups, batches.photos, batches.cartoons, strict=True):
        say(f"{group.name}: {len(photos.files)} photos, {len(cartoons.files)} cartoons, weight {group.weight}")
    with session(config, say) as model:
        write_png(config.run / SHEET, _first_pictures(batches))
        say(f"first pictures: {config.run / SHEET}")
        lengths: dict[Phase, int] = {"pretrain": config.pretrain_steps, "adversarial": config.steps.adversarial}
        for phase, steps in lengths.items():
            if steps:
                seconds = _seconds_per_step(model, batches, phase, config)
                say(f"{phase}: {1 / seconds:.2g} steps/s, {steps} steps in {steps * seconds / 3600:.2g} h")
    if memory := _peak_memory(config.workers or available_cores()):
        say(f"memory: {memory / 1e9:.1f} GB")


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
