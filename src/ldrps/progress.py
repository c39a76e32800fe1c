"""Whoever restores, and the steps of it: what is to be seen of each, and how one is stopped between two."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, Self, TypeVar

import torch
from PIL import Image
from torch import Tensor

from ldrps.caption.base import Caption
from ldrps.errors import Cancelled
from ldrps.image.picture import Source
from ldrps.image.tiles import Window
from ldrps.result import Result
from ldrps.sampling.chains import Losses, Step

_End = TypeVar("_End")
_Given = ParamSpec("_Given")


@dataclass(frozen=True)
class Progress:
    """A step of a restoration, for progress bars, previews and traces.

    To `callback_on_step_end`, see `StepCallback`, the same is told in the terms of diffusers.

    Attributes:
        number: how many steps are done, of `total`, as far as that is known by now.
        round: 0 for the first chain, then the recurrences.
        t: the timestep.
        losses: the weighted loss terms by name.
        z0: the clean latents as predicted at this step, a batch of chains or views of the window; of a method without
            latents, the picture as it is, [1, 3, H, W].
        window: the part of the picture's content (padded, or reduced to the working size) that is being restored.
        decode: z0 to the window [1, 3, h, w].
    """

    number: int
    total: int
    round: int
    t: int
    losses: Losses
    z0: Tensor
    window: Window
    decode: Callable[[Tensor], Tensor] = field(repr=False)

    def picture(self) -> Tensor:
        """The window as it is by now, [1, 3, h, w], nominally in [0, 1]; a call of the decoder, if there is one."""
        return self.decode(self.z0)


class Reporter:
    """Turns the steps of chains into the progress of a whole restoration, and notes their losses.

    Args:
        total: how many steps are expected, to begin with.

    Attributes:
        losses: per step: round, timestep, and the value of each loss term.
    """

    def __init__(self, total: int = 0) -> None:
        self.losses: list[dict[str, float]] = []
        self._total, self._before = total, 0  # rounds of chains that came before those of windows

    def expect(self, steps: int) -> None:
        """So many steps are left."""
        self._total = len(self.losses) + steps
        self._before = 1 + int(self.losses[-1]["round"]) if self.losses else 0

    def follow(
        self, chain: Generator[Step, None, _End], window: Window, decode: Callable[[Tensor], Tensor], number: int = 0
    ) -> Generator[Progress, None, _End]:
        """The steps of a chain, which is round `number` or begins there, and its end."""
        latest = None
        while True:
            try:
                step = next(chain)
            except StopIteration as finished:
                return finished.value
            if latest is not None and step.t > latest:  # it was re-noised
                number += 1
            latest, place = step.t, self._before + number
            self.losses.append({"round": place, "t": step.t, **step.losses})
            done = len(self.losses)
            yield Progress(done, max(self._total, done), place, step.t, step.losses, step.z0, window, decode)


class Clock:
    """The wall time of a restoration, by part."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, part: str) -> None:
        """What took place since the last one was that part."""
        now = time.perf_counter()
        self._laps[part], self._last = now - self._last, now

    def seconds(self) -> dict[str, float]:
        """Of each part, and in total; to milliseconds."""
        laps = self._laps | {"total": time.perf_counter() - self._began}
        return {part: round(value, 3) for part, value in laps.items()}


OnStep = Callable[[Progress], bool | None]


class StepCallback(Protocol):
    """What pipelines of diffusers call at the end of each step."""

    def __call__(self, pipe: Any, step: int, timestep: int, callback_kwargs: dict[str, Any], /) -> Any:
        """See a step.

        Args:
            pipe: the restorer.
            step: its number, from 0.
            timestep: of the noise level.
            callback_kwargs: "latents", clean as they are predicted; see `Progress.z0`.

        Returns:
            False ends the restoration, in place of setting `pipe._interrupt`; nothing else is used: it only looks.
        """


Steps = Generator[Progress, None, Result]
Recaption = Callable[[Image.Image], Caption]


def learning(steps: Callable[_Given, Steps]) -> Callable[_Given, Steps]:
    """The steps of who may have to learn, whatever the modes of its caller, `torch.no_grad` and `inference_mode`; those
    hold again whenever a step is seen.
    """
    return torch.inference_mode(False)(torch.enable_grad()(steps))


class PictureRestorer(Protocol):
    """What restores pictures, one at a time, and keeps nothing of them: `ldrps.Restorer`, and each of its rivals."""

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
        ...

    def steps(self, image: Source, caption: Caption | str = "", *, recaption: Recaption | None = None) -> Steps:
        """Restore one picture step by step: a generator of `Progress` that returns the `Result`.

        `recaption` is asked about the picture as it is before each recurrence; what has none asks nobody.
        """
        ...

    def with_seed(self, seed: int) -> Self:
        """Another with the same networks, and this seed.

        Raises:
            SettingsError: the seed is out of range.
        """
        ...

    def within(self, size: tuple[int, int], max_bytes: int | None) -> Self:
        """One that restores a picture of `size` (width, height) in so much memory, or in what is free for None.

        Raises:
            InputError: it takes more in any way.
        """
        ...


def follow(steps: Steps, on_step: OnStep | None = None) -> Result:
    """The result of a restoration, whose steps `on_step` sees.

    Raises:
        Cancelled: `on_step` returned False.
    """
    while True:
        try:
            progress = next(steps)
        except StopIteration as finished:
            return finished.value
        if on_step is not None and on_step(progress) is False:
            steps.close()
            raise Cancelled(f"stopped after step {progress.number} of {progress.total}")
