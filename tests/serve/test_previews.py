from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import noisy
from PIL import Image

from ldrps import Prior
from ldrps.image.picture import load_picture
from ldrps.image.tiles import Window
from ldrps.progress import Progress
from ldrps.serve.previews import SHOWN_SIDE, Preview, save_shown


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_shown_copies_are_small_jpegs(mode: str, tmp_path: Path) -> None:
    image = Image.new(mode, (2000, 1000), 200 if mode == "L" else (200,) * (len(mode) - 1) + (255,))
    shown = Image.open(save_shown(image, tmp_path / "a.jpg"))
    assert (shown.format, shown.size) == ("JPEG", (SHOWN_SIDE, SHOWN_SIDE // 2))
    assert image.size == (2000, 1000)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    shown = Image.open(save_shown(Image.new("RGBA", (40, 40), (0, 0, 0, 0)), tmp_path / "a.jpg"))
    assert min(np.asarray(shown).ravel()) > 250


def test_a_colour_profile_goes_with_it(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 40))
    image.info["icc_profile"] = b"profile"
    assert Image.open(save_shown(image, tmp_path / "a.jpg")).info["icc_profile"] == b"profile"


def opened(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB")).astype(float)


def progress(prior: Prior, z0: torch.Tensor, window: Window) -> Progress:
    return Progress(1, 2, 0, 100, {}, z0, window, lambda views: prior.decode(views[:1]))


def test_a_preview_shows_what_a_window_has_become_in_its_place(tiny_prior: Prior) -> None:
    picture = load_picture(np.full((64, 128, 3), 200, np.uint8))
    z0 = tiny_prior.encode(torch.full((4, 3, 64, 64), 0.2))  # four views
    seen = opened(Preview(picture).show(progress(tiny_prior, z0, Window(0, 64, 64, 64))))
    assert seen.shape == (64, 128, 3)
    assert abs(seen[:, :56].mean() - 200) < 4
    assert abs(seen[:, 72:].mean() - 51) < 12


def test_windows_of_an_enlarged_picture_find_their_place(tiny_prior: Prior) -> None:
    picture = load_picture(np.full((64, 128, 3), 200, np.uint8))
    z0 = tiny_prior.encode(torch.full((1, 3, 128, 128), 0.2))
    seen = opened(Preview(picture, scale=2.0).show(progress(tiny_prior, z0, Window(0, 128, 128, 128))))
    assert seen.shape == (64, 128, 3)
    assert abs(seen[:, :60].mean() - 200) < 4
    assert abs(seen[:, 68:].mean() - 51) < 12


def test_windows_of_a_reduced_picture_find_their_place(tiny_prior: Prior) -> None:
    picture = load_picture(np.full((128, 256, 3), 200, np.uint8))
    z0 = tiny_prior.encode(torch.full((1, 3, 64, 64), 0.2))
    seen = opened(Preview(picture, working_size=128).show(progress(tiny_prior, z0, Window(0, 0, 64, 64))))
    assert seen.shape == (128, 256, 3)
    assert abs(seen[:, :120].mean() - 51) < 12
    assert abs(seen[:, 136:].mean() - 200) < 4


@pytest.mark.parametrize("working_size", [0, 64])
def test_windows_of_a_picture_in_bars_find_their_place(working_size: int, tiny_prior: Prior) -> None:
    barred = np.pad(noisy(128, 64), ((40, 24), (0, 0), (0, 0)))
    z0 = tiny_prior.encode(torch.full((1, 3, 32, 64) if working_size else (1, 3, 64, 128), 0.9))
    window = Window(0, 0, *((32, 64) if working_size else (64, 128)))
    seen = opened(Preview(load_picture(barred), working_size).show(progress(tiny_prior, z0, window)))
    assert seen.shape == (128, 128, 3)
    assert seen[:32].max() < 20 and seen[112:].max() < 20
    assert abs(seen[44:100].mean() - 230) < 12


def test_large_pictures_have_small_previews_and_padded_ones_too(tiny_prior: Prior) -> None:
    picture = load_picture(noisy(1290, 70))
    z0 = tiny_prior.encode(torch.rand(1, 3, 72, 1296))
    assert opened(Preview(picture).show(progress(tiny_prior, z0, Window(0, 0, 72, 1296)))).shape == (35, 640, 3)
