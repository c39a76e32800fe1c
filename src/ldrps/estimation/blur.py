"""What a picture is blurred by, told from the picture alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation import Blur, GaussianBlur
from ldrps.degradation.kernels import disk, gaussian, line, shape_of, spread_of
from ldrps.estimation.blur_posterior import BLURS, SMALLEST, BlurBelief, BlurKind, BlurPosterior
from ldrps.estimation.blurred import largest_reach
from ldrps.estimation.damage import ALL, NONE, Damage, Estimate
from ldrps.estimation.kernel_search import KernelSearch, WidthSearch, find_kernel, find_width, gains_of_kernels
from ldrps.estimation.limits import widened
from ldrps.image.pad import large_enough
from ldrps.image.tiles import Window
from ldrps.settings import BlindSettings

_SIDE, _MOST = 256, 4  # pixels of a part that is looked at, and how many
_SEARCHED = 512  # pixels a side of the part in which a kernel is searched for
# Of a quarter of the size, how far one pixel in a hundred is from the mean of those around it: of 36 held-out
# photographs, blurred by up to 3.8 pixels, each has more than 0.029; smooth waves have 0.011, gradients nothing.
_EDGE, _QUARTER = 0.02, 4
_ROUND = 0.3  # a shape below this is that of a round kernel
_PER_ENLARGED = 0.44  # pixels of the Gaussian that is nearest to a cubic reduction and enlargement, for each time
# In dB, by how much a kernel explains edges better than no blur does. Of 88 held-out photographs with known blur, what
# is told of Gaussians is nearer to the truth than what is searched for, whose gain is higher by 0.08 at most; of disks
# it is too wide, and what is searched for better by 0.4 to 0.8.
_BETTER = 0.1  # than the size that is told, so that another is taken
# Of 36 sharp ones none gains as much, of the blurred three in four: odds of 27 to 1, and of ten to be careful.
_EVIDENCE, _ODDS = 0.1, 10.0
_CONTRARY = -0.2  # below it, against any blur: of lines of 5 pixels, found well, two of eight are below 0
_WIDER = 1.6  # times the reach of the motion that is guessed, is looked at
_MOST_REACH = 24  # pixels


@dataclass(frozen=True)
class BlurGuess:
    """The likeliest kind of blur, its size and shape as of `BlurPosterior`, and how probable any blur is."""

    kind: BlurKind
    size: float
    shape: tuple[float, float]
    probability: float

    @property
    def value(self) -> GaussianBlur | Blur:
        longer = min(math.hypot(*self.shape), 0.95)
        angle = math.degrees(math.atan2(self.shape[1], self.shape[0])) / 2
        if self.kind == "enlarged":
            return GaussianBlur(_PER_ENLARGED * self.size)
        if self.kind == "disk":
            return Blur(disk(self.size))
        if self.kind == "motion":
            return Blur(line(max(self.size * 12**0.5, 1.0), angle))
        if longer < _ROUND:
            return GaussianBlur(self.size)
        ratio = ((1 + longer) / (1 - longer)) ** 0.25  # of a deviation to the mean of both
        return Blur(gaussian(self.size * ratio, self.size / ratio, angle))


@torch.no_grad()
def estimate_blur(
    y: Tensor, damage: Damage, posterior: BlurPosterior, settings: BlindSettings, visible: Tensor | None = None
) -> Estimate[GaussianBlur | Blur]:
    """What the picture y [1, 3, H, W] in [0, 1], whose tones were judged, is blurred by, and how likely that is.

    It is judged where there are edges: in the parts that have most of them, each by itself, so that a picture of which
    one is sharp is taken for less surely blurred. What may be blurred is then looked at closely: the path of a motion
    is searched for, other kernels may be another width, and what explains edges clearly worse than no blur is none.
    """
    placed = damage.of_size(y.shape[-2], y.shape[-1])
    beliefs = []
    for part in busiest(y, _SIDE, visible)[:_MOST]:
        x = placed.undo_tone(part.of(y).to(posterior.device), part)
        if not has_edges(x):
            continue
        seen = None if visible is None else large_enough(part.of(visible), SMALLEST)
        beliefs.append(posterior(large_enough(x, SMALLEST), seen).with_prior(settings.sharp, posterior.config["none"]))
    if not beliefs:
        return Estimate(GaussianBlur(1.0), 0.0)
    guess = believed_blur(beliefs)
    believed = Estimate(widened(guess.value, 1.0), guess.probability)
    if believed.absent:
        return believed
    part = busiest(y, _SEARCHED, visible)[0]
    x = placed.undo_tone(part.of(y).to(posterior.device), part)
    value, gain = searched(x, guess, None if visible is None else part.of(visible))
    return Estimate(widened(value, settings.blur_factor), _with_evidence(guess, gain))


def _with_evidence(guess: BlurGuess, gain: float) -> float:
    """How probable a blur is that explains edges so much better than none."""
    if gain < _CONTRARY:
        return 0.0
    odds = guess.probability / max(1 - guess.probability, 1e-9) * (_ODDS if gain > _EVIDENCE else 1.0)
    probability = odds / (1 + odds)
    if guess.kind != "motion":
        return probability
    return max(probability, ALL) if probability > 0.5 else min(probability, NONE)  # half of a path is another path


def believed_blur(beliefs: list[BlurBelief]) -> BlurGuess:
    """The likeliest blur of a picture, by what is believed of its parts."""
    none, *kinds = torch.cat([each.probability for each in beliefs]).mean(0).tolist()
    index = max(range(len(kinds)), key=kinds.__getitem__)
    middles, spreads = (
        torch.stack([getattr(each, name)[0, index] for each in beliefs]).cpu().double() for name in ("middle", "spread")
    )
    size = math.exp(float((middles / spreads**2).sum() / (1 / spreads**2).sum()))
    shape = torch.cat([each.shape for each in beliefs]).mean(0)
    return BlurGuess(BLURS[index], size, (float(shape[0]), float(shape[1])), 1 - none)


def searched(x: Tensor, guess: BlurGuess, visible: Tensor | None = None) -> tuple[GaussianBlur | Blur, float]:
    """The blur near a guess that explains the edges of x [1, 3, H, W], and by how many decibels better than none.

    The path of a motion is searched for; of other kernels the size is the one that is told, unless another explains
    edges much better. A picture that is too small for that is not searched: there the guess counts.
    """
    most = min(largest_reach(x.shape[-2], x.shape[-1]), _MOST_REACH)
    reach = max(guess.value.kernel.shape) // 2
    if most < max(reach, 1):
        return guess.value, 0.0
    if guess.kind == "motion":
        search = KernelSearch(reach=min(math.ceil(_WIDER * reach) + 2, most))
        path = Blur(find_kernel(x, search, guess.value.kernel, visible).kernel)
        along, across = shape_of(path.kernel).tolist()
        straight = replace(guess, size=spread_of(path.kernel), shape=(along, across))
        blurs = [path, _sized(x, straight, WidthSearch(furthest=1.5, steps=4), most, visible)]
    else:
        blurs = [guess.value, _sized(x, guess, WidthSearch(), most, visible)]
    if max(blurs[1].kernel.shape) // 2 > most:  # a straight path may be longer than the bent one of its spread
        return blurs[0], gains_of_kernels(x, [blurs[0].kernel], visible)[0]
    first, second = gains_of_kernels(x, [blur.kernel for blur in blurs], visible)
    better = second > first + (0.0 if guess.kind == "motion" else _BETTER)
    return (blurs[1], second) if better else (blurs[0], first)


def _sized(x: Tensor, guess: BlurGuess, options: WidthSearch, most: int, visible: Tensor | None) -> GaussianBlur | Blur:
    """The blur of that kind and shape whose size explains the edges of x best; as it was guessed where the picture is
    too small to be asked.
    """

    def sized(size: float) -> GaussianBlur | Blur:
        return replace(guess, size=size).value

    if max(sized(options.furthest * guess.size).kernel.shape) // 2 > most:
        return guess.value
    size, _ = find_width(x, lambda number: sized(number).kernel, guess.size, options, visible)
    return sized(size)


def has_edges(x: Tensor) -> bool:
    """Whether there is anything in x [1, 3, H, W] to tell a blur by; a smooth gradient, such as a sky, is no blur."""
    if min(x.shape[-2:]) < 3 * _QUARTER:
        return False
    small = F.avg_pool2d(x.mean(1, keepdim=True), _QUARTER)
    around = F.avg_pool2d(small, 3, 1) * 9 - small[..., 1:-1, 1:-1]
    bend = (small[..., 1:-1, 1:-1] - around / 8).abs()
    return float(bend.flatten().quantile(0.99)) > _EDGE


def edges_of(y: Tensor, visible: Tensor | None = None) -> Tensor:
    """How much of an edge there is at each place of a picture y [1, 3, H, W], [1, 1, H, W]; none where it is hidden."""
    grey = y.mean(1, keepdim=True)
    edges = F.pad(grey.diff(dim=-2).abs(), (0, 0, 0, 1)) + F.pad(grey.diff(dim=-1).abs(), (0, 1, 0, 0))
    return edges if visible is None else edges * visible.to(edges)


def busiest(y: Tensor, side: int, visible: Tensor | None = None) -> list[Window]:
    """Windows of a picture y [1, 3, H, W], no larger than `side` both ways, those with most edges first; see
    `edges_of`.
    """
    height, width = y.shape[-2:]
    tall, wide = min(height, side), min(width, side)

    def edges(window: Window) -> float:
        further = Window(window.top, window.left, tall + 1, wide + 1)  # whose edge is that of its last row and column
        seen = None if visible is None else further.of(visible)
        return float(edges_of(further.of(y), seen)[..., :tall, :wide].mean())

    windows = [Window(top, left, tall, wide) for top in _places(height, tall) for left in _places(width, wide)]
    return sorted(windows, key=edges, reverse=True)


def _places(length: int, size: int) -> list[int]:
    """Where windows of that size begin that cover a length and hardly overlap."""
    count = math.ceil(length / size)
    return [round(k * (length - size) / max(count - 1, 1)) for k in range(count)]
