"""The picture with the fewest edges that a kernel makes a blurred one of: what a kernel is fitted to and judged by.

Such a picture is no photograph, as it has no texture, but its edges are sharp and at the right places, which is what
tells of a blur (Xu, Zheng and Jia 2013; Pan, Hu, Su and Yang 2014). In a likely photograph in its place the best kernel
would be none at all: a blurred picture is likelier than a sharp one (Levin et al. 2009).
"""

from __future__ import annotations

import torch
from torch import Tensor

_GROWTH = 2.0  # of the weight of the split, from step to step
_SPLIT = 1e5  # where that ends: gradients are then what was chosen, to a few thousandths
_SMOOTHINGS = 30  # of what is put between the edges of a picture
_EDGE = 1e-3  # a gradient that counts as one, in values of [0, 1]: a quarter of a step of 255
_PRIMES = (2, 3, 5)  # that a side is a product of where Fourier's transform is fast


def in_circles(image: Tensor, margin: int) -> Tensor:
    """[h, w] with at least 2 `margin` more rows and columns after it, through which it goes on smoothly to its start.

    A Fourier transform takes a picture to go on in circles: a step from one edge to the other would be an edge of it.
    """
    height, width = image.shape
    image = _bridged(_bridged(image, _fast(height + 2 * margin), 0), _fast(width + 2 * margin), 1)
    made_up = torch.ones_like(image, dtype=torch.bool)
    made_up[:height, :width] = False
    for _ in range(_SMOOTHINGS):
        mean = sum(image.roll(step, dim) for dim in (0, 1) for step in (1, -1)) / 4
        image = torch.where(made_up, mean, image)
    return image


def transfer_of(kernel: Tensor, size: tuple[int, int], like: Tensor) -> Tensor:
    """A kernel [h, w] in the Fourier domain of pictures of that size, [H, W // 2 + 1]."""
    placed = like.new_zeros(size)
    placed[: kernel.shape[0], : kernel.shape[1]] = kernel.to(like)
    return torch.fft.rfft2(placed.roll((-(kernel.shape[0] // 2), -(kernel.shape[1] // 2)), (0, 1)))


def gradients(image: Tensor) -> Tensor:
    """[2, H, W]: to the next row and to the next column, in circles."""
    return torch.stack([image.roll(-1, 0) - image, image.roll(-1, 1) - image])


def with_few_edges(y: Tensor, transfer: Tensor, price: float) -> Tensor:
    """x near the least of |k * x - y|^2 + price (number of places with a gradient), for y [H, W] in circles.

    Half-quadratic splitting: in turn, gradients that are worth their price are chosen, and a picture is found that has
    them nearly and explains y, in closed form; ever more nearly (Xu et al. 2011, "Image smoothing via L0 gradient
    minimization").
    """
    size = (y.shape[0], y.shape[1])
    laplacian = y.new_zeros(size)
    laplacian[0, 0] = 4.0
    for row, column in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        laplacian[row, column] -= 1.0
    slopes = torch.fft.rfft2(laplacian).real
    data, power = transfer.conj() * torch.fft.rfft2(y), transfer.abs() ** 2
    x, split = y, 2 * price
    while split < _SPLIT:
        chosen = gradients(x)
        chosen = chosen * (chosen.square().sum(0) >= price / split)
        back = chosen[0].roll(1, 0) - chosen[0] + chosen[1].roll(1, 1) - chosen[1]
        x = torch.fft.irfft2((data + split * torch.fft.rfft2(back)) / (power + split * slopes), s=size)
        split *= _GROWTH
    return x


def edge_energy(y: Tensor, kernel: Tensor, price: float, weights: Tensor) -> float:
    """How badly a kernel explains y [H, W] in circles: what `with_few_edges` makes least, by pixel.

    Args:
        weights: [H, W] in [0, 1], which pixels of y count.
    """
    transfer = transfer_of(kernel, (y.shape[0], y.shape[1]), y)
    x = with_few_edges(y, transfer, price)
    missed = torch.fft.irfft2(transfer * torch.fft.rfft2(x), s=y.shape) - y
    edges = (gradients(x).square().sum(0) > _EDGE**2).to(y)
    return float((weights * (missed.square() + price * edges)).sum() / weights.sum())


def _bridged(image: Tensor, length: int, dim: int) -> Tensor:
    missing = length - image.shape[dim]
    shares = torch.arange(1, missing + 1).to(image) / (missing + 1)
    shares = (shares**2 * (3 - 2 * shares)).unsqueeze(1 - dim)
    last, first = image.narrow(dim, image.shape[dim] - 1, 1), image.narrow(dim, 0, 1)
    return torch.cat([image, (1 - shares) * last + shares * first], dim)


def _fast(length: int) -> int:
    while True:
        rest = length
        for prime in _PRIMES:
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
