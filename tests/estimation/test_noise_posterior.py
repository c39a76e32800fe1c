from __future__ import annotations

import math

import pytest
import torch
from conftest import ball
from torch import Tensor

from ldrps.degradation import Jpeg, Rounding, WhiteNoise
from ldrps.errors import InputError
from ldrps.estimation.damage import NONE, Damage
from ldrps.estimation.estimate import believed_noise, unless_too_little
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.noise_posterior import SMALLEST, NoiseBelief, NoisePosterior, _periods
from ldrps.prior.base import NOISES
from ldrps.settings import BlindSettings


def noisy(sigma: float, side: int = 96) -> Tensor:
    x = ball(side)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(5))
    return (255 * (x + sigma / 255 * noise)).round().clamp(0, 255) / 255


@torch.no_grad()
@pytest.mark.parametrize("size", [(SMALLEST, SMALLEST), (40, 75), (128, 33)])
def test_a_belief_for_each_picture_of_any_size(size: tuple[int, int]) -> None:
    belief = NoisePosterior(widths=(4, 8))(torch.rand(2, 3, *size))
    assert belief.probability.shape == (2, 1 + len(NOISES)) and belief.middle.shape == (2, len(NOISES))
    torch.testing.assert_close(belief.probability.sum(1), torch.ones(2))
    assert bool((belief.spread > 0).all()) and bool(belief.middle.exp().le(1).all())


def test_too_small_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[1, 3, 31, 64\]; both sides must be 32"):
        NoisePosterior(widths=(4, 8))(torch.rand(1, 3, 31, 64))


def test_likelihood_is_of_the_kind_and_of_its_level() -> None:
    belief = NoiseBelief(
        torch.tensor([[0.4, 0.1, 0.3, 0.2]]), torch.tensor([[-3.0, -4.0, -5.0]]), torch.tensor([[0.5, 0.2, 1.0]])
    )
    none = float(belief.log_likelihood(torch.tensor([0]), torch.tensor([0.7])))
    assert none == pytest.approx(math.log(0.4)), "of nothing there is no level"
    camera = float(belief.log_likelihood(torch.tensor([2]), torch.tensor([math.exp(-4.2)])))
    assert camera == pytest.approx(math.log(0.3) - 0.5 - math.log(0.2), rel=1e-4)


def test_what_is_known_beforehand_counts() -> None:
    belief = NoiseBelief(torch.tensor([[0.5, 0.2, 0.2, 0.1]]), torch.zeros(1, 3), torch.ones(1, 3))
    assert torch.equal(belief.with_prior(0.3, 0.3).probability, belief.probability)
    surer = belief.with_prior(0.6, 0.3).probability[0]
    assert float(surer[0]) == pytest.approx(1 / (1 + 0.5 * (0.4 / 0.7) / 0.6 * 0.3 / 0.5), rel=1e-5)
    assert float(surer.sum()) == pytest.approx(1) and float(surer[1] / surer[3]) == pytest.approx(2)


@torch.no_grad()
def test_what_is_hidden_does_not_count() -> None:
    torch.manual_seed(0)
    model = NoisePosterior(widths=(8, 16))
    torch.nn.init.normal_(model.answer.weight, std=0.5)
    left = torch.cat([noisy(10, 64), noisy(10, 64)], 3)
    right = torch.cat([noisy(10, 64), torch.rand(1, 3, 64, 64)], 3)
    visible = torch.ones(1, 1, 64, 128)
    visible[..., 60:] = 0  # what a filter sees beyond the edge is hidden as well
    seen = [model(image, visible) for image in (left, right)]
    torch.testing.assert_close(seen[0].probability, seen[1].probability, atol=0.02, rtol=0)
    apart = [model(image).probability for image in (left, right)]
    assert float((apart[0] - apart[1]).abs().max()) > 0.02


@torch.no_grad()
def test_the_packaged_judge_tells_white_noise_from_none() -> None:
    judge = load_estimators().noise
    clean = judge(noisy(0))
    assert float(clean.probability[0, 0]) > 0.5
    for sigma in (10, 25):
        belief = judge(noisy(sigma))
        assert int(belief.probability[0].argmax()) == 1 + NOISES.index("white")
        assert 255 * float(belief.middle[0, 0].exp()) == pytest.approx(sigma, rel=0.2)


def test_too_little_to_take_away_is_not_none() -> None:
    faint = torch.tensor([[0.5, 1.0, 1.0]]).log() - math.log(255)
    for none, probability in ((0.4, NONE), (0.9, 0.1)):
        belief = NoiseBelief(torch.tensor([[none, 1 - none, 0.0, 0.0]]), faint, torch.ones(1, 3))
        noise = unless_too_little(believed_noise(belief, BlindSettings(noise_factor=1.0)), 0.7)
        assert noise.absent and noise.probability == pytest.approx(probability)
        possible = Damage(noise=noise).possible_noise
        assert possible == pytest.approx(probability**0.5 * 0.5 / 255) and Damage(noise=noise).noise_deviation == 0


def test_how_much_there_is_is_the_mean_over_kinds_in_logarithms() -> None:
    middle = torch.tensor([[0.01, 0.04, 0.5]]).log()
    belief = NoiseBelief(torch.tensor([[0.2, 0.4, 0.4, 1e-9]]), middle, torch.ones(1, 3))
    noise = believed_noise(belief, BlindSettings(noise_factor=2.0))
    assert noise.probability == pytest.approx(0.8) and noise.value.sigma == pytest.approx(2 * 0.02, rel=1e-4)
    assert isinstance(noise.value, WhiteNoise), "of two that are as likely the first"


def textured() -> Tensor:
    """Smooth shapes with a texture that has no period of its own, [1, 3, 160, 192]."""
    random = torch.Generator().manual_seed(3)
    coarse = torch.rand(1, 3, 12, 14, generator=random)
    image = torch.nn.functional.interpolate(coarse, (160, 192), mode="bicubic").clamp(0, 1)
    return Rounding()((image + 0.02 * torch.randn(image.shape, generator=random)).clamp(0, 1))


@pytest.mark.parametrize("cut", [0, 3])
def test_blocks_repeat_at_even_distances_also_when_saved_again_elsewhere(cut: int) -> None:
    saved = Rounding()(Jpeg.of_quality(15)(textured()).clamp(0, 1))[..., cut:, cut:]
    again = Rounding()(Jpeg.of_quality(90)(saved).clamp(0, 1))
    harmonics = [2 * 16 - 1, 3 * 16 - 1, 4 * 16 - 1]  # of one in eight pixels, of 128
    none, once, twice = (_periods(y, None)[0, harmonics].mean() for y in (textured(), saved, again))
    assert once > none + 2 and twice > none + 2


def test_what_repeats_is_seen_along_both_sides_and_not_where_it_is_hidden() -> None:
    rows = torch.zeros(1, 3, 128, 128)
    rows[..., (torch.arange(128) // 8 % 2).bool(), :] = 0.03
    rows[..., 112:, :] = 0  # no step at the border of what is hidden
    y = torch.full((1, 3, 256, 128), 0.4)
    y[..., :128, :] += rows
    line = 4 * 16 - 1
    assert _periods(y, None)[0, line] > 3 and _periods(y.mT, None)[0, line] > 3
    seen = torch.ones(1, 1, 256, 128)
    seen[..., :128, :] = 0
    assert _periods(y, seen)[0, line].abs() < 1e-3, "an even picture has no period"


def test_a_judge_that_learns_what_repeats_begins_as_it_was() -> None:
    judge = NoisePosterior((8, 8, 16, 16)).eval()
    grown = judge.with_periods().eval()
    assert grown.config["periods"] and grown.with_periods() is grown
    torch.testing.assert_close(grown(textured()).probability, judge(textured()).probability)
    with torch.no_grad():
        grown.trunk.weight[:, -64:] = 0.3
    assert not torch.allclose(grown(textured()).probability, judge(textured()).probability)
