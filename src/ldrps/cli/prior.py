"""`ldrps info` and `ldrps train`: the prior, looked at and made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ldrps.cli.options import DeviceOption, DtypeOption, load


def info(
    prior: Annotated[str, typer.Argument(help="'embedded', a folder in diffusers layout, or a hub id.")] = "embedded",
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
) -> None:
    """Load a prior and tell what it is."""
    loaded = load(prior, device, dtype)
    for name, value in loaded.describe().items():
        typer.echo(f"{name:18} {value}")


def train(
    part: Annotated[str, typer.Argument(help="autoencoder, then diffusion and tone.")],
    data: Annotated[list[Path], typer.Option(help="A folder of photographs; may be given more than once.")],
    out: Annotated[Path, typer.Option(help="The prior's folder; it grows part by part.")],
    steps: Annotated[int | None, typer.Option(help="How long; the default suits about a thousand photographs.")] = None,
    seed: Annotated[int, typer.Option()] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
) -> None:
    """Train a small prior on photographs of your own. May be stopped at any time and resumed."""
    from ldrps.train.command import train_part

    for line in train_part(part, data, out, steps=steps, seed=seed, resume=resume):
        typer.echo(line)
