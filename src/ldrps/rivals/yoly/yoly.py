"""YOLY: a hazy picture taken apart into a clear one, a transmission and an airlight by three untrained networks.

Written from the paper and a description of its code. Where they differ, the code's way is taken, but for the colour
attenuation prior: the code computes it without a gradient, so that it says nothing; `cap_gradient` is the paper's way.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from ldrps.rivals.chance import begun
from ldrps.rivals.rival import Rival, RivalSettings, RivalStep, Run, check_steps
from ldrps.rivals.yoly.haze import colour_attenuation, first_airlight, guided_filter, kl_divergence, unevenness
from ldrps.rivals.yoly.nets import AirlightNet, layer_net

_LEAST_TRANSMISSION = 0.1


@dataclass(frozen=True)
class YolySettings(RivalSettings):
    """YOLY's numbers, those of its benchmark script.

    Attributes:
        steps: of Adam.
        learning_rate: its rate.
        cap_gradient: whether the colour attenuation prior has a gradient, as the paper means it; the code's has none.
        smoothness: weight of the unevenness of the airlight; 0.001 in the script for photographs.
    """

    steps: int = 800
    learning_rate: float = 1e-3
    cap_gradient: bool = True
    smoothness: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_steps(self.steps)


class Yoly(Rival):
    """YOLY. The result is that of the last step; its published figures are of the best step by the truth."""

    settings_type = YolySettings
    multiple = 32

    def run(self, y: Tensor, generator: torch.Generator) -> Run:
        """See `Rival.run`. The nets' J is not the result: the haze is taken off with T and A."""
        settings = self.settings
        assert isinstance(settings, YolySettings)
        j_net = begun(lambda: layer_net(3), generator, y.device)
        t_net = begun(lambda: layer_net(1), generator, y.device)
        a_net = begun(lambda: AirlightNet(y.shape[-2], y.shape[-1]), generator, y.device)
        parameters = chain(j_net.parameters(), t_net.parameters(), a_net.parameters())
        optimiser = torch.optim.Adam(parameters, lr=settings.learning_rate, fused=True)  # of ten million
        a0 = first_airlight(y)
        t, a = torch.ones_like(y[:, :1]), a0
        for number in range(1, settings.steps + 1):
            j, t = j_net(y), t_net(y)
            a, mean, log_variance = a_net(y, a_net.code_noise(generator, y.device))
            terms = {
                "distance": (t * j + (1 - t) * a - y).pow(2).mean(),
                "kl": kl_divergence(mean, log_variance),
                "attenuation": colour_attenuation(j if settings.cap_gradient else j.detach()),
                "unevenness": settings.smoothness * unevenness(a),
                "airlight": (a - a0).pow(2).mean(),
            }
            optimiser.zero_grad(set_to_none=True)
            torch.stack(list(terms.values())).sum().backward()
            optimiser.step()
            t, a = t.detach(), a.detach()
            losses = {name: float(value.detach()) for name, value in terms.items()}
            yield RivalStep(number, settings.steps, losses, without_haze(y, t, a))
        return without_haze(y, guided_filter(y, t), a)


def without_haze(x: Tensor, t: Tensor, a: Tensor) -> Tensor:
    """J = (x - (1 - t) a) / t, in [0, 1], of x, a [1, 3, H, W] and the transmission t [1, 1, H, W], kept above 0.1."""
    t = t.clamp(_LEAST_TRANSMISSION, 1)
    return ((x - (1 - t) * a) / t).clamp(0, 1)
