"""Free samples of a prior, and how far pictures are from them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import ldrps
from ldrps.guidance import domain as module
from ldrps.guidance.domain import (
    DEVIATION,
    LEVELS,
    CleanDomain,
    clean_domain,
    distance,
    draw_domain,
    quantiles,
    read_domain,
    save_domain,
    with_quantiles,
)
from ldrps.prior.base import Prior


def test_quantiles_rise_and_do_not_depend_on_the_size() -> None:
    small = torch.rand(2, 3, 16, 24)
    told = quantiles(small)
    assert told.shape == (2, 3, LEVELS) and bool((told.diff(dim=-1) >= 0).all())
    large = small.repeat_interleave(3, 2).repeat_interleave(3, 3)
    torch.testing.assert_close(quantiles(large), told, atol=0.02, rtol=0)


@pytest.mark.parametrize("scale", [1.0, 0.2])
def test_a_distance_is_in_units_of_the_degraded_picture(scale: float) -> None:
    y = quantiles(torch.rand(1, 3, 32, 32))[0]
    assert float(distance(scale * y, scale * y)) == 0
    moved = distance(scale * y + 0.5 * scale * y.std(), scale * y)
    assert float(moved) == pytest.approx(0.25, rel=1e-3)


def test_the_ends_weigh_most() -> None:
    y = quantiles(torch.rand(1, 3, 32, 32))[0]
    changes = []
    for place in (0, LEVELS // 2, LEVELS - 1):
        made = y.clone()
        made[:, place] += 0.1
        changes.append(float(distance(made, y)))
    black, middle, white = changes
    assert black == pytest.approx(white, rel=1e-3) and black > 5 * middle


def test_the_line_to_a_picture_gives_the_domain_its_mean_and_deviation() -> None:
    clean = CleanDomain(quantiles(torch.rand(5, 3, 32, 32)), torch.ones(4))
    y = 0.3 * torch.rand(1, 3, 64, 64) + 0.1
    line = clean.line_to(y)
    assert line.gain == pytest.approx(0.3, abs=0.02) and line.offset == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("size", [(16, 16), (40, 25), (3, 5)])
def test_images_take_the_quantiles_that_are_wanted_and_keep_their_order(size: tuple[int, int]) -> None:
    images, wanted = torch.rand(2, 3, *size) ** 3, 0.2 + 0.5 * torch.linspace(0, 1, LEVELS).expand(3, -1) ** 2
    made = with_quantiles(images, wanted)
    torch.testing.assert_close(quantiles(made), wanted.expand(2, -1, -1), atol=0.05, rtol=0)
    order = images.flatten(2).argsort(-1)
    assert bool((made.flatten(2).gather(-1, order).diff(dim=-1) >= 0).all())


def test_a_domain_is_drawn_from_any_prior(tiny_prior: Prior) -> None:
    drawn = draw_domain(tiny_prior, samples=1, steps=2)
    assert drawn.quantiles.shape == (16, 3, LEVELS) and drawn.variance.shape == (tiny_prior.latent_channels,)
    assert bool((drawn.variance > 0).all())
    again = draw_domain(tiny_prior, samples=1, steps=2)
    assert torch.equal(drawn.quantiles, again.quantiles)


def test_one_with_text_is_asked_for_all_subjects(by_heart: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "SUBJECTS", ("dark", "bright"))
    embed = by_heart.embed
    monkeypatch.setattr(by_heart, "embed", lambda prompts: said.extend(prompts) or embed(prompts))
    drawn = draw_domain(by_heart, samples=2, steps=2)
    assert len(drawn.quantiles) == 4 and {"dark", "bright"} <= set(said)
    dark, bright = drawn.quantiles[:2].mean(), drawn.quantiles[2:].mean()
    assert float(dark) < float(bright)


def test_it_is_drawn_once_for_a_prior(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Prior] = []
    made = CleanDomain(torch.rand(2, 3, LEVELS).sort(-1).values, torch.ones(20))
    monkeypatch.setattr(module, "draw_domain", lambda prior: counted.append(prior) or made)
    monkeypatch.setattr(module, "_drawn", type(module._drawn)())
    assert clean_domain(tiny_prior) is made and clean_domain(tiny_prior) is made
    assert counted == [tiny_prior]


def test_written_and_read(tmp_path: Path) -> None:
    told = CleanDomain(quantiles(torch.rand(3, 3, 16, 16)), torch.rand(8))
    save_domain(told, tmp_path / "domain.safetensors")
    read = read_domain((tmp_path / "domain.safetensors").read_bytes())
    torch.testing.assert_close(read.quantiles, told.quantiles, atol=1 / 500, rtol=0)
    torch.testing.assert_close(read.variance, told.variance)


def test_the_embedded_prior_brings_its_own() -> None:
    prior = ldrps.load_prior()
    shipped = clean_domain(prior)
    assert shipped.quantiles.shape == (64, 3, LEVELS) and shipped.variance.shape == (prior.latent_channels,)
    assert float(shipped.quantiles.std()) == pytest.approx(DEVIATION, rel=0.15)  # less what was clamped
    assert 0.4 < float(shipped.typical.mean()) < 0.55
    known = torch.tensor(prior.networks()["unet"].config["sigma_data"]) ** 2
    assert bool(((shipped.variance / known).sqrt() - 1).abs().max() < 1), "as photographs had them in training"


def test_a_drawn_domain_is_like_some_of_its_samples() -> None:
    domain = CleanDomain(torch.rand(6, 3, LEVELS).sort(-1).values, torch.ones(4))
    one, again, other = (domain.drawn(1, torch.Generator().manual_seed(seed)) for seed in (0, 0, 4))
    assert torch.equal(one.quantiles, again.quantiles) and not torch.equal(one.quantiles, other.quantiles)
    assert any(torch.equal(one.typical, each) for each in domain.quantiles)
    torch.testing.assert_close(domain.drawn(9, torch.Generator()).typical, domain.typical)  # there are no more
