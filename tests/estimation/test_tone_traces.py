"""What a program did to tones, told by the levels that it left."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from conftest import photo
from PIL import Image
from torch import Tensor

from ldrps.degradation import Degradation, Exposure, Tone, WhiteBalance, resize
from ldrps.estimation.tone_traces import _histograms, traced_tone
from ldrps.image.fill import filled


def rounded(x: Tensor) -> Tensor:
    return (255 * x.clamp(0, 1)).round() / 255


def scene(side: int = 288) -> Tensor:
    """A picture of 8 bits with levels from black to white."""
    x = photo(side)
    return rounded((x - x.amin()) / (x.amax() - x.amin()))


CHANGES = (
    Tone(0.7),
    Tone(0.5),
    Tone(1.3),
    Tone(gamma=1.5),
    Tone(gamma=0.7),
    Exposure(-1.0),
    Tone(0.7, 0.3),
    Tone(0.6, 0.2),
    WhiteBalance(torch.tensor([0.8, 1.0, 1.15]), domain="srgb"),
    Tone(torch.tensor([[0.7, 1.0, 0.85]])),
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.words())
def test_what_was_there_before_a_change_is_known(change: Degradation) -> None:
    x = scene()
    y = rounded(change(x))
    found = traced_tone(y)
    assert found is not None
    off = (found.invert(y).clamp(0, 1) - x).abs()
    assert float(off[y < 1].mean()) < 1.5 / 255
    assert float((y - x).abs()[y < 1].mean()) > 5 / 255, "the change is one"


@pytest.mark.parametrize("rounding", [torch.floor, lambda levels: torch.floor(levels + 0.5)])
def test_however_a_program_rounds(rounding) -> None:  # type: ignore[no-untyped-def]
    found = traced_tone(rounding(255 * 0.65 * scene()) / 255)
    assert isinstance(found, Tone) and found.gain == pytest.approx(0.65, abs=0.003)


def test_a_picture_of_one_colour_channel() -> None:
    grey = scene()[:, :1].expand(-1, 3, -1, -1)
    found = traced_tone(rounded(0.6 * grey))
    assert isinstance(found, Tone) and found.gain == pytest.approx(0.6, abs=0.003)


def test_a_channel_of_one_level_says_nothing_and_hides_nothing() -> None:
    y = rounded(0.7 * scene())
    y[:, 2] = 0
    found = traced_tone(y)
    assert isinstance(found, Tone) and found.gain == pytest.approx(0.7, abs=0.003)


def test_what_three_equal_channels_say_is_said_once() -> None:
    grey = scene()[:, :1].expand(-1, 3, -1, -1)
    assert _histograms(grey, None).shape == (1, 256)
    assert _histograms(scene(), None).shape == (3, 256)


def test_of_two_curves_with_the_same_traces_the_one_that_white_fits() -> None:
    found = traced_tone(rounded(Exposure(-1.0)(scene(144))))
    assert isinstance(found, Exposure) and found.stops == pytest.approx(-1, abs=0.02)


def test_of_a_large_picture_samples_are_enough() -> None:
    x = scene().repeat(1, 1, 5, 5)
    found = traced_tone(rounded(0.7 * x))
    assert isinstance(found, Tone) and found.gain == pytest.approx(0.7, abs=0.003)


def test_nothing_where_nothing_was_changed_or_it_does_not_show() -> None:
    x = scene()
    assert traced_tone(x) is None
    assert traced_tone(0.7 * x) is None, "not of 8 bits"
    assert traced_tone(rounded(resize(rounded(0.7 * x), (200, 200)))) is None, "resized since"
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert traced_tone(rounded(rounded(0.7 * x) + 0.02 * noise)) is None, "noise of later"
    assert traced_tone(torch.full((1, 3, 64, 64), 128 / 255)) is None
    assert traced_tone(rounded(0.7 * x)[..., :4, :4]) is None, "too few pixels"


def test_a_ramp_of_every_level_has_no_gaps() -> None:
    ramp = (torch.arange(256 * 256) % 256 / 255).reshape(1, 1, 256, 256).expand(-1, 3, -1, -1)
    assert traced_tone(ramp) is None
    found = traced_tone(rounded(0.7 * ramp))
    assert isinstance(found, Tone) and found.gain == pytest.approx(0.7, abs=0.003)


def test_two_tones_tell_nothing() -> None:
    cells = (np.indices((96, 96)) // 8).sum(0) % 2
    two = torch.from_numpy(cells).float().expand(1, 3, 96, 96)
    assert traced_tone(rounded(0.2 + 0.5 * two)) is None


def test_what_was_made_up_does_not_count() -> None:
    x = scene()
    y = rounded(0.7 * x)
    visible = torch.ones_like(y[:, :1])
    visible[..., 200:, :] = 0
    for made_up in (torch.where(visible > 0, y, x), filled(y, visible), y.where(visible > 0, y + 0.3 / 255)):
        found = traced_tone(made_up, visible)
        assert isinstance(found, Tone) and found.gain == pytest.approx(0.7, abs=0.003)
    assert traced_tone(y, torch.zeros_like(visible)) is None


def test_saved_since_it_is_told_rightly_or_not_at_all() -> None:
    levels = (255 * rounded(0.6 * scene())[0].permute(1, 2, 0)).byte().numpy()
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "JPEG", quality=60)
    saved = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None] / 255
    found = traced_tone(saved)
    assert found is None or found.words() == "0.6x", "nothing, or what is right"
