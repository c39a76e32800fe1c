"""Make the sample photographs: public pictures that scikit-image ships, damaged in known ways.

    python samples/make_samples.py [FOLDER]

Arithmetic is in floating point with a fixed seed; each picture is rounded and clipped once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

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


def scratched(random: np.random.Generator) -> Picture:
    """A print of a man with a camera, faded and brown, with light and dark scratches and specks of dust."""
    size, finer = (256, 256), 4
    print_ = (0.12 + 0.72 * source("camera.png", size)) * np.array([1.0, 0.93, 0.8])
    sheets = [Image.new("L", (finer * size[0], finer * size[1])) for _ in range(2)]
    for sheet, level in zip(sheets, (0.95, 0.06), strict=True):
        pen = ImageDraw.Draw(sheet)
        for _ in range(4):
            (x, y), turn, length = random.uniform(0, finer * 256, 2), random.uniform(0, np.pi), random.uniform(300, 900)
            turns = turn + np.linspace(-0.1, 0.1, 12) * random.normal(0, 1)
            steps = length / 12 * np.stack([np.cos(turns), np.sin(turns)])
            path = np.cumsum(steps, 1) + np.array([[x], [y]])
            pen.line(list(map(tuple, path.T.tolist())), fill=255, width=int(random.integers(4, 10)), joint="curve")
        for x, y in random.uniform(0, finer * 256, (5, 2)):
            pen.ellipse([x, y, *(np.array([x, y]) + random.uniform(6, 16, 2))], fill=255)
        hidden = np.asarray(sheet.resize(size, Image.Resampling.BOX))[..., None] / 255.0
        print_ = print_ + hidden * (level - print_)
    return print_


def compressed(random: np.random.Generator) -> Picture:
    """A rocket, to be saved as a coarse JPEG."""
    return source("rocket.jpg", (320, 214))


def tiny(random: np.random.Generator) -> Picture:
    """A cup of coffee at a size of the web of long ago."""
    return source("coffee.png", (150, 100))


def shaken(random: np.random.Generator) -> Picture:
    """An astronaut, the camera shaken along a bent path of 11 pixels, with noise of 1 of 255."""
    from scipy.ndimage import convolve

    side, finer, border = 15, 8, 20  # of the kernel; of its drawing; what is cut off, as the edge was seen too
    path = Image.new("L", (finer * side, finer * side))
    ImageDraw.Draw(path).line([(20, 80), (50, 58), (100, 40)], fill=255, width=9)
    kernel = np.asarray(path.resize((side, side), Image.Resampling.BOX), dtype=np.float64)
    clean = source("astronaut.png", (288 + 2 * border, 288 + 2 * border))
    soft = np.stack([convolve(channel, kernel / kernel.sum()) for channel in np.moveaxis(clean, 2, 0)], 2)
    seen = soft[border:-border, border:-border]
    return seen + 1 / 255 * random.standard_normal(seen.shape)


def lettering() -> Picture:
    """How much of each pixel three lines of writing cover, [200, 300, 1] in [0, 1]."""
    sheet, font = Image.new("L", (300, 200)), ImageFont.load_default(22)
    pen = ImageDraw.Draw(sheet)
    for number, words in enumerate(("do not copy this cat", "nor this one, please", "do not copy this cat")):
        pen.text((150, 40 + 60 * number), words, 255, font, anchor="mm")
    return np.asarray(sheet)[..., None] / 255.0


def written(random: np.random.Generator) -> Picture:
    """A cat with writing across it, white; what is below is lost."""
    cover = lettering()
    return (1 - cover) * source("chelsea.png", (300, 200)) + cover


def written_mask(random: np.random.Generator) -> Picture:
    """Where the writing is: white, whatever part of a pixel it covers."""
    return (lettering() > 0).astype(np.float64).repeat(3, 2)


def grey(random: np.random.Generator) -> Picture:
    """A cat without its colours: the luma of BT.601."""
    luma = source("chelsea.png", (300, 200)) @ np.array([0.299, 0.587, 0.114])
    return luma[..., None].repeat(3, 2)


MAKERS = (dark, hazy, noisy, blurred, scratched, compressed, tiny, shaken, written, written_mask, grey)
QUALITY = {"compressed": 12}  # of those that are saved as JPEG
# Of those that are asked for something, and of what is no sample itself.
FOLDERS = {"scratched": "prints", "tiny": "small", "written": "hidden", "written_mask": "hidden", "grey": "grey"}


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for number, make in enumerate(MAKERS):
        picture = make(np.random.default_rng([SEED, number]))
        levels = np.clip(np.round(picture * 255), 0, 255).astype(np.uint8)
        if (levels == levels[..., :1]).all():
            levels = levels[..., 0]  # a file of shades of grey
        place = folder / FOLDERS.get(make.__name__, "")
        place.mkdir(exist_ok=True)
        if quality := QUALITY.get(make.__name__):
            Image.fromarray(levels).save(place / f"{make.__name__}.jpg", quality=quality)
        else:
            Image.fromarray(levels).save(place / f"{make.__name__}.png", optimize=True)


if __name__ == "__main__":
    main()
