"""NIQE against a slow reading of the authors' code in SciPy, on photographs, and on what it cannot judge."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from scipy.ndimage import convolve, gaussian_filter
from scipy.special import gamma
from torch import Tensor

from ldrps.errors import InputError, OutputError, PriorError
from ldrps.metrics import Niqe, fit_niqe
from ldrps.metrics.imresize import imresize
from ldrps.metrics.niqe import paper_window
from ldrps.metrics.scene_statistics import block_features, fit_aggd, normalise


def photo(height: int = 200, width: int = 300, seed: int = 0) -> Tensor:
    """Grey-brown texture at several sizes, [3, H, W] in [0, 1]."""
    rng = np.random.default_rng(seed)
    layers = [gaussian_filter(rng.normal(size=(height, width)), sigma) * sigma for sigma in (1, 3, 9)]
    grey = 0.5 + 0.08 * sum(layers)
    return torch.from_numpy(np.stack([grey, 0.9 * grey, 0.8 * grey]).clip(0, 1))


@pytest.fixture(scope="module")
def fitted() -> Niqe:
    """A model of such pictures."""
    return fit_niqe([photo(300, 800, seed) for seed in (1, 2, 3)], sharpness=0.5)


def slow_aggd(x: np.ndarray) -> tuple[float, float, float]:
    shapes = np.arange(0.2, 10.001, 0.001)
    table = gamma(2 / shapes) ** 2 / (gamma(1 / shapes) * gamma(3 / shapes))
    left, right = np.sqrt(np.mean(x[x < 0] ** 2)), np.sqrt(np.mean(x[x > 0] ** 2))
    ratio = left / right
    r = np.mean(np.abs(x)) ** 2 / np.mean(x**2) * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = shapes[np.argmin((table - r) ** 2)]
    unit = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * unit, right * unit


def slow_features(y: np.ndarray, window: np.ndarray) -> np.ndarray:
    """The 36 features of all whole blocks of a luma of 0 .. 255."""
    rows, columns = y.shape[0] // 96, y.shape[1] // 96
    y = y[: 96 * rows, : 96 * columns]
    found = np.empty((rows * columns, 36))
    for scale, size in enumerate((96, 48)):
        mean = convolve(y, window, mode="nearest")
        deviation = np.sqrt(np.abs(convolve(y * y, window, mode="nearest") - mean**2))
        z = (y - mean) / (deviation + 1)
        for index in range(rows * columns):
            i, j = index // columns * size, index % columns * size
            block = z[i : i + size, j : j + size]
            shape, left, right = slow_aggd(block)
            features = [shape, (left + right) / 2]
            for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
                shape, left, right = slow_aggd(block * np.roll(block, shift, (0, 1)))
                features += [shape, (right - left) * gamma(2 / shape) / gamma(1 / shape), left, right]
            found[index, 18 * scale : 18 * scale + 18] = features
        y = imresize(torch.from_numpy(y), 0.5).numpy()  # has tests of its own
    return found


def slow_niqe(image: np.ndarray, mean: np.ndarray, covariance: np.ndarray, window: np.ndarray) -> float:
    y = np.round(image / 255 @ [65.481, 128.553, 24.966] + 16)
    features = slow_features(y, window)
    difference = mean.reshape(-1) - features.mean(0)
    inverse = np.linalg.pinv((covariance + np.cov(features, rowvar=False)) / 2)
    return float(np.sqrt(difference @ inverse @ difference))


@pytest.fixture(scope="module")
def published(shared: Path) -> Niqe:
    return Niqe.from_file(shared / "weights" / "niqe_pris_params.npz")


@pytest.mark.parametrize(("name", "low", "high"), [("kodim01", 3, 4), ("kodim03", 4, 4.6), ("kodim04", 2.3, 2.8)])
def test_photographs_score_as_the_authors_code_scores_them(
    published: Niqe, shared: Path, name: str, low: float, high: float
) -> None:
    image = Image.open(shared / "eval" / "kodak_full" / f"{name}.png").crop((100, 60, 500, 360))
    with np.load(shared / "weights" / "niqe_pris_params.npz") as stored:
        wanted = slow_niqe(np.asarray(image), *(stored[f] for f in stored.files))
    assert published(image).value == pytest.approx(wanted, rel=1e-6)
    whole = Image.open(shared / "eval" / "kodak_full" / f"{name}.png")
    assert low < published(whole).value < high


def test_noise_and_blur_make_it_worse(published: Niqe, shared: Path) -> None:
    clean = Image.open(shared / "eval" / "kodak_full" / "kodim02.png")
    values = np.asarray(clean) / 255
    noise = np.random.default_rng(0).normal(size=values.shape)
    noisy = [published(torch.from_numpy(values + s / 255 * noise).clamp(0, 1).permute(2, 0, 1)).value for s in (15, 40)]
    blurred = [published(clean.filter(ImageFilter.GaussianBlur(radius))).value for radius in (1.5, 4)]
    assert published(clean).value + 1 < noisy[0] < noisy[1] - 1
    assert published(clean).value + 0.5 < blurred[0] < blurred[1] - 1


@pytest.mark.parametrize(("shape", "left", "right"), [(0.5, 1, 1), (1, 0.5, 2), (2, 1, 1), (4, 3, 1)])
def test_fitted_gaussians_are_those_that_were_drawn(shape: float, left: float, right: float) -> None:
    rng = np.random.default_rng(0)
    sizes = rng.gamma(1 / shape, size=400_000) ** (1 / shape)
    x = np.where(rng.random(400_000) < left / (left + right), -left * sizes, right * sizes)
    found = [float(part) for part in fit_aggd(torch.from_numpy(x)[None])]
    assert found == pytest.approx([shape, left, right], rel=0.03)
    assert found == pytest.approx(slow_aggd(x), rel=1e-6)


def test_features_are_those_of_the_slow_reading_with_the_rest_left_out() -> None:
    y = (255 * photo(210, 310)[0]).round()
    found, sharpness = block_features(y, paper_window())
    assert found.shape == (6, 36) and sharpness.shape == (6,) and sharpness.min() > 0
    np.testing.assert_allclose(found.numpy(), slow_features(y.numpy(), paper_window().numpy()), rtol=1e-6, atol=1e-9)


def test_a_fitted_model_comes_back_from_its_file(fitted: Niqe, tmp_path: Path) -> None:
    fitted.save(tmp_path / "mine.npz")
    again = Niqe.from_file(tmp_path / "mine.npz")
    x = photo()
    score = again(x)
    assert score.value == fitted(x).value
    assert (again.protocol["model"], fitted.protocol["model"]) == ("mine.npz", "a model fitted here")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.npz"]
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert fitted((x + 0.1 * noise).clamp(0, 1)).value > score.value + 1
    with pytest.raises(OutputError, match="cannot write"):
        fitted.save(tmp_path / "none" / "mine.npz")


def test_a_model_is_of_sharp_blocks_and_needs_enough_of_them() -> None:
    with pytest.raises(InputError, match="0 sharp blocks in 0 pictures: a model needs 37"):
        fit_niqe([])
    with pytest.raises(InputError, match="6 sharp blocks in 1 pictures: a model needs 37 at the very least"):
        fit_niqe([photo()], sharpness=0)
    with pytest.raises(InputError, match="0 sharp blocks in 2 pictures"):
        fit_niqe([torch.full((3, 96, 96), 0.5)] * 2)
    half = photo(192, 192)
    half[:, :, 96:] = 0.5 + 0.01 * (half[:, :, 96:] - 0.5)  # two blocks sharp, two hardly
    with pytest.raises(InputError, match="2 sharp blocks in 1 pictures"):
        fit_niqe([half])


def test_pictures_of_too_few_blocks_are_refused(fitted: Niqe) -> None:
    for size in ((96, 192), (192, 96)):
        assert 0 < fitted(photo(*size)).value < math.inf
    for height, width in ((96, 191), (95, 900), (1, 1)):
        with pytest.raises(InputError, match=f"picture is {width}x{height}: NIQE needs 2 whole blocks .*96x192 pixels"):
            fitted(torch.zeros(3, height, width))
    with pytest.raises(InputError, match="picture is 95x96: NIQE needs 1 whole blocks of 96x96, at least 96 pixels"):
        fit_niqe([photo(96, 95)])
    holed = photo()
    holed[:, 7, 9] = math.nan
    with pytest.raises(InputError, match="the picture holds 3 values that are NaN"):
        fitted(holed)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_constant_picture_is_infinitely_bad(fitted: Niqe, value: float) -> None:
    score = fitted(torch.full((3, 200, 200), value))
    assert (score.value, score.text()) == (math.inf, "inf")


def test_an_even_ramp_is_flat_rather_than_the_signs_of_rounding() -> None:
    across = torch.arange(100, dtype=torch.float64)
    normalised, deviation = normalise(16 + across + across[:, None], paper_window())
    assert normalised[3:-3, 3:-3].unique().tolist() == [0], "the window of 7 reaches 3 pixels over the edge"
    assert deviation[3:-3, 3:-3].min() > 1


def test_flat_blocks_say_nothing_however_many(fitted: Niqe) -> None:
    x = photo(192, 480)
    x[:, :, 180:] = 0.5  # the third block and what follows are flat, as far as windows and halving reach
    score = fitted(x[:, :, :288]).value
    assert math.isfinite(score)
    assert fitted(x).value == pytest.approx(score, rel=1e-9)
    assert fitted(x[:, :96, :288]).value != score
    x[:, :, 84:] = 0.5
    assert fitted(x[:, :96]).value == math.inf, "one block alone has no covariance"


def test_the_protocol_names_luma_and_model(fitted: Niqe) -> None:
    score = fitted(photo())
    wanted = {"channel": "y", "block": 96, "scales": 2, "model": "a model fitted here"}
    assert score.name == "niqe" and wanted.items() <= score.protocol.items()
    assert "rounded to 0 .. 255" in score.protocol["luma"]
    assert json.loads(json.dumps(score.protocol)) == score.protocol


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    parts = {"mu_pris_param": np.zeros((1, 36)), "cov_pris_param": np.eye(36), "gaussian_window": np.ones((7, 7)) / 49}
    path = tmp_path / "m.npz"
    with pytest.raises(PriorError, match=r"cannot read a NIQE model from .*m.npz \(FileNotFoundError"):
        Niqe.from_file(path)
    np.savez(path, **parts)
    assert Niqe.from_file(path).protocol["model"] == "m.npz"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(PriorError, match=r"cannot read a NIQE model from .*give an .npz with mu_pris_param"):
        Niqe.from_file(path)
    np.savez(path, **{name: part for name, part in parts.items() if name != "cov_pris_param"})
    with pytest.raises(PriorError, match="KeyError: 'cov_pris_param"):
        Niqe.from_file(path)
    np.savez(path, **{**parts, "mu_pris_param": np.array([{}], dtype=object)})
    with pytest.raises(PriorError, match="allow_pickle=False"):
        Niqe.from_file(path)
    np.savez(path, **{**parts, "mu_pris_param": np.zeros(35)})
    with pytest.raises(PriorError, match=r"m.npz: mu_pris_param has shape \(35,\), not \(36,\): it is no NIQE model"):
        Niqe.from_file(path)
    with pytest.raises(PriorError, match="the given model: cov_pris_param holds NaN or infinity"):
        Niqe(torch.zeros(36), torch.full((36, 36), math.nan))
    with pytest.raises(PriorError, match=r"gaussian_window has shape \(5, 5\), not \(7, 7\)"):
        Niqe(torch.zeros(36), torch.eye(36), torch.ones(5, 5))
