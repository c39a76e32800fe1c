"""ZERO-IG: a dark picture over its light, with the noise taken off before and after, all learned of itself.

Written from the paper and a description of its code. The published weights, trained on data sets, are not used: the
networks begin at random for each picture, as its authors recommend.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ldrps.rivals.chance import begun
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run, check_steps
from ldrps.rivals.zero_ig.losses import loss_terms
from ldrps.rivals.zero_ig.nets import ZeroIgNet


@dataclass(frozen=True)
class ZeroIgSettings(RivalSettings):
    """ZERO-IG's numbers.

    Attributes:
        seed: 2 in the published code.
        steps: of Adam.
        learning_rate, weight_decay: Adam's.
        gradient_norm: that gradients are cut to.
    """

    seed: int = 2
    steps: int = 2001
    learning_rate: float = 3e-4
    weight_decay: float = 3e-4
    gradient_norm: float = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_steps(self.steps)


class ZeroIg(Rival):
    """ZERO-IG. The result is that of the trained networks, after the last step."""

    settings_type = ZeroIgSettings
    multiple = 2

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        """See `Rival.run`."""
        settings = self.settings
        assert isinstance(settings, ZeroIgSettings)
        net = begun(ZeroIgNet, generator, y.device)
        optimiser = torch.optim.Adam(net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
        for number in range(1, settings.steps + 1):
            seen = net(y)
            terms = loss_terms(seen)
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            nn.utils.clip_grad_norm_(net.parameters(), settings.gradient_norm)
            optimiser.step()
            losses = {name: float(value.detach()) for name, value in terms.items()}
            yield RivalStep(number, settings.steps, losses, seen.result.detach())
        with torch.no_grad():
            return net(y).result
