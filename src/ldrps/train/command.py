"""`ldrps train`: the parts of a small prior, one after the other, in one folder."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ldrps.errors import InputError
from ldrps.prior import EMBEDDED
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import PreconditionedUNet
from ldrps.prior.tiny.prior import SHIPPED, load_part, save_part
from ldrps.prior.tiny.tone import TonePosterior
from ldrps.train.loop import Progress, TrainingPlan, train
from ldrps.train.photos import Photographs
from ldrps.train.tasks import DiffusionTask, ToneTask, autoencoder_psnr, fit_autoencoder, latent_deviation
from ldrps.train.tones import UNDAMAGED

PARTS = {"autoencoder": "vae", "diffusion": "unet", "tone": "tone"}  # as in the folder
_Network = TypeVar("_Network", bound=nn.Module)

LATENT_CHANNELS = 20
PATCH = 4
_PLANS = {
    "diffusion": TrainingPlan(steps=3600, ema=0.998, validate_every=250),
    "tone": TrainingPlan(steps=4000, ema=0.998, validate_every=250),
}


def train_part(
    part: str,
    data: Sequence[Path],
    out: Path,
    *,
    steps: int | None = None,
    seed: int = 0,
    resume: bool = False,
    init: str | Path | None = None,
) -> Iterator[str]:
    """Train one part on the photographs below `data` and put it into the prior's folder `out`; yields lines to show.

    A run that a signal stops before its last step leaves a checkpoint, and the folder's part as it was. With `init`, a
    prior's folder or "embedded", training starts from that prior's weights.

    Raises:
        InputError: an unknown part, no steps, no photographs, a checkpoint that is there without `resume` or missing
            with it, diffusion before there is an autoencoder, or an `init` whose part is another network.
        PriorError: the part of `init` is missing or broken.
    """
    if part not in PARTS:
        raise InputError(f"part is {part!r}; there are {', '.join(PARTS)}")
    if steps is not None and steps < 1:
        raise InputError(f"steps is {steps}; it must be at least 1")
    photos, held_out = Photographs(data), Photographs(data, held_out=True)
    yield f"{len(photos.images)} photographs to train on, {len(held_out.images)} held out"
    torch.manual_seed(seed)  # initial weights
    if part == "autoencoder":
        if init is not None:
            raise InputError("the autoencoder is computed, not trained: leave out --init")
        autoencoder = fit_autoencoder(photos, latent_channels=LATENT_CHANNELS, patch_size=PATCH, seed=seed)
        save_part(out, "vae", autoencoder)
        yield f"round trip of held-out crops: {autoencoder_psnr(autoencoder, held_out):.2f} dB"
        return

    model: PreconditionedUNet | TonePosterior
    task: DiffusionTask | ToneTask
    if part == "tone":
        model, task = TonePosterior(undamaged=UNDAMAGED), ToneTask(photos, held_out)
    else:
        if not (out / "vae").is_dir():
            raise InputError(f"{out} has no autoencoder: run `ldrps train autoencoder` first")
        vae = _loaded(out, "vae")
        assert isinstance(vae, PatchAutoencoder)
        if init is not None and not torch.equal(vae.basis, _loaded(_folder(init), "vae").basis):
            raise InputError(f"{out} and {init} have different autoencoders: copy the folder vae of {init} to {out}")
        model, task = PreconditionedUNet(latent_deviation(vae, photos, seed)), DiffusionTask(vae, photos, held_out)
    if init is not None:
        model = _started(model, _loaded(_folder(init), PARTS[part]), init)

    plan = replace(_PLANS[part], seed=seed, **({} if steps is None else {"steps": steps}))
    model.to(memory_format=torch.channels_last)  # what convolutions on a CPU like best
    training = train(model, task.loss, task.validate, plan, out / "training" / part, resume=resume)
    if (yield from _lines(training, plan.steps)):
        save_part(out, PARTS[part], model)


def _folder(init: str | Path) -> Path:
    return SHIPPED if init == EMBEDDED else Path(init)


def _loaded(folder: Path, part: str) -> Any:
    return load_part(folder, part, torch.device("cpu"), torch.float32)


def _started(model: _Network, weights: _Network, init: str | Path) -> _Network:
    """The network that begins with trained weights: its own, or with the deviations that those were trained for."""
    fresh, trained = ({name: tensor.shape for name, tensor in net.state_dict().items()} for net in (model, weights))
    if fresh != trained:
        raise InputError(f"{init} has another network than the one that is trained here: leave out --init")
    return weights.requires_grad_(True).train()


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
