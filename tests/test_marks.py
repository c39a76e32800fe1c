"""Marks that are found on a picture: filled, told of, kept as a mask that can be changed and given back, or left."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run
from PIL import Image
from torch import Tensor

import ldrps
from ldrps import Damage, Prior, Restorer, Result, Settings
from ldrps.errors import InputError, OutputError
from ldrps.estimation.estimators import Estimators
from ldrps.estimation.scratch_detector import ScratchDetector
from ldrps.run.batch import restorer_batch
from ldrps.run.job import Job, Output
from ldrps.settings import BlindSettings, Filling
from tests.test_filling import decibels, holed, photo, pixels, scratched

QUICK = Settings(method=BlindSettings(scratches=True, filling=Filling(levels=4)))


class BlackIsAMark(ScratchDetector):
    """Takes what is black for hidden."""

    def forward(self, images: Tensor) -> Tensor:
        return 20 * (images.amax(1, keepdim=True) <= 0).float() - 10


@pytest.fixture(scope="module")
def restorer(unmoved: Estimators) -> Restorer:
    marks = dataclasses.replace(unmoved, scratches=BlackIsAMark(widths=(4, 4, 4, 4, 4)).eval())
    return Restorer(ldrps.load_prior(), QUICK, estimators=marks)


@pytest.fixture(scope="module")
def filled(restorer: Restorer) -> Result:
    return restorer(holed())


def test_what_is_found_is_filled_with_the_rim_that_it_spoiled_and_the_rest_is_as_it_was(filled: Result) -> None:
    lost = scratched() > 0
    assert filled.marks is not None
    found = filled.marks.values[0, 0].numpy() > 0
    assert bool(found[lost].all()) and lost.sum() < found.sum() < 2.5 * lost.sum()
    assert np.array_equal(pixels(filled)[~found], photo()[~found])
    assert decibels(pixels(filled)[lost], photo()[lost]) > 25
    assert not filled.unchanged


def test_it_is_said_and_a_mask_that_is_told_is_not_called_found(restorer: Restorer, filled: Result) -> None:
    assert filled.words.startswith("scratches and other marks: ") and filled.words.endswith("% of the pixels filled")
    told = restorer(holed(), mask=scratched())
    assert told.marks is None and not told.words.startswith("scratches")


def test_a_picture_without_marks_comes_back_as_it_was(restorer: Restorer) -> None:
    result = restorer(photo())
    assert result.unchanged and result.marks is None and result.words == "no damage found"


@pytest.mark.parametrize(
    "settings", [QUICK.with_changes(scratches=False), QUICK.with_changes(scale=2.0)], ids=["not asked", "enlarged"]
)
def test_nobody_looks_for_them_unasked_or_where_the_result_is_larger(restorer: Restorer, settings: Settings) -> None:
    assert restorer.with_settings(settings)(holed()).marks is None


def test_no_shades_no_marks(restorer: Restorer) -> None:
    page = np.where(scratched()[..., None] > 0, 0, 255).astype(np.uint8).repeat(3, 2)
    assert restorer(page).marks is None


def test_where_the_damage_is_told_nobody_looks_for_them(restorer: Restorer) -> None:
    assert restorer(holed(), damage=Damage()).marks is None


def test_the_mask_is_written_beside_the_record_and_given_back_gives_the_same(
    restorer: Restorer, filled: Result, tmp_path: Path
) -> None:
    out = filled.save(tmp_path / "whole.png")
    mask, record = tmp_path / "whole.png.mask.png", tmp_path / "whole.png.json"
    assert filled.marks is not None
    assert np.array_equal(np.asarray(Image.open(mask)), 255 * filled.marks.values[0, 0].numpy().astype(np.uint8))
    assert json.loads(record.read_text())["damage"]["holes"]["file"] == str(mask)
    again = restorer(holed(), damage=Damage.load(record))
    assert np.array_equal(pixels(again), np.asarray(Image.open(out)))
    Image.fromarray(scratched() // 255 * 0).save(mask)
    with pytest.raises(InputError, match="another mask than that of the damage"):
        restorer(holed(), damage=Damage.load(record))


def test_a_mask_that_is_there_is_not_written_over(filled: Result, tmp_path: Path) -> None:
    (tmp_path / "whole.png.mask.png").write_bytes(b"somebody's")
    with pytest.raises(OutputError, match=r"whole\.png\.mask\.png"):
        filled.save(tmp_path / "whole.png")
    assert not (tmp_path / "whole.png").exists() and (tmp_path / "whole.png.mask.png").read_bytes() == b"somebody's"
    assert filled.save(tmp_path / "whole.png", overwrite=True).exists()


@pytest.mark.parametrize("trace", [False, True])
def test_a_batch_tells_of_the_mask_that_it_wrote(restorer: Restorer, tmp_path: Path, trace: bool) -> None:
    Image.fromarray(holed()).save(tmp_path / "in.png")
    batch, job = restorer_batch(restorer, Output(trace=trace)), Job(tmp_path / "in.png", tmp_path / "out.png")
    written = batch.write(batch.restore(job, batch.load(job)), overwrite=False)
    assert (job.marks in written) == job.marks.exists() == trace


def test_windows_reach_to_the_edges(restorer: Restorer) -> None:
    picture = np.tile(photo(), (2, 2, 1))[:151, :213].copy()
    picture[-3:, -60:], picture[40:100, -2:] = 0, 0
    result = restorer.with_settings(QUICK.with_changes(tile=64, overlap=16))(picture)
    assert result.marks is not None
    found = result.marks.values[0, 0].numpy() > 0
    assert bool(found[-3:, -60:].all()) and bool(found[40:100, -2:].all())


def test_detecting_in_small_windows_finds_the_same(restorer: Restorer, filled: Result) -> None:
    windowed = restorer.with_settings(QUICK.with_changes(tile=64, overlap=16))(holed())
    assert windowed.marks is not None and filled.marks is not None
    assert torch.equal(windowed.marks.values, filled.marks.values)


def test_a_prior_of_any_kind_has_it(tiny_prior: Prior) -> None:
    assert isinstance(Restorer(tiny_prior).estimators.scratches, ScratchDetector)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--scale", 2], "see --scale"),
        (["--mask", "m.png"], "--mask tells what is lost"),
        (["--preset", "paper-lowlight"], "scratches"),
    ],
)
def test_asked_for_in_vain_it_is_refused(command: Run, tmp_path: Path, words: list[object], told: str) -> None:
    Image.fromarray(holed()).save(tmp_path / "in.png")
    Image.fromarray(scratched()).save(tmp_path / "m.png")
    words = [tmp_path / each if each == "m.png" else each for each in words]
    code, _, err = command("restore", tmp_path / "in.png", "-o", tmp_path / "o.png", "--scratches", *words)
    assert code == 2 and told in err
