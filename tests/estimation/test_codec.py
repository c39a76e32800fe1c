from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import photo, unmoved_estimators
from PIL import Image
from torch import Tensor

from ldrps import Prior, Restorer
from ldrps.degradation import JpegResidue, SharedNoise, WhiteNoise
from ldrps.estimation.codec import codec_of, estimated_residue, residue_of
from ldrps.estimation.damage import Estimate
from ldrps.estimation.estimate import with_file
from ldrps.image.picture import load_picture


def written(path: Path, quality: int, x: Tensor | None = None, **options: object) -> Path:
    x = photo(96) if x is None else x
    Image.fromarray((255 * x[0].permute(1, 2, 0)).round().byte().numpy()).save(path, quality=quality, **options)
    return path


@pytest.mark.parametrize("quality", [10, 30, 60, 85])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_the_file_tells_how_much_it_lost(quality: int, subsampling: int, tmp_path: Path) -> None:
    picture = load_picture(written(tmp_path / "a.jpg", quality, subsampling=subsampling))
    codec = codec_of(picture.original)
    assert codec is not None
    error = float((picture.rgb - photo(96)).square().mean().sqrt())
    assert residue_of(codec, picture.rgb) == pytest.approx(error, rel=0.4)
    darker = residue_of(codec, picture.rgb, lambda y: 0.5 * y)
    assert darker == pytest.approx(residue_of(codec, picture.rgb) / 2, rel=0.05)


def test_one_table_for_all_channels_and_none(tmp_path: Path) -> None:
    grey = tmp_path / "grey.jpg"
    Image.fromarray((255 * photo(96)[0, 0]).byte().numpy()).save(grey, quality=20)
    codec = codec_of(load_picture(grey).original)
    assert codec is not None and torch.equal(codec.quantisation[0], codec.quantisation[1])
    assert codec_of(load_picture(written(tmp_path / "a.png", 100)).original) is None
    assert codec_of(load_picture(np.zeros((64, 64, 3), np.uint8)).original) is None


def test_good_files_are_left_alone_and_coarse_ones_are_not() -> None:
    shares = [estimated_residue(level / 255).share for level in (0, 2, 4.5, 5.75, 7, 20)]
    assert shares == pytest.approx([0, 0, 0, 0.5, 1, 1])


def test_noise_that_outweighs_the_file_stays() -> None:
    noisy = Estimate(SharedNoise(12 / 255, 0.3), 0.9)
    assert with_file(noisy, 9 / 255) is noisy
    blocks = with_file(noisy, 14 / 255)
    assert isinstance(blocks.value, JpegResidue) and blocks.value.sigma == pytest.approx(14 / 255)
    doubted = with_file(Estimate(WhiteNoise(12 / 255), 0.2), 9 / 255)
    assert isinstance(doubted.value, JpegResidue)
    twice = Estimate(JpegResidue(9 / 255), 0.9)
    assert with_file(twice, 2 / 255) is twice, "it was saved more coarsely before"
    assert with_file(Estimate(JpegResidue(9 / 255), 0.1), 2 / 255).absent


@pytest.mark.parametrize(("quality", "changed"), [(12, True), (95, False)])
def test_a_restorer_reads_it_from_the_file_alone(
    quality: int, changed: bool, tiny_prior: Prior, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.jpg", quality)
    restorer = Restorer(tiny_prior, estimators=unmoved_estimators())
    found = restorer(path).damage
    assert found is not None and found.absent != changed
    file = io.BytesIO()
    Image.open(path).save(file, "PNG")
    as_array = restorer(np.asarray(Image.open(file))).damage
    assert as_array is not None and as_array.absent, "pixels alone do not tell this judge"
