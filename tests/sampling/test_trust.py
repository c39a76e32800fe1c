"""Whether captions are believed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import ldrps
from ldrps.estimation.estimators import Estimators
from ldrps.prior.tiny.prior import EmbeddedPrior
from ldrps.sampling.trust import caption_gain


def test_what_a_caption_is_worth(by_heart: EmbeddedPrior) -> None:
    bright = torch.full((1, 3, 50, 70), 0.8)
    assert caption_gain(by_heart, bright, "bright") == pytest.approx(1, abs=1e-3)
    assert caption_gain(by_heart, bright, "") == 0
    assert caption_gain(by_heart, bright, "dark") == pytest.approx(1 - 0.6**2 / 0.3**2, rel=0.01)
    assert caption_gain(by_heart, bright, "not bright") == pytest.approx(1 - 0.4**2 / 0.3**2, rel=0.01)


def bright() -> np.ndarray:
    """A faint gradient, bright, under noise, [64, 64, 3]."""
    noise = 0.06 * np.random.default_rng(0).standard_normal((64, 64, 3))
    return (np.linspace(0.77, 0.83, 64)[:, None] + noise).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize(("caption", "followed"), [("bright", True), ("dark", False)])
def test_a_caption_that_does_not_fit_the_picture_is_not_followed(
    caption: str, followed: bool, by_heart: EmbeddedPrior, unmoved: Estimators
) -> None:
    picture = bright()
    restorer = ldrps.Restorer(by_heart, ldrps.preset("fast"), estimators=unmoved)
    result, plain = restorer(picture, caption), restorer(picture)
    assert result.findings.caption.followed is followed
    assert (result.findings.caption.gain > 0) is followed
    assert plain.findings.caption is None
    assert result.caption.text == caption, "what was said is recorded, followed or not"
    assert ("does not fit" in result.words) is not followed
    mean = float(np.asarray(result.image).mean()) / 255
    assert mean == pytest.approx(0.8 if followed else float(np.asarray(plain.image).mean()) / 255, abs=0.02)


def test_what_is_not_followed_leaves_no_caption_rather_than_the_negative(
    by_heart: EmbeddedPrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[list[str]] = []
    embed = by_heart.embed
    monkeypatch.setattr(by_heart, "embed", lambda prompts: said.append(prompts) or embed(prompts))
    settings = ldrps.preset("fast").with_changes(negative="not bright")
    ldrps.Restorer(by_heart, settings)(bright(), "dark")
    assert said[-2:] == [["dark", ""], [""]], "asked about, then restored without"


def test_without_text_nothing_is_asked(tiny_prior: EmbeddedPrior) -> None:
    result = ldrps.Restorer(tiny_prior, ldrps.preset("fast"))(np.full((40, 40, 3), 0.5, np.float32), "bright")
    assert result.findings.caption is None
