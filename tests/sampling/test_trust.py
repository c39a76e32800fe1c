"""Whether captions are believed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ldrps
from ldrps.align.words import in_words
from ldrps.prior.base import Denoised
from ldrps.prior.tiny.prior import EmbeddedPrior
from ldrps.sampling.schedule import Schedule
from ldrps.sampling.trust import caption_gain

SHADES = {"dark": 0.2, "bright": 0.8, "": 0.5, "not bright": 0.4}


@pytest.fixture
def by_heart(tiny_prior: EmbeddedPrior, monkeypatch: pytest.MonkeyPatch) -> EmbeddedPrior:
    """A prior to which every picture has the shade that its caption says."""
    schedule = Schedule(tiny_prior.alphas_cumprod)

    def denoise(z_t: torch.Tensor, t: int, text: torch.Tensor | None = None) -> Denoised:
        assert text is not None
        sides = [tiny_prior.factor * side for side in z_t.shape[-2:]]
        z0 = tiny_prior.encode(text.reshape(-1, 1, 1, 1).expand(-1, 3, *sides))
        return Denoised(z0, schedule.predict_eps(z_t, z0, t))

    monkeypatch.setattr(type(tiny_prior), "has_text", True)
    monkeypatch.setattr(tiny_prior, "embed", lambda said: torch.tensor([[[SHADES[each]]] for each in said]))
    monkeypatch.setattr(tiny_prior, "denoise", denoise)
    return tiny_prior


def test_what_a_caption_is_worth(by_heart: EmbeddedPrior) -> None:
    bright = torch.full((1, 3, 50, 70), 0.8)
    assert caption_gain(by_heart, bright, "bright") == pytest.approx(1, abs=1e-3)
    assert caption_gain(by_heart, bright, "") == 0
    assert caption_gain(by_heart, bright, "dark") == pytest.approx(1 - 0.6**2 / 0.3**2, rel=0.01)
    assert caption_gain(by_heart, bright, "dark", "bright") < -100
    assert caption_gain(by_heart, bright, "not bright", "dark") == pytest.approx(1 - 0.4**2 / 0.6**2, rel=0.01)


@pytest.mark.parametrize(("caption", "followed"), [("bright", True), ("dark", False)])
def test_a_caption_that_does_not_fit_the_picture_is_not_followed(
    caption: str, followed: bool, by_heart: EmbeddedPrior
) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((64, 64, 3))
    picture = (0.8 + noise).clip(0, 1).astype(np.float32)
    restorer = ldrps.Restorer(by_heart, ldrps.preset("fast"))
    result, plain = restorer(picture, caption), restorer(picture)
    assert result.findings["caption"]["followed"] is followed
    assert (result.findings["caption"]["gain"] > 0) is followed
    assert "caption" not in plain.findings
    assert result.caption == caption, "what was said is recorded, followed or not"
    assert ("does not fit" in result.damage) is not followed
    mean = float(np.asarray(result.image).mean()) / 255
    assert mean == pytest.approx(0.8 if followed else float(np.asarray(plain.image).mean()) / 255, abs=0.02)


def test_without_text_nothing_is_asked(tiny_prior: EmbeddedPrior) -> None:
    result = ldrps.Restorer(tiny_prior, ldrps.preset("fast"))(np.full((40, 40, 3), 0.5, np.float32), "bright")
    assert "caption" not in result.findings


def test_in_words() -> None:
    found = {"noise": 20.0, "denoised": True}
    assert in_words(found | {"caption": {"gain": 0.1, "followed": True}}) == "noise 20 of 255"
    said = in_words(found | {"caption": {"gain": -0.1, "followed": False}})
    assert said == "noise 20 of 255; the caption does not fit the picture and was not followed"
