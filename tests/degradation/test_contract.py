"""What the contract of a degradation promises, for all of them, in float64."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from degradation.parts import COMPOSED, LINEAR, POINTWISE, PROJECTIONS, Make, pictures
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ldrps.degradation import (
    KINDS,
    Blur,
    Clipping,
    Compose,
    Curve,
    Degradation,
    Exposure,
    GaussianBlur,
    Linear,
    LocalLight,
    Mask,
    Projection,
    Sampling,
    Streaks,
    Tone,
    UncertainTone,
    Veil,
    WhiteBalance,
    from_plain,
)
from ldrps.degradation.kernels import disk, gaussian, line
from ldrps.errors import InputError, SettingsError
from ldrps.image.tiles import Window

SMOOTH = POINTWISE | LINEAR | COMPOSED
ALL = SMOOTH | PROJECTIONS
CORNERED = {name: POINTWISE[name] for name in ("curve", "uncertain tone")}
SIZES = st.tuples(st.integers(9, 26), st.integers(9, 26))
SEEDS = st.integers(0, 10**6)


def every(makes: dict[str, Make]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", makes.values(), ids=makes)


def made(make: Make, size: tuple[int, int], seed: int) -> tuple[Degradation, Tensor, np.random.Generator]:
    random = np.random.default_rng(seed)
    part = make(size, random)
    return part, pictures(size, random), random


@every(LINEAR)
@settings(max_examples=15, deadline=None)
@given(SIZES, SEEDS)
def test_the_adjoint_is_one(make: Make, size: tuple[int, int], seed: int) -> None:
    part, x, random = made(make, size, seed)
    assert isinstance(part, Linear)
    ax = part(x)
    y = torch.from_numpy(random.standard_normal(ax.shape))
    back = part.adjoint(y)
    assert back.shape == x.shape
    torch.testing.assert_close((ax * y).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


@every(LINEAR)
def test_linear_parts_are_linear(make: Make) -> None:
    part, x, random = made(make, (18, 21), 1)
    other = pictures((18, 21), random)
    torch.testing.assert_close(part(2 * x - 3 * other), 2 * part(x) - 3 * part(other))


@every({name: make for name, make in SMOOTH.items() if name not in CORNERED})
@settings(max_examples=3, deadline=None)
@given(SIZES, SEEDS)
def test_no_gradient_is_left_at_the_data_step(make: Make, size: tuple[int, int], seed: int) -> None:
    part, x, random = made(make, size, seed)
    y = part(x)
    y = y + 0.02 * torch.from_numpy(random.standard_normal(y.shape))
    x0 = (x + 0.05 * torch.from_numpy(random.standard_normal(x.shape))).clamp(0.01, 1)
    sigma_x, sigma_y = torch.tensor([0.05, 0.1]).double(), 0.02
    step = part.data_step(x0, y, sigma_x, sigma_y)
    free = step.clone().requires_grad_()
    scale = (sigma_x**2).reshape(-1, 1, 1, 1)
    # Times sigma_x^2, so that the gradient is a distance between pictures.
    objective = (scale * (part(free) - y).pow(2) / sigma_y**2).sum() + (free - x0).pow(2).sum()
    (left,) = torch.autograd.grad(objective / 2, free)
    # But at black, and where sRGB has its corner: there the slope jumps, and what blurs takes that to the neighbours.
    assert float(left.abs().flatten().quantile(0.99)) < (1e-4 if isinstance(part, Compose) else 1e-5)
    assert float((step - x0).abs().max()) > 1e-4


@pytest.mark.parametrize(
    "part", [Blur(disk(1.7)), Blur(gaussian(1.2, 0.8)), GaussianBlur(1.2), Blur(disk(1.7), "circular")]
)
def test_the_closed_forms_of_blur_hold_where_the_noise_is_small(part: Linear) -> None:
    random = np.random.default_rng(0)
    x = pictures((14, 17), random)
    y, x0 = part(x), pictures((14, 17), random)
    for dtype, tolerance in ((torch.float64, 1e-9), (torch.float32, 2e-3)):
        step = part.data_step(x0.to(dtype), y.to(dtype), 0.2, 0.5 / 255).double()
        left = part.adjoint(part(step) - y) * (0.2 * 255 / 0.5) ** 2 + step - x0
        assert float(left.abs().max()) < tolerance * (0.2 * 255 / 0.5) ** 2


@pytest.mark.parametrize("kernel", [disk(2.7), line(9, 40)], ids=["disk", "line"])
def test_a_few_rounds_are_enough_where_nothing_is_known_beyond_the_edge(kernel: Tensor) -> None:
    """Nor where y has no value, which an infinite deviation says."""
    random = np.random.default_rng(0)
    x = pictures((40, 47), random)
    blur = Blur(kernel, "valid")
    y, x0 = blur(x), x + 0.05 * torch.from_numpy(random.standard_normal(x.shape))
    sigma_y = torch.full((1, 1, *y.shape[-2:]), 1 / 255).double()
    sigma_y[..., 10:14, 20:30] = torch.inf
    exact = blur.data_step(x0, y, 0.05, sigma_y)
    y[..., 10:14, 20:30] = 0.0
    assert torch.equal(blur.data_step(x0, y, 0.05, sigma_y), exact), "whatever is there"
    gradient = blur.adjoint((blur(exact) - y) / sigma_y**2) + (exact - x0) / 0.05**2
    assert float(gradient.abs().max()) < 1e-6 / 0.05**2
    errors = [float((blur.valid_step(x0, y, 0.05, sigma_y, rounds) - exact).pow(2).mean()) for rounds in (1, 4, 15)]
    assert errors == sorted(errors, reverse=True) and errors[-1] < float((x0 - exact).pow(2).mean()) / 1000


@pytest.mark.parametrize(
    "name", ["tone", "tone of light", "exposure", "curve", "uncertain tone", "veil of light", "all tones"]
)
def test_no_value_is_left_where_a_curve_is_flat(name: str) -> None:
    """A decoder overshoots: what is expected may lie below 0 and above 1."""
    part, _, random = made(POINTWISE.get(name, COMPOSED["all tones"]), (12, 15), 4)
    x0, y = pictures((12, 15), random, low=-0.3, high=1.3), part(pictures((12, 15), random))

    def objective(x: Tensor) -> Tensor:
        return (part(x) - y) ** 2 / 0.01**2 + (x - x0) ** 2 / 0.1**2

    found = objective(part.data_step(x0, y, 0.1, 0.01))
    others = torch.stack([objective(torch.full_like(x0, value)) for value in np.linspace(-0.5, 2, 251)]).amin(0)
    # A curve of a high power may have two valleys; the one that is found is hardly ever the shallower.
    assert float((found <= others + 1e-3).double().mean()) > (0.9 if name in CORNERED else 0.98)


@every(CORNERED)
@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_at_the_corners_of_a_curve_both_ways_are_worse(make: Make, seed: int) -> None:
    part, x, random = made(make, (9, 12), seed)
    y, x0 = part(x), (x + 0.05 * torch.from_numpy(random.standard_normal(x.shape))).clamp(0.01, 1)

    def objective(z: Tensor) -> Tensor:
        return (part(z) - y) ** 2 / 0.02**2 + (z - x0) ** 2 / 0.05**2

    step = part.data_step(x0, y, 0.05, 0.02)
    for way in (-1e-4, 1e-4):
        assert float((objective(step) <= objective(step + way) + 1e-9).double().mean()) > 0.99


@every({name: make for name, make in LINEAR.items() if name != "luma"})
def test_levels_that_differ_from_place_to_place(make: Make) -> None:
    part, x, random = made(make, (18, 21), 3)
    y = part(x)
    sigma_x = torch.from_numpy(random.uniform(0.02, 0.2, (1, 1, *x.shape[-2:])))
    sigma_y = torch.from_numpy(random.uniform(0.01, 0.1, (1, 1, *y.shape[-2:])))
    x0 = pictures((18, 21), random)
    free = part.data_step(x0, y, sigma_x, sigma_y).requires_grad_()
    objective = ((part(free) - y) / sigma_y).pow(2).sum() + ((free - x0) / sigma_x).pow(2).sum()
    (left,) = torch.autograd.grad(objective, free)
    assert float((left * sigma_x**2).abs().max()) < 1e-6


@every(POINTWISE | {"all tones": COMPOSED["all tones"]})
@settings(max_examples=15, deadline=None)
@given(SIZES, SEEDS)
def test_tones_are_undone_exactly(make: Make, size: tuple[int, int], seed: int) -> None:
    part, x, _ = made(make, size, seed)
    torch.testing.assert_close(part.invert(part(x)), x, rtol=0, atol=1e-9)


@every(POINTWISE | {"all tones": COMPOSED["all tones"]})
def test_the_slope_is_that_of_the_inverse(make: Make) -> None:
    part, x, _ = made(make, (12, 14), 5)
    y, small = part(x), 1e-7
    wanted = (part.invert(y + small) - part.invert(y - small)) / (2 * small)
    found = part.slope(y)
    # A curve has corners, on which a difference may stand.
    assert float(((found - wanted).abs() < 1e-4 * wanted.abs().clamp_min(1)).double().mean()) > 0.999


@pytest.mark.parametrize("name", ["gaussian", "circular", "bicubic", "any factor", "enlargement"])
def test_what_is_blurred_or_small_begins_nearer_to_the_truth(name: str) -> None:
    part, _, random = made(LINEAR[name], (24, 30), 2)
    x = GaussianBlur(1.5)(pictures((24, 30), random, low=-0.5, high=1.5))  # a picture has neighbours that are alike
    start = part.invert(part(x))
    assert start.shape == x.shape and part.slope(part(x)).shape == x.shape
    assert float((start - x).pow(2).mean()) < 0.7 * float((x - x.mean()).pow(2).mean())
    if start.shape == part(x).shape:
        assert float((start - x).pow(2).mean()) < 0.9 * float((part(x) - x).pow(2).mean())


@every(PROJECTIONS)
@settings(max_examples=10, deadline=None)
@given(SIZES, SEEDS)
def test_projections_stay_in_their_set_and_change_nothing_twice(make: Make, size: tuple[int, int], seed: int) -> None:
    part, x, random = made(make, size, seed)
    assert isinstance(part, Projection)
    y, other = part(x), pictures(size, random, low=-0.3, high=1.3)
    once = part.data_step(other, y, 0.1, 0.1)
    torch.testing.assert_close(part.project(once, y), once, rtol=0, atol=1e-9)
    torch.testing.assert_close(part.project(x, y), x, rtol=0, atol=1e-9)  # where the data came from is in the set
    assert float((once - x).pow(2).mean()) <= float((other - x).pow(2).mean()) + 1e-12
    if not isinstance(part, type(PROJECTIONS["rounding"](size, random))):
        return
    torch.testing.assert_close(part(once.clamp(0, 1)), y, rtol=0, atol=1 / 255 + 1e-9)


def test_clipped_values_bound_from_one_side() -> None:
    y = torch.tensor([[[[0, 0, 0.4, 1, 1]]]], dtype=torch.float64)
    x0 = torch.tensor([[[[-0.2, 0.3, 0.9, 1.7, 0.2]]]], dtype=torch.float64)
    wanted = [-0.2, 0, 0.4, 1.7, 1]
    assert Clipping().data_step(x0, y, 0.1, 0.1).flatten().tolist() == wanted
    darker = Compose((Exposure(1.0), Clipping()))
    lights = torch.full((1, 3, 2, 2), 0.9).double()
    assert torch.equal(darker(lights), torch.ones_like(lights))
    torch.testing.assert_close(darker.data_step(lights, darker(lights), 0.1, 0.01), lights)


@every(ALL)
@settings(max_examples=8, deadline=None)
@given(SEEDS, st.integers(0, 3), st.integers(0, 3))
def test_a_part_of_the_picture_has_the_same_damage(make: Make, seed: int, down: int, across: int) -> None:
    size, window = (54, 60), Window(6 * down, 6 * across, 36, 42)
    if make is LINEAR["any factor"]:  # whose windows must be whole numbers of its pixels
        size, window = (51, 68), Window(17, 17 * (across % 2), 34, 51)
    part, x, _ = made(make, size, seed)
    whole = part.output_window(window).of(part(x))
    alone = part.at(window)(window.of(x))
    assert whole.shape == alone.shape
    edge = -(-part.support * whole.shape[-1] // window.width) if part.support else 0
    inside = np.s_[..., edge : whole.shape[-2] - edge, edge : whole.shape[-1] - edge]
    assert whole[inside].numel() > 0
    torch.testing.assert_close(alone[inside], whole[inside], rtol=0, atol=1e-9)


def test_a_window_that_cuts_pixels_of_a_small_picture_is_refused() -> None:
    with pytest.raises(InputError, match=r"8x8 at \(1, 0\) cuts pixels.*give multiples of 2"):
        Sampling((20, 20), 2).at(Window(0, 1, 8, 8))


ABSENT: dict[str, Degradation] = {
    "tone": Tone(1.0, 0.0, 1.0),
    "tone of light": Tone(torch.ones(2, 3), gamma=torch.ones(2), domain="linear"),
    "exposure": Exposure(0.0),
    "white balance": WhiteBalance(torch.ones(3)),
    "uncertain tone": UncertainTone(torch.ones(2, 3), torch.zeros(2, 3), torch.ones(2, 3), torch.tensor([0.2, 0.5])),
    "curve": Curve(torch.linspace(0, 1, 5, dtype=torch.float64).expand(3, -1)),
    "veil": Veil(torch.ones(2), 0.9, "linear"),
    "streaks": Streaks(torch.zeros(1, 1, 9, 11)),
    "local light": LocalLight(torch.zeros(1, 1, 9, 11)),
    "gaussian": GaussianBlur(0.0),
    "delta": Blur(torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])),
    "delta, circular": Blur(torch.ones(1, 1), "circular"),
    "sampling": Sampling((9, 11), 1),
    "mask": Mask(torch.ones(1, 1, 9, 11)),
    "nothing": Compose(),
    "nothing but nothing": Compose((Exposure(0.0), GaussianBlur(0.0))),
}


@pytest.mark.parametrize("part", ABSENT.values(), ids=ABSENT)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_absent_does_nothing_to_the_bit(part: Degradation, dtype: torch.dtype) -> None:
    x = (torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2).to(dtype)
    assert bool(part.absent.all())
    assert torch.equal(part(x), x) and torch.equal(part.invert(x), x)
    assert torch.equal(part.slope(x), torch.ones_like(x))
    y = x + 0.1
    torch.testing.assert_close(part.data_step(x, y, 0.3, 0.1), x + 0.9 * 0.1)
    composed = Compose((part, Exposure(-1.0)))
    assert torch.equal(composed(x), Exposure(-1.0)(x))


@pytest.mark.parametrize(
    "part",
    [Exposure(torch.tensor([0.0, -1.0])), GaussianBlur(torch.tensor([0.0, 1.0])), Veil(torch.tensor([1.0, 0.4]))],
    ids=["exposure", "blur", "veil"],
)
def test_of_a_batch_the_pictures_without_damage_keep_every_bit(part: Degradation) -> None:
    x = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    y = part(x)
    assert torch.equal(y[0], x[0]) and not torch.equal(y[1], x[1])
    assert torch.equal(part.invert(y)[0], x[0])
    step = part.data_step(x, x + 0.1, 1.0, 1.0)
    torch.testing.assert_close(step[0], x[0] + 0.05)


@every(ALL)
def test_type_and_input_are_kept(make: Make) -> None:
    part, x, _ = made(make, (20, 24), 7)
    x = x.float()
    before = x.clone()
    y = part(x)
    assert y.dtype == torch.float32 and torch.equal(x, before)
    assert part.invert(y).dtype == torch.float32 and part.data_step(x, y, 0.1, 0.1).dtype == torch.float32
    torch.testing.assert_close(y, part(x.double()).float(), rtol=0, atol=2e-2 if isinstance(part, Projection) else 1e-5)


@every(ALL)
def test_plain_data_both_ways(make: Make) -> None:
    part, x, _ = made(make, (20, 24), 7)
    data = json.loads(json.dumps(part.plain()))
    again = from_plain(data)
    assert isinstance(again, Degradation) and type(again) is type(part) and again.plain().keys() == data.keys()
    torch.testing.assert_close(again(x), part(x), rtol=0, atol=1e-12)
    assert part.words() == again.words() != ""


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "is \\[\\]; give a kind"),
        ({"kind": "exposure", "stops": "0.5"}, "'0.5' is no number"),
        ({"kind": "exposure", "stops": None}, "None is no number"),
        ({"kind": "exposure", "stops": float("nan")}, "nan is no number"),
        ({"kind": "exposure", "domain": "foo"}, "'foo' is none of srgb, linear"),
        ({"kind": "blur", "kernel": [[1.0]], "border": "wrap"}, "'wrap' is none of mirrored, circular, valid"),
        ({"kind": "blur", "kernel": [[0.5, 0.5]]}, "both sides odd"),
        ({"kind": "rounding", "levels": 0}, "levels is 0"),
        ({"kind": "gaussian blur", "sigma": -1}, "sigma is -1; it must be 0 or more"),
        ({"kind": "jpeg", "quantisation": [[[0] * 8] * 8] * 2}, "above 0"),
        ({"kind": "mask", "known": 0.5}, "0.5 is no list of numbers"),
        ({"kind": "compose", "parts": [{"kind": "white noise", "sigma": 1}]}, "noise is no part"),
        ({"kind": "compose", "parts": [5]}, "is 5; give a kind"),
        (
            {"kind": "uncertain tone", "gain": [[1, 1]], "offset": [], "gamma": [], "weights": [1]},
            r"shape \[1, 2\].*\[1, 3\]",
        ),
        ({"kind": "fog"}, "kind is 'fog'; there are veil, streaks"),
        ({}, "kind is None"),
        ({"kind": "exposure", "stop": 1}, "exposure has no 'stop'; it has stops, domain"),
        ({"kind": "gaussian blur"}, "gaussian blur cannot be read .*give sigma"),
        ({"kind": "sampling", "size": [0, 9], "factor": 2}, "a picture of 9x0 must keep a pixel"),
    ],
)
def test_plain_data_that_says_something_else(data: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        from_plain(data)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(KINDS) == 26 and all(kind.kind == name for name, kind in KINDS.items())


@pytest.mark.parametrize("bad", [torch.zeros(1, 3, 4, 4).byte(), torch.zeros(3, 4, 4), torch.zeros(1, 3, 0, 4)])
def test_what_is_no_picture_is_refused(bad: Tensor) -> None:
    with pytest.raises(InputError, match="give"):
        Exposure(1.0)(bad)


def test_gradients_reach_the_parameters() -> None:
    x = pictures((6, 7), np.random.default_rng(0), count=1)

    def degraded(stops: Tensor, gamma: Tensor, t: Tensor, sigma: Tensor) -> Tensor:
        return Compose((Veil(t), Exposure(stops), Tone(gamma=gamma), GaussianBlur(sigma)))(x)

    values = [torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in (-1.0, 1.4, 0.6, 0.9)]
    assert torch.autograd.gradcheck(degraded, values)
