"""`ldrps train`: the parts of a small prior, one after the other, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from safetensors.torch import save as save_tensors
from torch import nn

from ldrps.caption.look import compose_caption, describe_look
from ldrps.errors import InputError
from ldrps.estimation import JUDGES, PACKAGED
from ldrps.estimation.blur_posterior import BlurPosterior
from ldrps.estimation.cast_posterior import CastPosterior
from ldrps.estimation.enlarger import Enlarger
from ldrps.estimation.estimators import Judge, load_estimators, save_estimator
from ldrps.estimation.noise_posterior import NoisePosterior
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.estimation.tone import TonePool, newest
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.image.files import replace_file
from ldrps.prior import EMBEDDED, prior_folder
from ldrps.prior.device import usable_device
from ldrps.prior.text import TextEncoder
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import LatentUNet
from ldrps.prior.tiny.prior import load_part, load_text, save_part, save_text
from ldrps.rivals.zero_dce import OWN_WEIGHTS, CurveNet
from ldrps.train.blur_task import BlurTask
from ldrps.train.blurs import SHARP
from ldrps.train.cast_task import CASTS, CastTask
from ldrps.train.config import TrainingConfig, read_config
from ldrps.train.curves import CurveTask
from ldrps.train.enlarge_task import EnlargeTask
from ldrps.train.loop import TrainingProgress, TrainingTask, train
from ldrps.train.noise_task import NONE, NoiseTask
from ldrps.train.order import check_order
from ldrps.train.photos import Photographs
from ldrps.train.scratch_task import ScratchTask
from ldrps.train.tasks import (
    CaptionedDenoiser,
    DiffusionTask,
    autoencoder_psnr,
    fit_autoencoder,
    latent_deviation,
)
from ldrps.train.text import new_text_encoder
from ldrps.train.tone_task import ToneTask
from ldrps.train.tones import UNDAMAGED
from ldrps.weights import fill, read_weights

_Network = TypeVar("_Network", bound=nn.Module)


def train_part(
    part: str,
    data: Sequence[Path],
    out: Path,
    *,
    config: Path | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: str | None = None,
    resume: bool = False,
    init: str | Path | None = None,
) -> Iterator[str]:
    """Train one part on the photographs below `data` and put it into the prior's folder `out`; yields lines to show.

    A run that a signal stops before its last step leaves a checkpoint, and the folder's part as it was. With `init`, a
    prior's folder or "embedded", training starts from that prior's weights; what the captions of a text encoder mean
    that is in `out` and not in `init` is learned anew. `config` is a TOML file, see `read_config`; `steps`, `seed` and
    `device` count more than what it says. "pixels" is "diffusion", by the same tables, of latents from which the pixels
    come back exactly; it makes the autoencoder that it needs. "zero-dce" is no part of a prior but a rival of its own,
    Zero-DCE++, whose weights it leaves in `out`.

    Raises:
        InputError: as `check_order`; no steps, a bad config, no photographs, a checkpoint that is there without
            `resume` or missing with it, diffusion before there is an autoencoder, pixels where there is one that loses
            some, or an `init` whose part is another network.
        PriorError: the part of `init` is missing or broken, or the device cannot be used.
    """
    check_order(part, data, out, config=config, device=device, init=init)
    settings = read_config(config)
    plans = {judge: getattr(settings, judge) for judge in JUDGES} | {"zero-dce": settings.zero_dce}
    plan = plans.get(part, settings.diffusion)
    options = {"steps": steps, "seed": seed, "device": device}
    plan = replace(plan, **{name: value for name, value in options.items() if value is not None})
    usable_device(plan.device, torch.float32)
    photos, held_out = Photographs(data), Photographs(data, held_out=True)
    yield f"{len(photos.images)} photographs to train on, {len(held_out.images)} held out"
    torch.manual_seed(plan.seed)  # initial weights
    if part in ("autoencoder", "text"):
        make = _make_autoencoder if part == "autoencoder" else _make_text
        yield make(photos, held_out, out, settings, plan.seed)
        return
    prepare = _PREPARE[part]
    model, task, save = prepare(photos, held_out, out, settings, plan.seed, init)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # what convolutions like best
    training = train(model, task, plan, out / "training" / part, resume=resume)
    if (yield from _lines(training, plan.steps)):
        save()


def _make_autoencoder(photos: Photographs, held_out: Photographs, out: Path, config: TrainingConfig, seed: int) -> str:
    sizes = config.autoencoder
    vae = fit_autoencoder(photos, latent_channels=sizes.latent_channels, patch_size=sizes.patch_size, seed=seed)
    save_part(out, "vae", vae)
    return f"round trip of held-out crops: {autoencoder_psnr(vae, held_out):.2f} dB"


def _make_text(photos: Photographs, held_out: Photographs, out: Path, config: TrainingConfig, seed: int) -> str:
    photos.name_subjects()
    random, captions = np.random.default_rng(seed), []
    for _ in range(20):
        crops, subjects = photos.crops_with_subjects(random, 100, 64, (1.0, 8.0))
        captions += [compose_caption([s, *describe_look(c)]) for c, s in zip(crops, subjects, strict=True)]
    captions += photos.subjects
    text = new_text_encoder(captions, **vars(config.text))
    save_text(out, text)
    return f"a vocabulary of {len(text.tokenizer)} tokens from captions such as: {captions[0]}"


_Prepared = tuple[nn.Module, TrainingTask, Callable[[], None]]
_Prepare = Callable[[Photographs, Photographs, Path, TrainingConfig, int, str | Path | None], _Prepared]


_Learn = Callable[[Photographs, Photographs, TrainingConfig], TrainingTask]


def _judge(
    part: str,
    new: Callable[[], Judge],
    learn: _Learn,
    photos: Photographs,
    held_out: Photographs,
    out: Path,
    config: TrainingConfig,
    seed: int,
    init: str | Path | None,
) -> _Prepared:
    """A judge of damage, the part of `Estimators` of that name."""
    model = new()
    if init is not None:
        known = getattr(load_estimators(PACKAGED if init == EMBEDDED else init), part)
        if isinstance(known, TonePosterior | TonePool):
            known = newest(known).with_uneven(int(model.config["uneven"]))
        elif isinstance(known, NoisePosterior):
            known = known.with_periods()
        # Weights alone: how many pictures of the training have nothing is not the other judge's to say.
        model.load_state_dict(_started(model, known, init).state_dict())
    return model, learn(photos, held_out, config), lambda: save_estimator(out, part, model)


def _tone_task(photos: Photographs, held_out: Photographs, config: TrainingConfig) -> TrainingTask:
    examples = config.tone_examples
    return ToneTask(photos, held_out, families=examples.families, details=examples.details)


def _task(task: Callable[[Photographs, Photographs], TrainingTask]) -> _Learn:
    """One that has no numbers of its own."""
    return lambda photos, held_out, _: task(photos, held_out)


def _diffusion(
    photos: Photographs, held_out: Photographs, out: Path, config: TrainingConfig, seed: int, init: str | Path | None
) -> _Prepared:
    if not (out / "vae").is_dir():
        raise InputError(f"{out} has no autoencoder: run `ldrps train autoencoder` first")
    vae = _loaded(out, "vae")
    assert isinstance(vae, PatchAutoencoder)
    if init is not None and not vae.begins_with(_loaded(prior_folder(init), "vae")):
        raise InputError(f"{out} and {init} have different autoencoders: copy the folder vae of {init} to {out}")
    text = _text(out)
    width = 0 if text is None else int(text.model.config.hidden_size)
    deviation = latent_deviation(vae, photos, seed)
    unet = LatentUNet(deviation, **vars(config.unet), text_width=width)
    if init is not None:
        known = _loaded(prior_folder(init), "unet")
        known = known if _same(text, _text(prior_folder(init))) else known.with_text(width)
        known = known.with_kinds(max(config.unet.kinds, known.config["kinds"]))
        unet = _started(unet, known.with_channels(deviation[len(known.config["sigma_data"]) :]), init)
    if text is not None:
        text.model.requires_grad_(True).train()
        photos.name_subjects()

    def save() -> None:
        save_part(out, "unet", unet)
        if text is not None:
            save_text(out, text)

    return CaptionedDenoiser(unet, text), DiffusionTask(vae, photos, held_out), save


def _pixels(
    photos: Photographs, held_out: Photographs, out: Path, config: TrainingConfig, seed: int, init: str | Path | None
) -> _Prepared:
    """Diffusion of as many latents as a patch has numbers: its principal components, all of them, are the pixels in
    another frame, in which white noise is white and each has a deviation of its own, as the preconditioning wants.
    """
    patch = config.autoencoder.patch_size
    numbers, there = 3 * patch**2, (out / "vae").is_dir()
    if there:
        vae = _loaded(out, "vae")
    elif init is not None:
        vae = _loaded(prior_folder(init), "vae")
    else:
        vae = fit_autoencoder(photos, latent_channels=numbers, patch_size=patch, seed=seed)
    found = vae.config["latent_channels"]
    if found != numbers:
        whose, remedy = (out, "give another --out") if there else (init, "leave out --init")
        raise InputError(f"the autoencoder of {whose} has {found} latents, pixels need {numbers}: {remedy}")
    if not there:
        save_part(out, "vae", vae)
    white = replace(config, unet=replace(config.unet, kinds=1))  # the rivals know no other noise
    return _diffusion(photos, held_out, out, white, seed, init)


def _zero_dce(
    photos: Photographs, held_out: Photographs, out: Path, config: TrainingConfig, seed: int, init: str | Path | None
) -> _Prepared:
    model = CurveNet()
    if init is not None:
        path = Path(init) / OWN_WEIGHTS if Path(init).is_dir() else Path(init)
        fill(model, read_weights(path), str(path))
        model.requires_grad_(True).train()

    def save() -> None:
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        replace_file(out / OWN_WEIGHTS, lambda file: file.write(save_tensors(state, {"format": "pt"})))

    return model, CurveTask(photos, held_out), save


def _loaded(folder: Path, part: str) -> Any:
    return load_part(folder, part, torch.device("cpu"), torch.float32)


def _text(folder: Path) -> TextEncoder | None:
    return load_text(folder, torch.device("cpu"))


def _same(text: TextEncoder | None, other: TextEncoder | None) -> bool:
    """Whether these are the same text encoder, as where its folders were copied from one prior to the other."""
    if text is None or other is None:
        return text is other
    states = [each.model.state_dict() for each in (text, other)]
    return (
        text.tokenizer.get_vocab() == other.tokenizer.get_vocab()
        and states[0].keys() == states[1].keys()
        and all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    )


def _started(model: _Network, weights: _Network, init: str | Path) -> _Network:
    """The network that begins with trained weights: its own, or with the deviations that those were trained for."""
    fresh, trained = ({name: tensor.shape for name, tensor in net.state_dict().items()} for net in (model, weights))
    if fresh != trained:
        raise InputError(f"{init} has another network than the one that is trained here: leave out --init")
    return weights.requires_grad_(True).train()


def _lines(training: Iterator[TrainingProgress], steps: int) -> Generator[str, None, bool]:
    """A line for each report; returns whether the last step was reached."""
    reached = steps  # a finished run that is resumed reports nothing
    for progress in training:
        reached = progress.step
        figures = "".join(f"  {name} {value:.2f}" for name, value in (progress.validation or {}).items())
        left = timedelta(seconds=round(progress.left))
        yield f"step {reached} of {steps}  loss {progress.loss:.4f}  {left} left{figures}"
    if reached < steps:
        yield f"stopped at step {reached} of {steps}: nothing is put into the prior yet; go on with --resume"
    return reached >= steps


_PREPARE: dict[str, _Prepare] = {
    "tone": partial(_judge, "tone", partial(TonePosterior, undamaged=UNDAMAGED, turned=True), _tone_task),
    "noise": partial(_judge, "noise", partial(NoisePosterior, none=NONE, periods=True), _task(NoiseTask)),
    "blur": partial(_judge, "blur", partial(BlurPosterior, none=SHARP), _task(BlurTask)),
    "cast": partial(_judge, "cast", partial(CastPosterior, casts=CASTS), _task(CastTask)),
    "scratches": partial(_judge, "scratches", ScratchDetector, _task(ScratchTask)),
    "enlarger": partial(_judge, "enlarger", Enlarger, _task(EnlargeTask)),
    "diffusion": _diffusion,
    "pixels": _pixels,
    "zero-dce": _zero_dce,
}
