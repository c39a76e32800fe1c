"""`ldrps train`: the parts of a small prior, one after the other, in one folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ldrps.errors import InputError
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import PreconditionedUNet
from ldrps.prior.tiny.prior import load_part, save_part
from ldrps.prior.tiny.tone import TonePosterior
from ldrps.train.loop import Progress, TrainingPlan, train
from ldrps.train.photos import Photographs
from ldrps.train.tasks import DiffusionTask, ToneTask, autoencoder_psnr, fit_autoencoder, latent_deviation
from ldrps.train.tasks import tone_tolerance as measured_tolerance

PARTS = ("autoencoder", "diffusion", "tone")
LATENT_CHANNELS = 20
PATCH = 4
_PLANS = {
    "diffusion": TrainingPlan(steps=3600, ema=0.998, validate_every=250),
    "tone": TrainingPlan(steps=4000, ema=0.998, validate_every=250),
}


def train_part(
    part: str, data: Sequence[Path], out: Path, *, steps: int | None = None, seed: int = 0, resume: bool = False
) -> Iterator[str]:
    """Train one part on the photographs below `data` and put it into the prior's folder `out`; yields lines to show.

    A run that a signal stops before its last step leaves a checkpoint, and the folder's part as it was.

    Raises:
        InputError: an unknown part, no steps, no photographs, a checkpoint that is there without `resume` or missing
            with it, or diffusion before there is an autoencoder.
    """
    if part not in PARTS:
        raise InputError(f"part is {part!r}; there are {', '.join(PARTS)}")
    if steps is not None and steps < 1:
        raise InputError(f"steps is {steps}; it must be at least 1")
    photos, held_out = Photographs(data), Photographs(data, held_out=True)
    yield f"{len(photos.images)} photographs to train on, {len(held_out.images)} held out"
    torch.manual_seed(seed)  # initial weights
    if part == "autoencoder":
        autoencoder = fit_autoencoder(photos, latent_channels=LATENT_CHANNELS, patch_size=PATCH, seed=seed)
        save_part(out, "vae", autoencoder)
        yield f"round trip of held-out crops: {autoencoder_psnr(autoencoder, held_out):.2f} dB"
        return

    plan = replace(_PLANS[part], seed=seed, **({} if steps is None else {"steps": steps}))
    checkpoints = out / "training" / part
    if part == "tone":
        tone, tones = TonePosterior(), ToneTask(photos, held_out)
        if (yield from _lines(train(tone, tones.loss, tones.validate, plan, checkpoints, resume=resume), plan.steps)):
            tone.register_to_config(tolerance=measured_tolerance(tone, held_out))
            save_part(out, "tone", tone)
        return

    if not (out / "vae").is_dir():
        raise InputError(f"{out} has no autoencoder: run `ldrps train autoencoder` first")
    vae = load_part(out, "vae", torch.device("cpu"), torch.float32)
    assert isinstance(vae, PatchAutoencoder)
    unet = PreconditionedUNet(latent_deviation(vae, photos, seed)).to(memory_format=torch.channels_last)
    denoising = DiffusionTask(vae, photos, held_out)
    training = train(unet, denoising.loss, denoising.validate, plan, checkpoints, resume=resume)
    if (yield from _lines(training, plan.steps)):
        save_part(out, "unet", unet)


def _lines(training: Iterator[Progress], steps: int) -> Generator[str, None, bool]:
    """A line for each report; returns whether the last step was reached."""
    reached = steps  # a finished run that is resumed reports nothing
    for progress in training:
        reached = progress.step
        figures = "".join(f"  {name} {value:.2f}" for name, value in (progress.validation or {}).items())
        yield f"step {reached}  loss {progress.loss:.4f}  {progress.seconds:.0f} s{figures}"
    if reached < steps:
        yield f"stopped at step {reached} of {steps}: nothing is put into the prior yet; go on with --resume"
    return reached >= steps
