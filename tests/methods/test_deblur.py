"""A blur that is told is undone, whatever lies beyond the edge of the picture."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import ldrps
from ldrps import Damage, Estimate, Prior, Restorer, Settings, preset
from ldrps.degradation import Blur, Exposure, GaussianBlur, WhiteNoise
from ldrps.degradation.kernels import disk, line
from ldrps.errors import SettingsError
from ldrps.methods import deblur
from ldrps.methods.blind import Blind
from ldrps.methods.deblur import Deblurring
from ldrps.methods.splitting import falling_levels
from ldrps.settings import BlindSettings, Splitting

NOISE = 0.5 / 255


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def scene(height: int, width: int) -> Tensor:
    """Edges, curves and shades, [1, 3, H, W]: of some structure at every border."""
    y, x = torch.meshgrid(torch.arange(height) / 64, torch.arange(width) / 64, indexing="ij")
    disks = (torch.hypot(x % 0.9 - 0.4, y % 0.7 - 0.3) < 0.22).float()
    stripes = (torch.sin(21 * (x + 0.4 * y)) > 0.2).float() * (torch.sin(5 * y) > 0)
    shade = 0.3 + 0.15 * torch.sin(3 * x) * torch.cos(4 * y)
    return torch.stack([shade + 0.35 * disks, shade + 0.25 * stripes, shade + 0.2 * disks + 0.1 * stripes])[None]


def seen_through(blur: Blur, height: int, width: int) -> tuple[Tensor, Tensor]:
    """A scene (its middle) and what a camera sees of it, [1, 3, height, width]: also of what is beyond the edge."""
    rows, columns = (side // 2 for side in blur.kernel.shape)
    x = scene(height + 2 * rows, width + 2 * columns)
    y = dataclasses.replace(blur, border="valid")(x)
    noise = NOISE * torch.randn(y.shape, generator=torch.Generator().manual_seed(0))
    return x[..., rows : rows + height, columns : columns + width], ((y + noise) * 255).round().clamp(0, 255) / 255


def told(blur: GaussianBlur | Blur, **parts: Any) -> Damage:
    return Damage(noise=Estimate(WhiteNoise(NOISE)), blur=Estimate(blur), **parts)


def restored(y: Tensor, prior: Prior, damage: Damage, settings: Settings | None = None) -> Tensor:
    result = Restorer(prior, settings)(y, damage=damage)
    return torch.from_numpy(np.asarray(result.image.convert("RGB"), np.float32) / 255).permute(2, 0, 1)[None]


def decibels(x: Tensor, truth: Tensor, border: int = 0) -> float:
    error = (x - truth)[..., border : x.shape[-2] - border, border : x.shape[-1] - border]
    return float(-10 * error.pow(2).mean().log10())


@pytest.mark.parametrize(
    ("blur", "gain"),
    [(Blur(GaussianBlur(1.6).kernel), 3.0), (Blur(line(9, 30)), 6.0), (Blur(disk(2.5)), 5.0)],
    ids=["gaussian", "motion", "out of focus"],
)
def test_a_blur_is_undone_up_to_the_edge(blur: Blur, gain: float, embedded: Prior) -> None:
    """Also of a picture whose sides are no multiples of the prior's, so that it is padded."""
    x, y = seen_through(blur, 75, 92)
    found = restored(y, embedded, told(blur))
    assert decibels(found, x) > decibels(y, x) + gain
    reach = max(blur.kernel.shape) // 2
    inner = [(each - x)[..., reach:-reach, reach:-reach].pow(2).sum() for each in (found, y)]
    frame = [float((each - x).pow(2).sum() - within) for each, within in zip((found, y), inner, strict=True)]
    assert frame[0] < frame[1] / 1.5, "and the frame, where much is seen of what is beyond, is no worse off"


def test_how_a_gaussian_is_written_does_not_matter(embedded: Prior) -> None:
    blur = GaussianBlur(1.2)
    _, y = seen_through(Blur(blur.kernel), 48, 64)
    pictures = [restored(y, embedded, told(each)) for each in (blur, Blur(blur.kernel), Blur(blur.kernel, "circular"))]
    assert torch.equal(pictures[0], pictures[1]) and torch.equal(pictures[0], pictures[2])


@pytest.mark.parametrize(
    "blur",
    [None, Estimate(GaussianBlur(0.0)), Estimate(GaussianBlur(2.0), 0.2), Estimate(GaussianBlur(2.0), strength=0.0)],
    ids=["nobody looked", "none", "unlikely", "left out"],
)
def test_without_a_blur_nothing_is_different_to_the_bit(
    blur: Any, embedded: Prior, monkeypatch: pytest.MonkeyPatch
) -> None:
    y = (scene(48, 64) + 0.05 * torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    noise = Estimate(WhiteNoise(0.05))
    expected = Restorer(embedded)(y, damage=Damage(noise=noise))
    monkeypatch.setattr(deblur.Deblurring, "__init__", None)
    found = Restorer(embedded)(y, damage=Damage(noise=noise, blur=blur))
    assert np.array_equal(found.levels, expected.levels) and len(found.losses) == len(expected.losses)


def test_windows_are_like_the_whole(embedded: Prior) -> None:
    blur = Blur(line(9, 30))
    x, y = seen_through(blur, 80, 192)
    few = dataclasses.replace(BlindSettings(), splitting=Splitting(levels=6))
    settings = dataclasses.replace(preset("default"), method=few)
    whole, cut = (
        restored(y, embedded, told(blur), each)
        for each in (settings, dataclasses.replace(settings, tile=128, overlap=32))
    )
    assert not torch.equal(whole, cut), "it was cut"
    assert decibels(whole, cut) > 38 and decibels(cut, x) > decibels(whole, x) - 0.3


def test_grey_stays_grey_to_the_bit(embedded: Prior) -> None:
    blur = Blur(disk(2.0))
    _, y = seen_through(blur, 64, 80)
    found = restored(y[:, :1].expand(1, 3, 64, 80).contiguous(), embedded, told(blur))
    assert bool((found == found[:, :1]).all()) and not torch.equal(found, y)


@pytest.mark.parametrize("blur", [Blur(disk(3.0)), Blur(line(9, 30))], ids=["out of focus", "motion"])
@pytest.mark.parametrize(("light", "gain"), [(1.0, 6.0), (2.0, -0.3), (8.0, -0.2), (50.0, -0.2)])
def test_lights_make_no_rings(light: float, gain: float, blur: Blur, embedded: Prior) -> None:
    """One that is brighter than white is explained by no picture; what is merely white is sharpened like the rest."""
    x = 0.6 * scene(70, 86)
    x[..., 30:40, 40:50] = light
    rows, columns = (side // 2 for side in blur.kernel.shape)
    y = dataclasses.replace(blur, border="valid")(x).clamp(0, 1)
    truth = x[..., rows : 70 - rows, columns : 86 - columns].clamp(0, 1)
    found = restored(y, embedded, told(blur))
    assert decibels(found, truth) > decibels(y, truth) + gain
    white = torch.nn.functional.max_pool2d(-(y >= 1).float(), 3, 1, 1) == -1
    assert bool((found[white] == 1).all()), "and never darkened"
    away = torch.nn.functional.max_pool2d((y >= 1).float(), 31, 1, 15) == 0
    assert float((found - truth)[away].pow(2).mean()) < float((y - truth)[away].pow(2).mean()) / 2


def test_tones_are_undone_first(embedded: Prior) -> None:
    blur = Blur(line(7, 60))
    x, y = seen_through(blur, 64, 80)
    dark = Damage(Estimate(Exposure(-1.0, "srgb")), blur=Estimate(blur), noise=Estimate(WhiteNoise(1 / 255)))
    found = restored(y / 2, embedded, dark)
    assert decibels(found, x) > decibels(y, x) + 4


def test_a_strength_of_less_leaves_some_of_it(embedded: Prior) -> None:
    blur = GaussianBlur(1.6)
    _, y = seen_through(Blur(blur.kernel), 48, 64)

    def sharpness(strength: float) -> float:
        damage = told(blur).with_strengths(dataclasses.replace(BlindSettings().strengths, blur=strength))
        return float(restored(y, embedded, damage).diff(dim=-1).pow(2).mean())

    steps = [sharpness(strength) for strength in (0.3, 0.6, 1.0)]
    assert float(y.diff(dim=-1).pow(2).mean()) < steps[0] < steps[1] < steps[2]


def test_more_noise_is_undone_more_carefully(embedded: Prior) -> None:
    blur = Blur(GaussianBlur(1.6).kernel)
    x, y = seen_through(blur, 64, 80)
    noisy = (y + 0.03 * torch.randn(y.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)
    right, wrong = (
        decibels(restored(noisy, embedded, Damage(noise=Estimate(WhiteNoise(sigma)), blur=Estimate(blur))), x)
        for sigma in (0.03, NOISE)
    )
    assert right > decibels(noisy, x) + 2 and right > wrong + 3
    quiet = restored(y, embedded, Damage(blur=Estimate(blur)))
    assert decibels(quiet, x) > decibels(y, x) + 3, "and where nobody says how much, little is assumed"


def test_what_is_hidden_or_padded_tells_nothing(tiny_prior: Prior) -> None:
    y, settings = scene(64, 64), preset("default")
    visible = torch.ones(1, 1, 64, 64)
    visible[..., 10:20, 30:40] = 0.0
    plans = []
    for value in (0.1, 0.9):
        other = y.clone()
        other[..., 10:20, 30:40], other[..., 57:, :], other[..., 51:] = value, value, value
        plans.append(Deblurring(other, tiny_prior, settings, told(GaussianBlur(1.0)), "", visible, (57, 51)))
    one, two = (plan.part(plan.windows[0]) for plan in plans)
    x0 = torch.rand(1, 3, 72, 72, generator=torch.Generator().manual_seed(0))
    agreed = [part.agreeing(x0, 0.1) for part in (one, two)]
    assert torch.equal(*agreed) and not torch.equal(agreed[0], x0)


def test_a_kernel_larger_than_the_picture(embedded: Prior) -> None:
    blur = Blur(torch.full((1, 129), 1 / 129, dtype=torch.float64))
    y = restored(0.5 * scene(32, 40), embedded, told(blur), Settings().with_strengths({"blur": 4.0}))
    assert y.shape == (1, 3, 32, 40) and bool(y.isfinite().all())


def test_the_steps_are_told_and_shown(embedded: Prior) -> None:
    _, y = seen_through(Blur(disk(2.0)), 48, 64)
    seen: list[tuple[int, int, tuple[int, ...]]] = []
    settings = preset("default").with_changes(recurrences=1)
    result = Restorer(embedded, settings)(
        y,
        damage=told(Blur(disk(2.0))),
        on_step=lambda step: seen.append((step.number, step.total, tuple(step.picture().shape))),
    )
    assert seen == [(number, 18, (1, 3, 48, 64)) for number in range(1, 19)], "twelve, and half of them again"
    levels = [line["t"] for line in result.losses]
    assert levels[:12] == sorted(levels[:12], reverse=True) and [line["round"] for line in result.losses[11:13]] == [
        0,
        1,
    ]
    assert result.words == "blurred by 1.1 px, a trace of noise"


def test_samples_differ_where_the_blur_leaves_them_free(embedded: Prior) -> None:
    blur = Blur(GaussianBlur(2.0).kernel)
    _, y = seen_through(blur, 48, 64)
    sampling = dataclasses.replace(preset("default"), method=BlindSettings().sampled())
    one, again, two = (restored(y, embedded, told(blur), sampling.with_changes(seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(one, again) and not torch.equal(one, two)
    assert decibels(one, two) < decibels(blur(one), blur(two)) - 6


def test_who_learns_it_takes_no_blur(tiny_prior: Prior) -> None:
    with pytest.raises(SettingsError, match="learns the damage as a whole"):
        Restorer(tiny_prior, preset("paper-lowlight"))(scene(32, 32), damage=told(GaussianBlur(1.0)))


@pytest.mark.parametrize("sigma", [0.0, 0.01, 0.5])
def test_levels_fall_to_the_noise_that_is_there(sigma: float) -> None:
    options = Splitting(levels=5)
    levels = falling_levels(sigma, options)
    assert len(levels) == 5 and levels == sorted(levels, reverse=True)
    assert levels[-1] == pytest.approx(max(sigma, options.end / 255)) and levels[0] >= options.start / 255 * 0.999
    assert falling_levels(sigma, Splitting(levels=1)) == pytest.approx(levels[:1])


def test_a_file_says_it(embedded: Prior, tmp_path: Path) -> None:
    (tmp_path / "damage.json").write_text('{"blur": {"kind": "gaussian blur", "sigma": 1.6}}')
    _, y = seen_through(Blur(GaussianBlur(1.6).kernel), 48, 64)
    result = ldrps.restore(y, prior=embedded, damage=tmp_path / "damage.json")
    assert result.words == "blurred by 1.6 px" and result.damage == Damage(blur=Estimate(GaussianBlur(1.6)))
    skipped = ldrps.restore(y, prior=embedded, damage=tmp_path / "damage.json", skip=["blur"])
    assert skipped.unchanged and not result.unchanged


def test_the_plan_is_a_plain_one_but_where_there_is_a_blur(tiny_prior: Prior) -> None:
    plan = Deblurring(scene(64, 64), tiny_prior, Settings(), told(GaussianBlur(1.0)), "")
    assert isinstance(plan, Blind) and plan.findings.damage == plan.damage
    assert len(plan.rounds) == 1 and len(plan.rounds[0]) == len(plan.levels[0]) == BlindSettings().splitting.levels
