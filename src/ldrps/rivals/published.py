"""A rival that is one published network: its weights are found, checked and run once."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from ldrps.rivals.facts import Facts, RivalOptions
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run
from ldrps.rivals.weights import Published
from ldrps.weights import fill


class PublishedNet(Rival):
    """A network with given weights. A subclass says which network, where its weights are from, and how it is used.

    Args:
        facts, settings, device: see `Rival`.
        net: of the class's `net_type`, with its weights.
    """

    net_type: ClassVar[type[nn.Module]]
    weights: ClassVar[Published]

    def __init__(
        self, facts: Facts, net: nn.Module, settings: RivalSettings | None = None, *, device: str = "cpu"
    ) -> None:
        super().__init__(facts, settings, device=device)
        self._net = net.to(self.device)

    @classmethod
    def build(cls, facts: Facts, options: RivalOptions) -> Self:
        """See `Rival.build`."""
        settings = cls.settings_of(facts, options)
        tensors = cls.read(facts, options.weights)
        with torch.device("meta"):
            net = cls.net_type()
        fill(net, tensors, facts.name)
        return cls(facts, net, settings, device=options.device)

    @classmethod
    def read(cls, facts: Facts, given: Path | None) -> dict[str, Tensor]:
        """The weights, from the file or folder given or from where they are looked for.

        Raises:
            PriorError: they are nowhere, or cannot be read.
        """
        return cls.weights.read(facts.name, given)

    @abstractmethod
    def restored(self, y: Tensor) -> Tensor:
        """What the network makes of y, as of `run`; without gradient."""

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        """See `Rival.run`; one step, without chance."""
        with torch.no_grad():
            restored = self.restored(y)
        yield RivalStep(1, 1, {}, restored)
        return restored
