from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import photo, unmoved_estimators
from PIL import Image
from torch import Tensor

from ldrps import Prior, Restorer
from ldrps.degradation import Jpeg, JpegResidue, SharedNoise, WhiteNoise
from ldrps.degradation.jpeg import tables
from ldrps.estimation.codec import coarseness, coarser, codec_of, estimated_residue
from ldrps.estimation.damage import Estimate
from ldrps.estimation.estimate import with_compression
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
    told = estimated_residue(codec, picture.rgb)
    assert told.value.sigma == pytest.approx(error, rel=0.4)
    darker = estimated_residue(codec, picture.rgb, lambda y: 0.5 * y)
    assert darker.value.sigma == pytest.approx(float(told.value.sigma) / 2, rel=0.05)


def test_one_table_for_all_channels_and_none(tmp_path: Path) -> None:
    grey = tmp_path / "grey.jpg"
    Image.fromarray((255 * photo(96)[0, 0]).byte().numpy()).save(grey, quality=20)
    codec = codec_of(load_picture(grey).original)
    assert codec is not None and torch.equal(codec.quantisation[0], codec.quantisation[1])
    assert codec_of(load_picture(written(tmp_path / "a.png", 100)).original) is None
    assert codec_of(load_picture(np.zeros((64, 64, 3), np.uint8)).original) is None


def test_a_file_that_was_turned_as_it_was_read_tells_no_blocks(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = load_picture(written(tmp_path / "a.jpg", 20, photo(96)[..., :72, :], exif=exif))
    assert picture.size == (72, 96) and codec_of(picture.original) is None


def test_the_coarser_counts_and_of_two_alike_the_file() -> None:
    file, alike, earlier = Jpeg(tables(40)), Jpeg(tables(38)), Jpeg(tables(20), offset=(3, 3))
    assert coarser(file, None) is file and coarser(None, None) is None
    assert coarser(file, alike) is file and coarser(earlier, file) is earlier
    assert coarser(file, earlier) is earlier and coarser(None, earlier) is earlier


def test_a_large_picture_is_looked_at_where_its_blocks_lie() -> None:
    y = photo(192).repeat(1, 1, 5, 5)
    told = [255 * float(estimated_residue(Jpeg(tables(20)), y[..., cut:, cut:]).value.sigma) for cut in (0, 3)]
    whole = 255 * float(estimated_residue(Jpeg(tables(20)), y, side=1024).value.sigma)
    assert told == pytest.approx([whole, whole], rel=0.1)


@pytest.mark.parametrize("base", ["libjpeg", "mozjpeg"])
def test_good_files_are_left_alone_and_coarse_ones_are_not(base: str) -> None:
    shares = [estimated_residue(Jpeg(tables(quality, base)), photo(96)).share for quality in (95, 75, 60, 50, 10)]
    assert shares[:2] == [0, 0] and 0 < shares[2] < 1 and shares[3:] == [1, 1]
    ordinary = Jpeg(tables(75, base))
    assert estimated_residue(ordinary, photo(96), lambda y: 3 * y).share == 1, "light that is brought back shows them"
    assert estimated_residue(ordinary, torch.full((1, 3, 64, 64), 0.5)).share == 0
    assert coarseness(Jpeg(tables(50, base))) == pytest.approx(1)


def test_noise_that_outweighs_the_file_stays() -> None:
    coarse, fine = (Estimate(JpegResidue(level / 255)) for level in (9, 2))
    noisy = Estimate(SharedNoise(12 / 255, 0.3), 0.9)
    assert with_compression(noisy, coarse) is noisy
    blocks = Estimate(JpegResidue(14 / 255))
    assert with_compression(noisy, blocks) is blocks
    assert with_compression(Estimate(WhiteNoise(12 / 255), 0.2), coarse) is coarse
    twice = Estimate(JpegResidue(9 / 255), 0.9)
    assert with_compression(twice, fine) is twice, "it was saved more coarsely before"
    assert with_compression(Estimate(JpegResidue(9 / 255), 0.1), Estimate(JpegResidue(2 / 255), 0.25)).absent


@pytest.mark.parametrize(("quality", "changed"), [(12, True), (95, False)])
def test_a_restorer_reads_it_from_the_file_or_its_traces(
    quality: int, changed: bool, tiny_prior: Prior, tmp_path: Path
) -> None:
    x = photo(192)
    path = written(tmp_path / "a.jpg", quality, x)
    restorer = Restorer(tiny_prior, estimators=unmoved_estimators())
    found = restorer(path).damage
    assert found is not None and found.absent != changed
    with Image.open(path) as image:
        levels = np.asarray(image)
    as_array = restorer(levels).damage
    assert as_array is not None and as_array.absent != changed
    if changed:
        assert found.noise is not None and as_array.noise is not None
        assert as_array.noise_deviation == pytest.approx(found.noise_deviation, rel=0.05)
    cut = tmp_path / "again.jpg"
    Image.fromarray(levels[3:, 3:]).save(cut, quality=90)
    again = restorer(cut).damage
    assert again is not None and again.absent != changed, "of two compressions the coarser counts, not the file's"
