"""load_picture and to_image on PIL images: every mode, alpha, depth, and the way back."""

from __future__ import annotations

import io
import logging

import numpy as np
import pytest
import torch
from PIL import Image

from ldrps.errors import InputError, LdrpsError
from ldrps.image.picture import Picture, load_picture, to_image, to_levels


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_round_trip_is_exact(photo, mode):
    source = photo(mode=mode)
    picture = load_picture(source)
    assert picture.grey == (mode in ("L", "LA"))
    assert (picture.alpha is not None) == (mode in ("RGBA", "LA"))
    back = to_image(picture, picture.rgb)
    assert back.mode == mode
    assert back.tobytes() == source.tobytes()


@pytest.mark.parametrize("mode", ["1", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGBa", "La"])
def test_other_modes(photo, mode):
    source = photo(mode="RGBA").convert({"RGBa": "RGBa", "La": "LA", "PA": "RGBA", "LAB": "RGB"}.get(mode, "RGB"))
    if mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        source = ImageCms.applyTransform(source, ImageCms.buildTransform(srgb, lab, "RGB", "LAB"))
    elif mode != "RGBa":
        source = source.convert("P").convert("PA") if mode == "PA" else source.convert(mode)
    picture = load_picture(source)
    assert picture.rgb.shape == (1, 3, 40, 48)
    assert 0 <= picture.rgb.min() < picture.rgb.max() <= 1
    assert picture.grey == (mode in ("1", "La"))
    assert (picture.alpha is not None) == (mode in ("PA", "RGBa", "La"))
    if mode in ("CMYK", "YCbCr", "RGBX"):
        assert np.abs(picture.rgb[0].permute(1, 2, 0).numpy() * 255 - np.asarray(photo())).mean() < 2
    expected = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA"}.get(mode, "RGB")
    assert to_image(picture, picture.rgb).mode == expected


def test_transparent_palette_and_colour_key_become_alpha(tmp_path):
    picture = Image.new("P", (40, 40), 0)
    picture.putpalette([200, 100, 50, 0, 0, 255])
    picture.paste(1, (0, 0, 20, 40))
    picture.save(tmp_path / "p.png", transparency=1)
    loaded = load_picture(tmp_path / "p.png")
    assert loaded.alpha.getpixel((5, 5)) == 0
    assert loaded.alpha.getpixel((30, 5)) == 255
    assert (loaded.rgb[0, :, 5, 30] * 255).tolist() == pytest.approx([200, 100, 50])

    keyed = Image.new("L", (40, 40), 9)
    keyed.paste(200, (0, 0, 20, 40))
    keyed.save(tmp_path / "g.png", transparency=9)
    loaded = load_picture(tmp_path / "g.png")
    assert loaded.grey
    assert loaded.alpha.getextrema() == (0, 255)
    assert loaded.alpha.getpixel((30, 5)) == 0


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_transparent_level_of_few_bits_becomes_alpha(tmp_path, png, chunk, bits):
    packed = np.random.default_rng(5).integers(0, 256, (32, 32 * bits // 8), dtype=np.uint8)
    levels = np.unpackbits(packed, axis=1).reshape(32, 32, bits) @ (1 << np.arange(bits)[::-1])
    rows = b"".join(b"\0" + row.tobytes() for row in packed)
    (tmp_path / "p.png").write_bytes(png(32, 32, bits, 0, rows, chunk(b"tRNS", b"\0\1")))
    with Image.open(tmp_path / "p.png") as image:
        for picture in (load_picture(tmp_path / "p.png"), load_picture(image)):
            grey, alpha = np.moveaxis(to_levels(picture, picture.rgb), 2, 0)
            assert np.array_equal(grey, levels * (255 // (2**bits - 1)))
            assert np.array_equal(alpha, np.where(levels == 1, 0, 255))


def test_colour_under_alpha_is_kept():
    source = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    picture = load_picture(source)
    assert (picture.rgb[0, :, 0, 0] * 255).tolist() == pytest.approx([10, 20, 30])
    assert to_image(picture, picture.rgb).getpixel((0, 0)) == (10, 20, 30, 0)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_has_its_own_scale(tmp_path, suffix):
    values = np.linspace(0, 65535, 40 * 40).astype(np.uint16).reshape(40, 40)
    Image.fromarray(values).save(tmp_path / f"deep.{suffix}")
    picture = load_picture(tmp_path / f"deep.{suffix}")
    assert picture.grey
    assert torch.allclose(picture.rgb[0, 1], torch.from_numpy(values.astype(np.float32) / 65535), atol=1e-7)
    back = to_image(picture, picture.rgb)
    assert back.mode == "L"
    assert np.array_equal(np.asarray(back), np.floor(values / 257 + 0.5))


def test_16_bit_grey_big_endian_and_turned():
    values = (np.arange(40 * 48).reshape(40, 48) * 30).astype(">u2")
    image = Image.frombuffer("I;16B", (48, 40), values.tobytes(), "raw", "I;16B", 0, 1)
    image.getexif()[0x112] = 6
    picture = load_picture(image)
    assert picture.size == (40, 48)
    assert np.allclose(picture.rgb[0, 0].numpy(), np.rot90(values.astype(np.float32), -1) / 65535)


def test_16_bit_colour_is_read_as_8_from_a_pil_image_with_a_warning(tmp_path, png, caplog):
    row = b"\0" + b"\x80\x10\x40\x20\xff\xff" * 40
    (tmp_path / "deep.png").write_bytes(png(40, 40, 16, 2, row * 40))
    with Image.open(tmp_path / "deep.png") as image, caplog.at_level(logging.WARNING, "ldrps"):
        picture = load_picture(image)
    assert "deep.png has 16 bits a channel: it is read as 8 bits" in caplog.text
    assert (picture.rgb[0, :, 3, 3] * 255).tolist() == pytest.approx([0x80, 0x40, 0xFF])
    assert picture.bits == 8


def test_integers_and_floats_of_one_channel():
    values = np.linspace(0, 1, 1600, dtype=np.float32).reshape(40, 40)
    picture = load_picture(Image.fromarray(values))
    assert torch.allclose(picture.rgb[0, 2], torch.from_numpy(values), atol=1e-5)
    assert picture.bits == 16
    integers = Image.fromarray((values * 65535).astype(np.int32))
    assert load_picture(integers).rgb.max() == 1
    with pytest.raises(InputError, match=r"values from 0 to 70000, outside the 16 bits"):
        load_picture(Image.fromarray((values * 70000).astype(np.int32)))
    with pytest.raises(InputError, match=r"from 0 to 255, outside \[0, 1\]: divide by 255"):
        load_picture(Image.fromarray(values * 255))
    values[3, 3] = np.nan
    with pytest.raises(InputError, match="1 values that are NaN"):
        load_picture(Image.fromarray(values))


def test_pil_image_is_not_changed(tmp_path, photo):
    exif = Image.Exif()
    exif[0x112] = 6
    photo(mode="P").save(tmp_path / "p.png", exif=exif)
    with Image.open(tmp_path / "p.png") as image:
        picture = load_picture(image)
        assert image.mode == "P"
        assert image.size == (48, 40)
        assert image.getexif()[0x112] == 6
        assert picture.source == str(tmp_path / "p.png")
        assert picture.size == (40, 48)
    assert load_picture(photo()).source == "array"


def test_pil_refusals(photo, tmp_path):
    with pytest.raises(InputError, match="the image is 0 x 40, without pixels"):
        load_picture(Image.new("RGB", (0, 40)))
    with pytest.raises(InputError, match="the image is 20 x 40 pixels, smaller"):
        load_picture(photo(20, 40))
    with pytest.raises(InputError, match="more than the limit of 5"):
        load_picture(photo(), max_pixels=5)
    photo().save(tmp_path / "p.png")
    closed = Image.open(tmp_path / "p.png")
    closed.close()
    with pytest.raises(InputError, match=r"p\.png is closed: restore it before that"):
        load_picture(closed)


def test_something_else_entirely():
    with pytest.raises(InputError, match="an image cannot be a list: give a path"):
        load_picture([1, 2, 3])


# The way back


def test_rounding_is_half_up_after_clamping():
    rgb = torch.zeros(1, 3, 32, 32)
    levels = torch.tensor([-0.3, 0.49, 0.5, 1.5, 2.5, 254.5, 255.4, 900.0])
    rgb[0, :, 0, :8] = levels / 255
    back = to_image(Picture(torch.zeros(1, 3, 32, 32)), rgb)
    assert np.asarray(back)[0, :8, 0].tolist() == [0, 0, 1, 2, 3, 255, 255, 255]


def test_every_level_survives_in_colour_and_grey():
    levels = torch.arange(256).float() / 255
    rgb = levels.repeat(1, 3, 32, 1)
    for grey in (False, True):
        back = np.asarray(to_image(Picture(rgb, grey=grey), rgb))
        assert np.array_equal(back.reshape(32, 256, -1)[7, :, 0], np.arange(256))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_no_nan_picture_is_made(photo, bad):
    picture = load_picture(photo())
    rgb = picture.rgb.clone()
    rgb[0, 1, 2, 3:5] = bad
    with pytest.raises(LdrpsError, match="has 2 of 5,760 values that are NaN or infinite"):
        to_image(picture, rgb)


@pytest.mark.parametrize("shape", [(1, 3, 48, 40), (3, 40, 48), (1, 1, 40, 48), (2, 3, 40, 48)])
def test_wrong_shape_is_refused(photo, shape):
    with pytest.raises(LdrpsError, match=r"\(1, 3, 40, 48\): crop"):
        to_image(load_picture(photo()), torch.zeros(shape))


def test_bytes_are_refused(photo):
    with pytest.raises(LdrpsError, match=r"torch\.uint8"):
        to_image(load_picture(photo()), torch.zeros(1, 3, 40, 48, dtype=torch.uint8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_and_gradients_are_taken(photo, dtype):
    picture = load_picture(photo())
    back = to_image(picture, picture.rgb.to(dtype).requires_grad_())
    assert back.size == (48, 40)


def test_result_carries_the_profile(photo):
    picture = Picture(torch.zeros(1, 3, 32, 32), icc_profile=b"profile")
    assert to_image(picture, picture.rgb).info["icc_profile"] == b"profile"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF"])
def test_a_closed_image_is_called_closed_and_not_damaged(kind):
    whole = Image.fromarray(np.arange(64 * 48, dtype=np.uint32).reshape(48, 64).astype(np.uint8)).convert("RGB")
    file = io.BytesIO()
    whole.save(file, kind)
    for load in (True, False):
        image = Image.open(io.BytesIO(file.getvalue()))
        if load:
            image.load()
        image.close()
        with pytest.raises(InputError, match="the image is closed: restore it before that, or open it again"):
            load_picture(image)
    source = io.BytesIO(file.getvalue())
    unread, read = Image.open(source), Image.open(io.BytesIO(file.getvalue()))
    read.load()
    source.close()
    with pytest.raises(InputError, match=r"the file of the image is closed: load\(\) the image before, or open it"):
        load_picture(unread)
    assert load_picture(read).size == (64, 48), "what was read needs its file no more"


def test_a_closed_image_without_a_file():
    image = Image.new("RGB", (64, 48))
    image.close()
    with pytest.raises(InputError, match="the image is closed"):
        load_picture(image)
    file = io.BytesIO()
    Image.effect_noise((64, 48), 50).save(file, "PNG")
    with pytest.raises(InputError, match="is damaged or cut short"):
        load_picture(Image.open(io.BytesIO(file.getvalue()[:-900])))
