"""Results that can only be failures are never written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from ldrps import Prior, Restorer
from ldrps.errors import LdrpsError
from ldrps.guard import check_restored


def photograph(height: int = 160, width: int = 192) -> Tensor:
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([0.5 + 0.3 * torch.sin(14 * x + 3 * y), 0.5 + 0.3 * torch.cos(11 * y), 0.2 + 0.5 * x])[None]


def nans(after: Tensor, random: torch.Generator) -> None:
    after.view(-1)[int(torch.randint(after.numel(), (), generator=random))] = torch.nan


def black(after: Tensor, random: torch.Generator) -> None:
    after.zero_()


def one_colour(after: Tensor, random: torch.Generator) -> None:
    row, column = (int(64 * torch.randint(2, (), generator=random)) for _ in range(2))
    after[..., row : row + 64, column : column + 64] = torch.rand(3, 1, 1, generator=random) * 0.9 + 0.05


@pytest.mark.parametrize("fault", [nans, black, one_colour])
def test_every_injected_fault_is_caught(fault) -> None:
    for seed in range(50):
        before = photograph()
        after = before + 0.02 * torch.randn(before.shape, generator=torch.Generator().manual_seed(seed))
        check_restored(before, after, "a.png")
        fault(after, torch.Generator().manual_seed(seed))
        with pytest.raises(LdrpsError, match=r"a\.png .*not written"):
            check_restored(before, after, "a.png")


def test_flat_skies_black_and_white_may_be_flat() -> None:
    noisy_sky = 0.7 + 0.05 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    check_restored(noisy_sky, torch.full((1, 3, 128, 128), 0.7), "sky")
    dim = 0.012 * photograph()
    check_restored(dim, torch.zeros_like(dim), "night")
    check_restored(photograph(), torch.ones(1, 3, 160, 192), "snow")
    check_restored(photograph(32, 40), photograph(32, 40), "small")


def test_a_network_that_fails_is_an_error_and_no_file(
    tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    decode = type(tiny_prior).decode
    monkeypatch.setattr(type(tiny_prior), "decode", lambda self, z: decode(self, z) * torch.nan)
    noisy = (photograph() + 0.08 * torch.randn(photograph().shape)).clamp(0, 1)
    with pytest.raises(LdrpsError, match="NaN"):
        Restorer(tiny_prior)(noisy)
