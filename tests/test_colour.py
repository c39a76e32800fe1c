"""Colours for grey photographs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageChops
from torch import Tensor

import ldrps
from ldrps.colour import colourise, is_grey
from ldrps.degradation import Luma
from ldrps.prior.base import Denoised
from ldrps.prior.tiny.prior import EmbeddedPrior
from ldrps.sampling.schedule import Schedule

luma = Luma()


def scene(height: int = 72, width: int = 100) -> Tensor:
    """A bright square on a dark ground, grey, [1, 3, H, W]."""
    image = torch.full((1, 3, height, width), 0.25)
    image[..., 20:50, 30:70] = 0.7
    return image


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (300, 40)])
def test_brightness_stays(size: tuple[int, int], tiny_prior: EmbeddedPrior) -> None:
    grey = torch.rand(1, 1, *size, generator=seeded()).expand(-1, 3, -1, -1)
    coloured = colourise(tiny_prior, grey, seeded(), steps=3)
    assert coloured.shape == grey.shape
    assert float(coloured.min()) >= -1e-5 and float(coloured.max()) <= 1 + 1e-5
    torch.testing.assert_close(luma(coloured), luma(grey), atol=1e-5, rtol=0)
    assert is_grey(grey) and float((coloured - grey).abs().max()) > 1e-3


def test_a_draw_is_of_its_generator(tiny_prior: EmbeddedPrior) -> None:
    first, again, other = (colourise(tiny_prior, scene(), seeded(seed), steps=3) for seed in (0, 0, 1))
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.equal(first, other)


def test_only_brightness_counts(tiny_prior: EmbeddedPrior) -> None:
    tinted = scene() + torch.tensor([0.1, 0.0, -0.1]).reshape(1, 3, 1, 1)
    plain = luma(tinted).expand(-1, 3, -1, -1)
    pair = [colourise(tiny_prior, each, seeded(), steps=3) for each in (tinted, plain)]
    torch.testing.assert_close(*pair, atol=1e-5, rtol=0)
    assert not is_grey(tinted) and is_grey(plain)


def test_colours_are_the_priors_and_follow_edges(tiny_prior: EmbeddedPrior, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prior to which all that is bright is red."""
    schedule = Schedule(tiny_prior.alphas_cumprod)
    small: list[Tensor] = []
    encode = tiny_prior.encode

    def denoise(z_t: Tensor, t: int, text: Tensor | None = None) -> Denoised:
        grey = small[0]
        red = (grey > 0.5) * torch.tensor([0.3, -0.1, -0.1]).reshape(1, 3, 1, 1)
        z0 = encode(grey + red)
        return Denoised(z0, schedule.predict_eps(z_t, z0, t))

    def noting(images: Tensor) -> Tensor:
        small.append(images)
        return encode(images)

    monkeypatch.setattr(tiny_prior, "encode", noting)
    monkeypatch.setattr(tiny_prior, "denoise", denoise)
    coloured = colourise(tiny_prior, scene(144, 200), seeded(), steps=4)
    redness = coloured[0, 0] - coloured[0, 2]
    inside, outside = redness[24:46, 36:64], redness[60:]
    assert float(inside.mean()) > 0.25 and float(outside.abs().mean()) < 0.05
    edge = redness[35, 20:40]
    assert float(edge.diff().max()) > 0.1, "the colour ends where the square does"


def test_colours_that_do_not_fit_grow_weaker(tiny_prior: EmbeddedPrior) -> None:
    for shade in (0.0, 1.0):
        coloured = colourise(tiny_prior, torch.full((1, 3, 40, 40), shade), seeded(), steps=2)
        torch.testing.assert_close(coloured, torch.full_like(coloured, shade), atol=1e-4, rtol=0)


def test_the_caption_and_its_scale_reach_the_denoiser(
    tiny_prior: EmbeddedPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, plain = [], tiny_prior.denoise
    monkeypatch.setattr(type(tiny_prior), "has_text", True)
    monkeypatch.setattr(tiny_prior, "embed", lambda prompts: said.append(prompts) or torch.zeros(len(prompts), 1, 1))
    monkeypatch.setattr(tiny_prior, "denoise", lambda z, t, text=None: plain(z, t))
    colourise(tiny_prior, scene(), seeded(), caption="red", negative="blue", steps=2)
    colourise(tiny_prior, scene(), seeded(), caption="red", negative="blue", scale=1.0, steps=2)
    assert said == [["blue", "red"], ["red"]]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB"])
def test_restoring_a_grey_picture_in_colour(mode: str, tiny_prior: EmbeddedPrior) -> None:
    source = Image.fromarray((255 * scene()[0, 0]).byte().numpy()).convert(mode)
    source.info["icc_profile"] = b"a profile"
    plain, coloured = (
        ldrps.Restorer(tiny_prior, ldrps.preset("fast").with_changes(colourise=wanted))(source).image
        for wanted in (False, True)
    )
    assert plain.mode == mode and coloured.mode == {"L": "RGB", "LA": "RGBA", "RGB": "RGB"}[mode]
    assert coloured.size == source.size
    red, _, blue = coloured.convert("RGB").split()
    assert max(ImageChops.difference(red, blue).getextrema()) > 0
    before, after = (np.asarray(each.convert("L")).astype(int) for each in (plain, coloured))
    assert abs(before - after).max() <= 1
    assert ("icc_profile" in coloured.info) == (mode == "RGB"), "one of grey values does not go with colours"


def test_the_caption_of_a_grey_picture_is_about_its_colours(by_heart: EmbeddedPrior) -> None:
    """That it does not fit the grey picture is what it was given for."""
    source = Image.fromarray((255 * scene()[0, 0]).byte().numpy())
    for colourise_it, asked in ((True, False), (False, True)):
        settings = ldrps.preset("fast").with_changes(colourise=colourise_it)
        result = ldrps.Restorer(by_heart, settings)(source, "bright")
        assert (result.findings.caption is not None) is asked and result.caption.text == "bright"
        assert ("does not fit" in result.words) is asked


def test_a_picture_with_colours_keeps_them(tiny_prior: EmbeddedPrior) -> None:
    noise = Image.effect_noise((48, 40), 90)
    source = Image.merge("RGB", (noise, noise.rotate(180), noise))
    plain, wanted = (
        np.asarray(ldrps.Restorer(tiny_prior, ldrps.preset("fast").with_changes(colourise=each))(source).image)
        for each in (False, True)
    )
    np.testing.assert_array_equal(plain, wanted)
