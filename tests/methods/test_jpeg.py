"""What is restored of a JPEG stays within what its file may stand for."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from conftest import photo
from torch import Tensor

from ldrps import Damage, Prior, preset
from ldrps.degradation import Exposure, Jpeg, JpegResidue, WhiteNoise
from ldrps.degradation.jpeg import tables
from ldrps.estimation.codec import estimated_residue, of_luma_alone
from ldrps.estimation.damage import Estimate
from ldrps.methods.blind import Blind, steps_to_keep
from ldrps.sampling.chains import end_of

CODEC = Jpeg(tables(20), offset=(3, 5))


def compressed() -> Tensor:
    return CODEC(photo(96)).clamp(0, 1)


def planned(prior: Prior, y: Tensor, damage: Damage, codec: Jpeg | None, tile: int = 512) -> Blind:
    settings = dataclasses.replace(preset("default"), tile=tile, overlap=16)
    return Blind(y, prior, settings, damage, "", None, codec)


def windows_of(plan: Blind) -> list[Tensor]:
    parts = [plan.part(window) for window in plan.windows]
    return [part.picture(end_of(part.chain(part.start(), 0))) for part in parts]


def level(y: Tensor) -> float:
    return float((y - photo(96)).square().mean().sqrt())


@pytest.mark.parametrize(("tile", "count"), [(512, 1), (64, 4)])
def test_in_every_window_coefficients_stay_within_their_steps(tile: int, count: int, tiny_prior: Prior) -> None:
    y = compressed()
    damage = Damage(noise=Estimate(JpegResidue(level(y))))
    luma = of_luma_alone(CODEC)
    within = planned(tiny_prior, y, damage, luma, tile)
    assert len(within.windows) == count
    free = windows_of(planned(tiny_prior, y, damage, None, tile))
    for window, kept, loose in zip(within.windows, windows_of(within), free, strict=True):
        wanted = luma.at(window).project(loose, window.of(y))
        assert not torch.equal(loose, wanted), "without them it would leave them"
        torch.testing.assert_close(kept, wanted)


def test_not_where_more_is_undone_than_it_did_or_tones_are() -> None:
    y = compressed()
    did = float(estimated_residue(CODEC, y).value.sigma)
    noise = Estimate(JpegResidue(did))
    assert steps_to_keep(CODEC, CODEC, y, Damage(noise=noise)) is CODEC
    traced = steps_to_keep(None, CODEC, y, Damage(noise=noise))
    assert traced is not None and torch.equal(traced.quantisation[0], CODEC.quantisation[0])
    assert float(traced.quantisation[1].min()) > 1e5, "of colours traces say nothing"
    more = Estimate(JpegResidue(2 * did))
    assert steps_to_keep(CODEC, CODEC, y, Damage(noise=more)) is None, "another file did that before"
    brightened = Damage(tone=Estimate(Exposure(-1.0)), noise=noise)
    assert steps_to_keep(CODEC, CODEC, y, brightened) is None
    assert steps_to_keep(CODEC, CODEC, y, Damage()) is None
    assert steps_to_keep(CODEC, CODEC, y, Damage(noise=Estimate(WhiteNoise(did)))) is None
    assert steps_to_keep(None, None, y, Damage(noise=noise)) is None
