"""Of pages and surfaces it is not told what their tones should be; of photographs, however damaged, it is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ldrps.degradation import Exposure, Tone
from ldrps.estimation.damage import NONE
from ldrps.estimation.estimate import estimate_damage
from ldrps.estimation.estimators import load_estimators
from ldrps.estimation.judgeable import is_page, is_surface, tells_of_light
from ldrps.image.arrays import pixels
from ldrps.prior.base import Prior
from ldrps.settings import BlindSettings

Colour = tuple[int, int, int]


def page(paper: Colour, ink: Colour, quality: int | None = None, size: tuple[int, int] = (480, 640)) -> Tensor:
    image = Image.new("RGB", size, paper)
    draw = ImageDraw.Draw(image)
    for line in range(0, size[1] - 60, 18):
        draw.text((14, 10 + line), f"{line}: jackdaws love my big sphinx of quartz, and so do sixteen others", fill=ink)
    draw.rectangle((40, size[1] - 48, 200, size[1] - 12), fill=ink)
    if quality is not None:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        image = Image.open(file)
    return pixels(np.asarray(image))


def surface(colour: Colour, strength: float, side: int = 256) -> Tensor:
    """Smooth structure around a colour, in 8 bits."""
    few = np.random.default_rng(0).normal(size=(8, 9)).astype(np.float32)
    structure = np.asarray(Image.fromarray(few).resize((side, side), Image.Resampling.BICUBIC))
    levels = np.asarray(colour) * (1 + strength * structure[..., None] / np.abs(structure).max())
    return pixels(levels.round().clip(0, 255).astype(np.uint8))


def photographs() -> list[Tensor]:
    return [pixels(np.asarray(Image.open(path).convert("RGB"))) for path in sorted(Path("samples").glob("*.png"))]


@pytest.mark.parametrize("quality", [None, 90, 70])
@pytest.mark.parametrize(
    ("paper", "ink"),
    [((255, 255, 255), (0, 0, 0)), ((250, 243, 224), (60, 40, 30)), ((236, 240, 232), (40, 40, 110))],
    ids=["black on white", "brown on cream", "blue on green"],
)
def test_a_page_is_one(paper: Colour, ink: Colour, quality: int | None) -> None:
    written = page(paper, ink, quality)
    grain = torch.randn(written.shape, generator=torch.Generator().manual_seed(0)) / 255
    assert is_page(written) and is_page((written + grain).clamp(0, 1))


@pytest.mark.parametrize(
    ("colour", "strength"),
    [((235, 238, 245), 0.2), ((194, 178, 128), 0.1), ((20, 70, 140), 0.2), ((10, 12, 30), 0.3), ((22, 20, 20), 0.2)],
    ids=["snow", "sand", "sea", "night sky", "fur"],
)
def test_a_surface_is_one(colour: Colour, strength: float) -> None:
    assert is_surface(surface(colour, strength)) and is_surface(surface(colour, strength, 700))


@pytest.mark.parametrize(
    "damage", [Exposure(0.0), Exposure(-4.0), Exposure(2.0), Tone(0.3, 0.6), Tone(0.1), Tone(0.1, 0.8), Tone(0.05, 0.8)]
)
def test_a_photograph_is_no_page_however_damaged(damage: Exposure | Tone) -> None:
    seen = [(damage(each).clamp(0, 1) * 255).round() / 255 for each in photographs()]
    assert len(seen) > 3 and not any(map(is_page, seen))


@pytest.mark.parametrize("damage", [Exposure(0.0), Exposure(-4.0), Exposure(2.0), Tone(0.3, 0.6), Tone(0.1)])
def test_a_photograph_is_no_surface_however_damaged(damage: Exposure | Tone) -> None:
    assert not any(is_surface((damage(each).clamp(0, 1) * 255).round() / 255) for each in photographs())


def test_a_cut_out_photograph_on_white_is_no_page() -> None:
    ground = torch.ones(1, 3, 300, 400)
    ground[..., 60:220, 120:280] = photographs()[0][..., :160, :160]
    assert not is_page(ground)


def test_something_black_before_a_bright_sky_is_no_page() -> None:
    outlined = 0.1 * photographs()[0]
    outlined[..., : round(0.6 * outlined.shape[-2]), :] = 1.0
    assert not is_page(outlined)


def test_only_a_light_page_is_one() -> None:
    assert not is_page(page((20, 22, 30), (220, 220, 220)))
    assert not is_page(torch.full((1, 3, 64, 64), 0.9))
    nearly = torch.full((1, 3, 64, 64), 0.9)
    nearly[..., 20, 20] = 0.86
    assert not is_page(nearly)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_of_next_to_nothing_something_is_said(shape: tuple[int, int]) -> None:
    for y in (torch.rand(1, 3, *shape), torch.rand(1, 3, *shape).bfloat16()):
        assert not is_page(y) and isinstance(is_surface(y), bool)


@pytest.mark.parametrize("y", [page((250, 243, 224), (60, 40, 30)), surface((194, 178, 128), 0.1)])
def test_it_is_hardly_believed_that_their_tones_are_damaged(y: Tensor, tiny_prior: Prior) -> None:
    """Unless somebody says so: then it is undone, where judges see it."""
    assert not tells_of_light(y)
    told = []
    for undamaged in (0.8, 0.005):
        damage = estimate_damage(y, tiny_prior, load_estimators(), BlindSettings(undamaged=undamaged))
        assert damage.tone is not None
        told.append(damage.tone.probability)
    assert told[0] < 0.02 < NONE < told[1]
