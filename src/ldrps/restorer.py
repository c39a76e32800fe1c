"""A damaged picture in, a restored one out: describe, encode, sample, recur, decode."""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from ldrps.caption.base import Caption
from ldrps.caption.text import literal
from ldrps.colour import colourise
from ldrps.cost import affordable, halved
from ldrps.estimation.damage import Damage
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.guard import check_restored
from ldrps.guidance.perceptual import Features
from ldrps.image.arrays import to_pil
from ldrps.image.enlarge import enlarged
from ldrps.image.picture import Picture, Source, load_picture, to_levels
from ldrps.image.tiles import Canvas, Window
from ldrps.memory import out_of_memory
from ldrps.methods import plan
from ldrps.methods.base import Method
from ldrps.prior.base import Prior
from ldrps.progress import Clock, OnStep, Progress, Recaption, Reporter, Steps, follow
from ldrps.relight import relight_as
from ldrps.result import Result
from ldrps.settings import Settings
from ldrps.working import Working, nothing_to_judge_by

logger = logging.getLogger(__name__)


class Restorer:
    """Restores pictures with one prior and one set of settings.

    Keeps nothing between pictures: each result depends on its picture, on what is given with it, and on the arguments.

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
        self.prior = prior
        self.settings = settings or Settings()
        self.estimators = (estimators or load_estimators()).to(prior.device)
        self.damage = damage
        self.features = features

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
        damage: Damage | None = None,
        on_step: OnStep | None = None,
        recaption: Recaption | None = None,
    ) -> Result:
        """Restore one picture. `on_step` sees every step; if it returns False the restoration stops. The negative of a
        `Caption`, if it has one, takes the place of the one in the settings.

        Raises:
            InputError: the image breaks the contract of `load_picture`.
            SettingsError: a damage is given to a method that learns it by itself.
            Cancelled: `on_step` returned False.
        """
        return follow(self.steps(image, caption, damage=damage, recaption=recaption), on_step)

    def steps(
        self,
        image: Source,
        caption: Caption | str = "",
        *,
        damage: Damage | None = None,
        recaption: Recaption | None = None,
    ) -> Steps:
        """Restore one picture step by step: a generator of `Progress` that returns the `Result`.

        `damage` is what happened to this picture, such as the `Result.damage` of an earlier restoration, perhaps
        edited: nothing is estimated then. `recaption` is asked about the picture as it is before each recurrence, and
        its answer is used from there on; of a picture in several windows there is no such picture, and it is not
        asked. Where memory runs out, smaller windows are tried before giving up.
        """
        picture = image if isinstance(image, Picture) else load_picture(image)
        caption = literal(caption) if isinstance(caption, str) else caption
        settings = self.settings.with_changes(negative=caption.negative or None)
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
        clock, made = Clock(), partial(Result, settings=settings, prior=self.prior.name)
        damage = damage or self.damage
        if nothing := nothing_to_judge_by(picture, is_known=damage is not None):
            nothing, picture = replace(nothing, scale=settings.scale), enlarged(picture, settings.scale)
            levels = to_levels(picture, picture.rgb)
            return made(levels=levels, picture=picture, caption=caption, findings=nothing, seconds=clock.seconds())
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
        restored, caption = yield from _recurrence(method, working, caption, recaption, reporter)
        restored, relit_by = relight_as(self.prior, working.full(restored), caption.text, settings.relight)
        picture = enlarged(picture, settings.scale)
        if working.colouring:
            picture = picture.in_colour()
            restored = colourise(self.prior, restored, generator, caption=caption.text, negative=settings.negative)
        clock.lap("sample")
        return made(
            levels=to_levels(picture, working.whole(restored)),
            picture=picture,
            caption=caption,
            findings=replace(method.findings, bars=working.picture.content.bars, relit=relit_by),
            losses=reporter.losses,
            seconds=clock.seconds(),
        )


def _recurrence(
    method: Method, working: Working, caption: Caption, recaption: Recaption | None, reporter: Reporter
) -> Generator[Progress, None, tuple[Tensor, Caption]]:
    """Carry a plan out, window by window and round by round: the restored y, and the caption that was used last.

    The result of a round, re-noised to gamma T, is the start of the next (section 3.3).
    """
    canvas, rounds = Canvas(method.windows, *method.size), len(method.rounds)
    reporter.expect(len(method.windows) * sum(len(timesteps) for timesteps in method.rounds))
    for window in method.windows:
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
