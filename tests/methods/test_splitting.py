"""Noise that no chain begins with is taken away before a blur or a reduction is undone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import ldrps
from ldrps import Damage, Estimate, Prior, Restorer, preset
from ldrps.degradation import Blur, Exposure, GaussianBlur, Jpeg, JpegResidue, WhiteNoise, resize
from ldrps.degradation.jpeg import tables
from ldrps.degradation.kernels import line
from ldrps.methods.blind import Blind
from ldrps.methods.deblur import Deblurring
from ldrps.methods.enlarge import Enlarging
from ldrps.methods.splitting import whole_of

SIGMA = 6 / 255


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def scene(side: int) -> Tensor:
    """Edges and shades, [1, 3, side, side], with fine steps that JPEG cannot keep."""
    y, x = torch.meshgrid(torch.arange(side) / 64, torch.arange(side) / 64, indexing="ij")
    disks = (torch.hypot(x % 0.9 - 0.4, y % 0.7 - 0.3) < 0.22).float()
    shade = 0.3 + 0.15 * torch.sin(3 * x) * torch.cos(4 * y)
    return torch.stack([shade + 0.35 * disks, shade + 0.25 * disks, shade + 0.2 * disks])[None]


def saved(x: Tensor) -> Tensor:
    return Jpeg(tables(30), (1, 1), (0, 0))((x * 255).round() / 255).clamp(0, 1)


def damage(**parts: Estimate) -> Damage:  # type: ignore[type-arg]
    return Damage(noise=Estimate(JpegResidue(SIGMA)), **parts)


def test_the_loop_is_given_what_the_default_makes_of_it(embedded: Prior) -> None:
    y, settings = saved(scene(64)), preset("default")
    found = damage(tone=Estimate(Exposure(-0.5)), blur=Estimate(GaussianBlur(1.2)))
    before = Blind(y, embedded, settings, damage(tone=found.tone), "")
    method = Deblurring(y, embedded, settings, found, "")
    torch.testing.assert_close(method.y, whole_of(before), atol=1e-5, rtol=0)
    assert method.findings.damage is found, "what is told is what was found"
    assert method.damage.tone is None, "undone already"
    assert method.sigma == pytest.approx(SIGMA * settings.method.splitting.residue)  # type: ignore[union-attr]


def test_white_noise_is_the_chains_own(embedded: Prior) -> None:
    y, settings = saved(scene(64)), preset("default")
    white = Damage(noise=Estimate(WhiteNoise(SIGMA)), blur=Estimate(GaussianBlur(1.2)))
    method = Deblurring(y, embedded, settings, white, "")
    assert method.y is y and method.sigma == pytest.approx(SIGMA)


def test_an_enlarged_jpeg_is_nearer_to_the_truth_than_as_if_it_were_white(embedded: Prior) -> None:
    x = scene(128)
    y = saved(resize(x, (64, 64)))

    def decibels(noise: WhiteNoise | JpegResidue) -> float:
        larger = Restorer(embedded, preset("default").with_changes(scale=2.0))
        image = larger(y, damage=Damage(noise=Estimate(noise))).image
        found = torch.from_numpy(np.asarray(image.convert("RGB"), np.float32) / 255).permute(2, 0, 1)[None]
        return float(-10 * (found - x).square().mean().log10())

    assert decibels(JpegResidue(SIGMA)) > decibels(WhiteNoise(SIGMA)) + 0.1


def test_windows_are_cleaned_like_the_whole(embedded: Prior) -> None:
    y = saved(scene(160))
    whole, parts = (
        Enlarging(y, embedded, preset("default").with_changes(scale=2.0, **changes), damage(), "").y
        for changes in ({}, {"tile": 64, "overlap": 16})
    )
    assert float((whole - parts).abs().mean()) < 1 / 255


@pytest.mark.parametrize(
    ("blur", "sigma", "deviation"),
    [(Blur(line(5, 30)), 0.1, 1.0), (Blur(line(5, 30)), 2.0, 4.0), (GaussianBlur(1.2), 2.0, 1.0)],
    ids=["hardly any noise", "perhaps some", "a Gaussian"],
)
def test_noise_is_assumed_where_none_was_found_and_the_kernel_is_a_path(
    embedded: Prior, blur: Blur | GaussianBlur, sigma: float, deviation: float
) -> None:
    unlikely = Damage(noise=Estimate(JpegResidue(sigma / 255), 0.05), blur=Estimate(blur))
    method = Deblurring(scene(64), embedded, preset("default"), unlikely, "")
    assert method.sigma == 0
    assert 255 * float(method.noise.min()) == pytest.approx(deviation)
    assert 255 * method.levels[0][-1] == pytest.approx(max(deviation, 1.2)), "where the chain ends"


def test_no_picture_is_restored_before_where_no_noise_was_found(
    embedded: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.methods.splitting.whole_of", lambda _: pytest.fail("a way through the denoiser"))
    unlikely = Damage(noise=Estimate(JpegResidue(SIGMA), 0.05), blur=Estimate(GaussianBlur(1.2)))
    assert unlikely.noise_kind == "white"
    Deblurring(scene(64), embedded, preset("default"), unlikely, "")
