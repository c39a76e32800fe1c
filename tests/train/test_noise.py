from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps.prior.base import NOISES, NoiseKind
from ldrps.train.camera import photographed
from ldrps.train.noise import Noisy, add_noise, camera_noise, jpeg_residue, saved

COUNT = 120
RAMP = torch.linspace(0.15, 0.85, 48).expand(1, 3, 48, 48)


def drawn(kind: NoiseKind, seed: int = 0, count: int = COUNT, clean: Tensor = RAMP) -> Noisy:
    levels = torch.linspace(0.01, 0.2, count)
    return add_noise(clean.expand(count, *clean.shape[1:]), [kind] * count, levels, np.random.default_rng(seed))


def neighbours(noise: Tensor) -> Tensor:
    """The correlation of pixels side by side, [B]."""
    noise = noise - noise.mean((2, 3), keepdim=True)
    return (noise[..., 1:] * noise[..., :-1]).mean((1, 2, 3)) / noise.square().mean((1, 2, 3)).clamp_min(1e-9)


@pytest.fixture(scope="module")
def camera() -> Noisy:
    return drawn("camera")


@pytest.mark.parametrize("kind", NOISES)
def test_levels_and_kinds_are_those_of_what_was_added(kind: NoiseKind) -> None:
    noisy = drawn(kind, count=20)
    assert noisy.kind.tolist() == [NOISES.index(kind)] * 20
    found = (noisy.seen - RAMP).square().mean((1, 2, 3)).sqrt()
    torch.testing.assert_close(noisy.level, found.clamp_min(0.002), rtol=0.05, atol=1e-6)
    if kind != "white":
        assert float(noisy.seen.min()) >= 0 and float(noisy.seen.max()) <= 1
        torch.testing.assert_close(255 * noisy.seen, (255 * noisy.seen).round(), atol=0.5, rtol=0)


@pytest.mark.parametrize("kind", NOISES)
def test_the_same_generator_adds_the_same(kind: NoiseKind) -> None:
    first, again, other = drawn(kind, 3, 6), drawn(kind, 3, 6), drawn(kind, 4, 6)
    assert torch.equal(first.seen, again.seen) and not torch.equal(first.seen, other.seen)


def test_kinds_may_be_mixed() -> None:
    kinds: list[NoiseKind] = ["jpeg", "white", "camera"]
    noisy = add_noise(RAMP.expand(3, -1, -1, -1), kinds, torch.full((3,), 0.1), np.random.default_rng(0))
    assert noisy.kind.tolist() == [2, 0, 1] and float(noisy.level[1]) == pytest.approx(0.1)


def test_white_noise_is_white_and_that_of_cameras_mostly_not(camera: Noisy) -> None:
    assert float(neighbours(drawn("white").seen - RAMP).abs().max()) < 0.1
    found = neighbours(camera.seen - RAMP)
    assert 0.5 < float((found > 0.15).float().mean()) < 0.95
    assert float(found.max()) > 0.7, "blotches"


def test_levels_of_cameras_are_those_of_photographs(camera: Noisy) -> None:
    low, middle, high = (255 * camera.level).quantile(torch.tensor([0.1, 0.5, 0.9])).tolist()
    assert 0.5 < low < 4 < middle < 13 < high < 35


def test_shot_noise_grows_with_light() -> None:
    """In linear light; as seen, it falls with the slope of the curve, but not in proportion."""
    x = torch.cat([torch.full((1, 3, 64, 32), level) for level in (0.3, 0.9)], 3)
    random = np.random.default_rng(0)
    ratios = []
    for _ in range(60):
        noise = photographed(x, random) - x
        ratios.append(float(noise[..., 40:].std() / noise[..., 4:24].std().clamp_min(1e-6)))
    assert 0.4 < float(np.median(ratios)) < 1.2


def test_grey_grain_and_blotches_of_colour_both_occur() -> None:
    shares = []
    random = np.random.default_rng(1)
    for _ in range(80):
        noise = camera_noise(RAMP, random) - RAMP
        luma = noise.mean(1, keepdim=True)
        shares.append(float((noise - luma).square().mean() / noise.square().mean()))
    assert min(shares) < 0.2 and max(shares) > 0.8


def test_families_may_be_left_out() -> None:
    random = np.random.default_rng(0)
    blotches = [camera_noise(RAMP, random, {"sensor": 0.0, "blotches": 1.0}) - RAMP for _ in range(10)]
    for noise in blotches:
        assert float(neighbours(noise - noise.mean(1, keepdim=True))) > 0.5


def test_jpeg_residue_is_of_many_qualities_and_grids() -> None:
    edge = (torch.arange(64) > 30).float().expand(1, 3, 64, 64) * 0.5 + 0.2
    random = np.random.default_rng(0)
    errors = [float((jpeg_residue(edge, random) - edge).square().mean().sqrt()) for _ in range(40)]
    assert max(errors) > 4 * min(errors) and len({round(error, 6) for error in errors}) > 30
    ringing = [(saved(edge, 20, random) - edge)[0, 1].abs().mean(0) > 2 / 255 for _ in range(30)]
    first = {int(columns.nonzero()[0]) for columns in ringing if bool(columns.any())}
    assert len(first) > 3, "blocks begin anywhere"


def test_some_jpeg_files_were_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made smaller or not, and saved again so finely that the first time alone is to be seen."""
    calls: list[tuple[int, float]] = []

    def watched(image: Tensor, quality: float, random: np.random.Generator) -> Tensor:
        calls.append((image.shape[-1], quality))
        return saved(image, quality, random)

    monkeypatch.setattr("ldrps.train.noise.saved", watched)
    random = np.random.default_rng(0)
    kinds = {"once": 0, "again": 0, "reduced": 0}
    for _ in range(300):
        calls.clear()
        seen = jpeg_residue(RAMP, random, passed_on=0.4)
        assert seen.shape == RAMP.shape and float(seen.min()) >= 0 and float(seen.max()) <= 1
        assert torch.equal((255 * seen).round() / 255, seen), "as files hold it"
        coarse = [(side, quality) for side, quality in calls if quality <= 60]
        assert coarse, "one that shows"
        reduced = any(side > RAMP.shape[-1] for side, _ in calls)
        again = calls[-1][1] >= 70
        kinds["reduced" if reduced else "again" if again else "once"] += 1
    assert 150 < kinds["once"] < 230 and kinds["again"] > 35 and 40 < kinds["reduced"] < 90
