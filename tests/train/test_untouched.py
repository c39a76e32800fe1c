from __future__ import annotations

import numpy as np
import torch

from ldrps.train.untouched import untouched

PHOTO = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))


def test_most_are_the_photograph_and_the_others_are_pictures_too() -> None:
    random = np.random.default_rng(0)
    made = [untouched(PHOTO, random) for _ in range(300)]
    assert all(each.shape == PHOTO.shape and each.dtype == torch.float32 for each in made)
    assert all(float(each.min()) >= 0 and float(each.max()) <= 1 for each in made)
    assert 0.33 < sum(torch.equal(each, PHOTO) for each in made) / len(made) < 0.53


def test_the_unusual_is_among_them() -> None:
    random = np.random.default_rng(1)
    made = torch.cat([untouched(PHOTO, random) for _ in range(400)])
    flat = made.flatten(2).std(2).amax(1) == 0
    grey = (made == made[:, :1]).flatten(1).all(1)
    black, white = (made == 0).flatten(1).float().mean(1), (made == 1).flatten(1).float().mean(1)
    assert int(flat.sum()) >= 2 and int(grey.sum()) >= 10
    assert int((black > 0.2).sum()) >= 2 and int((white > 0.2).sum()) >= 2


def test_the_same_generator_makes_the_same() -> None:
    generators = (np.random.default_rng(7), np.random.default_rng(7))
    first, again = (torch.cat([untouched(PHOTO, random) for _ in range(40)]) for random in generators)
    assert torch.equal(first, again)
