"""Whether the prior finds a picture likelier with its damage undone."""

from __future__ import annotations

import pytest
import torch
from conftest import photo
from torch import Tensor

import ldrps
from ldrps.degradation import Compose, Curve, Tone, Veil
from ldrps.guidance.evidence import evidence, surprise
from ldrps.prior.base import Denoised, Prior
from ldrps.sampling.schedule import Schedule


def test_the_embedded_prior_finds_damage_undone_likelier() -> None:
    prior, x = ldrps.load_prior(), photo()
    for damage in (Tone(gain=0.15), Veil(0.3, 0.9)):
        assert evidence(prior, damage(x), damage) > 0.2
        assert evidence(prior, x, damage) < 0, "what is undamaged is not undone"


def test_no_damage_explains_nothing(tiny_prior: Prior) -> None:
    assert evidence(tiny_prior, photo(), Compose()) == pytest.approx(0, abs=1e-4)


def test_a_prior_of_gaussian_latents_is_told_exactly(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a normal prior, -ln p(z) grows by half a square: here by ln of a change of scale, and the rest."""
    schedule = Schedule(tiny_prior.alphas_cumprod)

    def denoise(z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        z0 = z_t / schedule.abar(t) ** 0.5 / (1 + schedule.sigma(t) ** 2)  # E z0 | z_t for z0 ~ N(0, 1)
        return Denoised(z0, schedule.predict_eps(z_t, z0, t))

    monkeypatch.setattr(tiny_prior, "denoise", denoise)
    random = torch.Generator().manual_seed(5)  # not the one of the noise
    z = torch.randn(1, 20, 16, 16, generator=random)
    monkeypatch.setattr(tiny_prior, "encode", lambda images: images)
    near, far = surprise(tiny_prior, torch.cat([z, 2 * z])).tolist()
    assert far - near == pytest.approx((4 - 1) / 2 * float(z.square().mean()), rel=0.1)


def test_it_is_the_same_for_every_size_of_the_picture() -> None:
    prior, damage = ldrps.load_prior(), Curve(torch.linspace(0.05, 0.4, 17).expand(3, -1).contiguous())
    y = damage(photo(96))
    large = torch.nn.functional.interpolate(y, scale_factor=3, mode="bicubic").clamp(0, 1)
    assert evidence(prior, large, damage) == pytest.approx(evidence(prior, y, damage), rel=0.35)
