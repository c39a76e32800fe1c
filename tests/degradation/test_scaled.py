"""The same damage, weaker or stronger: what `scaled` promises, for all parts and all noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from degradation.parts import COMPOSED, LINEAR, POINTWISE, PROJECTIONS, Make, pictures
from degradation.test_noise import NOISES, levels
from torch import Tensor

from ldrps.degradation import (
    BayerNoise,
    Blur,
    Clipping,
    Compose,
    Curve,
    Degradation,
    Exposure,
    GaussianBlur,
    Jpeg,
    LocalLight,
    Luma,
    Mask,
    Noise,
    PoissonNoise,
    Rounding,
    Sampling,
    ShotReadNoise,
    Streaks,
    Tone,
    Veil,
    WhiteBalance,
    WhiteNoise,
)
from ldrps.degradation.kernels import disk, gaussian, line, path, stretched
from ldrps.degradation.srgb import to_linear
from ldrps.errors import SettingsError

SIZE = (18, 21)
ALL = POINTWISE | LINEAR | PROJECTIONS | COMPOSED | {"clipping": lambda size, random: Clipping()}
# Whose results keep their size, and go in no whole steps.
EVEN = POINTWISE | COMPOSED | {name: LINEAR[name] for name in ("gaussian", "mirrored", "circular", "mask", "soft mask")}
EVEN = {name: make for name, make in EVEN.items() if name != "both separable"}
STRENGTHS = (1e-9, 0.25, 0.5, 1 - 1e-9, 1.3, 2.0)


def every(makes: dict[str, Make]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("make", makes.values(), ids=makes)


def made(make: Make, seed: int = 0) -> tuple[Degradation, Tensor]:
    random = np.random.default_rng(seed)
    return make(SIZE, random), pictures(SIZE, random)


@every(ALL)
def test_once_is_the_part_itself_and_not_at_all_is_nothing(make: Make) -> None:
    part, x = made(make)
    assert part.scaled(1) is part and part.scaled(1.0) is part
    nothing = part.scaled(0)
    assert bool(nothing.absent.all())
    assert torch.equal(nothing(x - 0.2), x - 0.2) and torch.equal(nothing.invert(x), x)


@every(ALL)
@pytest.mark.parametrize("strength", [-0.1, float("nan"), float("inf"), "0.5", None, True])
def test_what_is_no_strength_is_refused(make: Make, strength: object) -> None:
    part, _ = made(make)
    with pytest.raises(SettingsError, match=r"strength is .*; it must be a finite number, 0 or more: give 1"):
        part.scaled(strength)  # type: ignore[arg-type]


@pytest.mark.parametrize("part", [Tone(1.5), Veil(0.5, 0.9).scaled(0.5), Sampling(SIZE, 2), WhiteNoise(0.1)])
def test_a_strength_beyond_all_floats_is_refused_or_kept_finite(part: Degradation | Noise) -> None:
    if isinstance(part, Veil):
        assert part.scaled(1e9).transmission == 0
        return
    with pytest.raises(SettingsError, match="strength is"):
        part.scaled(10**400 if isinstance(part, WhiteNoise) else 1e9)


@every(EVEN)
@pytest.mark.parametrize("strength", STRENGTHS)
def test_a_little_more_strength_changes_little(make: Make, strength: float) -> None:
    part, x = made(make)
    change = (part.scaled(strength + 1e-6)(x) - part.scaled(strength)(x)).abs().max()
    assert float(change) < 1e-4


@every(EVEN)
def test_towards_nothing_and_towards_itself_there_is_no_step(make: Make) -> None:
    part, x = made(make)
    torch.testing.assert_close(part.scaled(1e-6)(x), x, rtol=0, atol=1e-4)
    for strength in (1 - 1e-6, 1 + 1e-6):
        torch.testing.assert_close(part.scaled(strength)(x), part(x), rtol=0, atol=1e-4)


@every({name: make for name, make in EVEN.items() if name not in ("mask", "soft mask", "blur and holes")})
@pytest.mark.parametrize("strength", [0.5, 1.5])
def test_scaled_parts_keep_the_contract(make: Make, strength: float) -> None:
    part, x = made(make)
    scaled = part.scaled(strength)
    assert scaled.kind == part.kind and scaled.words()
    y = scaled(x)
    step = scaled.data_step(x, y, 0.1, 0.1)
    torch.testing.assert_close(step, x, rtol=0, atol=1e-6)
    assert float((scaled.invert(y) - x).abs().mean()) <= float((y - x).abs().mean()) + 1e-9


@pytest.mark.parametrize(
    "part",
    [
        Exposure(-2.0),
        Exposure(torch.tensor([1.5, -0.5])),
        WhiteBalance(torch.tensor([1.6, 1.0, 0.6])),
        LocalLight(torch.linspace(-1, 1, 18 * 21).reshape(1, 1, *SIZE)),
        Veil(0.6, 0.9),
        Veil(torch.tensor([0.3, 0.8]), torch.tensor([[0.8, 0.9, 1.0], [1.0, 0.7, 0.7]]), "linear"),
        Streaks(torch.linspace(0, 0.9, 18 * 21).reshape(1, 1, *SIZE)),
        Tone(0.4, 0.2),
        Tone(1.0, 0.1),
        Tone(torch.tensor([0.5, 1.0]), torch.tensor([[0.1, 0.2, 0.0], [0.1, -0.1, 0.0]])),
        Tone(torch.tensor([[0.5, 1.0, 1.5]]), torch.tensor([0.1]), domain="linear"),
        Tone(torch.linspace(0.5, 1.5, 18 * 21).reshape(1, 1, *SIZE), torch.tensor([0.1, -0.1])),
        Tone(1 + 1e-9, 0.1),
    ],
    ids=lambda part: part.kind,
)
def test_two_halves_are_the_whole(part: Degradation) -> None:
    _, x = made(POINTWISE["line"])
    half, third = part.scaled(0.5), part.scaled(1 / 3)
    torch.testing.assert_close(half(half(x)), part(x), rtol=0, atol=1e-6)
    torch.testing.assert_close(third(third(third(x))), part(x), rtol=0, atol=1e-6)
    torch.testing.assert_close(part(part(x)), part.scaled(2)(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "part",
    [
        Exposure(-2.0),
        Exposure(1.0, "srgb"),
        WhiteBalance(torch.tensor([0.6, 0.8, 0.5])),
        Veil(0.6, 1.0),
        Streaks(torch.full((1, 1, *SIZE), 0.3)),
        Tone(0.4, 0.05, 1.5),
        Tone(gamma=0.5),
        Curve(torch.linspace(0, 1, 9).pow(2).expand(3, -1).double()),
        Mask(torch.linspace(0, 1, 18 * 21).reshape(1, 1, *SIZE)),
        GaussianBlur(1.2),
        Blur(disk(2.3)),
        Blur(line(7, 30)),
        Blur(gaussian(2, 0.7, 20)),
        POINTWISE["uncertain tone"](SIZE, np.random.default_rng(0)),
    ],
    ids=lambda part: part.kind,
)
def test_the_stronger_the_further_from_the_picture(part: Degradation) -> None:
    _, x = made(POINTWISE["line"])
    x = GaussianBlur(1.0)(x)  # of which more blur takes more
    changes = [float((part.scaled(s)(x) - x).pow(2).mean()) for s in (0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.5)]
    assert changes == sorted(set(changes)) and changes[0] > 0


def test_only_the_pictures_that_are_damaged_are_damaged_more() -> None:
    x = pictures(SIZE, np.random.default_rng(0))
    delta = torch.zeros(5, 5).double()
    delta[2, 2] = 1
    for part in (
        Tone(torch.tensor([1.0, 0.5]), torch.tensor([0.0, 0.1]), torch.tensor([1.0, 1.4])),
        Veil(torch.tensor([1.0, 0.5])),
        Curve(torch.stack([torch.linspace(0, 1, 5), torch.linspace(0, 1, 5) ** 2])[:, None].expand(-1, 3, -1)),
        GaussianBlur(torch.tensor([0.0, 1.0])),
        Blur(torch.stack([delta, gaussian(0.5, 0.5)])),
    ):
        for strength in (0.3, 1.7):
            y = part.scaled(strength)(x)
            torch.testing.assert_close(y[0], x[0], rtol=0, atol=1e-12)
            assert not torch.equal(y[1], x[1])


def test_a_line_with_no_slope_is_scaled_as_one_of_hardly_any() -> None:
    _, x = made(POINTWISE["line"])
    for gain in (0.0, torch.tensor([0.0, -1.0])):
        assert bool(Tone(gain, 0.3, 2.0).scaled(0.5)(x).isfinite().all())


@pytest.mark.parametrize("strength", [0.2, 0.5, 3.0, 20.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_scaled_curve_rises_from_end_to_end(strength: float, dtype: torch.dtype) -> None:
    steep = torch.tensor([0.1, 0.1 + 1e-6, 0.5, 0.8], dtype=dtype).expand(3, -1)
    scaled = Curve(steep).scaled(strength)
    assert isinstance(scaled, Curve)
    assert bool((scaled.values.diff() > 0).all())
    ends = Tone(0.7, 0.1).scaled(strength)(torch.tensor([0.0, 1.0]).double().reshape(1, 1, 1, 2)).flatten()
    torch.testing.assert_close(scaled.values[0, [0, -1]].double(), ends, rtol=1e-5, atol=1e-6)
    x = pictures(SIZE, np.random.default_rng(0)).to(dtype)
    assert bool(scaled.invert(scaled(x)).isfinite().all())


KERNELS = {
    "disk": disk(2.6),
    "motion": line(9, 35),
    "gaussian": gaussian(2, 0.8, 20),
    "hook": path([(0, 0), (0.5, 1), (1, 2), (2, 2.5), (3, 2)], 3),
    "shift": path([(1, -1)], 1),
    "row": torch.full((1, 5), 0.2).double(),
    "point": torch.ones(1, 1).double(),
    "batch": torch.stack([gaussian(0.5, 0.5), disk(1.7)]),
}


def moments(kernel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sum, mean (down, right) and variance of both together."""
    rows, columns = (torch.arange(side, dtype=kernel.dtype) - side // 2 for side in kernel.shape[-2:])
    middle = [(kernel * rows[:, None]).sum((-2, -1)), (kernel * columns).sum((-2, -1))]
    square = (kernel * (rows[:, None] ** 2 + columns**2)).sum((-2, -1))
    return kernel.sum((-2, -1)), torch.stack(middle), square - middle[0] ** 2 - middle[1] ** 2


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
@pytest.mark.parametrize("factor", [0.01, 0.3, 0.7, 1.0, 1.4, 2.0, 3.1])
def test_a_stretched_kernel_keeps_its_mass_and_its_mean_moves_along(kernel: Tensor, factor: float) -> None:
    wide = stretched(kernel, factor)
    assert all(side % 2 for side in wide.shape[-2:]) and float(wide.min()) >= 0
    mass, mean, variance = moments(wide)
    was_mass, was_mean, was_variance = moments(kernel)
    torch.testing.assert_close(mass, was_mass, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(mean, factor * was_mean, rtol=1e-9, atol=1e-9)
    # Each way, a point between pixels is shared among them, which adds a quarter at most, and what is spread evenly
    # between two points is nearer to the middle than they are, by a sixth of the square of their distance.
    assert bool((variance - factor**2 * was_variance <= 0.5).all())
    assert bool((variance - factor**2 * was_variance >= -(factor**2) / 3 - 1e-9).all())


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_a_kernel_stretched_by_one_is_itself(kernel: Tensor) -> None:
    torch.testing.assert_close(stretched(kernel, 1.0), kernel, rtol=0, atol=1e-15)


def test_a_stretched_kernel_has_no_gaps_and_keeps_its_mirror_images() -> None:
    flat = torch.full((5, 5), 1 / 25).double()
    for factor in (1.5, 2.0, 3.0):
        wide = stretched(flat, factor)
        inner = wide[wide.shape[0] // 2 - 2 :, wide.shape[1] // 2 - 2 :][:5, :5]
        assert float(inner.max() / inner.min()) < 1 + 1e-9
        assert torch.equal(wide, wide.flip(-1)) and torch.equal(wide, wide.flip(-2))
    across = stretched(line(7, 0), 2.0)
    assert bool((across[across.shape[0] // 2, 1:-1] > 0).all()) and float(across.sum(1).max()) == pytest.approx(1)
    delta = stretched(torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]), 1.7)
    assert bool(Blur(delta).absent)


def test_sampling_halves_twice() -> None:
    half = Sampling((40, 60), 4).scaled(0.5)
    assert isinstance(half, Sampling) and half.factor == pytest.approx(2) and half.reduced_size == (20, 30)
    x = pictures((40, 60), np.random.default_rng(0))
    torch.testing.assert_close(Sampling((40, 60), 4).scaled(1e-6)(x), x, rtol=0, atol=1e-3)


def test_parts_in_whole_steps() -> None:
    x = pictures((16, 16), np.random.default_rng(0))
    assert [Rounding().scaled(s).plain()["levels"] for s in (0.25, 0.5, 2, 1e4)] == [1020, 510, 128, 1]
    torch.testing.assert_close(Rounding().scaled(1e-300)(x), x)
    weak, strong = (Jpeg.of_quality(30, (1, 1)).scaled(s) for s in (1e-6, 2))
    torch.testing.assert_close(weak(x), x, rtol=0, atol=1e-5)
    assert float((strong(x) - x).pow(2).mean()) > float((Jpeg.of_quality(30, (1, 1))(x) - x).pow(2).mean())
    for part in (Clipping(), Luma()):
        assert part.scaled(0.01) is part and part.scaled(3) is part


def test_of_a_chain_each_part_is_scaled() -> None:
    chain = Compose((Exposure(-2.0), GaussianBlur(2.0), Clipping()))
    assert chain.scaled(0.5).plain() == Compose((Exposure(-1.0), GaussianBlur(1.0), Clipping())).plain()


@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_the_deviation_of_noise_is_scaled(noise: Noise) -> None:
    x = levels()
    assert noise.scaled(1) is noise
    for strength in (0.5, 1.7):
        scaled = noise.scaled(strength)
        assert scaled.kind == noise.kind and scaled.words()
        torch.testing.assert_close(scaled.variance(x), strength**2 * noise.variance(x))
    none = noise.scaled(0)
    assert torch.equal(none.sample(x, np.random.default_rng(0)), x) and not none.variance(x).any()
    for tiny in (1e-7, 1e-200):
        torch.testing.assert_close(noise.scaled(tiny).sample(x, np.random.default_rng(0)), x, rtol=0, atol=1e-6)
    with pytest.raises(SettingsError, match="strength is -1"):
        noise.scaled(-1)


@pytest.mark.parametrize("noise", [n for n in NOISES.values() if not isinstance(n, PoissonNoise)], ids=lambda n: n.kind)
def test_the_same_draw_is_scaled(noise: Noise) -> None:
    """What is drawn does not depend on the strength: a slider makes the same grain stronger."""
    x = levels()
    light = isinstance(noise, BayerNoise) or (isinstance(noise, ShotReadNoise) and noise.domain == "linear")

    def drawn(strength: float) -> Tensor:
        seen = (noise.scaled(strength).sample(x, np.random.default_rng(1)), x)
        y, clean = (to_linear(each) if light else each for each in seen)
        return y - clean

    torch.testing.assert_close(drawn(0.5), drawn(1.0) / 2, rtol=1e-5, atol=1e-8)
