"""A damaged picture in, a restored one out: describe, encode, sample, recur, decode."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import NoneType
from typing import Self, Unpack

import torch
from torch import Tensor

from ldrps.caption.base import Caption
from ldrps.caption.text import literal
from ldrps.colour import colourise
from ldrps.cost import affordable, halved
from ldrps.errors import require
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.filling import Filler, masked, with_marks
from ldrps.guard import check_restored
from ldrps.guidance.perceptual import Features
from ldrps.image.arrays import from_batch, to_pil
from ldrps.image.enlarge import enlarged
from ldrps.image.limits import MAX_PIXELS
from ldrps.image.mask import MaskSource
from ldrps.image.picture import Picture, Source, to_levels
from ldrps.image.tiles import Canvas, Window
from ldrps.memory import out_of_memory
from ldrps.methods import plan
from ldrps.methods.base import Method
from ldrps.presets import preset as preset_settings
from ldrps.prior import EMBEDDED, load_prior
from ldrps.prior.base import Prior
from ldrps.prior.networks import on_device
from ldrps.progress import Clock, OnStep, Progress, Recaption, Reporter, StepCallback, Steps, follow, learning
from ldrps.relight import relight_as, why_not_relit
from ldrps.result import Result
from ldrps.settings import NamedSettings, Settings, check_names
from ldrps.working import Working, nothing_to_judge_by

logger = logging.getLogger(__name__)

_DAMAGE = "give a Damage, such as Damage.load(file) or Damage.from_plain(data)"


class Restorer:
    """Restores pictures with one prior and one set of settings.

    Keeps nothing between pictures: each result depends on its picture, on what is given with it, and on the arguments.
    Several threads may share one. Called with a picture, a tensor too, it returns a `Result`; `forward` takes a batch
    and returns a batch, and `ldrps.RestorerModule` makes a `torch.nn.Module` of that.

    >>> restorer = Restorer.from_pretrained(preset="fast")
    >>> result = restorer("samples/noisy.png")
    >>> result.words
    'noise ... of 255'
    >>> result.tensor.shape
    torch.Size([1, 3, 200, 300])

    Args:
        prior: see `ldrps.load_prior`.
        settings: see `ldrps.preset`.
        estimators: what tells what happened to a picture; None takes those of the package.
        damage: what happened to all pictures, where somebody knows; None has that of each estimated.
        features: what the perceptual terms of the paper's presets compare, such as `VGG16Features`; None takes the
            prior's own encoder, which needs no further weights.
    """

    def __init__(
        self,
        prior: Prior,
        settings: Settings | None = None,
        *,
        estimators: Estimators | None = None,
        damage: Damage | None = None,
        features: Features | None = None,
    ) -> None:
        require(prior, Prior, "the prior", "give a loaded one, ldrps.load_prior(name)")
        require(settings, (Settings, NoneType), "settings", "give a Settings, such as ldrps.preset('fast')")
        require(estimators, (Estimators, NoneType), "estimators", "give loaded ones, load_estimators(folder)")
        require(damage, (Damage, NoneType), "the damage", _DAMAGE)
        self.prior = prior
        self.settings = settings or Settings()
        self.estimators = (estimators or load_estimators()).to(prior.device, prior.precision)
        self.damage = damage
        self.features = features

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path = EMBEDDED,
        *,
        preset: str = "default",
        device: str | torch.device = "cpu",
        dtype: torch.dtype | None = None,
        revision: str | None = None,
        **settings: Unpack[NamedSettings],
    ) -> Self:
        """One with the prior that `ldrps.load_prior` loads, and a preset's settings, some of them changed by name.

        Raises:
            PriorError: the prior cannot be loaded.
            SettingsError: there is no such preset or setting, or its value cannot be.
        """
        check_names(settings, inspect.signature(cls.from_pretrained).parameters)
        chosen = preset_settings(preset).with_changes(**settings)
        return cls(load_prior(name, device=device, dtype=dtype, revision=revision), chosen)

    def to(self, device: str | torch.device) -> Restorer:
        """Another on a device, with copies of the networks that are elsewhere; this one and its prior stay.

        Raises:
            PriorError: as `Prior.to`.
        """
        prior, features = self.prior.to(device), self.features
        if isinstance(features, torch.nn.Module):
            features = on_device(features, prior.device)
        return Restorer(prior, self.settings, estimators=self.estimators, damage=self.damage, features=features)

    def with_settings(self, settings: Settings) -> Restorer:
        """Another with the same networks."""
        return Restorer(self.prior, settings, estimators=self.estimators, damage=self.damage, features=self.features)

    def with_seed(self, seed: int) -> Restorer:
        """Another with the same networks, and this seed."""
        return self.with_settings(self.settings.with_changes(seed=seed))

    def within(self, size: tuple[int, int], max_bytes: int | None) -> Restorer:
        """Another whose windows are small enough for a picture of that size; see `ldrps.cost.affordable`."""
        return self.with_settings(affordable(size, self.settings, max_bytes))

    def __call__(
        self,
        image: Source,
        caption: Caption | str = "",
        *,
        mask: MaskSource | None = None,
        protect: MaskSource | None = None,
        damage: Damage | None = None,
        on_step: OnStep | None = None,
        callback_on_step_end: StepCallback | None = None,
        recaption: Recaption | None = None,
    ) -> Result:
        """Restore one picture. `on_step` sees every step; if it returns False the restoration stops. The negative of a
        `Caption`, if it has one, takes the place of the one in the settings.

        Args:
            image: what `load_picture` takes.
            caption: what it shows.
            mask: what is lost of it and to be filled, white; see `load_mask`, and `Picture.with_holes` for "alpha".
            protect: what comes back as it is, white.
            damage, recaption: as of `steps`.
            on_step: sees every step.
            callback_on_step_end: the same in the form that pipelines of diffusers have; see `StepCallback`.

        Raises:
            InputError: the image breaks the contract of `load_picture`, or a mask that of `load_mask`, or is of another
                size.
            SettingsError: a damage or a mask is given to a method that has no use for it, or with a scale.
            Cancelled: `on_step` returned False, or `callback_on_step_end`.
        """
        steps = self.steps(image, caption, mask=mask, protect=protect, damage=damage, recaption=recaption)
        return follow(steps, self._watched_by(on_step, callback_on_step_end))

    def _watched_by(self, on_step: OnStep | None, callback: StepCallback | None) -> OnStep | None:
        """One `on_step` for both."""
        if callback is None:
            return on_step

        def both(progress: Progress) -> bool:
            goes_on = on_step is None or on_step(progress) is not False
            answer = callback(self, progress.number - 1, progress.t, {"latents": progress.z0})
            return goes_on and answer is not False

        return both

    @torch.inference_mode(False)
    def forward(
        self,
        y: Tensor,
        caption: Caption | str = "",
        *,
        damage: Damage | None = None,
        on_step: OnStep | None = None,
        callback_on_step_end: StepCallback | None = None,
    ) -> Tensor:
        """Restore a batch of pictures, one after the other, each as if it were alone.

        Args:
            y: floating [B, 3, H, W] in [0, 1] of sRGB, on any device.
            caption, damage, on_step, callback_on_step_end: of each picture; see `__call__`.

        Returns:
            [B, 3, s H, s W] in [0, 1], not rounded to levels, without gradient, of the dtype and device of y; s is the
            `scale` of the settings.

        >>> import torch
        >>> restorer = Restorer.from_pretrained(preset="fast", scale=2)
        >>> restorer.forward(torch.rand(2, 3, 40, 48, dtype=torch.float64)).shape
        torch.Size([2, 3, 80, 96])

        Raises:
            InputError: y is no such tensor; the message has the value, the limit and the remedy.
            Cancelled: `on_step` returned False, or `callback_on_step_end`.
        """
        pictures = [Picture(rgb[None]) for rgb in from_batch(y, MAX_PIXELS)]
        watch = self._watched_by(on_step, callback_on_step_end)
        results = [self(picture, caption, damage=damage, on_step=watch) for picture in pictures]
        return torch.cat([result.tensor for result in results]).to(y.device, y.dtype)

    @learning
    def steps(
        self,
        image: Source,
        caption: Caption | str = "",
        *,
        mask: MaskSource | None = None,
        protect: MaskSource | None = None,
        damage: Damage | None = None,
        recaption: Recaption | None = None,
    ) -> Steps:
        """Restore one picture step by step: a generator of `Progress` that returns the `Result`.

        `damage` is what happened to this picture, such as the `Result.damage` of an earlier restoration, perhaps
        edited: nothing is estimated then, and the mask of its holes is read again unless one is given. `recaption` is
        asked about the picture as it is before each recurrence, and its answer is used from there on; of a picture in
        several windows there is no such picture, and it is not asked. Where memory runs out, smaller windows are tried
        before giving up.
        """
        require(caption, (Caption, str), "the caption", 'give a text, "" for none, or a Caption')
        require(damage, (Damage, NoneType), "the damage", _DAMAGE)
        damage = damage or self.damage
        picture = masked(image, mask, protect, damage)
        if damage is None:
            picture = with_marks(picture, self.estimators.scratches, self.settings)
        caption = literal(caption) if isinstance(caption, str) else caption
        settings = self.settings.with_changes(negative=caption.negative or None)
        settings = settings.with_masks(holes=picture.lost is not None, protected=picture.protected is not None)
        if caption.text and not self.prior.has_text:
            logger.warning("%s knows no text: the caption is recorded and not used", self.prior.name)
        while True:
            try:
                return (yield from self._run(picture, caption, settings, damage, recaption))
            except Exception as error:
                smaller = halved(picture.size, settings) if out_of_memory(error) else None
                if smaller is None:
                    raise
                logger.warning("%s: not enough memory, trying windows of %d pixels", picture.source, smaller.tile)
                settings = smaller

    def _run(
        self, picture: Picture, caption: Caption, settings: Settings, damage: Damage | None, recaption: Recaption | None
    ) -> Steps:
        clock, made = Clock(), partial(Result, settings=settings, prior=self.prior.name, precision=self.prior.precision)
        nothing = nothing_to_judge_by(picture, is_known=damage is not None)
        if nothing and picture.lost is not None:
            damage = Damage()  # which leaves all that is known as it is
        elif nothing:
            nothing, picture = replace(nothing, scale=settings.scale), enlarged(picture, settings.scale)
            levels = to_levels(picture, picture.rgb)
            made = partial(made, levels=levels, rgb=picture.rgb, findings=nothing)
            return made(picture=picture, caption=caption, seconds=clock.seconds())
        working = Working.of(picture, self.prior, settings)
        generator = torch.Generator().manual_seed(settings.seed)
        reporter = Reporter(settings.method.steps_before(settings))
        planning = plan(
            working.y,
            self.prior,
            settings,
            generator,
            estimators=self.estimators,
            caption="" if working.colouring else caption.text,  # that of a grey picture is about its colours
            features=self.features,
            visible=working.visible,
            size=(working.small.shape[-2], working.small.shape[-1]),
            damage=damage,
            codec=working.codec,
        )
        whole = Window(0, 0, *working.y.shape[-2:])
        method = yield from reporter.follow(planning, whole, lambda z0: self.prior.decode(z0[:1]))
        clock.lap("prepare")
        recaption = None if working.colouring else recaption
        filler = Filler(picture, self.prior, settings)
        rounds = max(len(method.rounds_of(window)) for window in method.windows)
        restored, caption = yield from _recurrence(method, working, caption, recaption, reporter, filler.steps)
        restored, relit_by = relight_as(self.prior, working.full(restored), caption.text, settings.relight)
        picture = enlarged(picture, settings.scale)
        if working.colouring:
            picture = picture.in_colour()
            restored = colourise(self.prior, restored, generator, caption=caption.text, negative=settings.negative)
        clock.lap("sample")
        shown = Window(0, 0, *working.small.shape[-2:])
        restored = yield from filler.fill(working.whole(restored), caption.text, reporter, shown, rounds)
        rgb = picture.keep_protected(restored).detach().float().cpu()
        clock.lap("fill")
        unheeded = (*working.unheeded, *why_not_relit(self.prior, caption.text, settings.relight))
        bars = working.picture.content.bars
        findings = replace(nothing or method.findings, bars=bars, relit=relit_by, unheeded=unheeded)
        return made(
            levels=to_levels(picture, rgb),
            rgb=rgb,
            picture=picture,
            caption=caption,
            findings=filler.told(findings),
            losses=reporter.losses,
            seconds=clock.seconds(),
        )


def _recurrence(
    method: Method, working: Working, caption: Caption, recaption: Recaption | None, reporter: Reporter, later: int
) -> Generator[Progress, None, tuple[Tensor, Caption]]:
    """Carry a plan out, window by window and round by round: the restored y, and the caption that was used last.

    The result of a round, re-noised to gamma T, is the start of the next (section 3.3). `later` steps will follow.
    """
    canvas, rounds_of = Canvas(method.windows, *method.size), [method.rounds_of(window) for window in method.windows]
    reporter.expect(sum(len(timesteps) for rounds in rounds_of for timesteps in rounds) + later)
    for window, rounds in zip(method.windows, map(len, rounds_of), strict=True):
        part = method.part(window)
        z: Tensor | None = None
        for number in range(rounds):
            z = part.start() if z is None else part.renoise(z, number)
            z = yield from reporter.follow(part.chain(z, number), window, part.preview, number)
            if recaption is not None and number + 1 < rounds and len(method.windows) == 1:
                caption = recaption(to_pil(working.crop(part.picture(z))[0]))
                method.set_caption(caption.text)
        restored = part.picture(z).to(working.y.device)
        check_restored(method.seen(window), restored, working.picture.source)
        canvas.add(window, restored)
    return canvas.image, caption
