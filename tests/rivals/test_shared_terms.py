"""Loss terms that rivals share, against the formula written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ldrps.rivals.terms import box_mean, box_variance, total_variation

X = torch.rand(2, 3, 12, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_total_variation() -> None:
    x = X.numpy()
    down = sum((x[b, c, i + 1, j] - x[b, c, i, j]) ** 2 for b, c, i, j in np.ndindex(2, 3, 11, 8))
    across = sum((x[b, c, i, j + 1] - x[b, c, i, j]) ** 2 for b, c, i, j in np.ndindex(2, 3, 12, 7))
    assert float(total_variation(X)) == pytest.approx(2 * (down / (11 * 8) + across / (12 * 7)) / 2)


def test_windows() -> None:
    x = X.numpy()[0, 0]
    for i, j in ((0, 0), (5, 3), (11, 7), (1, 6)):
        around = x[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3]
        assert float(box_mean(X, 2)[0, 0, i, j]) == pytest.approx(around.mean())
        assert float(box_variance(X, 2)[0, 0, i, j]) == pytest.approx(around.var())
