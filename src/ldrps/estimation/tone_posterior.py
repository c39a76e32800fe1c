"""The tone posterior: what a small net, trained on clean photographs alone, believes was done to a picture's tones.

An amortised posterior (neural posterior estimation, Cranmer et al. 2020): photographs are darkened, veiled or flattened
at random, or left alone, and the net learns a mixture of curves that may have done it, one of them "nothing". It judges
exposure, contrast and colour far better than the likelihood of a diffusion model of the same size does, and it is never
told which damage it looks at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ldrps.degradation import LocalTone, Tone
from ldrps.degradation.local import LEAST_SPREAD
from ldrps.estimation.residual import Residual, halvings
from ldrps.prior.network import Network, configured

SMALLEST_SCALE = 0.01  # of an expected error; below it, to be exact is worth no more
# Of each channel; where a picture ends, and whether it is cut off there, says most of what was done to it.
_QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
_CUT_OFF = 1 / 255
_UNLIKELY = -3.0  # a logit beside others


@dataclass(frozen=True)
class ToneBelief:
    """A mixture of hypotheses about each of B pictures; hypothesis 0 is that nothing was done.

    Attributes:
        curves: the other hypotheses, K of them, with parameters [B, 3].
        weights: probability of each, [B, K + 1].
        scales: the root mean square error that is expected where curve k is undone, [B, K].
        field: what is uneven about the damage, on top of the curves that are said to be; None where none is.
        uneven: how many of the curves, the last ones, are on top of the field: the others are the same everywhere.
    """

    curves: tuple[Tone, ...]
    weights: Tensor
    scales: Tensor
    field: LocalTone | None = None
    uneven: int = 0

    @property
    def kinds(self) -> Tensor:
        """The probability that nothing was done, the same everywhere, and not the same, [B, 3]."""
        even = 1 + len(self.curves) - self.uneven
        groups = (self.weights[:, :1], self.weights[:, 1:even], self.weights[:, even:])
        return torch.stack([each.sum(1) for each in groups], 1)

    def undone(self, images: Tensor) -> Tensor:
        """Images [B, 3, H, W] in [0, 1] with what each hypothesis says undone, [B, K + 1, 3, H, W], not clamped."""
        evened = images if self.field is None else self.field.invert(images).clamp(0, 1)
        even = len(self.curves) - self.uneven
        seen = [images] * even + [evened] * self.uneven
        return torch.stack([images, *(curve.invert(y) for curve, y in zip(self.curves, seen, strict=True))], 1)

    def expected(self, images: Tensor) -> Tensor:
        """The mean of the clamped `undone` by the weights, [B, 3, H, W] in [0, 1]."""
        return torch.einsum("bk,bkchw->bchw", self.weights, self.undone(images).clamp(0, 1))

    def log_likelihood(self, errors: Tensor) -> Tensor:
        """Log density, [B], of root mean square errors [B, K + 1] of the hypotheses: a mixture of exponentials."""
        nothing = torch.full_like(self.scales[:, :1], SMALLEST_SCALE)
        scales = torch.cat([nothing, self.scales], 1)
        return torch.logsumexp(self.weights.log() - scales.log() - errors / scales, 1)


class TonePosterior(Network):
    """Pictures [B, 3, H, W] in [0, 1], of any size, to what may have been done to their tones, a `ToneBelief`.

    It sees a thumbnail, and statistics of one that is twice as large. `hypotheses` of the curves are the same
    everywhere, `uneven` more are on top of a field. `undamaged` is the share of undamaged pictures among those that it
    was trained on, and `turned` is whether some of them were on their side.
    """

    @configured
    def __init__(
        self,
        thumbnail: int = 64,
        widths: tuple[int, ...] = (48, 96, 192, 256),
        hypotheses: int = 3,
        uneven: int = 2,
        undamaged: float = 0.3,
        field_bins: int = 3,
        turned: bool = False,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(9, widths[0], 3, stride=2, padding=1), Residual(widths[0]), *halvings(widths), nn.SiLU()
        )
        self.statistics = nn.Sequential(
            nn.Linear(3 * (len(_QUANTILES) + 2), 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU()
        )
        # Mean and deviation over positions: the answer is about the whole picture.
        self.trunk = nn.Linear(2 * widths[-1] + 64, 128)
        # Nine numbers of a curve and its scale for each hypothesis, and the weights, "nothing" first.
        count = hypotheses + uneven
        self.answer = nn.Linear(128, 11 * count + 1)
        nn.init.normal_(self.answer.weight, std=0.01)  # near "no damage", each hypothesis a little different
        nn.init.zeros_(self.answer.bias)
        nn.init.constant_(self.answer.bias[9 * count : 10 * count], -3.0)  # scales of exp(-3) = 0.05
        # The field is told place by place, from the features there, finer and coarser, and what is known of the whole.
        self.pivot = nn.Linear(128, 1)
        told = nn.Conv2d(64, field_bins, 1)
        self.places = nn.Sequential(
            nn.Conv2d(widths[-2] + widths[-1] + 128, 64, 1), nn.SiLU(), _convolution(64, 64), nn.SiLU(),
            _convolution(64, 64), nn.SiLU(), told,
        )  # fmt: skip
        nn.init.normal_(told.weight, std=1e-3)  # hardly any field at first, and not none, or nothing would be learned
        nn.init.zeros_(told.bias)  # type: ignore[arg-type]

    def with_uneven(self, uneven: int) -> TonePosterior:
        """The same judge with so many curves on top of a field, at least as many as it has: what is new begins like the
        first of its curves, and unlikely. It is a start for training, and tells no field worth having before.
        """
        even, before = self.config["hypotheses"], self.config["uneven"]
        if uneven <= before:
            return self
        told = even + before
        rows = list(range(told)) + [k % even for k in range(uneven - before)]
        grown = TonePosterior(**{**self.config, "uneven": uneven})
        state = self.state_dict()
        for name in ("answer.weight", "answer.bias"):
            curves, scales, logits = state[name].split([9 * told, told, told + 1])
            curves = curves.reshape(told, 9, *curves.shape[1:])[rows].flatten(0, 1)
            state[name] = torch.cat([curves, scales[rows], logits[:1], logits[1:][rows]])
        state["answer.bias"][-(uneven - before) :] += _UNLIKELY
        grown.load_state_dict(state)
        return grown

    def forward(self, images: Tensor, ways: int = 1) -> ToneBelief:
        """What is believed of images [ways B, 3, H, W]: B, and the same ones turned or mirrored, one way after another,
        of which what does not depend on that is found out once.
        """
        size, uneven = self.config["thumbnail"], self.config["uneven"]
        count = self.config["hypotheses"] + uneven
        sharp = reduced(images.clamp(0, 1), 2 * size)
        y = reduced(sharp, size)
        standard = (y - y.mean((2, 3), keepdim=True)) / (y.std((1, 2, 3), keepdim=True) + 0.01)
        fine = self.features[:-4](torch.cat([2 * y - 1, logarithm(y), standard], 1))
        features = self.features[-4:](fine)  # [B, C, h, w]
        told = self.statistics(quantiles(sharp[: len(sharp) // ways]).to(features.dtype)).repeat(ways, 1)
        whole = F.silu(self.trunk(torch.cat([features.mean((2, 3)), features.std((2, 3)), told], 1)))
        curves, scales, logits = self.answer(whole).float().split([9 * count, count, count + 1], 1)
        return ToneBelief(
            tuple(_curve(nine) for nine in curves.split(9, 1)),
            F.softmax(logits, 1).clamp_min(1e-8),
            scales.clamp(math.log(SMALLEST_SCALE), 0).exp(),  # in that order, or a large one has no gradient but NaN
            self._field(y, fine, features, whole, ways) if uneven else None,
            uneven,
        )

    def _field(self, y: Tensor, fine: Tensor, features: Tensor, whole: Tensor, ways: int) -> LocalTone:
        """What is uneven about thumbnails y, told place by place from their features and what is known of the whole."""
        coarse = F.interpolate(features, fine.shape[-2:], mode="bilinear", align_corners=False)
        everywhere = whole[:, :, None, None].expand(-1, -1, *fine.shape[-2:])
        log_gain = 1.5 * torch.tanh(self.places(torch.cat([F.silu(fine), coarse, everywhere], 1)).float())
        log_gain = log_gain - log_gain.mean((1, 2, 3), keepdim=True)  # what is the same everywhere is the curve's
        # Of a dark picture it is dark: an error of the field is as large, beside what is seen, as of a bright picture.
        one_way = y[: len(y) // ways]
        pivot = (0.5 + 0.7 * torch.tanh(self.pivot(whole).float()[:, 0])) * _brightest(one_way).repeat(ways)
        return LocalTone(log_gain, pivot, *(each.repeat(ways) for each in _range(one_way)))


def _brightest(y: Tensor) -> Tensor:
    """The brightness of all but the brightest hundredth of y [B, 3, H, W], [B]."""
    return y.mean(1).flatten(1).quantile(0.99, dim=1).clamp_min(LEAST_SPREAD)


def _range(y: Tensor) -> tuple[Tensor, Tensor]:
    """Of the brightness of y [B, 3, H, W]: a deviation below its mean and one above, [B] each."""
    luma = y.mean(1).flatten(1)
    middle, spread = luma.mean(1), luma.std(1) + LEAST_SPREAD
    return middle - spread, middle + spread


def _convolution(width: int, wider: int) -> nn.Conv2d:
    return nn.Conv2d(width, wider, 3, padding=1, padding_mode="replicate")


def reduced(images: Tensor, side: int) -> Tensor:
    return F.interpolate(images, (side, side), mode="area") if images.shape[-2:] != (side, side) else images


def logarithm(y: Tensor) -> Tensor:
    return (y + 1 / 255).log() / 2 + 1


def quantiles(y: Tensor) -> Tensor:
    """Quantiles of each channel of y [B, 3, H, W], and how much of it is black and white, [B, 33]."""
    values = _sorted(y.float().flatten(2))
    places = [round(each * (values.shape[-1] - 1)) for each in _QUANTILES]
    ends = [(values <= _CUT_OFF), (values >= 1 - _CUT_OFF)]
    shares = torch.stack([each.float().mean(-1) for each in ends], -1)
    return torch.cat([logarithm(values[..., places]), (shares + 1e-3).log() / 3 + 1], -1).flatten(1)


def _sorted(values: Tensor) -> Tensor:
    """In ascending order along the last axis; on a CPU numpy is ten times as quick as torch, with the same result."""
    if values.device.type != "cpu" or values.requires_grad:
        return values.sort(-1).values
    return torch.from_numpy(np.sort(values.numpy(), -1))


def _curve(answer: Tensor) -> Tone:
    """Of nine numbers for each picture; the last three are logarithms of the powers that undo the damage."""
    log_gain, offset, log_power = answer.chunk(3, 1)
    return Tone(log_gain.clamp(-4.5, 1).exp(), offset.clamp(-0.5, 0.9), (-log_power.clamp(-1.2, 1.2)).exp())
