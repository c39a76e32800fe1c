from __future__ import annotations

import numpy as np
import torch

from ldrps.train.graphics import graphic, painting


def test_pictures_of_the_size_and_of_their_generator() -> None:
    first, again, other = (graphic(48, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.shape == (1, 3, 48, 48) and first.dtype == torch.float32
    assert float(first.min()) >= 0 and float(first.max()) <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_most_of_them_is_flat_and_little_of_it_alike() -> None:
    random = np.random.default_rng(0)
    pictures = [graphic(64, random) for _ in range(40)]
    flat = [float((picture.diff(dim=-1).abs().amax(1) < 2 / 255).float().mean()) for picture in pictures]
    assert np.median(flat) > 0.7, "no texture, no noise"
    grounds = [float(picture.median()) for picture in pictures]
    assert min(grounds) < 0.3 and max(grounds) > 0.75, "dark screens and light pages"


def test_a_painting_is_of_the_photograph_in_strokes() -> None:
    photo = torch.linspace(0.1, 0.9, 64).expand(1, 3, 64, 64)
    painted = [painting(photo, np.random.default_rng(seed)) for seed in range(10)]
    for picture in painted:
        assert picture.shape == photo.shape and float(picture.min()) >= 0 and float(picture.max()) <= 1
        assert float((picture.mean(2) - photo.mean(2)).abs().mean()) < 0.1
        assert float(picture.diff(dim=-2).abs().mean()) > 0.002, "which the photograph had not"
    assert torch.equal(painting(photo, np.random.default_rng(1)), painted[1])
