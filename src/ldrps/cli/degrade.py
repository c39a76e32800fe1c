"""`ldrps degrade`: clean pictures in, pictures with damage of a known kind out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ldrps.cli.options import OutOption, is_folder
from ldrps.cli.terminal import say, tell, tell_text
from ldrps.errors import LdrpsError
from ldrps.image.limits import MAX_PIXELS

if TYPE_CHECKING:
    from ldrps.degrade import Chain
    from ldrps.run.job import Job


def _usage(wanted: bool) -> None:
    if wanted:
        from ldrps.degrade import usage

        tell_text(usage())
        raise typer.Exit


def degrade(
    sources: Annotated[list[Path], typer.Argument(metavar="IN...", help="Clean pictures.")],
    out: OutOption,
    kind: Annotated[str, typer.Option(help="The damage, such as dark=0.2+noise=25; see --kinds.")],
    seed: Annotated[int, typer.Option(min=0, help="Each picture draws from this and its own name.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    max_pixels: Annotated[int, typer.Option(min=1, help="Larger pictures are refused.")] = MAX_PIXELS,
    kinds: Annotated[
        bool, typer.Option("--kinds", callback=_usage, is_eager=True, help="Print all kinds with their parameters.")
    ] = False,
) -> None:
    """Damage pictures in a way that can be repeated: darkness, haze, noise, blur, and more, one after the other.

    Exit code 0: all written; 1: some failed, the others are written; 2: the command cannot be carried out.
    """
    from ldrps.degrade import parse
    from ldrps.run.job import Output, part_hopeless, plan_jobs

    chain = parse(kind)
    output = Output(force, max_pixels=max_pixels)
    jobs, hopeless = part_hopeless(plan_jobs(sources, Path(out), as_folder=is_folder(out)), output)
    for _, reason in hopeless:
        say(reason)
    failures = len(hopeless)
    for job in jobs:
        try:
            _damage(job, chain, seed, force, max_pixels)
        except LdrpsError as error:
            failures += 1
            say(error.on_command_line)
        else:
            tell(str(job.target))
    if failures:
        raise typer.Exit(1)


def _damage(job: Job, chain: Chain, seed: int, force: bool, max_pixels: int) -> None:
    import dataclasses

    import numpy as np
    from PIL import Image

    from ldrps.degrade import apply, seed_of
    from ldrps.image.arrays import in_bytes
    from ldrps.image.picture import load_picture
    from ldrps.image.space import srgb_profile
    from ldrps.image.write import write_image

    picture = load_picture(job.source, max_pixels=max_pixels)
    damaged = apply(picture.rgb[0].permute(1, 2, 0).numpy(), chain, seed_of(seed, job.source.stem))
    if picture.alpha is not None and picture.alpha.size == damaged.size:
        damaged.putalpha(Image.fromarray(in_bytes(np.asarray(picture.alpha))))
    like = dataclasses.replace(picture, icc_profile=srgb_profile() if picture.icc_profile else None, profiled=None)
    write_image(damaged, job.target, like=like, overwrite=force)  # what was damaged is the picture in sRGB
