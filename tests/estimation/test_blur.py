from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import ball

from ldrps.degradation import Blur, GaussianBlur
from ldrps.degradation.kernels import line, shape_of
from ldrps.errors import InputError
from ldrps.estimation.blur import BlurGuess, believed_blur, busiest, estimate_blur, has_edges, searched
from ldrps.estimation.blur_posterior import BLURS, SMALLEST, BlurBelief, BlurKind, BlurPosterior
from ldrps.estimation.damage import Damage
from ldrps.estimation.pooling import with_prior
from ldrps.settings import BlindSettings


def belief(probability: list[float], size: float = 1.0, spread: float = 0.1) -> BlurBelief:
    count = len(BLURS)
    return BlurBelief(
        torch.tensor([probability]),
        torch.full((1, count), math.log(size)),
        torch.full((1, count), spread),
        torch.zeros(1, 2),
        torch.ones(1),
    )


@torch.no_grad()
@pytest.mark.parametrize("size", [(SMALLEST, SMALLEST), (50, 75), (128, 49)])
def test_a_belief_for_each_picture_of_any_size(size: tuple[int, int]) -> None:
    told = BlurPosterior(widths=(4, 8))(torch.rand(2, 3, *size))
    assert told.probability.shape == (2, 1 + len(BLURS)) and told.middle.shape == (2, len(BLURS))
    torch.testing.assert_close(told.probability.sum(1), torch.ones(2))
    assert bool((told.spread > 0).all()) and bool((told.shape.norm(dim=1) < 1).all())


def test_too_small_is_refused() -> None:
    with pytest.raises(InputError, match=r"\[1, 3, 47, 64\]; both sides must be 48"):
        BlurPosterior(widths=(4, 8))(torch.rand(1, 3, 47, 64))


@torch.no_grad()
def test_what_is_hidden_does_not_count() -> None:
    torch.manual_seed(0)
    model = BlurPosterior(widths=(8, 16))
    torch.nn.init.normal_(model.answer.weight, std=3.0)
    left = torch.cat([ball(64), ball(64)], 3)
    right = torch.cat([ball(64), torch.rand(1, 3, 64, 64)], 3)
    visible = torch.ones(1, 1, 64, 128)
    visible[..., 60:] = 0  # what a filter sees beyond the edge is hidden as well
    seen = [model(image, visible).probability for image in (left, right)]
    apart = [model(image).probability for image in (left, right)]
    hidden, shown = (float((one - other).abs().max()) for one, other in (seen, apart))
    assert shown > 0.05 and hidden < shown / 4


def test_likelihood_is_of_the_kind_and_of_its_size() -> None:
    told = belief([0.4, 0.3, 0.1, 0.1, 0.1], size=2.0, spread=0.2)
    nothing = torch.zeros(1, 2)
    none = told.log_likelihood(torch.tensor([0]), torch.tensor([7.0]), nothing)
    assert float(none) == pytest.approx(math.log(0.4)), "of nothing there is no size"
    right, off = (
        told.log_likelihood(torch.tensor([1]), torch.tensor([s]), nothing) for s in (2.0, 2.0 * math.exp(0.2))
    )
    assert float(right - off) == pytest.approx(0.5, rel=1e-4)
    turned = told.log_likelihood(torch.tensor([1]), torch.tensor([2.0]), torch.tensor([[0.5, 0.0]]))
    assert float(turned) < float(right)


def test_parts_are_believed_as_surely_as_they_are() -> None:
    sure, sharp = belief([0.1, 0.8, 0.05, 0.03, 0.02], 2.0, 0.05), belief([0.9, 0.05, 0.03, 0.01, 0.01], 1.0, 0.5)
    one = believed_blur([sure])
    assert one.kind == "gaussian" and one.size == pytest.approx(2.0) and one.probability == pytest.approx(0.9)
    both = believed_blur([sure, sharp])
    assert both.probability == pytest.approx(0.5), "a part that is sharp speaks against a blur of the whole"
    assert both.size == pytest.approx(2.0, rel=0.02), "the surer part says how much"


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 140.0])
@pytest.mark.parametrize("kind", ["gaussian", "motion"])
def test_a_kernel_has_the_shape_that_was_believed(kind: BlurKind, angle: float) -> None:
    longer = 0.7
    shape = (longer * math.cos(math.radians(2 * angle)), longer * math.sin(math.radians(2 * angle)))
    blur = BlurGuess(kind, 3.0, shape, 1.0).value
    assert isinstance(blur, Blur)
    found = shape_of(blur.kernel)
    turn = math.degrees(math.atan2(float(found[1]), float(found[0]))) / 2
    assert (turn - angle + 90) % 180 - 90 == pytest.approx(0, abs=1.0)
    if kind == "gaussian":
        assert float(found.norm()) == pytest.approx(longer, abs=0.03)


def test_round_kernels() -> None:
    assert isinstance(BlurGuess("gaussian", 1.5, (0.1, 0.1), 1.0).value, GaussianBlur)
    disk = BlurGuess("disk", 3.0, (0.9, 0.0), 1.0).value
    assert isinstance(disk, Blur) and float(shape_of(disk.kernel).norm()) < 1e-6


def boxes(side: int) -> torch.Tensor:
    """A picture of boxes of all sizes and greys, [1, 3, side, side]."""
    random = np.random.default_rng(3)
    picture = torch.full((1, 3, side, side), 0.5)
    for _ in range(60):
        top, left, tall, wide = random.integers(0, side), random.integers(0, side), *random.integers(4, side // 3, 2)
        picture[..., top : top + tall, left : left + wide] = random.uniform(0.05, 0.95)
    return picture


def test_the_size_is_searched_for_near_the_guess() -> None:
    blurred = GaussianBlur(2.0)(boxes(112))
    value, gain = searched(blurred, BlurGuess("gaussian", 1.3, (0.0, 0.0), 1.0))
    assert isinstance(value, GaussianBlur) and float(value.sigma) == pytest.approx(2.0, rel=0.1) and gain > 0
    near, _ = searched(blurred, BlurGuess("gaussian", 1.99, (0.0, 0.0), 1.0))
    assert isinstance(near, GaussianBlur) and float(near.sigma) == 1.99, "hardly worse: what was told stays"
    small = searched(blurred[..., :50, :50], BlurGuess("gaussian", 1.5, (0.0, 0.0), 1.0))
    assert isinstance(small[0], GaussianBlur) and float(small[0].sigma) == 1.5, "too small to be searched"


@pytest.mark.parametrize("angle", [0.0, 35.0, 120.0])
def test_a_straight_motion_is_found_straight_and_in_its_place(angle: float) -> None:
    """From a guess that is too long and points elsewhere."""
    x, true = boxes(112), line(9, angle)
    value, gain = searched(Blur(true)(x), BlurGuess("motion", 3.5, (0.3, 0.3), 1.0))
    assert isinstance(value, Blur) and gain > 0
    back = math.degrees(math.atan2(*(float(each) for each in shape_of(value.kernel).flip(0)))) / 2
    assert (back - angle + 90) % 180 - 90 == pytest.approx(0, abs=6)
    rows, columns = (torch.arange(side) - side // 2 for side in value.kernel.shape)
    assert float((value.kernel.sum(1) * rows).sum()) == pytest.approx(0, abs=0.1)
    assert float((value.kernel.sum(0) * columns).sum()) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("kind", BLURS)
@pytest.mark.parametrize("size", [0.25, 3.0, 30.0])
def test_pictures_too_small_to_be_searched(kind: BlurKind, size: float) -> None:
    value, _ = searched(torch.rand(1, 3, 8, 40), BlurGuess(kind, size, (0.0, 0.0), 1.0))
    told = BlurGuess(kind, size, (0.0, 0.0), 1.0).value
    torch.testing.assert_close(value.kernel, told.kernel)


def judge(kind: BlurKind, size: float, probability: float) -> BlurPosterior:
    """One that believes this of every picture."""
    posterior = BlurPosterior(widths=(4, 8), none=BlindSettings().sharp)
    torch.nn.init.zeros_(posterior.answer.weight)
    bias = posterior.answer.bias.data
    bias[: 1 + len(BLURS)] = -20.0
    bias[0], bias[1 + BLURS.index(kind)] = math.log(1 - probability), math.log(probability)
    bias[1 + len(BLURS) : 1 + 2 * len(BLURS)] = math.log(size) - 0.5
    return posterior.eval().requires_grad_(False)


def test_a_blur_that_is_believed_and_seen_is_found() -> None:
    settings = BlindSettings()
    blurred = GaussianBlur(2.0)(boxes(112))
    found = estimate_blur(blurred, Damage(), judge("gaussian", 1.9, 0.9), settings)
    assert isinstance(found.value, GaussianBlur) and float(found.value.sigma) == pytest.approx(2.0, rel=0.1)
    assert found.probability == pytest.approx(90 / 91, abs=2e-3), "ten times as likely, as edges speak for it"
    half = estimate_blur(blurred, Damage(), judge("gaussian", 1.9, 0.9), replace(settings, blur_factor=0.5))
    assert isinstance(half.value, GaussianBlur)
    assert float(half.value.sigma) == pytest.approx(float(found.value.sigma) / 2)


@pytest.mark.parametrize("side", [64, 200])
def test_where_there_are_no_edges_nothing_is_blurred(side: int) -> None:
    """A gradient, as of a sky, or smooth waves: a packaged judge took both for blurred."""
    y, x = torch.meshgrid(torch.arange(side) / side, torch.arange(side) / side, indexing="ij")
    for levels in (y, 0.5 * (x + y), 0.5 + 0.2 * torch.sin(3 * x) * torch.cos(2 * y)):
        picture = ((255 * levels).round() / 255).expand(1, 3, -1, -1)
        found = estimate_blur(picture, Damage(), judge("gaussian", 3.0, 0.99), BlindSettings())
        assert found.absent and not has_edges(picture)
    assert has_edges(GaussianBlur(3.8)(boxes(112)))


def test_a_blur_that_edges_speak_against_is_none() -> None:
    found = estimate_blur(boxes(112), Damage(), judge("gaussian", 1.9, 0.9), BlindSettings())
    assert found.probability == 0 and found.absent


@pytest.mark.parametrize("probability", [0.05, 0.95])
@pytest.mark.parametrize("kind", BLURS)
def test_whatever_is_believed_can_be_undone(kind: BlurKind, probability: float) -> None:
    visible = torch.ones(1, 1, 41, 75)
    visible[..., :20] = 0
    found = estimate_blur(torch.rand(1, 3, 41, 75), Damage(), judge(kind, 33.0, probability), BlindSettings(), visible)
    for scale in (1, 8):
        assert Damage(blur=found).in_larger(scale).blur is not None, "no limit is exceeded"


def test_it_is_judged_where_the_edges_are() -> None:
    picture = torch.full((1, 3, 600, 900), 0.5)
    picture[..., 300:, 300:600] = torch.rand(3, 300, 300, generator=torch.Generator().manual_seed(0))
    windows = busiest(picture, 256)
    assert len(windows) == 12
    assert windows[0].top + windows[0].height > 300 and 300 <= windows[0].left + windows[0].width / 2 <= 600
    visible = torch.ones(1, 1, 600, 900)
    visible[..., 300:, 300:600] = 0
    assert busiest(picture, 256, visible)[0] != windows[0]
    small = busiest(picture[..., :100, :120], 256)
    assert [(each.height, each.width) for each in small] == [(100, 120)]


def test_what_is_known_beforehand_counts() -> None:
    told = with_prior(torch.tensor([[0.5, 0.3, 0.2]]), 0.8, 0.4)[0]
    assert float(told[0]) == pytest.approx(0.5 * 2 / (0.5 * 2 + 0.5 / 3)) and float(told.sum()) == pytest.approx(1)
    assert float(told[1] / told[2]) == pytest.approx(1.5)


def test_a_straight_path_that_is_too_long_for_a_small_picture_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as a path with all its weight at its ends is wide."""
    ends = torch.zeros(15, 15)
    ends[7, 0] = ends[7, 14] = 0.5
    found = SimpleNamespace(kernel=ends.double())
    monkeypatch.setattr("ldrps.estimation.blur.find_kernel", lambda *given: found)
    blur, _ = searched(ball(64), BlurGuess("motion", 1.5, (0.9, 0.0), 0.9))
    assert isinstance(blur, Blur) and torch.equal(blur.kernel, found.kernel)
