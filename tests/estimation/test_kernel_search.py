"""The kernel of a blurred picture, from the picture alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.degradation import Blur
from ldrps.degradation.kernels import gaussian, line, mean_of, path
from ldrps.errors import InputError, SettingsError
from ldrps.estimation.kernel_search import (
    KernelSearch,
    WidthSearch,
    centred,
    find_kernel,
    find_width,
    gains_of_kernels,
    likely,
)

QUICK = KernelSearch(reach=6, rounds=3, last=(5e-4,))
HOOK = path([(-3.0 + 0.3 * n, -2.0) for n in range(20)] + [(3.0, -2.0 + 0.3 * n) for n in range(20)], 5)


def rectangles(side: int = 128, seed: int = 0) -> Tensor:
    """[1, 3, side, side]: flat rectangles over each other, of which everything about the kernel can be seen."""
    random = torch.Generator().manual_seed(seed)
    picture = torch.full((1, 3, side, side), 0.5)
    for _ in range(60):
        top, left, tall, wide = (int(n) for n in torch.randint(4, side // 2, (4,), generator=random))
        top, left = 2 * top - 8, 2 * left - 8
        picture[..., top : top + tall, left : left + wide] = 0.1 + 0.8 * torch.rand(3, 1, 1, generator=random)
    return picture


def blurred(kernel: Tensor, side: int = 128, seed: int = 0) -> Tensor:
    x = rectangles(side + 2 * (max(kernel.shape) // 2), seed)
    y = Blur(kernel, "valid")(x)
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed)) / 255
    return (y + noise).clamp(0, 1)


def similarity(one: Tensor, other: Tensor) -> float:
    """The largest correlation over all shifts by quarters of a pixel, 1 at most."""
    size, finer = (64, 64), (256, 256)
    product = torch.fft.fft2(one.double(), s=size) * torch.fft.fft2(other.double(), s=size).conj()
    padded = torch.zeros(finer, dtype=product.dtype)
    padded[96:160, 96:160] = torch.fft.fftshift(product)
    shifts = 16 * torch.fft.ifft2(torch.fft.ifftshift(padded)).real
    return float(shifts.max() / (one.double().norm() * other.double().norm()))


@pytest.mark.parametrize(("kernel", "least"), [(HOOK, 0.9), (line(9, 30), 0.8)], ids=["hook", "line"])
def test_finds_the_path_of_a_shake(kernel: Tensor, least: float) -> None:
    found = find_kernel(blurred(kernel), QUICK)
    assert similarity(found.kernel, kernel) > least
    assert found.gain > 0.3
    assert mean_of(found.kernel) == pytest.approx((0, 0), abs=0.3), "or the picture would be moved"


def test_a_found_kernel_is_one() -> None:
    kernel = find_kernel(blurred(HOOK), QUICK).kernel
    assert kernel.shape == (13, 13) and kernel.dtype == torch.float64
    assert float(kernel.min()) >= 0 and float(kernel.sum()) == pytest.approx(1)
    places = torch.arange(-6, 7, dtype=torch.float64)
    for sums in (kernel.sum(0), kernel.sum(1)):
        assert abs(float(sums @ places)) <= 0.5


def test_the_same_picture_has_the_same_kernel() -> None:
    y = blurred(HOOK)
    assert torch.equal(find_kernel(y, QUICK).kernel, find_kernel(y, QUICK).kernel)


def test_a_sharp_picture_is_not_explained_better_by_a_blur() -> None:
    sharp = blurred(torch.ones(1, 1))
    assert find_kernel(sharp, QUICK).gain <= 0.05
    assert all(gain < 0 for gain in gains_of_kernels(sharp, [line(7, 0), gaussian(1.5, 1.5)]))


def test_a_good_guess_is_kept() -> None:
    y = blurred(HOOK)
    assert find_kernel(y, QUICK, first=HOOK).gain >= gains_of_kernels(y, [HOOK])[0] - 0.2


def test_lights_brighter_than_white_are_left_out() -> None:
    x = rectangles(138)
    for row, column in ((30, 40), (90, 70)):
        x[..., row : row + 3, column : column + 3] = 40.0
    y = Blur(HOOK, "valid")(x).clamp(0, 1)
    assert similarity(find_kernel(y, QUICK).kernel, HOOK) > 0.85


def test_what_is_hidden_is_left_out() -> None:
    y, visible = blurred(HOOK), torch.ones(1, 1, 128, 128)
    visible[..., 40:70, 40:70] = 0
    y[..., 40:70, 40:70] = torch.rand(1, 3, 30, 30, generator=torch.Generator().manual_seed(1))
    assert similarity(find_kernel(y, QUICK, visible=visible).kernel, HOOK) > 0.8


def test_a_picture_that_tells_nothing_has_no_blur() -> None:
    for value in (0.5, 1.0):
        assert find_kernel(torch.full((1, 3, 64, 64), value), QUICK).gain == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(("sigma", "guess"), [(1.5, 1.1), (1.5, 2.0), (2.2, 1.6)])
def test_finds_the_width_of_a_gaussian(sigma: float, guess: float) -> None:
    y = blurred(gaussian(sigma, sigma))
    width, gain = find_width(y, lambda s: gaussian(s, s), guess, WidthSearch(furthest=1.6, steps=4))
    assert width == pytest.approx(sigma, rel=0.15)
    assert gain > 0.3


def test_likely_kernels_hang_together() -> None:
    kernel = torch.tensor([[0.9, 0.0, 0.02, 0.0], [0.5, 0.0, 0.0, 0.0], [0.0, 0.0, -0.4, 0.06]])
    told = likely(kernel, faint=0.01, alone=0.1)
    assert told[:2, 0].tolist() == pytest.approx([0.9 / 1.4, 0.5 / 1.4])
    assert float(told.sum()) == pytest.approx(1) and float(told[:, 1:].abs().sum()) == 0
    assert likely(-torch.ones(3, 3), 0.05, 0.03)[1, 1] == 1


def test_centred_kernels_lose_nothing_that_fits() -> None:
    kernel = torch.zeros(5, 5)
    kernel[0, 4] = 1.0
    assert centred(kernel)[2, 2] == 1


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(InputError, match="reach of 6: give a larger one, or a reach of 3 at most"):
        find_kernel(torch.rand(1, 3, 30, 40), QUICK)
    with pytest.raises(InputError, match=r"give \[1, 3, H, W\]"):
        find_kernel(torch.rand(2, 3, 128, 128), QUICK)
    with pytest.raises(InputError, match="larger reach"):
        find_kernel(torch.rand(1, 3, 128, 128), QUICK, first=torch.ones(21, 21) / 441)
    for wrong in ({"reach": 0}, {"last": ()}):
        with pytest.raises(SettingsError):
            KernelSearch(**wrong)
    with pytest.raises(SettingsError, match="furthest is 1"):
        WidthSearch(furthest=1)
