"""What makes results others, and what does not."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from ldrps.folders.recipe import Captions, Recipe
from ldrps.jobs import Output
from ldrps.settings import preset

PLAIN = Recipe(preset("default"))


@pytest.mark.parametrize(
    "other",
    [
        Recipe(preset("fast")),
        Recipe(preset("default").with_changes(seed=1)),
        dataclasses.replace(PLAIN, dtype="bfloat16"),
        dataclasses.replace(PLAIN, captions=Captions("a boat")),
        dataclasses.replace(PLAIN, prior="some/hub-id"),
    ],
)
def test_what_changes_results(other: Recipe) -> None:
    assert other.fingerprint() != PLAIN.fingerprint()


@pytest.mark.parametrize(
    "same",
    [
        Recipe(preset("default").with_changes(seed=0)),
        dataclasses.replace(PLAIN, output=Output(overwrite=True, compare=True, trace=True, samples=2, max_pixels=7)),
        dataclasses.replace(PLAIN, captions=Captions(cache=False, timeout=1.0)),
    ],
)
def test_what_does_not(same: Recipe) -> None:
    assert same.fingerprint() == PLAIN.fingerprint()


def test_a_prior_is_told_by_its_weights(tiny_prior_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_prior_folder, tmp_path / "copy"))
    one, moved = (dataclasses.replace(PLAIN, prior=str(folder)).fingerprint() for folder in (tiny_prior_folder, copy))
    assert one == moved
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert dataclasses.replace(PLAIN, prior=str(copy)).fingerprint() != one
