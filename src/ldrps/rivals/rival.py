"""The contract of a rival: another system that restores, a `PictureRestorer` as `ldrps.Restorer` is."""

from __future__ import annotations

import copy
import dataclasses
import logging
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from ldrps.caption.base import Caption
from ldrps.caption.text import literal
from ldrps.cost import check_reading
from ldrps.errors import SettingsError
from ldrps.guard import check_restored
from ldrps.image.pad import pad_to_multiple
from ldrps.image.picture import Picture, Source, load_picture, to_levels
from ldrps.image.tiles import Window
from ldrps.prior.device import usable_device
from ldrps.progress import Clock, OnStep, Progress, Recaption, Steps, follow, learning
from ldrps.result import Result
from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.sampling.chains import Losses

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RivalSettings:
    """All that decides what a rival makes of a picture; each rival adds its own numbers, as published.

    Raises:
        SettingsError: a number is out of range.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**64:
            raise SettingsError(f"seed is {self.seed}; it must be 0 to {2**64 - 1}")

    @property
    def recorded_as(self) -> str:
        """The name of the method in records."""
        return type(self).__name__.removesuffix("Settings")


def check_steps(steps: int) -> None:
    """Refuse a number of steps that nobody can mean.

    Raises:
        SettingsError: it is not 1 to 100,000.
    """
    if not 1 <= steps <= 100_000:
        raise SettingsError(f"steps is {steps}; it must be 1 to 100000")


@dataclass(frozen=True)
class RivalStep:
    """A step of a rival.

    Attributes:
        number: how many are done, of `total`.
        losses: the weighted loss terms by name; may be empty.
        picture: float [1, 3, H, W], the result if it stopped now, or near it, nominally in [0, 1]; detached.
    """

    number: int
    total: int
    losses: Losses
    picture: Tensor


Run = Generator[RivalStep, None, Tensor]


class Rival(ABC):
    """A system that the paper compares with.

    Keeps nothing between pictures but weights that were loaded: what it learns of a picture is made in `run` and goes
    with it. A subclass says what its settings are, which sizes it takes, and how it restores a picture.

    Args:
        facts: its entry of `RIVALS`, or of the caller's own making.
        settings: as published, unless given; of the class's `settings_type`.
        device: where it computes.

    Raises:
        PriorError: the device is unknown or absent.
    """

    settings_type: ClassVar[type[RivalSettings]] = RivalSettings
    multiple: ClassVar[int] = 1  # pictures are padded by reflection until height and width are multiples of it

    def __init__(self, facts: Facts, settings: RivalSettings | None = None, *, device: str = "cpu") -> None:
        self.facts = facts
        self.settings = settings or self.settings_type()
        self.device = usable_device(device, torch.float32)

    @classmethod
    def build(cls, facts: Facts, options: RivalOptions) -> Self:
        """A rival as the caller orders it; one that has weights loads them here.

        Raises:
            PriorError: weights are missing, or not the ones that are needed.
            SettingsError: there is no such setting, or a value is out of range.
        """
        return cls(facts, cls.settings_of(facts, options), device=options.device)

    @classmethod
    def settings_of(cls, facts: Facts, options: RivalOptions) -> RivalSettings:
        """The class's settings, with the changes of the entry, then those of the options.

        Raises:
            SettingsError: there is no such setting, or a value is out of range.
        """
        given: dict[str, Any] = {"seed": options.seed, "steps": options.steps}
        changes = {**facts.changes, **{name: value for name, value in given.items() if value is not None}}
        changes |= options.changes
        known = [field.name for field in dataclasses.fields(cls.settings_type)]
        if wrong := [name for name in changes if name not in known]:
            raise SettingsError(f"{facts.name} has no setting {wrong[0]!r}; there are {', '.join(known)}")
        return cls.settings_type(**changes)

    def with_seed(self, seed: int) -> Self:
        """The same with another seed; weights that were loaded are shared."""
        other = copy.copy(self)
        other.settings = dataclasses.replace(self.settings, seed=seed)
        return other

    def within(self, size: tuple[int, int], max_bytes: int | None) -> Self:
        """Itself, if a picture of that size can at least be read and written; see `ldrps.cost.check_reading`."""
        check_reading(size, max_bytes)
        return self

    @abstractmethod
    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        """Restore y, float32 [1, 3, H, W] in [0, 1] on the rival's device, step by step.

        H and W are multiples of `multiple`. All chance comes from `generator`, which lives on the CPU; gradients are
        enabled. Yields at least one step and returns the result, of the shape of y, nominally in [0, 1].
        """

    def __call__(
        self,
        image: Source,
        caption: Caption | str = "",
        *,
        on_step: OnStep | None = None,
        recaption: Recaption | None = None,
    ) -> Result:
        """Restore one picture. `on_step` sees every step; if it returns False the restoration stops.

        Raises:
            InputError: the image breaks the contract of `load_picture`.
            Cancelled: `on_step` returned False.
        """
        return follow(self.steps(image, caption), on_step)

    @learning
    def steps(self, image: Source, caption: Caption | str = "", *, recaption: Recaption | None = None) -> Steps:
        """Restore one picture step by step: a generator of `Progress` that returns the `Result`.

        The caption is recorded; none of these systems listens to one, nor asks for another. `Progress.z0` is the
        picture at that step.
        """
        clock = Clock()
        picture = image if isinstance(image, Picture) else load_picture(image)
        caption = literal(caption) if isinstance(caption, str) else caption
        if caption.text:
            logger.warning("%s knows no text: the caption is recorded and not used", self.facts.name)
        y, crop = pad_to_multiple(picture.rgb, self.multiple)
        run = self.run(y.to(self.device), torch.Generator().manual_seed(self.settings.seed))
        whole = Window(0, 0, y.shape[-2], y.shape[-1])
        losses: list[dict[str, float]] = []
        clock.lap("prepare")
        while True:
            try:
                step = next(run)
            except StopIteration as finished:
                restored = crop(finished.value.detach().to("cpu", torch.float32))
                break
            t = step.total - step.number
            if step.losses:
                losses.append({"round": 0, "t": t, **step.losses})
            yield Progress(step.number, step.total, 0, t, step.losses, step.picture, whole, crop)
        check_restored(picture.rgb, restored, picture.source)
        clock.lap("sample")
        return Result(
            levels=to_levels(picture, restored),
            rgb=restored,
            picture=picture,
            settings=self.settings,
            prior=self.facts.name,
            caption=caption,
            losses=losses,
            seconds=clock.seconds(),
        )
