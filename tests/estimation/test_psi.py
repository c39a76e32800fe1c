"""A curve that cannot fold, and what lies on top of it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ldrps.degradation import Compose, Degradation, Tone, UncertainTone, Veil
from ldrps.errors import InputError
from ldrps.estimation.psi import MonotoneCurve, Psi, curved


def shaken(curve: MonotoneCurve, size: float, seed: int = 0) -> MonotoneCurve:
    """The curve with anything learned."""
    torch.nn.init.normal_(curve.learned, std=size, generator=torch.Generator().manual_seed(seed))
    return curve


def test_it_starts_as_the_identity() -> None:
    x = torch.rand(2, 3, 8, 9) * 1.6 - 0.3  # beyond both ends as well
    torch.testing.assert_close(MonotoneCurve()(x), x, atol=5e-3, rtol=0)


@pytest.mark.parametrize(
    "wanted",
    [
        Tone(0.4, 0.2),
        Tone(torch.tensor([[0.2, 0.3, 0.4]]), 0.05, 1.5),
        Veil(0.5, 0.9),
        UncertainTone(
            torch.full((2, 3), 0.2), torch.zeros(2, 3), torch.tensor([[1.0], [2.0]]).expand(2, 3), torch.ones(2)
        ),
        Compose(),
    ],
)
def test_it_starts_as_the_degradation_that_is_wanted(wanted: Degradation) -> None:
    levels = torch.linspace(0, 1, 9).expand(1, 3, 1, -1)
    torch.testing.assert_close(MonotoneCurve(9, wanted)(levels), wanted(levels), atol=2e-3, rtol=0)


@pytest.mark.parametrize(("gain", "offset"), [(3.0, -1.0), (0.0, 0.5), (0.01, 2.0), (-1.0, 0.5), (1e-9, -3.0)])
def test_a_start_that_leaves_the_range_is_cut_to_it(gain: float, offset: float) -> None:
    values = MonotoneCurve(5, Tone(gain, offset)).values
    assert bool((values > 0).all() and (values < 1).all() and (values.diff(dim=-1) > 0).all())


@pytest.mark.parametrize("size", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_learned_it_rises_and_stays_in_the_range(size: float, seed: int) -> None:
    values = shaken(MonotoneCurve(), size, seed).values.detach().double()
    assert bool((values.diff(dim=-1) >= 0).all())
    assert float(values.min()) >= 0 and float(values.max()) <= 1 + 1e-6


def test_the_degradation_that_it_gives_out_undoes_it() -> None:
    curve = shaken(MonotoneCurve(17, Tone(0.3, 0.1)), 0.5)
    x = torch.rand(2, 3, 16, 16)
    degradation = curve.curve()
    torch.testing.assert_close(degradation(x), curve(x).detach())
    torch.testing.assert_close(degradation.invert(curve(x).detach()), x, atol=1e-4, rtol=0)


def test_each_channel_has_its_own() -> None:
    curve = MonotoneCurve()
    with torch.no_grad():
        curve.learned[1, 0] = 5.0  # a veil over green
    red, green, blue = curve(torch.zeros(1, 3, 4, 4))[0, :, 0, 0].tolist()
    assert green > 0.005 > max(red, blue)


def test_gradients_reach_picture_and_curve() -> None:
    curve = MonotoneCurve(5, Tone(0.5, 0.1)).double()
    x = torch.rand(3, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(curved, (x, curve.values.detach().requires_grad_()))
    curve(torch.rand(1, 3, 4, 4, dtype=torch.float64)).sum().backward()
    assert curve.learned.grad is not None and bool(curve.learned.grad.any())


def test_what_pictures_were_multiplied_by_is_taken_back() -> None:
    curve = shaken(MonotoneCurve(17, Tone(0.5, 0.1)), 0.1)
    x, gains = 0.1 + 0.7 * torch.rand(1, 3, 8, 8), torch.tensor([0.9, 1.0, 1.15])
    before = curve(x).detach()
    curve.rescale(gains)
    torch.testing.assert_close(curve(x * gains.reshape(1, 3, 1, 1)).detach(), before, atol=5e-3, rtol=0)


def test_one_knot_is_no_curve() -> None:
    with pytest.raises(InputError, match="1 knots"):
        MonotoneCurve(1)


def both(y: Tensor, seed: int = 0) -> Psi:
    return Psi(MonotoneCurve(), y, convolutions=8, generator=torch.Generator().manual_seed(seed))


def test_convolutions_start_silent_and_can_learn() -> None:
    y, x = 0.1 * torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    psi = both(y)
    torch.testing.assert_close(psi(x), psi.curve(x))
    psi(x).square().sum().backward()
    last = psi.residual.h2[-1]  # type: ignore[union-attr]
    assert bool(last.weight.grad.any())
    assert Psi(MonotoneCurve(), y, convolutions=0, generator=torch.Generator()).residual is None


@pytest.mark.parametrize("width", [4, 64])
def test_they_are_as_wide_as_is_wanted(width: int) -> None:
    psi = Psi(MonotoneCurve(), torch.rand(1, 3, 16, 16), convolutions=width, generator=torch.Generator())
    shapes = [parameter.shape[0] for parameter in psi.residual.h2.parameters()]  # type: ignore[union-attr]
    assert shapes[::2] == [width, 2 * width, 4 * width, 3]


def test_what_they_add_is_in_units_of_the_picture() -> None:
    """The same weights add as much of the deviation to a dark picture as to a bright one."""
    x, y = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    added = []
    for scale in (1.0, 0.1):
        psi = Psi(
            MonotoneCurve(17, Tone(0.9 * scale)), scale * y, convolutions=8, generator=torch.Generator().manual_seed(0)
        )
        torch.nn.init.constant_(psi.residual.p, 1.0)  # type: ignore[union-attr]
        added.append((psi(x) - psi.curve(x)).detach() / scale)
    torch.testing.assert_close(added[0], added[1], atol=0.02, rtol=0.1)


def test_the_generator_alone_decides_their_weights() -> None:
    y = torch.rand(1, 3, 16, 16)
    first, again, other = both(y), both(y), both(y, 1)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert not torch.equal(first.residual.h1[0].weight, other.residual.h1[0].weight)  # type: ignore[union-attr]


def test_rates_of_both() -> None:
    y = torch.rand(1, 3, 16, 16)
    assert [group["lr"] for group in both(y).parameter_groups(0.1, 0.2)] == [0.1, 0.2]
    alone = Psi(MonotoneCurve(), y, convolutions=0, generator=torch.Generator())
    assert [group["lr"] for group in alone.parameter_groups(0.1, 0.2)] == [0.1]
