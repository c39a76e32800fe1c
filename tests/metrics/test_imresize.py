"""MATLAB's imresize against weights worked out by hand and, away from the edge, against Pillow."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ldrps.metrics.imresize import imresize

# Keys' cubic with a = -0.5 at 0.25, 0.75, 1.25, 1.75: halving takes 8 pixels, half of each value.
NEAR = [0.8671875, 0.2265625, -0.0703125, -0.0234375]
HALVING = [value / 2 for value in (*NEAR[::-1], *NEAR)]


def test_halving_an_impulse_gives_the_weights_of_the_cubic() -> None:
    assert sum(HALVING) == 1
    x = torch.zeros(16, 16, dtype=torch.float64)
    x[7, 7] = 1
    seen = torch.zeros(8, dtype=torch.float64)
    for at in (2, 3, 4, 5):  # output `at` is made of pixels 2 at - 3 .. 2 at + 4
        seen[at] = HALVING[7 - (2 * at - 3)]
    assert torch.allclose(imresize(x, 0.5), torch.outer(seen, seen), rtol=0, atol=1e-15)


def test_halving_near_the_edge_mirrors_the_picture_with_its_outermost_pixel_repeated() -> None:
    row = torch.tensor([5.0, 1, 7, 2, 9, 4], dtype=torch.float64)
    around = [7, 1, 5, *row.tolist(), 4, 9, 2]
    wanted = [sum(w * around[2 * at + k] for k, w in enumerate(HALVING)) for at in range(3)]
    found = imresize(row.expand(6, 6), 0.5)
    assert torch.allclose(found, torch.tensor(wanted, dtype=torch.float64).expand(3, 3), rtol=0, atol=1e-14)


@pytest.mark.parametrize("scale", [0.5, 0.25, 2, 3])
def test_it_is_pillows_bicubic_away_from_the_edge(scale: float) -> None:
    x = np.random.default_rng(0).random((48, 60)).astype(np.float32)
    size = (int(60 * scale), int(48 * scale))
    wanted = np.asarray(Image.fromarray(x).resize(size, Image.Resampling.BICUBIC))
    found = imresize(torch.from_numpy(x).double(), scale).numpy()
    assert found.shape == wanted.shape
    edge = max(3, int(3 * scale))
    np.testing.assert_allclose(found[edge:-edge, edge:-edge], wanted[edge:-edge, edge:-edge], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "scale", "wanted"), [((5, 8), 0.5, (3, 4)), ((3, 4), 1.5, (5, 6)), ((1, 1), 0.5, (1, 1))]
)
def test_sizes_are_rounded_up_and_constants_stay(size: tuple[int, int], scale: float, wanted: tuple[int, int]) -> None:
    found = imresize(torch.full((2, 3, *size), 0.7, dtype=torch.float64), scale)
    assert tuple(found.shape) == (2, 3, *wanted)
    assert torch.allclose(found, torch.tensor(0.7, dtype=torch.float64), rtol=0, atol=1e-14)


def test_a_scale_of_1_changes_nothing() -> None:
    x = torch.rand(3, 7, 5, generator=torch.Generator().manual_seed(0))
    assert torch.equal(imresize(x, 1), x)
