"""Noise that is drawn: on the CPU in float32, so that every device gets the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

_BLOCK = 32  # places a side that are drawn together


def draw(shape: Sequence[int], generator: torch.Generator, device: torch.device) -> Tensor:
    """Standard normal noise of that shape."""
    return torch.randn(tuple(shape), generator=generator).to(device)


class NoiseField:
    """White noise over the latents of a picture of any size, of which only what is asked for is drawn.

    A place has the same noise in whatever window it is asked for, so that windows which overlap agree.

    Args:
        seed: of the picture.
        number: of the round; each has noise of its own.
    """

    def __init__(self, seed: int, number: int) -> None:
        self._name = f"{seed}/{number}"

    def at(self, top: int, left: int, shape: Sequence[int]) -> Tensor:
        """Noise of shape [B, C, h, w] for the window whose first place is (top, left)."""
        batch, channels, height, width = shape
        noise = torch.empty(batch, channels, height, width)
        for row in range(top // _BLOCK, (top + height - 1) // _BLOCK + 1):
            for column in range(left // _BLOCK, (left + width - 1) // _BLOCK + 1):
                block = self._block(row, column, batch, channels)
                down, across = row * _BLOCK - top, column * _BLOCK - left  # where the block lies in the window
                inside = block[..., max(-down, 0) : height - down, max(-across, 0) : width - across]
                y, x = max(down, 0), max(across, 0)
                noise[..., y : y + inside.shape[-2], x : x + inside.shape[-1]] = inside
        return noise

    def _block(self, row: int, column: int, batch: int, channels: int) -> Tensor:
        digest = hashlib.blake2b(f"{self._name}/{row}/{column}".encode(), digest_size=8).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest))
        return torch.randn((batch, channels, _BLOCK, _BLOCK), generator=generator)
