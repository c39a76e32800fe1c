"""By which kernel a photograph is blurred, told from the blurred photograph alone: y = k * x + n, k the same everywhere.

In turn, from coarse copies to the picture: x is the picture with the fewest edges that k makes y of, and k is what makes
the gradients of y of those of x, by least squares, without what is negative, faint or by itself (Cho and Lee 2009; Xu and
Jia 2010; Pan, Hu, Su and Yang 2014). It says which kernel explains edges best, and how much better than none does, never
that there must be one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.solve import conjugate_gradients
from ldrps.errors import InputError, SettingsError
from ldrps.estimation.few_edges import edge_energy, gradients, in_circles, transfer_of, with_few_edges
from ldrps.image.tiles import Window

_LUMA = (0.299, 0.587, 0.114)
_WHITE = 1 - 1e-6  # what undoing the tones makes of white
_SMALLEST = 3  # pixels a side of the kernel of the coarsest copy
_SIDES = 4  # times its kernel that a picture must have a side
_COARSER = math.sqrt(0.5)
_CONVERGED = 1e-5  # of the residual of a fit


@dataclass(frozen=True)
class KernelSearch:
    """How a kernel is looked for; pictures are in [0, 1].

    Attributes:
        reach: of the largest kernel that is looked for, in pixels from its middle.
        rounds: of picture and kernel in turn, at each size.
        first: the price of an edge in the first round of all, in squares of values; then it falls evenly.
        last: the prices in the last round: each is tried, and what explains edges best is returned.
        smooth: how much the square of the kernel counts against the squares of what it leaves of gradients.
        fits: rounds of conjugate gradients of a fit.
        faint: of the largest value, what is taken for none.
        alone: of the sum, what makes a part of a kernel that touches no other.
        judged: the price of an edge where kernels are compared.
        side: of the part of a large picture that is looked at, in pixels.
    """

    reach: int = 13
    rounds: int = 5
    first: float = 4e-3
    last: tuple[float, ...] = (5e-4, 1.5e-4)
    smooth: float = 2.0
    fits: int = 25
    faint: float = 0.05
    alone: float = 0.03
    judged: float = 2e-5
    side: int = 512

    def __post_init__(self) -> None:
        if not 1 <= self.reach <= 64:
            raise SettingsError(f"reach is {self.reach}; it must be 1 to 64 pixels")
        if not self.last:
            raise SettingsError("last is empty; give the price of an edge in the last round")


@dataclass(frozen=True)
class FoundKernel:
    """A kernel, and how well it explains the edges of a picture.

    Attributes:
        kernel: [k, k] of an odd side, float64, none negative, of sum 1, its mean in the middle.
        gain: by how many decibels it explains edges better than no blur does; 0 or less: no blur was found.
    """

    kernel: Tensor
    gain: float


@torch.no_grad()
def find_kernel(
    y: Tensor, options: KernelSearch | None = None, first: Tensor | None = None, visible: Tensor | None = None
) -> FoundKernel:
    """Look for the kernel by which a picture is blurred.

    Args:
        y: [1, 3, H, W] in [0, 1], its tones undone.
        options: how.
        first: a guess [h, w] to begin with, of odd sides; else two pixels side by side at the coarsest size.
        visible: [1, 1, H, W]; where it is below 1 the picture is made up. There, where y is white, as it may have been
            brighter, and as far from there as the kernel reaches, y counts for nothing.

    Raises:
        InputError: a picture that is too small for the reach, or of more than one.
    """
    options = options or KernelSearch()
    seen = _Seen.of(y, visible, options)
    found = [_searched(seen, last, options, first) for last in options.last]
    best = min(found, key=lambda kernel: seen.energy(kernel, options.judged))
    return FoundKernel(best.double() / best.double().sum(), seen.gain(best, options.judged))


@torch.no_grad()
def gain_of_kernel(
    y: Tensor, kernel: Tensor, options: KernelSearch | None = None, visible: Tensor | None = None
) -> float:
    """By how many decibels a kernel [h, w] explains the edges of y better than no blur; see `find_kernel`."""
    options = options or KernelSearch(reach=max(1, max(kernel.shape) // 2))
    return _Seen.of(y, visible, options).gain(kernel, options.judged)


@dataclass(frozen=True)
class _Seen:
    """What is looked at of a picture: grey [h, w], and how much each pixel counts."""

    grey: Tensor
    weights: Tensor

    @classmethod
    def of(cls, y: Tensor, visible: Tensor | None, options: KernelSearch) -> _Seen:
        if y.ndim != 4 or y.shape[:2] != (1, 3):
            raise InputError(f"a picture of shape {list(y.shape)}: give [1, 3, H, W]")
        side = 2 * options.reach + 1
        if min(y.shape[-2:]) < _SIDES * side:
            (height, width), most = y.shape[-2:], (min(y.shape[-2:]) // _SIDES - 1) // 2
            raise InputError(
                f"a picture of {width}x{height} and a reach of {options.reach}: give a larger one, or a reach of "
                f"{max(most, 0)} at most"
            )
        grey = (y[0].float() * y.new_tensor(_LUMA).float().reshape(3, 1, 1)).sum(0)
        known = (y[0] < _WHITE).all(0)
        if visible is not None:
            known &= visible[0, 0].to(y.device) >= 1
        hidden = F.max_pool2d((~known).float()[None, None], side, 1, options.reach)[0, 0]
        weights = 1 - hidden if float(hidden.mean()) < 0.9 else known.float()  # lights all over: only they are left out
        window = _busiest(grey, weights, options.side)
        return cls(window.of(grey), window.of(weights))

    def scaled(self, factor: float) -> _Seen:
        if factor == 1:
            return self
        size = [max(1, round(side * factor)) for side in self.grey.shape]
        both = torch.stack([self.grey, self.weights])[None]
        small = F.interpolate(both, size, mode="bicubic", antialias=True, align_corners=False)[0]
        return _Seen(small[0], (small[1] > 0.99).float())

    def inside(self, margin: int, size: torch.Size) -> Tensor:
        """The weights in a picture of a larger size, without a margin at the edges."""
        weights = self.grey.new_zeros(size)
        height, width = self.grey.shape
        inner = (slice(margin, height - margin), slice(margin, width - margin))
        weights[inner] = self.weights[inner]
        return weights

    def energy(self, kernel: Tensor, price: float) -> float:
        margin = max(kernel.shape) // 2 + 1
        y = in_circles(self.grey, margin)
        return edge_energy(y, kernel, price, self.inside(margin, y.shape))

    def gain(self, kernel: Tensor, price: float) -> float:
        """In decibels; with as much of the picture for the one as for the other."""
        margin = max(kernel.shape) // 2 + 1
        y = in_circles(self.grey, margin)
        weights = self.inside(margin, y.shape)
        none, this = (edge_energy(y, each, price, weights) for each in (kernel.new_ones(1, 1), kernel))
        return 10 * math.log10(max(none, 1e-12) / max(this, 1e-12))


def _searched(seen: _Seen, last: float, options: KernelSearch, first: Tensor | None) -> Tensor:
    """The kernel [k, k], from the coarsest copy of the picture to itself, where an edge costs `last` in the end."""
    sides = _sides(2 * options.reach + 1)
    total, done = len(sides) * options.rounds, 0
    kernel = _start(sides[-1], sides[0], first, seen.grey)
    for scale in range(len(sides) - 1, -1, -1):
        side, copy = sides[scale], seen.scaled(_COARSER**scale)
        if kernel.shape[0] != side:
            larger = F.interpolate(kernel[None, None], (side, side), mode="bicubic", align_corners=False)[0, 0]
            kernel = centred(likely(larger, options.faint / 2, 0.0))
        y = in_circles(copy.grey, side)
        weights, slopes = copy.inside(side // 2 + 1, y.shape), gradients(y)
        for _ in range(options.rounds):
            price = options.first * (last / options.first) ** (done / max(total - 1, 1))
            x = with_few_edges(y, transfer_of(kernel, (y.shape[0], y.shape[1]), y), price)
            kernel = likely(fitted(gradients(x), slopes, weights, side, options), options.faint, options.alone)
            kernel, done = centred(kernel), done + 1
    return kernel


def fitted(sharp: Tensor, blurred: Tensor, weights: Tensor, side: int, options: KernelSearch) -> Tensor:
    """argmin over k [side, side] of sum of weights (k * sharp - blurred)^2 + smooth |k|^2; pictures [2, H, W]."""
    size, reach = (sharp.shape[-2], sharp.shape[-1]), side // 2
    spectrum = torch.fft.rfft2(sharp)

    def correlated(picture: Tensor) -> Tensor:
        sums = torch.fft.irfft2((spectrum.conj() * torch.fft.rfft2(picture)).sum(0), s=size)
        return sums.roll((reach, reach), (0, 1))[:side, :side]

    def normal(kernel: Tensor) -> Tensor:
        made = torch.fft.irfft2(spectrum * transfer_of(kernel, size, sharp), s=size)
        return correlated(weights * made) + options.smooth * kernel

    wanted = correlated(weights * blurred)
    return conjugate_gradients(lambda k: normal(k[0])[None], wanted[None], _CONVERGED, rounds=options.fits)[0]


def likely(kernel: Tensor, faint: float, alone: float) -> Tensor:
    """A kernel [h, w] without what none has: negative or faint values, and parts that touch no other; of sum 1.

    One that has nothing positive becomes that of no blur.
    """
    kernel = kernel.clamp_min(0)
    kernel = torch.where(kernel >= faint * kernel.max(), kernel, 0.0)
    if not float(kernel.sum()) > 0:
        kernel = torch.zeros_like(kernel)
        kernel[kernel.shape[0] // 2, kernel.shape[1] // 2] = 1.0
    kernel = kernel / kernel.sum()
    parts = _parts(kernel > 0)
    sums = torch.zeros(int(parts.max()) + 1).to(kernel).index_add_(0, parts.flatten(), kernel.flatten())
    kernel = torch.where(sums[parts] >= min(alone, float(sums.max())), kernel, 0.0)
    return kernel / kernel.sum()


def centred(kernel: Tensor) -> Tensor:
    """Moved by whole pixels, so that its mean is in the middle; what would leave at one side is lost."""
    (height, width), total = kernel.shape, kernel.sum()
    rows, columns = (torch.arange(side).to(kernel) - side // 2 for side in (height, width))
    down, right = (round(float(mean / total)) for mean in ((kernel.sum(1) @ rows), (kernel.sum(0) @ columns)))
    padded = F.pad(kernel, (width, width, height, height))
    kernel = padded[height + down : 2 * height + down, width + right : 2 * width + right]
    return kernel / kernel.sum()


def _parts(filled: Tensor) -> Tensor:
    """A number above 0 for each part of [h, w] that hangs together, by sides or corners, and 0 elsewhere."""
    numbers = torch.arange(1, filled.numel() + 1, device=filled.device).reshape(filled.shape) * filled
    while True:
        spread = F.max_pool2d(numbers[None, None].double(), 3, 1, 1)[0, 0].long() * filled
        if torch.equal(spread, numbers):
            return numbers
        numbers = spread


def _start(side: int, full: int, first: Tensor | None, like: Tensor) -> Tensor:
    """The kernel [side, side] at the coarsest size: the guess as it is seen there, or two pixels side by side."""
    kernel = like.new_zeros(side, side)
    kernel[side // 2, side // 2 - 1 : side // 2 + 2] = like.new_tensor([0.25, 0.5, 0.25])
    if first is None:
        return kernel
    reach = [full // 2 - length // 2 for length in first.shape]
    placed = F.pad(first.to(like), (reach[1], reach[1], reach[0], reach[0]))
    small = F.interpolate(placed[None, None], (side, side), mode="bilinear", antialias=True, align_corners=False)[0, 0]
    return likely(small, 0.0, 0.0)


def _sides(side: int) -> list[int]:
    """Of the kernel for each copy of the picture, from the picture itself to the coarsest."""
    sides = [side]
    while sides[-1] > _SMALLEST:
        smaller = round(sides[-1] * _COARSER)
        sides.append(max(_SMALLEST, min(smaller + 1 - smaller % 2, sides[-1] - 2)))
    return sides


def _busiest(grey: Tensor, weights: Tensor, side: int) -> Window:
    """The part, `side` pixels a side at most, that has most of what tells of a kernel."""
    (height, width), step = grey.shape, max(side // 4, 1)
    tall, wide = min(side, height), min(side, width)
    worth = (gradients(grey).square().sum(0).sqrt() * weights).double()
    worth[-1], worth[:, -1] = 0.0, 0.0
    sums = F.pad(worth.cumsum(0).cumsum(1), (1, 0, 1, 0))
    places = [(t, l) for t in range(0, height - tall + 1, step) for l in range(0, width - wide + 1, step)]
    top, left = max(
        places,
        key=lambda p: float(
            sums[p[0] + tall, p[1] + wide] - sums[p[0], p[1] + wide] - sums[p[0] + tall, p[1]] + sums[p[0], p[1]]
        ),
    )
    return Window(top, left, tall, wide)
