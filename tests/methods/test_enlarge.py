"""A picture that is wanted larger comes out larger, finer than by a cubic, whatever it is and in any windows."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import ldrps
from ldrps import Damage, Estimate, Prior, Restorer, Settings, preset
from ldrps.degradation import Blur, Exposure, GaussianBlur, WhiteNoise, resize
from ldrps.degradation.kernels import line
from ldrps.errors import SettingsError
from ldrps.estimation.enlarger import FACTOR
from ldrps.estimation.estimators import load_estimators
from ldrps.methods import enlarge
from ldrps.methods.enlarge import Enlarging
from ldrps.settings import ENLARGING, BlindSettings

NOTHING = Damage()
LOOP = preset("default")  # without the network, which learned from photographs and not from what is drawn here
LOOP = dataclasses.replace(LOOP, method=dataclasses.replace(LOOP.method, expected=0.0))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def scene(height: int, width: int) -> Tensor:
    """Edges, curves and shades, [1, 3, H, W], as a lens shows them: of some structure at every border."""
    fine = 4
    y, x = torch.meshgrid(
        torch.arange(fine * height) / fine / 64, torch.arange(fine * width) / fine / 64, indexing="ij"
    )
    disks = (torch.hypot(x % 0.9 - 0.4, y % 0.7 - 0.3) < 0.22).float()
    stripes = (torch.sin(21 * (x + 0.4 * y)) > 0.2).float() * (torch.sin(5 * y) > 0)
    shade = 0.3 + 0.15 * torch.sin(3 * x) * torch.cos(4 * y)
    drawn = torch.stack([shade + 0.35 * disks, shade + 0.25 * stripes, shade + 0.2 * disks + 0.1 * stripes])[None]
    return resize(drawn, (height, width), "area")


def rounded(x: Tensor) -> Tensor:
    return (x * 255).round().clamp(0, 255) / 255


def restored(
    y: Tensor, prior: Prior, scale: float, damage: Damage = NOTHING, settings: Settings | None = None
) -> Tensor:
    settings = (settings or LOOP).with_changes(scale=scale)
    result = Restorer(prior, settings)(y, damage=damage)
    return torch.from_numpy(np.asarray(result.image.convert("RGB"), np.float32) / 255).permute(2, 0, 1)[None]


def decibels(x: Tensor, truth: Tensor) -> float:
    return float(-10 * (x - truth).pow(2).mean().log10())


@pytest.mark.parametrize(
    ("scale", "size", "gain"), [(2, (96, 120), 2.5), (3, (99, 120), 3.0), (4, (128, 160), 2.5), (1.5, (96, 120), 2.2)]
)
def test_it_is_nearer_to_the_truth_than_a_cubic(
    scale: float, size: tuple[int, int], gain: float, embedded: Prior
) -> None:
    x = scene(*size)
    y = rounded(resize(x, (round(size[0] / scale), round(size[1] / scale))))
    found = restored(y, embedded, scale)
    assert found.shape == x.shape
    assert decibels(found, x) > decibels(resize(y, size), x) + gain
    assert decibels(resize(found, (y.shape[-2], y.shape[-1])), y) > 58, "and made small again it is what was given"


def test_what_may_be_noise_is_not_enlarged_as_detail(tiny_prior: Prior) -> None:
    """The surer it is that there is noise the more of it is assumed, without a jump where some is taken away."""
    assumed = []
    for probability in (0.0, 0.1, 0.2499, 0.2501, 0.5, 0.7499, 0.75, 1.0):
        damage = Damage(noise=Estimate(WhiteNoise(0.02), probability))
        plan = Enlarging(scene(32, 32), tiny_prior, Settings(scale=2), damage, "")
        assumed.append(float(plan.noise.amax()))
    assert assumed[0] == pytest.approx(BlindSettings().enlarging.noise / 255)
    assert assumed == sorted(assumed) and assumed[-1] == pytest.approx(0.02, rel=0.01)
    assert assumed[3] == pytest.approx(assumed[2], rel=0.01) and assumed[6] == pytest.approx(assumed[5], rel=0.01)
    left = Damage(noise=Estimate(WhiteNoise(0.02), strength=0.0))
    plan = Enlarging(scene(32, 32), tiny_prior, Settings(scale=2), left, "")
    assert float(plan.noise.amax()) == pytest.approx(assumed[0]), "noise that is to stay is part of the picture"


@pytest.mark.parametrize("size", [(33, 47), (40, 32), (57, 64)])
@pytest.mark.parametrize("scale", [1.37, 2, 8])
def test_any_size_and_any_factor(size: tuple[int, int], scale: float, tiny_prior: Prior) -> None:
    found = restored(scene(*size), tiny_prior, scale)
    assert found.shape[-2:] == (round(size[0] * scale), round(size[1] * scale))


def test_a_scale_of_one_is_different_in_nothing_to_the_bit(embedded: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = 0.05 * torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))
    y = (scene(48, 64) + noise).clamp(0, 1)
    expected = Restorer(embedded)(y)
    monkeypatch.setattr(enlarge.Enlarging, "__init__", None)
    found = Restorer(embedded, preset("default").with_changes(scale=1))(y)
    assert np.array_equal(found.levels, expected.levels) and found.losses == expected.losses
    assert found.words == expected.words and found.findings.plain() == expected.findings.plain()


@pytest.mark.parametrize("blur", [None, GaussianBlur(1.2), Blur(line(5, 30))], ids=["sharp", "gaussian", "motion"])
@pytest.mark.parametrize("scale", [2, 2.5])
def test_the_data_step_is_where_the_objective_is_least(scale: float, blur: Any, tiny_prior: Prior) -> None:
    y = scene(40, 48)
    visible = torch.ones(1, 1, 40, 48)
    visible[..., 5:9, 7:12] = 0.3
    settings = Settings(
        scale=scale, tile=256, overlap=16, method=dataclasses.replace(BlindSettings(), enlarging=_exact())
    )
    for seen in (None, visible):
        damage = Damage(noise=Estimate(WhiteNoise(0.02)), blur=None if blur is None else Estimate(blur))
        plan = Enlarging(y, tiny_prior, settings, damage, "", seen)
        part = plan.part(plan.windows[0])
        assert isinstance(part, enlarge._Part)
        x0 = part.start() + 0.05 * torch.randn(part.start().shape, generator=torch.Generator().manual_seed(0))
        x = part.agreeing(x0, 0.1).requires_grad_()
        ratio = plan.splitting.weight * (part.noise / 0.1) ** 2
        objective = ((part._reduced(x) - part.y) ** 2 / ratio).sum() + ((x - x0) ** 2).sum()
        (slope,) = torch.autograd.grad(objective, x)
        (before,) = torch.autograd.grad(
            ((part._reduced(start := x0.clone().requires_grad_()) - part.y) ** 2 / ratio).sum(), start
        )
        assert float(slope.detach().abs().max()) < 2e-3 * float(before.abs().max())


def _exact() -> Any:
    return dataclasses.replace(ENLARGING, rounds=200)


@pytest.mark.parametrize(("scale", "expected"), [(2, 0.0), (1.7, 0.0), (2, 1.0), (2.4, 1.0)])
def test_windows_are_like_the_whole(scale: float, expected: float, embedded: Prior) -> None:
    size = (80, 192)
    x = scene(*size)
    y = rounded(resize(x, (round(80 / scale), round(192 / scale))))
    few = BlindSettings(expected=expected, enlarging=dataclasses.replace(ENLARGING, levels=6))
    settings = dataclasses.replace(preset("default"), method=few)
    whole, cut = (
        restored(y, embedded, scale, settings=each)
        for each in (settings, dataclasses.replace(settings, tile=128, overlap=32))
    )
    assert not torch.equal(whole, cut), "it was cut"
    assert decibels(whole, cut) > 42


@pytest.mark.parametrize("blur", [None, GaussianBlur(1.0)], ids=["sharp", "blurred"])
@pytest.mark.parametrize("scale", [2, 2.3])
def test_a_window_sees_what_the_whole_picture_shows_there(scale: float, blur: Any, tiny_prior: Prior) -> None:
    """What is expected of y in a window is what the whole of x would give at the same place."""
    y = scene(64, 80)
    settings = Settings(scale=scale, tile=64, overlap=16)
    damage = Damage(blur=None if blur is None else Estimate(blur))
    plan = Enlarging(y, tiny_prior, settings, damage, "")
    assert len(plan.windows) > 4 and plan.findings.windows == len(plan.windows)
    height, width = plan.size
    reach = 0 if plan.blur is None else plan.blur.support
    x = torch.rand(1, 3, height + 2 * reach, width + 2 * reach, generator=torch.Generator().manual_seed(0))
    seen = x if plan.blur is None else plan.blur(x)
    expected = resize(seen, (64, 80))
    for window in plan.windows:
        part = plan.part(window)
        assert isinstance(part, enlarge._Part)
        frame = part.frame
        inside = x[..., frame.top + reach :, frame.left + reach :][..., : frame.height, : frame.width]
        top, left = (
            (axis.made_of(at, at + 1)[0]) for axis, at in zip(plan.down, (window.top, window.left), strict=True)
        )
        found = part._reduced(inside)
        there = expected[..., top : top + found.shape[-2], left : left + found.shape[-1]]
        torch.testing.assert_close(found, there, atol=1e-5, rtol=0)
        torch.testing.assert_close(part.y, y[..., top : top + found.shape[-2], left : left + found.shape[-1]])


def test_grey_stays_grey_to_the_bit(embedded: Prior) -> None:
    y = rounded(resize(scene(64, 80), (32, 40)))[:, :1].expand(1, 3, 32, 40).contiguous()
    found = restored(y, embedded, 2)
    assert bool((found == found[:, :1]).all())


def test_noise_is_taken_away_with_it(embedded: Prior) -> None:
    x = scene(96, 120)
    noise = 0.04 * torch.randn(1, 3, 48, 60, generator=torch.Generator().manual_seed(0))
    y = rounded(resize(x, (48, 60)) + noise)
    found = restored(y, embedded, 2, Damage(noise=Estimate(WhiteNoise(0.04))))
    assert decibels(found, x) > decibels(resize(y, (96, 120)), x) + 1.5
    assert decibels(found, x) > decibels(restored(y, embedded, 2), x) + 4, "than without knowing of it"


@pytest.mark.parametrize("blur", [GaussianBlur(1.6), Blur(line(7, 30))], ids=["gaussian", "motion"])
def test_a_blur_is_one_of_the_large_picture(blur: Any, embedded: Prior) -> None:
    x = scene(72, 88)
    y = rounded(resize(Blur(blur.kernel)(x), (36, 44)))
    found = restored(y, embedded, 2, Damage(blur=Estimate(blur)))
    without = restored(y, embedded, 2)
    assert decibels(found, x) > decibels(without, x) + 2


def test_tones_are_undone_first(embedded: Prior) -> None:
    x = scene(96, 120)
    y = rounded(resize(x, (48, 60)) / 2)
    found = restored(y, embedded, 2, Damage(Estimate(Exposure(-1.0, "srgb"))))
    assert decibels(found, x) > decibels(resize(2 * y, (96, 120)), x) + 2


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_what_is_clipped_stays_so(level: float, embedded: Prior) -> None:
    y = rounded(resize(scene(64, 80), (32, 40)))
    y[..., 8:20, 10:24] = level
    found = restored(y, embedded, 2)
    assert bool((found[..., 18:38, 22:46] == level).all())


def test_what_is_hidden_or_padded_tells_nothing(tiny_prior: Prior) -> None:
    y, settings = scene(64, 64), Settings(scale=2.0)
    visible = torch.ones(1, 1, 64, 64)
    visible[..., 10:20, 30:40] = 0.0
    plans = []
    for value in (0.1, 0.9):
        other = y.clone()
        other[..., 10:20, 30:40], other[..., 57:, :], other[..., 51:] = value, value, value
        plans.append(Enlarging(other, tiny_prior, settings, NOTHING, "", visible, (57, 51)))
    one, two = (plan.part(plan.windows[0]) for plan in plans)
    x0 = torch.rand(1, 3, 114, 102, generator=torch.Generator().manual_seed(0))
    agreed = [part.agreeing(x0, 0.1) for part in (one, two)]
    assert torch.equal(*agreed) and not torch.equal(agreed[0], x0)


def test_the_steps_are_told_and_shown(embedded: Prior) -> None:
    seen: list[tuple[int, int, tuple[int, ...]]] = []
    settings = preset("default").with_changes(recurrences=1, scale=2)
    y = rounded(resize(scene(64, 96), (32, 48)))
    result = Restorer(embedded, settings)(
        y,
        damage=NOTHING,
        on_step=lambda step: seen.append((step.number, step.total, tuple(step.picture().shape))),
    )
    assert seen == [(number, 18, (1, 3, 64, 96)) for number in range(1, 19)], "twelve, and half of them again"
    assert result.words == "left as it is; enlarged 2 times; fine detail is sharpened by guess"
    assert result.record()["findings"]["scale"] == 2 and result.record()["settings"]["scale"] == 2


def test_the_same_again_is_the_same_and_samples_differ(embedded: Prior) -> None:
    y = rounded(resize(scene(64, 64), (32, 32)))
    sampling = dataclasses.replace(preset("default"), method=BlindSettings().sampled())
    one, again, two = (restored(y, embedded, 2, settings=sampling.with_changes(seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, two)


@pytest.mark.parametrize("scale", [0, 0.5, -2, 100, float("nan"), float("inf")])
def test_a_scale_that_cannot_be_is_named(scale: float) -> None:
    with pytest.raises(SettingsError, match=rf"scale is {scale}; it must be 1 to 8"):
        Settings(scale=scale)


@pytest.mark.parametrize("name", ["paper-lowlight", "ldrps"])
def test_who_cannot_enlarge_says_so(name: str) -> None:
    with pytest.raises(SettingsError, match=f"scale is 2; preset '{name}' cannot enlarge: leave scale out, or take"):
        preset(name).with_changes(scale=2.0)
    assert preset(name).with_changes(scale=1).scale == 1


def test_a_smaller_copy_is_not_enlarged() -> None:
    with pytest.raises(SettingsError, match=r"scale is 2 and working_size 512.*leave one of the two out"):
        Settings(scale=2.0, working_size=512)


class Pale(torch.nn.Module):
    """An enlarger that says of each pixel of y what it is, a little brighter."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[int, ...]] = []
        self.brighter = torch.nn.Parameter(torch.tensor(0.1), requires_grad=False)

    def forward(self, y: Tensor) -> Tensor:
        self.asked.append(tuple(y.shape[-2:]))
        return y.repeat_interleave(FACTOR, -1).repeat_interleave(FACTOR, -2) + self.brighter


@pytest.mark.parametrize("scale", [1.7, 2, 4, 6])
def test_windows_begin_with_what_the_enlarger_says_of_their_place(scale: float, tiny_prior: Prior) -> None:
    y = torch.rand(1, 3, 48, 56, generator=torch.Generator().manual_seed(0))
    settings = Settings(scale=scale, tile=64, overlap=16)
    enlarger: Any = Pale()
    plan = Enlarging(y, tiny_prior, settings, NOTHING, "", enlarger=enlarger)
    assert len(plan.windows) > 1
    whole = resize(y.repeat_interleave(4, -1).repeat_interleave(4, -2) + 0.1, plan.large)
    for window in plan.windows:
        part = plan.part(window)
        torch.testing.assert_close(part.inside.of(part.start()), window.of(whole), atol=1e-4, rtol=0)
    assert max(side for size in enlarger.asked for side in size) < 56 or scale < 2, "of what is around it, no more"


def test_the_loop_and_the_network_count_as_much_as_is_asked_for(tiny_prior: Prior) -> None:
    y = 0.3 + 0.4 * torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    z = torch.full((1, 3, 48, 64), 0.5)

    def made(share: float) -> tuple[int, Tensor, Tensor]:
        method = BlindSettings(expected=share)
        enlarger: Any = Pale()
        plan = Enlarging(y, tiny_prior, Settings(scale=2, method=method), NOTHING, "", enlarger=enlarger)
        part = plan.part(plan.windows[0])
        return len(plan.rounds[0]), part.picture(z), part.picture(part.start())

    (_, loop, _), (calls, some, _), (one, _, network) = made(0.0), made(0.25), made(1.0)
    assert (calls, one) == (ENLARGING.levels, 1), "the network alone needs no loop"
    torch.testing.assert_close(some, 0.75 * loop + 0.25 * network, atol=1e-5, rtol=0)


def test_whoever_tells_the_blur_or_wants_noise_left_is_not_overruled(tiny_prior: Prior) -> None:
    """The enlarger takes noise and blur away, whatever anybody says."""
    y = scene(32, 40)
    enlarger = Pale()
    estimators = dataclasses.replace(load_estimators(), enlarger=enlarger)  # type: ignore[arg-type]
    larger = preset("fast").with_changes(scale=2)
    half = Damage(noise=Estimate(WhiteNoise(0.02), strength=0.5))
    for settings, damage in (
        (larger, Damage(blur=Estimate(GaussianBlur(1.2)))),
        (larger, half),
        (larger.with_strengths(skip="noise"), None),
        (larger.with_changes(recurrences=1), None),
    ):
        Restorer(tiny_prior, settings, estimators=estimators)(y, damage=damage)
        assert enlarger.asked == []
    result = Restorer(tiny_prior, larger, estimators=estimators)(y)
    assert enlarger.asked and len(result.losses) == 1
    again = Restorer(tiny_prior, larger, estimators=estimators)(y, damage=result.damage)
    assert np.array_equal(again.levels, result.levels), "and what was found, given back, makes the same"
