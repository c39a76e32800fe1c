"""psi, the map from clean to degraded (F-PAM), as a curve that cannot fold, with the published convolutions on top."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ldrps.degradation import Curve, Degradation
from ldrps.errors import InputError
from ldrps.estimation.fpam import FPAM

_LEAST = 1e-4  # of the range, what a step of a curve, its black and what is left above its white have at least


class MonotoneCurve(nn.Module):
    """A rising curve of each channel from [0, 1] into [0, 1], for pictures [B, 3, H, W].

    Its black, its K - 1 steps and what is left above its white are shares of the range that sum to one (a softmax), so
    that it rises and stays in the range whatever is learned: damage makes a picture of a picture. Outside [0, 1] it
    goes on as a straight line.

    Args:
        knots: K, how many levels it is told by.
        start: what it starts as at those levels, cut to the range; the identity if left out.

    Raises:
        InputError: fewer than two knots.
    """

    start: Tensor

    def __init__(self, knots: int = 17, start: Degradation | None = None) -> None:
        super().__init__()
        if knots < 2:
            raise InputError(f"a curve of {knots} knots: it must have 2 or more")
        levels = torch.linspace(0, 1, knots).expand(1, 3, 1, -1)
        values = (levels if start is None else start(levels))[0, :, 0].clamp(0, 1)
        shares = torch.cat([values[:, :1], values.diff(dim=-1), 1 - values[:, -1:]], -1).clamp_min(_LEAST)
        shares = shares / shares.sum(-1, keepdim=True)
        self.register_buffer("start", shares.log())
        self.learned = nn.Parameter(torch.zeros(3, knots + 1))

    @property
    def values(self) -> Tensor:
        """What the K even levels from 0 to 1 become, [3, K]."""
        return (self.start + self.learned).softmax(-1).cumsum(-1)[:, :-1]

    @property
    def slopes(self) -> Tensor:
        """Of the K - 1 pieces of each channel, [3, K - 1], above 0."""
        values = self.values
        return values.diff(dim=-1) * (values.shape[-1] - 1)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.transpose(0, 1).reshape(3, -1)
        made = curved(flat, self.values)
        return made.reshape(3, len(x), *x.shape[2:]).transpose(0, 1)

    def curve(self) -> Curve:
        """What was learned, as a degradation, which can be undone."""
        return Curve(self.values.detach().clone())

    @torch.no_grad()
    def rescale(self, gains: Tensor) -> None:
        """Become psi(x / gain) for gains [3]: what pictures were multiplied by is taken back here."""
        levels = torch.linspace(0, 1, self.values.shape[-1], device=gains.device).expand(3, -1) / gains[:, None]
        moved = curved(levels, self.values)
        shares = torch.cat([moved[:, :1], moved.diff(dim=-1), 1 - moved[:, -1:]], -1).clamp_min(_LEAST)
        self.learned.copy_((shares / shares.sum(-1, keepdim=True)).log() - self.start)


class Psi(nn.Module):
    """psi(x) = c(x) + s r((c(x) - m) / s): a monotone curve c, and F-PAM's convolutions r, which start at zero.

    m and s are mean and deviation of the degraded picture, so that r learns alike whatever the range of that is.

    Args:
        curve: c.
        y: the degraded picture [1, 3, H, W].
        convolutions: how wide the first layer of r is, 64 as published; 0 for none: psi is the curve then.
        generator: of the weights of r.
    """

    def __init__(self, curve: MonotoneCurve, y: Tensor, *, convolutions: int, generator: torch.Generator) -> None:
        super().__init__()
        self.curve = curve
        self.mean, self.deviation = float(y.mean()), float(y.std().clamp_min(1e-2))
        self.residual = _silent(convolutions, generator) if convolutions else None

    def forward(self, x: Tensor) -> Tensor:
        made = self.curve(x)
        if self.residual is None:
            return made
        return made + self.deviation * self.residual((made - self.mean) / self.deviation)

    def parameter_groups(self, rate: float, convolution_rate: float) -> list[dict[str, object]]:
        """For an optimiser: the curve's at one rate, the convolutions' at another."""
        groups: list[dict[str, object]] = [{"params": list(self.curve.parameters()), "lr": rate}]
        if self.residual is not None:
            groups.append({"params": list(self.residual.parameters()), "lr": convolution_rate})
        return groups


def curved(x: Tensor, values: Tensor) -> Tensor:
    """Each row of x [C, N] by the curve of its channel, told by values [C, K] at even levels of [0, 1].

    Straight between the levels, and straight on outside. Differentiable in both.
    """
    last = values.shape[-1] - 1
    place = x * last
    below = place.detach().floor().clamp(0, last - 1).long()
    low, high = values.gather(1, below), values.gather(1, below + 1)
    return low + (high - low) * (place - below)


def _silent(width: int, generator: torch.Generator) -> FPAM:
    """F-PAM with drawn weights whose output is zero as yet."""
    net = FPAM(width)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, generator=generator)
            nn.init.zeros_(module.bias) if module.bias is not None else None
    last = net.h2[-1]
    assert isinstance(last, nn.Conv2d)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(net.p)
    return net
