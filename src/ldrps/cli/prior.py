"""`ldrps info`, `ldrps prior` and `ldrps train`: the prior, looked at, measured and made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ldrps.cli.helping import Command, CommandGroup
from ldrps.cli.options import DataOption, DeviceOption, DtypeOption, load
from ldrps.cli.terminal import say, tell, tell_text
from ldrps.estimation import JUDGES
from ldrps.printable import json_text
from ldrps.prior import check_prior
from ldrps.prior.device import check_device

if TYPE_CHECKING:
    from PIL import Image

prior_app = typer.Typer(cls=CommandGroup, help="Measure priors, and write them out.", no_args_is_help=True)


def info(
    prior: Annotated[str, typer.Argument(help="'embedded', a folder in diffusers layout, or a hub id.")] = "embedded",
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
) -> None:
    """Load a prior and tell what it is."""
    loaded = load(prior, device, dtype)
    for name, value in loaded.describe().items():
        tell(f"{name:18} {value}")


@prior_app.command(cls=Command)
def evaluate(
    prior: Annotated[str, typer.Argument(help="'embedded', a folder in diffusers layout, or a hub id.")] = "embedded",
    data: DataOption = None,
    photos: Annotated[
        list[Path] | None, typer.Option(help="Photographs, of which those held out from training judge the samples.")
    ] = None,
    samples: Annotated[int, typer.Option(min=0, help="Pictures to draw from noise.")] = 16,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write sheets of pictures into this folder.")] = None,
    device: DeviceOption = "cpu",
    dtype: DtypeOption = "float32",
) -> None:
    """Measure a prior: round trip, denoising, judgement of tone, samples."""
    from ldrps.image.files import check_folder, write_text
    from ldrps.train.order import check_photographs

    for folder in photos or []:
        check_photographs(folder)
    for place in (json_file, None if out is None else out / "sheet.png"):
        if place is not None:
            check_folder(place)
    check_prior(prior)
    check_device(device)
    from ldrps.bench.priors import evaluate
    from ldrps.image.write import write_image
    from ldrps.train.photos import Photographs

    loaded = load(prior, device, dtype)
    real: list[Image.Image] = []
    captions: list[str] = []
    if photos:
        held_out = Photographs(photos, held_out=True)
        held_out.name_subjects()
        real, captions = held_out.images, held_out.captions()
    evaluation = evaluate(loaded, data or [], samples=samples, photos=real, captions=captions)
    text = json_text(evaluation.figures)
    tell_text(text)
    if json_file is not None:
        write_text(json_file, f"{text}\n")
    if out is not None:
        for name, sheet in evaluation.sheets.items():
            write_image(sheet, out / f"{name}.png", overwrite=True)


@prior_app.command(cls=Command)
def export(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")],
    prior: Annotated[
        str, typer.Option(help="'embedded', 'embedded-pixels', or a folder of `ldrps train` with a README.md.")
    ] = "embedded",
    force: Annotated[bool, typer.Option("--force", help="Replace a prior that is in the folder.")] = False,
) -> None:
    """Write a prior and its model card into a folder, as a hub of models wants it."""
    check_prior(prior)
    from ldrps.prior.export import export_prior
    from ldrps.prior.terms import terms_of

    written = export_prior(folder, prior, overwrite=force)
    tell(f"{written.folder}: {written.files} files, {written.size / 1e6:.1f} MB")
    say(f"its terms: {terms_of(written.folder)}")


def train(
    part: Annotated[
        str,
        typer.Argument(
            help=f"autoencoder, then text if captions matter, diffusion; {', '.join(JUDGES)}; or pixels; or zero-dce."
        ),
    ],
    data: Annotated[list[Path], typer.Option(help="A folder of photographs; may be given more than once.")],
    out: Annotated[
        Path, typer.Option(help="The prior's folder; it grows part by part. Of zero-dce, where its weights go.")
    ],
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with a table of each part, and of unet, its sizes.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="How long; the default suits about a thousand photographs.")] = None,
    seed: Annotated[int | None, typer.Option(help="The config's, or 0, if not given.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, mps; the config's if not given.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    init: Annotated[
        str | None, typer.Option(help="Start from the weights of this prior: a folder, or 'embedded'.")
    ] = None,
) -> None:
    """Train a small prior on photographs of your own. May be stopped at any time and resumed."""
    from ldrps.train.order import check_order

    check_order(part, data, out, config=config, device=device, init=init)
    from ldrps.train.command import train_part

    lines = train_part(part, data, out, config=config, steps=steps, seed=seed, device=device, resume=resume, init=init)
    for line in lines:
        tell(line)
