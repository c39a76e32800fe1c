"""What a way of restoring consists of: a plan for the picture, and for each of its windows a chain to follow."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from ldrps.findings import Findings
from ldrps.image.tiles import Window
from ldrps.sampling.chains import Chain


class Method(ABC):
    """A plan for one picture; made for it and thrown away with it.

    Attributes:
        y: the picture that it is for, [1, 3, H, W].
        findings: what it found out.
        windows: the parts of the result that are restored one after the other; one where it is not large.
        rounds: the timesteps of the first chain and of each recurrence; empty where there is nothing to sample.
    """

    y: Tensor
    findings: Findings
    windows: list[Window]
    rounds: list[list[int]]

    @abstractmethod
    def set_caption(self, caption: str) -> None:
        """Go on with another caption."""

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the result, in which windows lie: of y, unless it is enlarged."""
        return self.y.shape[-2], self.y.shape[-1]

    def seen(self, window: Window) -> Tensor:
        """What y shows of a window of the result, in its size."""
        return window.of(self.y)

    def rounds_of(self, window: Window) -> list[list[int]]:
        """Those of `rounds` that a window goes through: none where its picture is there without them."""
        return self.rounds

    @abstractmethod
    def part(self, window: Window) -> Part:
        """The way of one of the windows."""


class Part(ABC):
    """The way of one window through the rounds of the recurrence."""

    @abstractmethod
    def start(self) -> Tensor:
        """The latents at the first timestep of round 0, [chains, C, h, w]; a picture where the chain is of pictures."""

    @abstractmethod
    def renoise(self, z: Tensor, number: int) -> Tensor:
        """The start of round `number`, 1 or later: the latents at the end of the one before, with fresh noise."""

    @abstractmethod
    def chain(self, z: Tensor, number: int) -> Chain:
        """Round `number`, from latents at its first timestep."""

    @abstractmethod
    def picture(self, z: Tensor | None) -> Tensor:
        """The restored window [1, 3, H, W], from the latents at the end; None where there were no rounds."""

    @abstractmethod
    def preview(self, z0: Tensor) -> Tensor:
        """The window [1, 3, H, W] as it is at a step that predicts z0, quickly: one of the chains or views."""
