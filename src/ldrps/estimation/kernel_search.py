"""By which kernel a photograph is blurred, told from the photograph alone: y = k * x + n, k the same everywhere.

In turn, from coarse copies to the picture: x is the picture with the fewest edges that k makes y of, and k is what
makes the gradients of y of those of x, by least squares, without what is negative, faint or by itself (Cho and Lee
2009; Xu and Jia 2010; Pan, Hu, Su and Yang 2014). Where the kind of kernel is known, of one number, each is tried. Both
say how much better than no blur the kernel explains edges, never that there must be one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ldrps.degradation.kernels import mean_of
from ldrps.degradation.solve import conjugate_gradients
from ldrps.errors import InputError, SettingsError
from ldrps.estimation.blurred import BlurredPart
from ldrps.estimation.few_edges import gradients, in_circles, transfer_of, with_few_edges

_SMALLEST = 3  # pixels a side of the kernel of the coarsest copy
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
    side: int = 512

    def __post_init__(self) -> None:
        if not 1 <= self.reach <= 64:
            raise SettingsError(f"reach is {self.reach}; it must be 1 to 64 pixels")
        if not self.last:
            raise SettingsError("last is empty; give the price of an edge in the last round")


@dataclass(frozen=True)
class WidthSearch:
    """How the width of a kernel is looked for whose kind is known.

    Attributes:
        furthest: from the guess, as a factor either way.
        steps: either way.
        side: of the part of a large picture that is looked at, in pixels.
    """

    furthest: float = 2.0
    steps: int = 7
    side: int = 320

    def __post_init__(self) -> None:
        if not 1 < self.furthest <= 16:
            raise SettingsError(f"furthest is {self.furthest}; it must be above 1, at most 16")
        if self.steps < 1:
            raise SettingsError(f"steps is {self.steps}; it must be 1 or more")


@dataclass(frozen=True)
class FoundKernel:
    """A kernel, and how well it explains the edges of a picture.

    Attributes:
        kernel: [h, w] of odd sides, float64, on the CPU, none negative, of sum 1, its mean about in the middle: where
            the picture itself lies cannot be told.
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
        y, visible: as of `BlurredPart.of`; tones undone.
        options: how.
        first: a guess [h, w] to begin with, of odd sides; else three pixels side by side at the coarsest size. It is
            returned if nothing explains edges better.

    Raises:
        InputError: a picture that is too small for the reach, or of more than one; a guess that reaches further.
    """
    options = options or KernelSearch()
    seen = BlurredPart.of(y, options.reach, visible, options.side)
    if first is not None and max(first.shape) > 2 * options.reach + 1:
        raise InputError(f"a guess of {list(first.shape)} and a reach of {options.reach}: give a larger reach")
    found = [_searched(seen, last, options, first) for last in options.last]
    kernels = [kernel for kernel, _ in found]
    if first is not None:
        kernels.append(centred(first.to(seen.grey)))
    gains = seen.gains(kernels)
    best = max(range(len(kernels)), key=lambda n: gains[n])
    kernel = (found[best][1] if best < len(found) else kernels[best]).cpu().double()
    return FoundKernel(kernel / kernel.sum(), gains[best])


@torch.no_grad()
def find_width(
    y: Tensor,
    shape: Callable[[float], Tensor],
    guess: float,
    options: WidthSearch | None = None,
    visible: Tensor | None = None,
) -> tuple[float, float]:
    """The number that a kernel of a known kind depends on, such as the deviation of a Gaussian, and its gain in dB.

    Each number near the guess makes a kernel, and the one that explains edges best is returned, between two of them by
    a parabola through three.

    Args:
        y, visible: as of `BlurredPart.of`; tones undone.
        shape: the number -> its kernel [h, w].
        guess: where to look.
        options: how far, and how finely.

    Raises:
        InputError: a picture that is too small for the widest kernel, or of more than one.
    """
    options = options or WidthSearch()
    share = options.furthest ** (1 / options.steps)
    numbers = [guess * share**n for n in range(-options.steps, options.steps + 1)]
    kernels = [shape(number) for number in numbers]
    seen = BlurredPart.of(y, max(max(kernel.shape) for kernel in kernels) // 2, visible, options.side)
    gains = seen.gains(kernels)
    best = max(range(len(gains)), key=lambda n: gains[n])
    if not 0 < best < len(gains) - 1:
        return numbers[best], gains[best]
    before, top, after = gains[best - 1 : best + 2]
    offset = (before - after) / (2 * min(before - 2 * top + after, -1e-9))
    return numbers[best] * share**offset, top


@torch.no_grad()
def gains_of_kernels(y: Tensor, kernels: list[Tensor], visible: Tensor | None = None) -> list[float]:
    """By how many decibels each kernel [h, w] explains edges better than no blur does; y as of `BlurredPart.of`.

    All of the same part of the picture, so that they can be compared.
    """
    return BlurredPart.of(y, max(max(kernel.shape) for kernel in kernels) // 2, visible).gains(kernels)


def _searched(seen: BlurredPart, last: float, options: KernelSearch, first: Tensor | None) -> tuple[Tensor, Tensor]:
    """The kernel [k, k], from the coarsest copy of the picture to itself, where an edge costs `last` in the end; and
    it with its mean in the middle.
    """
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
    # Edges moved by a part of a pixel have a kernel whose mean is in the middle, and that is no wider.
    moved = gradients(shifted(x, mean_of(kernel)))
    return kernel, centred(likely(fitted(moved, slopes, weights, side, options), options.faint, options.alone))


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
    height, width = kernel.shape
    down, right = (round(place) for place in mean_of(kernel))
    padded = F.pad(kernel, (width, width, height, height))
    kernel = padded[height + down : 2 * height + down, width + right : 2 * width + right]
    return kernel / kernel.sum()


def shifted(x: Tensor, offset: tuple[float, float]) -> Tensor:
    """A picture [..., h, w] that goes on in circles, moved down and to the right by parts of a pixel."""
    rows = torch.fft.fftfreq(x.shape[-2], device=x.device)[:, None]
    columns = torch.fft.rfftfreq(x.shape[-1], device=x.device)
    phase = torch.exp(-2j * torch.pi * (rows * offset[0] + columns * offset[1]))
    return torch.fft.irfft2(torch.fft.rfft2(x) * phase, s=x.shape[-2:])


def _parts(filled: Tensor) -> Tensor:
    """A number above 0 for each part of [h, w] that hangs together, by sides or corners, and 0 elsewhere."""
    numbers = torch.arange(1, filled.numel() + 1, device=filled.device).reshape(filled.shape) * filled
    while True:
        spread = F.max_pool2d(numbers[None, None].float(), 3, 1, 1)[0, 0].long() * filled
        if torch.equal(spread, numbers):
            return numbers
        numbers = spread


def _start(side: int, full: int, first: Tensor | None, like: Tensor) -> Tensor:
    """The kernel [side, side] at the coarsest size: the guess as it is seen there, or three pixels side by side."""
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
