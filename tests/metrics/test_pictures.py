"""What goes into a metric: pictures that are taken, pictures that are refused, luma and borders."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from PIL import Image

from ldrps.errors import InputError, SettingsError
from ldrps.metrics import ciede2000, luma, ms_ssim, psnr, ssim
from ldrps.metrics.pictures import channels, crop, pair, picture


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 3, 4, 5)])
def test_tensors_become_float64_of_one_shape(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    given = torch.linspace(0, 1, 60).reshape(shape).to(dtype)
    taken = picture(given)
    assert (taken.dtype, tuple(taken.shape)) == (torch.float64, (1, 3, 4, 5))
    assert torch.equal(taken, given.double().reshape(1, 3, 4, 5))


def test_a_picture_is_never_the_callers_memory() -> None:
    given = torch.full((3, 4, 5), 0.5, dtype=torch.float64, requires_grad=True)
    taken = picture(given)
    assert not taken.requires_grad
    taken.zero_()
    assert given.min() == 0.5


def test_a_pil_image_is_its_bytes_over_255() -> None:
    values = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    taken = picture(Image.fromarray(values))
    assert taken.dtype == torch.float64
    np.testing.assert_array_equal(taken[0].permute(1, 2, 0).numpy(), values / 255)


@pytest.mark.parametrize(
    ("image", "rgb"),
    [
        (Image.new("L", (2, 2), 51), (51, 51, 51)),
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
        (Image.new("RGB", (2, 2), (9, 80, 200)).convert("P"), None),
        (Image.new("CMYK", (2, 2), (0, 255, 255, 0)), (255, 0, 0)),
    ],
    ids=["L", "1", "P", "CMYK"],
)
def test_pil_modes_without_alpha_are_converted(image: Image.Image, rgb: tuple[int, ...] | None) -> None:
    wanted = rgb or image.convert("RGB").getpixel((0, 0))
    assert (255 * picture(image)[0, :, 0, 0]).round().tolist() == list(wanted)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGBa", "PA"])
def test_alpha_is_refused(mode: str) -> None:
    with pytest.raises(InputError, match=f"the picture has mode {mode} with alpha: put it on a background"):
        picture(Image.new(mode, (4, 4)))


def test_a_transparent_palette_is_refused() -> None:
    image = Image.new("P", (4, 4))
    image.info["transparency"] = 0
    with pytest.raises(InputError, match="mode P with alpha"):
        picture(image)


@pytest.mark.parametrize("mode", ["I", "F", "I;16"])
def test_deep_modes_are_refused_rather_than_cut_to_8_bits(mode: str) -> None:
    with pytest.raises(InputError, match=f"mode {mode}: give 8 bits, or a tensor of floats"):
        picture(Image.new(mode, (4, 4)))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(3, 4, 4, dtype=torch.uint8), "is of type torch.uint8: give floats in [0, 1], x.float() / 255"),
        (torch.zeros(3, 4, 4, dtype=torch.bool), "is of type torch.bool"),
        (torch.zeros(3, 4, 4, dtype=torch.complex64), "is of type torch.complex64"),
        (torch.zeros(4, 4), "has shape (4, 4): give one picture, (3, height, width)"),
        (torch.tensor(0.5), "has shape ()"),
        (torch.zeros(2, 3, 4, 4), "has shape (2, 3, 4, 4): give one picture"),
        (torch.zeros(1, 1, 3, 4, 4), "has shape (1, 1, 3, 4, 4): give one picture"),
        (torch.zeros(4, 4, 3), "has shape (4, 4, 3), 4 channels, not 3: give RGB, channels first"),
        (torch.zeros(1, 1, 4, 4), "has shape (1, 1, 4, 4), 1 channels, not 3"),
        (torch.zeros(3, 0, 4), "has shape (3, 0, 4): it is empty"),
        (Image.new("RGB", (0, 4)), "has (0, 4) pixels: it is empty"),
        (torch.zeros(3, 4, 4) / 0, "holds 48 values that are NaN or infinite"),
        (torch.tensor([0, 1, float("inf")]).reshape(3, 1, 1), "holds 1 values that are NaN or infinite"),
        (torch.full((3, 4, 4), 255.0), "has values from 255 to 255, outside [0, 1]"),
        (torch.tensor([-1.0, 0, 1]).reshape(3, 1, 1), "has values from -1 to 1, outside [0, 1]"),
        (np.zeros((4, 4, 3)), "is a ndarray: give a PIL image, or a torch tensor"),
        ("a.png", "is a str: give a PIL image"),
    ],
)
def test_what_is_no_picture_is_refused_by_value_and_remedy(image: object, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"the picture {message}")):
        picture(image)  # type: ignore[arg-type]


def test_a_small_overshoot_is_clipped_and_a_larger_one_refused() -> None:
    x = torch.tensor([-0.0009, 0.5, 1.0009]).reshape(3, 1, 1)
    assert picture(x).flatten().tolist() == [0, 0.5, 1]
    for value in (-0.0011, 1.0011):
        with pytest.raises(InputError, match=r"outside \[0, 1\] by more than 0.001"):
            picture(torch.full((3, 1, 1), value))


def test_a_pair_must_agree_in_size_and_each_side_is_named() -> None:
    with pytest.raises(InputError, match="restored picture is 6x5, the clean one 5x6: give both at the same size"):
        pair(torch.zeros(3, 5, 6), torch.zeros(3, 6, 5))
    with pytest.raises(InputError, match="the clean picture holds 75 values"):
        pair(torch.zeros(3, 5, 5), torch.full((3, 5, 5), float("nan")))
    with pytest.raises(InputError, match="the restored picture has shape"):
        pair(torch.zeros(5, 5), torch.zeros(3, 5, 5))


@pytest.mark.parametrize(
    ("rgb", "wanted"),
    [((1, 1, 1), 235), ((0, 0, 0), 16), ((1, 0, 0), 81.481), ((0, 1, 0), 144.553), ((0, 0, 1), 40.966)],
)
def test_luma_of_known_colours(rgb: tuple[int, ...], wanted: float) -> None:
    x = torch.tensor(rgb, dtype=torch.float64).reshape(1, 3, 1, 1).expand(2, 3, 4, 5)
    y = luma(x)
    assert y.shape == (2, 1, 4, 5)
    assert torch.allclose(255 * y, torch.tensor(wanted, dtype=torch.float64), rtol=0, atol=1e-10)


def test_channels_and_what_the_protocol_says_of_them() -> None:
    x, y = torch.rand(2, 1, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert channels(x, y, "rgb") == (x, y, {"channel": "rgb"})
    first, second, protocol = channels(x, y, "y")
    assert torch.equal(first, luma(x)) and torch.equal(second, luma(y))
    assert protocol["channel"] == "y" and "BT.601" in protocol["luma"] and "65.481 R" in protocol["luma"]


def test_crop_takes_the_border_from_each_side() -> None:
    x = torch.arange(42.0).reshape(1, 6, 7)
    assert torch.equal(crop(x, 0), x)
    assert crop(x, 2).tolist() == [[[16, 17, 18], [23, 24, 25]]]


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim])
def test_wrong_settings_are_named(metric) -> None:
    x = torch.zeros(3, 180, 190)
    with pytest.raises(SettingsError, match="border is -1: give 0 or more"):
        metric(x, x, border=-1)
    with pytest.raises(InputError, match="border of 90 leaves nothing of 190x180 pixels: give at most 89"):
        metric(x, x, border=90)
    with pytest.raises(SettingsError, match="channel is 'Y': give 'rgb' or 'y'"):
        metric(x, x, channel="Y")


@pytest.mark.parametrize("metric", [psnr, ssim, ms_ssim, ciede2000])
def test_every_metric_of_pairs_checks_its_pictures(metric) -> None:
    x = torch.zeros(3, 180, 180)
    holed = x.clone()
    holed[1, 7, 9] = np.nan
    with pytest.raises(InputError, match="restored picture is 180x180, the clean one 180x181"):
        metric(x, torch.zeros(3, 181, 180))
    with pytest.raises(InputError, match="the clean picture holds 1 values that are NaN"):
        metric(x, holed)
    with pytest.raises(InputError, match=r"the restored picture is of type torch\.int64"):
        metric(x.long(), x)
