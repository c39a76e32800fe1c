"""Networks that begin at random, and yet the same each time, whatever else has drawn numbers in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


def begun(make: Callable[[], N], generator: torch.Generator, device: torch.device) -> N:
    """What `make` makes, its initial weights drawn by a seed that is taken from `generator`, on `device`.

    The process's own random state is left as it was.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().to(device)
