"""Noise over a picture's latents, asked for in windows."""

from __future__ import annotations

import torch

from ldrps.sampling.noise import NoiseField


def test_a_place_has_the_same_noise_in_every_window() -> None:
    field = NoiseField(7, 1)
    whole = field.at(0, 0, (2, 3, 80, 100))
    for top, left, height, width in [(0, 0, 5, 7), (30, 31, 40, 40), (64, 96, 16, 4), (31, 0, 2, 100)]:
        window = NoiseField(7, 1).at(top, left, (2, 3, height, width))
        assert torch.equal(window, whole[..., top : top + height, left : left + width])


def test_it_is_white_and_of_unit_deviation() -> None:
    noise = NoiseField(0, 1).at(0, 0, (1, 4, 128, 128))
    assert abs(float(noise.mean())) < 0.01
    assert abs(float(noise.std()) - 1) < 0.01
    for shifted in (noise.roll(1, -1), noise.roll(32, -1), noise.roll(1, 1)):
        assert abs(float((noise * shifted).mean())) < 0.015


def test_seeds_and_rounds_differ() -> None:
    first, seed, number = (NoiseField(*of).at(0, 0, (1, 1, 8, 8)) for of in ((0, 1), (1, 1), (0, 2)))
    assert not torch.equal(first, seed) and not torch.equal(first, number)
