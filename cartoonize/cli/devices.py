"""`cartoonize devices`: what a generator can run on here."""

from __future__ import annotations

import click

from cartoonize.errors import EngineError


@click.command("devices")
def devices() -> None:
    """List what a generator can run on: the CPU, and every GPU with a Vulkan driver.

    The first column is what --device takes.
    """
    from cartoonize.generators.engines import registry

    problem = ""
    try:
        found = registry.devices()
    except EngineError as error:
        found, problem = registry.devices(gpus=False), str(error)
    for device in found:
        note = "  (in software: for tests, slower than the CPU)" if device.is_software else ""
        click.echo(f"{device.name:<6} {device.description}{note}")
    if problem:
        click.echo(problem, err=True)
