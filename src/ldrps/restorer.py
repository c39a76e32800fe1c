"""A damaged picture in, a restored one out: describe, encode, sample, recur, decode."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from pathlib import Path

import torch
from torch import Tensor

from ldrps.caption.base import Caption
from ldrps.caption.text import literal
from ldrps.colour import colourise, is_grey
from ldrps.cost import affordable
from ldrps.estimation.estimators import Estimators, load_estimators
from ldrps.guard import check_restored
from ldrps.guidance.perceptual import Features
from ldrps.image.arrays import to_pil
from ldrps.image.limits import MAX_PIXELS
from ldrps.image.pad import pad_to_multiple
from ldrps.image.picture import Picture, Source, load_picture, to_levels
from ldrps.image.tiles import Canvas, Window
from ldrps.image.transfer import carry_over, reduced
from ldrps.memory import out_of_memory
from ldrps.methods import plan
from ldrps.prior import EMBEDDED, load_prior
from ldrps.prior.base import Prior
from ldrps.progress import OnStep, Progress, Recaption, Steps, follow
from ldrps.relight import find_light, relit
from ldrps.result import Result
from ldrps.sampling.chains import Chain
from ldrps.settings import ProximalPosterior, Settings
from ldrps.settings import preset as preset_settings

logger = logging.getLogger(__name__)


class Restorer:
    """Restores pictures with one prior and one set of settings.

    Keeps nothing between pictures: each result depends on its picture, the prior, the settings and the caption alone.

    Args:
        prior: see `ldrps.load_prior`.
        settings: see `ldrps.preset`.
        estimators: what tells what happened to a picture; None takes those of the package.
        features: what the perceptual terms of the paper's presets compare, such as `VGG16Features`; None takes the
            prior's own encoder, which needs no further weights.
    """

    def __init__(
        self,
        prior: Prior,
        settings: Settings | None = None,
        *,
        estimators: Estimators | None = None,
        features: Features | None = None,
    ) -> None:
        self.prior = prior
        self.settings = settings or Settings()
        self.estimators = (estimators or load_estimators()).to(prior.device)
        self.features = features

    def with_settings(self, settings: Settings) -> Restorer:
        """Another with the same networks."""
        return Restorer(self.prior, settings, estimators=self.estimators, features=self.features)

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
        on_step: OnStep | None = None,
        recaption: Recaption | None = None,
    ) -> Result:
        """Restore one picture. `on_step` sees every step; if it returns False the restoration stops.

        The negative of a `Caption`, if it has one, takes the place of the one in the settings.

        Raises:
            InputError: the image breaks the contract of `load_picture`.
            Cancelled: `on_step` returned False.
        """
        return follow(self.steps(image, caption, recaption=recaption), on_step)

    def steps(
        self,
        image: Source,
        caption: Caption | str = "",
        *,
        recaption: Recaption | None = None,
    ) -> Steps:
        """Restore one picture step by step: a generator of `Progress` that returns the `Result`.

        `recaption` is asked about the picture as it is before each recurrence, and its answer is heard from there on;
        of a picture that is restored in several windows there is no such picture, and it is not asked.

        Where memory runs out, smaller windows are tried before giving up.
        """
        picture = image if isinstance(image, Picture) else load_picture(image)
        told = literal(caption) if isinstance(caption, str) else caption
        settings = self.settings.with_changes(negative=told.negative or None)
        if told.text and not self.prior.has_text:
            logger.warning("%s knows no text: the caption is recorded and not used", self.prior.name)
        while True:
            try:
                return (yield from self._run(picture, told, settings, recaption))
            except Exception as error:
                smaller = settings.tile // 2
                in_windows = isinstance(settings.posterior, ProximalPosterior) and max(picture.size) > smaller
                if not out_of_memory(error) or not in_windows or smaller < 4 * settings.overlap:
                    raise
                logger.warning("%s: not enough memory, trying windows of %d pixels", picture.source, smaller)
                settings = settings.with_changes(tile=smaller)

    def _run(
        self,
        picture: Picture,
        told: Caption,
        settings: Settings,
        recaption: Recaption | None,
    ) -> Steps:
        began = time.perf_counter()
        prior, content = self.prior, picture.content
        if content.missing or not picture.has_shades:
            return _left_alone(picture, told, settings, prior.name, began)
        seen = content.seen(picture.rgb)
        colouring = settings.colourise and is_grey(seen)
        small = reduced(seen, settings.working_size) if settings.working_size else seen
        y, crop = pad_to_multiple(small, prior.size_multiple)  # [1, 3, H', W']
        visible = content.visible_in(small, prior.size_multiple)
        generator = torch.Generator().manual_seed(settings.seed)
        words = "" if colouring else told.text  # those of a grey picture are about its colours
        method = plan(y, prior, self.estimators, settings, words, self.features, generator, visible)
        prepared = time.perf_counter()

        canvas = Canvas(method.windows, y.shape[-2], y.shape[-1])
        losses: list[dict[str, float]] = []
        rounds = len(method.rounds)
        total = len(method.windows) * sum(len(timesteps) for timesteps in method.rounds)
        for window in method.windows:
            part = method.part(window)
            z: Tensor | None = None
            for number in range(rounds):
                # Recurrence (section 3.3): the result of a round, re-noised to gamma T, is the start of the next.
                z = part.start() if z is None else part.renoise(z, number)
                z = yield from _report(part.chain(z, number), window, number, total, losses)
                if recaption is not None and not colouring and number + 1 < rounds and len(method.windows) == 1:
                    told = recaption(to_pil(crop(part.picture(z))[0]))
                    method.hear(told.text)
            restored = part.picture(z).to(y.device)
            check_restored(window.of(y), restored, picture.source)
            canvas.add(window, restored)

        restored = crop(canvas.image)
        if small is not seen:
            restored = carry_over(seen, small, restored)
        if settings.relight and told.text and prior.has_text:
            change = find_light(prior, restored, told.text, settings.relight)
            restored, method.findings["relit"] = relit(restored, change), round(change, 2)
        if colouring:
            picture = picture.in_colour()
            restored = colourise(prior, restored, generator, caption=told.text, negative=settings.negative)
        done = time.perf_counter()
        seconds = {"prepare": prepared - began, "sample": done - prepared, "total": done - began}
        return Result(
            to_levels(picture, content.put_back(picture.rgb, seen, restored)),
            picture,
            settings,
            prior.name,
            told.text,
            method.findings | content.report(),
            losses,
            {part: round(value, 3) for part, value in seconds.items()},
            told.source,
            told.note,
        )


def restore(
    image: Source,
    caption: str = "",
    *,
    preset: str = "default",
    prior: str | Path | Prior = EMBEDDED,
    seed: int | None = None,
    steps: int | None = None,
    recurrences: int | None = None,
    max_pixels: int = MAX_PIXELS,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
) -> Result:
    """Restore one picture, of any damage: a short cut for `Restorer(load_prior(prior), settings)(image)`.

    Args:
        image: a path, a PIL image, a numpy array [H, W, 3] (uint8, or floating in [0, 1]), or a torch tensor
            [3, H, W] or [1, 3, H, W] (floating in [0, 1]); at least 32 pixels a side.
        caption: what the picture should show; used by priors that know text.
        preset: "default", "fast", "best", or one of the paper's.
        prior: "embedded", a folder, a hub id, or a loaded prior (the way to go for many pictures).
        seed, steps, recurrences: instead of the preset's.
        max_pixels: larger pictures are refused.
        device: "cpu", "cuda", "mps".
        dtype: precision of the prior's networks.

    Raises:
        InputError: the image or a setting cannot be used.
        PriorError: the prior cannot be loaded.
    """
    loaded = prior if isinstance(prior, Prior) else load_prior(prior, device=device, dtype=dtype)
    settings = preset_settings(preset).with_changes(seed=seed, steps=steps, recurrences=recurrences)
    picture = image if isinstance(image, Picture) else load_picture(image, max_pixels=max_pixels)
    return Restorer(loaded, settings)(picture, caption)


def _left_alone(picture: Picture, told: Caption, settings: Settings, prior: str, began: float) -> Result:
    """The result for a picture without shades, which light, haze and noise would have left, or with nothing to see."""
    seconds = {"total": round(time.perf_counter() - began, 3)}
    levels = to_levels(picture, picture.rgb)
    findings = picture.content.report() if picture.content.missing else {"shades": False}
    return Result(levels, picture, settings, prior, told.text, findings, [], seconds, told.source, told.note)


def _report(
    chain: Chain, window: Window, number: int, total: int, losses: list[dict[str, float]]
) -> Generator[Progress, None, Tensor]:
    """The steps of a chain as progress of the whole, each also noted in `losses`; returns the chain's end."""
    while True:
        try:
            step = next(chain)
        except StopIteration as finished:
            return finished.value
        losses.append({"round": number, "t": step.t, **step.losses})
        yield Progress(len(losses), total, number, step.t, step.losses, step.z0, window)
