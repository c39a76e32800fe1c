"""load_picture on arrays: checked, never guessed at."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ldrps.errors import InputError
from ldrps.image.picture import load_picture

RNG = np.random.default_rng(1)
BYTES = RNG.integers(0, 256, (40, 48, 3), dtype=np.uint8)
FLOATS = BYTES / np.float32(255)
TENSOR = torch.from_numpy(FLOATS).permute(2, 0, 1)


@pytest.mark.parametrize(
    "array",
    [
        BYTES,
        BYTES.astype(np.uint16) * 257,
        FLOATS,
        FLOATS.astype(np.float64),
        FLOATS.astype(np.longdouble),
        FLOATS.astype(">f4"),
        BYTES[::-1][::-1],
        np.asfortranarray(FLOATS),
        TENSOR,
        TENSOR[None],
        TENSOR.double(),
        TENSOR.clone().requires_grad_(),
    ],
    ids=lambda array: f"{type(array).__name__}-{array.dtype}",
)
def test_taken_alike(array):
    picture = load_picture(array)
    assert picture.rgb.shape == (1, 3, 40, 48)
    assert picture.rgb.dtype == torch.float32
    assert picture.rgb.is_contiguous()
    assert not picture.rgb.requires_grad
    assert torch.allclose(picture.rgb[0], TENSOR, atol=1e-7)
    assert picture.source == "array"
    assert not picture.grey
    assert picture.alpha is None
    assert picture.bits == (16 if array.dtype == np.uint16 else 8)


@pytest.mark.parametrize("array", [FLOATS.astype(np.float16), TENSOR.half(), TENSOR.bfloat16()])
def test_short_floats(array):
    assert torch.allclose(load_picture(array).rgb[0], TENSOR, atol=4e-3)


@pytest.mark.parametrize("array", [FLOATS[::-1], BYTES[:, ::-1], FLOATS.transpose(1, 0, 2)])
def test_views(array):
    expected = np.ascontiguousarray(array).astype(np.float32) / (255 if array.dtype == np.uint8 else 1)
    assert np.array_equal(load_picture(array).rgb[0].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize("array", [BYTES.copy(), FLOATS.copy(), TENSOR.clone(), TENSOR[None].clone()])
def test_no_memory_is_shared(array):
    picture = load_picture(array)
    before = picture.rgb.clone()
    array[...] = 0
    assert torch.equal(picture.rgb, before)


def spoilt(value):
    array = FLOATS.copy()
    array[3, 4, :2] = value
    return array


CASES = {
    "int64": (BYTES.astype(np.int64), "type int64: give uint8 in 0 .. 255, uint16 in 0 .. 65535, or floats"),
    "bool": (BYTES > 9, "type bool"),
    "complex": (BYTES.astype(complex), "type complex128"),
    "object": (BYTES.astype(object), "type object"),
    "text": (np.array(["a"]), "type <U1"),
    "flat": (BYTES[..., 0], r"one channel: repeat it to three, np.dstack"),
    "one": (BYTES[..., :1], r"one channel: repeat it to three"),
    "two": (BYTES[..., :2], "2 channels, not 3: give three"),
    "alpha": (np.dstack([BYTES, BYTES[..., :1]]), "4 channels, not 3: pass a PIL image, whose alpha is kept, or drop"),
    "first": (np.moveaxis(BYTES, 2, 0), r"48 channels, not 3: channels come last here, np.moveaxis"),
    "batch": (BYTES[None], "4 axes, not the three"),
    "line": (BYTES.reshape(-1), "1 axes"),
    "empty": (BYTES[:0], "48 x 0, without pixels"),
    "small": (BYTES[:31], "48 x 31 pixels, smaller than the limit of 32"),
    "nan": (spoilt(np.nan), "2 values that are NaN or infinite"),
    "infinite": (spoilt(-np.inf), "2 values that are NaN or infinite"),
    "255": (BYTES.astype(np.float32), r"values from 0 to 255, outside \[0, 1\]: divide by 255"),
    "negative": (FLOATS * 2 - 1, r"values from -1 to 1, outside \[0, 1\]"),
    "overflow": (spoilt(1).astype(np.float64) * 1e300, r"to 1e\+300, outside"),
    "t-bytes": (torch.from_numpy(BYTES).permute(2, 0, 1), r"type torch.uint8: give floats.*x.float\(\) / 255"),
    "t-complex": (TENSOR.to(torch.complex64), "type torch.complex64"),
    "t-flat": (TENSOR[0], r"one channel: repeat it to three, x.reshape"),
    "t-one": (TENSOR[:1], "one channel"),
    "t-one-4": (TENSOR[None, :1], "one channel"),
    "t-alpha": (torch.cat([TENSOR, TENSOR[:1]])[None], "4 channels, not 3: pass a PIL image"),
    "t-last": (torch.from_numpy(FLOATS), r"40 channels, not 3: channels come first here, x.movedim\(-1, -3\)"),
    "t-batch": (TENSOR.repeat(2, 1, 1, 1), r"holds 2 pictures: give them one at a time"),
    "t-5": (TENSOR[None, None], "5 axes"),
    "t-line": (TENSOR.reshape(-1), "1 axes"),
    "t-none": (TENSOR[None][:0], r"\(0, 3, 40, 48\) is empty"),
    "t-empty": (TENSOR[..., :0], r"\(3, 40, 0\) is empty"),
    "t-small": (TENSOR[..., :31], "31 x 40 pixels, smaller"),
    "t-nan": (torch.from_numpy(spoilt(np.nan)).movedim(-1, 0), "2 values that are NaN"),
    "t-255": (TENSOR * 255, r"from 0 to 255, outside \[0, 1\]: divide by 255"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(case):
    array, words = CASES[case]
    with pytest.raises(InputError, match=words):
        load_picture(array)


@pytest.mark.parametrize("array", [BYTES, FLOATS, TENSOR])
def test_too_many_pixels(array):
    with pytest.raises(InputError, match=r"48 x 40 = 1,920 pixels, more than the limit of 1,000: .*max_pixels=1920"):
        load_picture(array, max_pixels=1000)


def test_remedies_work():
    assert load_picture(np.dstack([BYTES[..., 0]] * 3)).size == (48, 40)
    assert load_picture(np.dstack([BYTES[..., :1]] * 3)).size == (48, 40)
    assert load_picture(np.moveaxis(np.moveaxis(BYTES, 2, 0), 0, 2)).size == (48, 40)
    for grey in (TENSOR[0], TENSOR[:1], TENSOR[None, :1]):
        assert load_picture(grey.reshape(1, *grey.shape[-2:]).repeat(3, 1, 1)).size == (48, 40)
    assert load_picture(torch.from_numpy(FLOATS).movedim(-1, -3)).size == (48, 40)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64])
def test_masked_values_are_not_made_up(kind):
    values = (FLOATS * (1 if np.issubdtype(kind, np.floating) else 255)).astype(kind)
    masked = np.ma.masked_array(values, mask=FLOATS > 0.9)
    with pytest.raises(
        InputError, match=rf"has {(FLOATS > 0.9).sum():,} masked values: fill them in, a\.filled\(value\)"
    ):
        load_picture(masked)
    load_picture(masked.filled(0))
    for nothing in (np.ma.masked_array(values), np.ma.masked_array(values, mask=False), np.ma.masked_invalid(values)):
        assert torch.equal(load_picture(nothing).rgb, load_picture(values).rgb)


UNREADABLE = {
    "sparse": (lambda: TENSOR.to_sparse(), r"of the layout torch\.sparse_coo: give a dense one, x\.to_dense\(\)"),
    "sparse rows": (lambda: TENSOR[0].to_sparse_csr(), r"of the layout torch\.sparse_csr: give a dense one"),
    "of another library": (lambda: TENSOR.to_mkldnn(), r"of the layout torch\._mkldnn: give a dense one"),
    "meta": (lambda: TENSOR.to("meta"), "on the device meta, where there are no values: give one that holds"),
    "nested": (lambda: torch.nested.nested_tensor([TENSOR, TENSOR]), "a nested one: give its pictures one at a time"),
    "jagged": (lambda: torch.nested.nested_tensor([TENSOR], layout=torch.jagged), "a nested one"),
    "masked": (lambda: torch.masked.masked_tensor(TENSOR, TENSOR > 0.5), r"is masked: fill in .*x\.to_tensor\(value\)"),
    "eight bits": (lambda: TENSOR.to(torch.float8_e5m2), r"float8_e5m2: give floats of 16 bits or more .*x\.float\(\)"),
    "quantised": (lambda: torch.quantize_per_tensor(TENSOR, 0.1, 0, torch.quint8), "is of type torch.quint8"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", UNREADABLE)
def test_tensors_without_plain_values(case):
    make, message = UNREADABLE[case]
    with pytest.raises(InputError, match=message):
        load_picture(make())


@pytest.mark.parametrize("limit", [None, "many", 2.5])
def test_a_limit_that_is_no_number(limit):
    with pytest.raises(InputError, match=r"max_pixels is a .*: give a whole number"):
        load_picture(BYTES, max_pixels=limit)
