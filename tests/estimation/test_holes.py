"""A damage remembers the mask of its holes: by its file, in words, and in JSON both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ldrps import Damage, Estimate
from ldrps.degradation import WhiteNoise
from ldrps.degradation.change import ToneChange
from ldrps.errors import InputError, SettingsError
from ldrps.estimation.holes import Holes
from ldrps.estimation.words import damage_in_words
from ldrps.image.mask import load_mask


def drawn(side: int) -> np.ndarray:
    """A square of so many pixels, [64, 100] of bytes."""
    mask = np.zeros((64, 100), np.uint8)
    mask[10 : 10 + side, 20 : 20 + side] = 255
    return mask


def holes_of(side: int) -> Holes:
    mask = load_mask(drawn(side))
    return Holes.of(mask, 1 - mask.values)


def test_thin_holes_are_continued_and_the_middle_of_wide_ones_is_guessed() -> None:
    thin, wide = holes_of(16), holes_of(20)
    assert thin.share == 256 / 6400 and thin.guessed == 0
    assert wide.share == 400 / 6400 and wide.guessed == 4**2 / 6400 == 0.0025
    assert thin.words() == "4.0% of the pixels filled"
    assert wide.words() == "6.2% of the pixels filled, 0.2% by guess, far from any that is known"


def test_words_are_never_of_nothing() -> None:
    assert Holes(share=1e-6).words() == "0.1% of the pixels filled"
    assert Holes(share=0.5).words() == "50% of the pixels filled"


def test_what_lies_under_transparency_is_not_known() -> None:
    mask = load_mask(drawn(16))
    assert Holes.of(mask, torch.zeros_like(mask.values)).guessed == mask.values.mean()


def test_it_is_part_of_the_damage_both_ways() -> None:
    damage = Damage(noise=Estimate(WhiteNoise(0.05)), holes=Holes("mask.png", "ab", 0.031, 0.004))
    plain = json.loads(json.dumps(damage.plain()))
    assert plain["holes"] == {"file": "mask.png", "sha256": "ab", "share": 0.031, "guessed": 0.004, "found": False}
    assert Damage.from_plain(plain) == damage
    assert Damage.from_plain({"holes": {"file": "mask.png"}}).holes == Holes("mask.png")
    words = "noise 13 of 255, 3.1% of the pixels filled, 0.4% by guess, far from any that is known"
    assert damage_in_words(damage, ToneChange()) == words


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("mask.png", "holes of the damage is 'mask.png'; give an object with file, sha256, share, guessed"),
        ({"path": "mask.png"}, "holes has no 'path'; it has file"),
        ({"file": 3}, "file of holes is 3; it must be a text"),
        ({"share": 2}, "share of holes is 2; it must be 0 to 1"),
        ({"guessed": True}, "guessed of holes is True; it must be 0 to 1"),
    ],
)
def test_what_is_said_wrong_is_refused_in_words(data: Any, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        Damage.from_plain({"holes": data})


def test_the_mask_is_read_again_if_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(drawn(16)).save(path)
    mask = load_mask(path)
    holes = Holes.of(mask, 1 - mask.values)
    again = holes.mask()
    assert load_mask(again).sha256 == mask.sha256  # type: ignore[arg-type]
    assert Holes(str(path)).mask() is not None, "by hand, without a hash"
    assert Holes("alpha").mask() == "alpha"
    Image.fromarray(drawn(17)).save(path)
    with pytest.raises(InputError, match="is another mask than that of the damage: give the mask as well"):
        holes.mask()
    with pytest.raises(InputError, match="whose mask is in no file: give the mask too"):
        holes_of(16).mask()
