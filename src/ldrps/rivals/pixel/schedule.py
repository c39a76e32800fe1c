"""The noise levels of ADM, on which GDP and TAO were published."""

from __future__ import annotations

import torch
from torch import Tensor

TIMESTEPS = 1000


def adm_schedule() -> Tensor:
    """abar_t for betas that grow linearly from 1e-4 to 0.02, float32 [1000] (Ho et al. 2020)."""
    betas = torch.linspace(1e-4, 0.02, TIMESTEPS, dtype=torch.float64)
    return (1 - betas).cumprod(0).float()
