"""The operator of JPEG beside the codec."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ldrps.degradation import Jpeg
from ldrps.degradation.jpeg import tables

SUBSAMPLING = {(1, 1): 0, (1, 2): 1, (2, 2): 2}


def photograph(height: int, width: int) -> Tensor:
    """Smooth surfaces, edges and texture in colour, in bytes / 255, [1, 3, H, W]."""
    y, x = np.mgrid[0:height, 0:width] / 40
    smooth = np.stack([0.5 + 0.3 * np.sin(2 * x + y), 0.4 + 0.3 * np.cos(x * y), 0.6 - 0.2 * x / x.max()], 0)
    smooth[:, height // 3 : height // 2, width // 4 : width // 2] = np.array([0.8, 0.3, 0.2])[:, None, None]
    texture = 0.03 * np.random.default_rng(0).standard_normal((1, height, width))
    return torch.from_numpy(np.rint(255 * np.clip(smooth + texture, 0, 1)) / 255)[None]


def coded(x: Tensor, **options: object) -> tuple[Tensor, Tensor]:
    """The picture through Pillow's codec, and the tables of the file."""
    file = io.BytesIO()
    Image.fromarray((255 * x[0].permute(1, 2, 0)).round().byte().numpy()).save(file, "JPEG", **options)
    with Image.open(file) as image:
        steps = torch.tensor([image.quantization[k] for k in (0, 1)]).reshape(2, 8, 8)  # type: ignore[attr-defined]
        return torch.from_numpy(np.asarray(image) / 255).permute(2, 0, 1)[None], steps


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 92, 100])
def test_tables_are_libjpegs(quality: int) -> None:
    _, steps = coded(photograph(16, 16), quality=quality)
    assert torch.equal(tables(quality), steps.double())
    assert torch.equal(tables(torch.tensor([50.0, quality]))[1], steps.double())


@pytest.mark.parametrize("subsampling", SUBSAMPLING)
@pytest.mark.parametrize("quality", [15, 50, 90])
@pytest.mark.parametrize("size", [(64, 80), (57, 43)])
def test_it_is_the_codec_but_for_rounding(subsampling: tuple[int, int], quality: int, size: tuple[int, int]) -> None:
    """The codec rounds before and after the transform: some coefficients fall to the other side."""
    x = photograph(*size)
    y, _ = coded(x, quality=quality, subsampling=SUBSAMPLING[subsampling])
    found = Jpeg.of_quality(quality, subsampling)(x).clamp(0, 1)
    apart = (255 * (found - y)).abs()
    assert float(apart.median()) < 1.2
    assert float(apart.mean()) < 0.5 * float((255 * (y - x)).abs().mean())


@pytest.mark.parametrize("subsampling", SUBSAMPLING)
def test_the_true_picture_is_in_the_set_of_its_file(subsampling: tuple[int, int]) -> None:
    x = photograph(64, 80)
    y, steps = coded(x, quality=40, subsampling=SUBSAMPLING[subsampling])
    part = Jpeg(steps.double(), subsampling)
    moved = 255 * (part.project(x, y) - x).abs()
    assert float(moved.mean()) < 0.1, "what the codec rounds may be beyond the interval by a little"
    worse = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).double()
    nearer = part.project(worse, y)
    assert float((nearer - x).pow(2).mean()) < 0.95 * float((worse - x).pow(2).mean())


def test_a_picture_that_was_cut_keeps_the_grid_of_its_file() -> None:
    x = photograph(80, 96)
    y, steps = coded(x, quality=20, subsampling=2)
    part = Jpeg(steps.double(), (2, 2), (5, 11))
    cut = np.s_[..., 5:, 11:]
    again = part(y[cut])[..., 16:-16, 16:-16]
    # Saved again on its own grid nothing is lost twice; on another much is.
    same = float((again - y[cut][..., 16:-16, 16:-16]).abs().mean())
    other = float((Jpeg(steps.double())(y[cut])[..., 16:-16, 16:-16] - y[cut][..., 16:-16, 16:-16]).abs().mean())
    assert same < 0.35 * other


def test_the_gradient_passes_the_quantisation() -> None:
    x = photograph(16, 16).requires_grad_()
    Jpeg.of_quality(30, (1, 1))(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.ones_like(x))
