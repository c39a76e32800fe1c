from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ldrps.degradation import GaussianBlur, Sampling, resize
from ldrps.degradation.sampling import Filter
from ldrps.errors import InputError, SettingsError

PILLOW = {"bicubic": Image.Resampling.BICUBIC, "area": Image.Resampling.BOX}


@pytest.mark.parametrize("how", PILLOW)
@pytest.mark.parametrize("size", [(20, 31), (61, 17), (7, 9), (122, 200), (1, 1)])
def test_resizing_is_pillows_to_the_bit(how: Filter, size: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal((61, 83)).astype(np.float32)
    wanted = np.asarray(Image.fromarray(x).resize((size[1], size[0]), PILLOW[how]))
    np.testing.assert_array_equal(resize(torch.from_numpy(x)[None, None], size, how)[0, 0].numpy(), wanted)


def test_the_same_size_is_the_same_picture() -> None:
    x = torch.rand(1, 3, 5, 6)
    assert resize(x, (5, 6)) is x


@pytest.mark.parametrize("factor", [2, 3, 1.7, 0.5])
def test_sizes_and_what_is_known_of_them(factor: float) -> None:
    part = Sampling((51, 34), factor)
    y = part(torch.full((1, 3, 51, 34), 0.4))
    assert y.shape[-2:] == part.reduced_size == (round(51 / factor), round(34 / factor))
    torch.testing.assert_close(y, torch.full_like(y, 0.4))
    assert part.invert(y).shape == part.adjoint(y).shape == (1, 3, 51, 34)
    with pytest.raises(InputError, match="a picture of 20x10 and a sampling of 34x51"):
        part(torch.zeros(1, 3, 10, 20))


@pytest.mark.parametrize("factor", [0, -1, 200])
def test_factors_that_leave_nothing(factor: float) -> None:
    with pytest.raises(SettingsError, match="must keep a pixel each way"):
        Sampling((51, 34), factor)


def test_gaussian_blur_is_scipys() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    x = np.random.default_rng(0).random((40, 31))
    wanted = ndimage.gaussian_filter(x, 1.7, radius=7, mode="reflect")
    np.testing.assert_allclose(GaussianBlur(1.7)(torch.from_numpy(x)[None, None])[0, 0].numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize(("side", "factor"), [(254, 4), (255, 2), (27, 2), (100, 1.7)])
def test_an_enlargement_stays_in_its_place(side: int, factor: float) -> None:
    ramp = torch.linspace(0, 1, side, dtype=torch.float64).expand(1, 1, 8, side)
    part = Sampling((8, side), factor)
    apart = (part.invert(part(ramp)) - ramp)[..., 8:-8].abs()
    assert float(apart.max()) * (side - 1) < 0.05, "pixels"


def test_what_is_kept_of_a_size_may_be_differentiated_through() -> None:
    with torch.inference_mode():
        resize(torch.rand(1, 1, 37, 41), (11, 13))
    x = torch.rand(1, 1, 37, 41, requires_grad=True)
    resize(x, (11, 13)).sum().backward()
    assert x.grad is not None
