"""Tones that went wrong more at some places than at others, as a part of the damage."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.degradation import Compose, LocalTone, Tone, UncertainTone
from ldrps.errors import SettingsError
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.tone import estimate_tones
from ldrps.estimation.tone_posterior import ToneBelief
from ldrps.image.arrays import to_pil
from ldrps.image.tiles import Window
from ldrps.prior import load_prior
from ldrps.restorer import Restorer
from ldrps.settings import Settings

Y = 0.2 + 0.6 * torch.rand(1, 3, 40, 48, generator=torch.Generator().manual_seed(0))
NO_LIGHTS = (Y.amin(1, keepdim=True) < 0.6).expand_as(Y)  # which lead to white
FIELD = LocalTone(torch.tensor([[[0.4, -0.4], [0.2, -0.2]]]), 0.0)


def curve(gain: float) -> UncertainTone:
    each = torch.full((1, 3), gain)
    return UncertainTone(each, torch.zeros_like(each), torch.ones_like(each), torch.ones(1))


def damage(probability: float = 1.0, strength: float = 1.0, tone: float = 1.0) -> Damage:
    local = Estimate(Compose((curve(0.9), FIELD)), probability, strength)
    return Damage(Estimate(curve(0.5), 1.0, tone), local=local)


def evened(y: Tensor) -> Tensor:
    return (FIELD.invert(y) / 0.9).clamp(0, 1)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0.0), (0.25, 0.0), (0.5, 0.5), (0.75, 1.0), (1.0, 1.0)])
def test_it_counts_as_it_is_likely(probability: float, share: float) -> None:
    expected = torch.lerp((Y / 0.5).clamp(0, 1), evened(Y), share)
    found = damage(probability).undo_tone(Y)
    torch.testing.assert_close(found[NO_LIGHTS], expected[NO_LIGHTS], atol=3e-3, rtol=0)


def test_what_is_not_damaged_is_left() -> None:
    nothing = Damage(Estimate(curve(0.5), 0.1), local=damage().local)
    assert torch.equal(nothing.undo_tone(Y), Y) and nothing.absent


def test_a_strength_of_its_own_and_that_of_the_tones() -> None:
    even = Damage(damage().tone).undo_tone(Y)
    torch.testing.assert_close(damage(strength=0.0).undo_tone(Y), even)
    assert torch.equal(damage(tone=0.0).undo_tone(Y), Y)
    steps = [damage(strength=s, tone=t).undo_tone(Y) for s, t in ((0.5, 1), (0.51, 1), (1, 0.5), (1, 0.51))]
    assert float((steps[0] - steps[1]).abs().max()) < 0.02 and float((steps[2] - steps[3]).abs().max()) < 0.02
    more = damage(strength=2.0).undo_tone(Y)
    twice = (FIELD.scaled(2).invert(Y) / 0.9).clamp(0, 1)
    torch.testing.assert_close(more[NO_LIGHTS], twice[NO_LIGHTS], atol=3e-3, rtol=0)


def test_windows_are_parts_of_the_whole() -> None:
    placed, window = damage(0.6).of_size(40, 48), Window(8, 16, 24, 24)
    torch.testing.assert_close(placed.undo_tone(window.of(Y), window), window.of(placed.undo_tone(Y)))


def test_white_stays_white_everywhere() -> None:
    darkening = Damage(Estimate(Tone(1.5)), local=Estimate(Compose((curve(1.2), FIELD))))
    assert float(darkening.undo_tone(torch.ones(1, 3, 20, 24)).min()) == pytest.approx(1, abs=1e-6)


def test_plain_and_back() -> None:
    again = Damage.from_plain(json.loads(json.dumps(damage(0.6).plain())))
    assert again == damage(0.6)
    assert torch.equal(again.undo_tone(Y), damage(0.6).undo_tone(Y))


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ({"kind": "exposure"}, "local of the damage is 'exposure'; what can be undone of it is compose, of curves"),
        ({"kind": "compose", "parts": [{"kind": "local tone", "log_gain": [[[99.0]]]}]}, "log_gain of 'local tone' is"),
        ({"kind": "compose", "parts": [{"kind": "gaussian blur", "sigma": 1}]}, "gaussian blur"),
    ],
)
def test_what_cannot_be(local: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Damage.from_plain({"tone": {"kind": "exposure"}, "local": local})
    with pytest.raises(SettingsError, match="has local without tone"):
        Damage(local=damage().local)


def test_drawn_it_is_there_or_not() -> None:
    shares = []
    for seed in range(60):
        drawn = damage(0.5).drawn(torch.Generator().manual_seed(seed))
        assert drawn.local is not None
        shares.append(drawn.local.share)
    assert set(shares) == {0.0, 1.0} and 0.25 < np.mean(shares) < 0.75


def test_the_field_is_the_mean_of_the_picture_and_its_mirror_image() -> None:
    def answer(images: Tensor, ways: int) -> ToneBelief:
        count = len(images)
        curves = tuple(Tone(*(torch.full((count, 3), value) for value in (gain, 0.0, 1.0))) for gain in (0.5, 0.9))
        weights = torch.tensor([[0.2, 0.2, 0.6]]).repeat(count, 1)
        bright = images.mean((1, 2))[:, None, None, :]  # of each column
        grid = torch.nn.functional.interpolate(bright, (1, 2), mode="area")
        ends = torch.tensor([[0.0], [0.2], [0.8]]).expand(-1, count)
        return ToneBelief(curves, weights, torch.ones(count, 2), LocalTone(grid, *ends), 1)

    answer.config = {"thumbnail": 16, "undamaged": 0.5, "turned": False}  # type: ignore[attr-defined]
    ramp = torch.linspace(0, 1, 64).expand(1, 3, 48, 64)
    found = estimate_tones(ramp, answer, 0.5)  # type: ignore[arg-type]
    assert found.tone is not None and found.local is not None
    assert found.tone.probability == pytest.approx(0.8) and found.local.probability == pytest.approx(0.75)
    tones, field = found.local.value.parts
    assert isinstance(tones, UncertainTone) and isinstance(field, LocalTone)
    assert tones.gain.unique().tolist() == pytest.approx([0.9]) and len(tones.weights) == 2
    torch.testing.assert_close(field.log_gain, torch.tensor([[[0.25, 0.75]]]), atol=0.02, rtol=0)


@pytest.mark.parametrize("tile", [64, 512])
def test_a_restoration_undoes_it_in_windows_as_on_the_whole(tile: int) -> None:
    clean = torch.nn.functional.interpolate(Y, (96, 160), mode="bicubic").clamp(0.05, 0.95)
    dark = 0.5 * FIELD(clean)
    told = Damage(Estimate(curve(0.5)), local=Estimate(Compose((curve(0.5), FIELD))))
    result = Restorer(load_prior(), Settings(tile=tile, overlap=16))(to_pil(dark[0]), damage=told)
    found = torch.from_numpy(np.asarray(result.image).copy()).permute(2, 0, 1)[None].float() / 255
    assert float((found - clean).square().mean().sqrt()) < 0.01
