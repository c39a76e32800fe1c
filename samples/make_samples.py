"""Make the sample photographs: public pictures that scikit-image ships, damaged in known ways.

    python samples/make_samples.py [FOLDER]

Arithmetic is in floating point with a fixed seed; each picture is rounded and clipped once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.float64]

SEED = 7


def source(name: str, size: tuple[int, int]) -> Picture:
    """A picture of scikit-image's, reduced to `size` (width, height), [H, W, 3] in [0, 1]."""
    import skimage

    path = Path(skimage.__file__).parent / "data" / name
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize(size, Image.Resampling.LANCZOS)) / 255.0


def to_linear(x: Picture) -> Picture:
    """sRGB to linear light (IEC 61966-2-1)."""
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def to_srgb(x: Picture) -> Picture:
    """Linear light to sRGB."""
    x = np.clip(x, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def dark(random: np.random.Generator) -> Picture:
    """Coffee, exposed four stops too short: the shot and read noise of a small sensor, then sRGB."""
    light = to_linear(source("coffee.png", (300, 200))) / 16
    noisy = light + np.sqrt(light * 2e-5 + 2e-7) * random.standard_normal(light.shape)
    return to_srgb(noisy)


def hazy(random: np.random.Generator) -> Picture:
    """An astronaut behind fog: t x + (1 - t) A, thicker to the top, with a little unevenness."""
    clean = source("astronaut.png", (288, 288))
    height, width = clean.shape[:2]
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = sum(np.sin(2 * np.pi * (a * x + b * y + c)) for a, b, c in random.uniform(-1.2, 1.2, (4, 3))) / 4
    transmission = np.clip(0.38 + 0.2 * (y - 0.5) + 0.04 * waves, 0.1, 1)[..., None]
    airlight = np.array([0.86, 0.87, 0.89])
    return transmission * clean + (1 - transmission) * airlight


def noisy(random: np.random.Generator) -> Picture:
    """A cat with Gaussian noise of deviation 22 of 255, as high sensitivity leaves it."""
    clean = source("chelsea.png", (300, 200))
    return clean + 22 / 255 * random.standard_normal(clean.shape)


def blurred(random: np.random.Generator) -> Picture:
    """An astronaut out of focus, by a Gaussian of 1.6 pixels, with noise of 1 of 255."""
    from scipy.ndimage import gaussian_filter

    soft = gaussian_filter(source("astronaut.png", (288, 288)), (1.6, 1.6, 0))
    return soft + 1 / 255 * random.standard_normal(soft.shape)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for number, make in enumerate((dark, hazy, noisy, blurred)):
        picture = make(np.random.default_rng([SEED, number]))
        levels = np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
        Image.fromarray(levels).save(folder / f"{make.__name__}.png", optimize=True)


if __name__ == "__main__":
    main()
