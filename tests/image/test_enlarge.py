"""Everything that belongs to a picture, in the size that is asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image
from torture_parts import rgb_profile

from ldrps.image.enlarge import enlarged, put_in
from ldrps.image.picture import Picture, are_own, load_picture, to_levels
from ldrps.image.write import write_image

Photo = Callable[..., Image.Image]


def test_a_scale_of_one_is_the_same_picture(photo: Photo) -> None:
    picture = load_picture(photo())
    assert enlarged(picture, 1) is picture


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "1"])
@pytest.mark.parametrize("scale", [2, 1.5, 3.3])
def test_it_is_pillows_cubic(mode: str, scale: float, photo: Photo) -> None:
    image = photo(mode=mode)
    picture = load_picture(image)
    larger = enlarged(picture, scale)
    size = (round(scale * image.width), round(scale * image.height))
    assert larger.size == size and larger.scale == scale and not larger.bilevel
    plain = image.convert("L") if mode == "1" else image
    bands = [band.convert("F").resize(size, Image.Resampling.BICUBIC) for band in plain.split()]
    levels = to_levels(larger, larger.rgb)
    assert levels.shape == (size[1], size[0], len(bands))
    for channel, band in enumerate(bands):
        assert np.abs(levels[..., channel] - np.asarray(band).clip(0, 255)).max() < 0.51
    assert not are_own(larger, levels)


def test_sixteen_bits_stay_so_and_alpha_too() -> None:
    levels = np.linspace(300, 65000, 40 * 48 * 4).reshape(40, 48, 4).astype(np.uint16)
    base = load_picture(levels[..., :3].copy())
    picture = Picture(base.rgb, alpha=Image.fromarray(levels[..., 3].copy()), bits=16)
    made = to_levels(enlarged(picture, 2), enlarged(picture, 2).rgb)
    assert made.dtype == np.uint16 and made.shape == (80, 96, 4)
    assert np.abs(made[2:-2:2, 2:-2:2].astype(int) - levels[1:-1, 1:-1]).max() < 1200, "a ramp of no more a pixel"
    assert len(np.unique(made[..., 3])) > 3000


def test_clear_stays_clear_and_opaque_opaque() -> None:
    alpha = np.zeros((40, 40), np.uint8)
    alpha[10:30, 10:30] = 255
    picture = Picture(torch.rand(1, 3, 40, 40), alpha=Image.fromarray(alpha))
    larger = enlarged(picture, 2).alpha
    assert larger is not None
    seen = np.asarray(larger)
    assert seen.shape == (80, 80) and (seen[24:56, 24:56] == 255).all() and (seen[:16] == 0).all()


def test_sizes_that_are_told_are_the_new_ones_and_the_resolution_stays(photo: Photo, tmp_path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ana"
    exif[ExifTags.IFD.Exif] = {ExifTags.Base.ExifImageWidth: 48, ExifTags.Base.ExifImageHeight: 40}
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:ImageWidth="48" exif:PixelYDimension="40">'
        b"<tiff:ImageLength>40</tiff:ImageLength><dc:title>48 of 40</dc:title></rdf:Description></x:xmpmeta>"
    )
    photo().save(tmp_path / "a.jpg", exif=exif, xmp=packet, dpi=(300, 200), icc_profile=rgb_profile())
    larger = enlarged(load_picture(tmp_path / "a.jpg"), 2.5)
    write_image(to_levels(larger, larger.rgb), tmp_path / "b.jpg", like=larger)
    again = Image.open(tmp_path / "b.jpg")
    tags = again.getexif()
    assert again.size == (120, 100) and tags[ExifTags.Base.Artist] == "Ana"
    told = tags.get_ifd(ExifTags.IFD.Exif)
    assert (told[ExifTags.Base.ExifImageWidth], told[ExifTags.Base.ExifImageHeight]) == (120, 100)
    assert again.info["dpi"] == (300, 200) and again.info["icc_profile"] == rgb_profile()
    xmp = again.info["xmp"]
    assert b'tiff:ImageWidth="120"' in xmp and b'exif:PixelYDimension="100"' in xmp
    assert b"<tiff:ImageLength>100<" in xmp and b"48 of 40" in xmp


def test_exif_data_that_tell_no_size_are_told_none(photo: Photo, tmp_path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Ana"
    photo().save(tmp_path / "a.png", exif=exif)
    picture = load_picture(tmp_path / "a.png")
    assert enlarged(picture, 2).exif == picture.exif and enlarged(picture, 2).xmp is None


def framed(scale: float) -> tuple[Picture, torch.Tensor]:
    """A photograph between bars, and what its content is restored to: all white."""
    levels = np.zeros((96, 80, 3), np.uint8)
    y, x = np.mgrid[:64, :80]
    levels[16:80] = (120 + 60 * np.sin(x / 5) * np.cos(y / 7))[..., None]
    picture = load_picture(levels)
    window = picture.content.window
    assert (window.top, window.height) == (16, 64)
    return picture, torch.ones(1, 3, round(64 * scale), round(80 * scale))


@pytest.mark.parametrize("scale", [2, 1.3])
def test_bars_stay_what_they_are(scale: float) -> None:
    picture, restored = framed(scale)
    whole = put_in(picture, picture.content.seen(picture.rgb), restored, scale)
    top, bottom = round(16 * scale), round(16 * scale) + restored.shape[-2]
    assert whole.shape[-2:] == (round(96 * scale), round(80 * scale))
    assert bool((whole[..., :top, :] == 0).all()) and bool((whole[..., bottom + 1 :, :] == 0).all())
    assert bool((whole[..., top:bottom, :] == 1).all())


def test_a_cutout_has_no_fringe_of_what_is_hidden() -> None:
    """Hidden pixels are black: nothing of them shows at the rim of a white figure, however transparent."""
    alpha = np.zeros((64, 64), np.uint8)
    alpha[16:48, 16:48] = 255
    alpha[15, 16:48] = 128
    rgb = torch.zeros(1, 3, 64, 64)
    rgb[..., 15:48, 16:48] = 0.9 + 0.1 * torch.rand(33, 32, generator=torch.Generator().manual_seed(0))
    picture = Picture(rgb, alpha=Image.fromarray(alpha))
    seen = picture.content.seen(picture.rgb)
    restored = torch.full((1, 3, 2 * seen.shape[-2], 2 * seen.shape[-1]), 0.95)
    whole, larger = put_in(picture, seen, restored, 2), enlarged(picture, 2)
    assert larger.alpha is not None
    shows = torch.from_numpy(np.asarray(larger.alpha).copy() > 0)
    assert float(whole[..., shows].min()) > 0.85
    assert bool((whole[..., :16, :] == 0).all()), "and what is far away is as it was"
