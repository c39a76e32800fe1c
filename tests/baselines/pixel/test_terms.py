from __future__ import annotations

import pytest
import torch

from ldrps.baselines.pixel.terms import exposure


def test_exposure_is_of_cells() -> None:
    x = torch.zeros(1, 3, 8, 16)
    x[..., 8:] = 0.9  # one cell black, one bright
    assert float(exposure(x, 8, 0.3)) == pytest.approx((0.3**2 + 0.6**2) / 2, rel=1e-5)
    assert float(exposure(x, 64, 0.3)) == pytest.approx((0.45 - 0.3) ** 2, rel=1e-5), "smaller than a cell"
