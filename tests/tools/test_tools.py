"""The baselines: what holds for all of them, and known answers of each."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from ldrps.errors import InputError
from ldrps.tools import BASELINES, CHAINS, baseline
from ldrps.tools.noise_level import noise_level

PACKAGES = {
    "clahe": ["cv2"],
    "dcp": ["cv2"],
    "nlm": ["cv2"],
    "bilateral": ["cv2"],
    "nlm-auto": ["skimage", "pywt"],
    "tv": ["skimage", "pywt"],
    "wavelet": ["skimage", "pywt"],
    "wiener": ["skimage", "pywt", "scipy"],
}
DENOISERS = ["nlm", "nlm-auto", "tv", "wavelet", "wiener", "bilateral"]


def run(name: str, x: np.ndarray) -> np.ndarray:
    for package in PACKAGES.get(name, []):
        pytest.importorskip(package)
    return BASELINES[name](x)


def scene(height: int = 71, width: int = 93) -> np.ndarray:
    """Smooth surfaces and a few edges, float32 [H, W, 3]."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = [0.3 + 0.4 * x, 0.2 + 0.5 * y, 0.6 - 0.3 * x * y]
    image = np.stack(planes, axis=2)
    image[20:50, 30:60] = (0.85, 0.8, 0.2)
    image[55:, :25] = (0.1, 0.15, 0.3)
    return image.astype(np.float32)


def noisy(sigma: float, seed: int = 0) -> np.ndarray:
    clean = scene()
    return np.clip(clean + sigma / 255 * np.random.default_rng(seed).standard_normal(clean.shape), 0, 1).astype(
        np.float32
    )


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((a.astype(np.float64) - b) ** 2) + 1e-12))


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("size", [(33, 47), (40, 32)])
def test_contract(name, size):
    x = noisy(15)[: size[0], : size[1]]  # not contiguous
    before = x.copy()
    y = run(name, x)
    assert y.dtype == np.float32 and y.shape == (*size, 3)
    assert y.min() >= 0 and y.max() <= 1
    assert np.array_equal(x, before) and not np.shares_memory(x, y)
    assert np.array_equal(y, run(name, x))


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
@pytest.mark.filterwarnings("error")
def test_flat_pictures_stay_flat_and_finite(name, value):
    y = run(name, np.full((40, 48, 3), value, np.float32))
    assert np.isfinite(y).all()
    assert y.max() - y.min() < 0.01


@pytest.mark.parametrize("name", BASELINES)
def test_grey_stays_grey(name):
    x = np.repeat(noisy(10)[..., :1], 3, axis=2)
    y = run(name, x)
    assert np.abs(y - y.mean(axis=2, keepdims=True)).max() < 2.5 / 255  # Lab in bytes does no better


@pytest.mark.parametrize("name", BASELINES)
def test_registry_describes(name):
    baseline = BASELINES[name]
    assert baseline.name == name and baseline.what
    assert baseline.enlarges == (name in ("bicubic", "lanczos"))
    assert baseline.fills == (name in ("telea", "navier-stokes"))


def test_clahe_raises_local_contrast_and_little_colour():
    x = 0.4 + 0.1 * (noisy(40) - 0.5)
    y = run("clahe", x)
    assert y.std() > 1.5 * x.std()


def test_dcp_removes_a_veil():
    clean = scene()
    hazy = (0.5 * clean + 0.5 * 0.9).astype(np.float32)
    hazy[:16, :40] = 0.9  # sky, without which no airlight is to be seen
    y = run("dcp", hazy)
    assert psnr(y[20:], clean[20:]) > psnr(hazy[20:], clean[20:]) + 3.5


@pytest.mark.parametrize("name", DENOISERS)
def test_denoisers_denoise(name):
    x = noisy(12)
    assert psnr(run(name, x), scene()) > psnr(x, scene()) + 2.5


@pytest.mark.parametrize("name", ["nlm-auto", "tv", "wavelet", "wiener"])
def test_denoisers_that_estimate_leave_clean_pictures_and_follow_the_noise(name):
    assert psnr(run(name, scene()), scene()) > 40
    for sigma in (5, 25):
        x = noisy(sigma)
        removed = 255 * float((run(name, x) - x).std())
        assert 0.6 * sigma < removed < 1.3 * sigma


@pytest.mark.filterwarnings("error")
def test_a_flat_channel_hides_no_noise():
    pytest.importorskip("skimage")
    pytest.importorskip("pywt")
    x = noisy(15)
    wanted = noise_level(x) * 2 / 3
    x[..., 1] = 0
    assert noise_level(x) == pytest.approx(wanted, rel=0.1)


def test_tv_removes_as_much_as_is_noise():
    pytest.importorskip("skimage")
    pytest.importorskip("pywt")
    x = noisy(15)
    assert float((run("tv", x) - x).std()) == pytest.approx(noise_level(x), rel=0.05)


@pytest.mark.parametrize("name", ["bicubic", "lanczos"])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_enlarging_keeps_a_gradient(name, factor):
    x = np.tile(np.linspace(0.1, 0.9, 32, dtype=np.float32)[:, None, None], (1, 20, 3))
    y = BASELINES[name](x, factor)
    assert y.shape == (32 * factor, 20 * factor, 3)
    steps = np.diff(y[3 * factor : -3 * factor, 5, 0])
    np.testing.assert_allclose(steps, 0.8 / 31 / factor, atol=2e-3)
    assert y.mean() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "package"), [("clahe", "OpenCV"), ("nlm-auto", "scikit-image"), ("wavelet", "PyWavelets")]
)
def test_missing_package_is_named(monkeypatch, name, package):
    gone = {"OpenCV": "cv2", "scikit-image": "skimage", "PyWavelets": "pywt"}[package]
    for module in [module for module in sys.modules if module.partition(".")[0] == gone]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, gone, None)
    with pytest.raises(InputError, match=rf"needs {package}, which is not here: pip install '\.\[bench\]'"):
        BASELINES[name].function(scene())


def test_a_chain_is_one_after_the_other():
    for package in ("cv2", "skimage"):
        pytest.importorskip(package)
    x = 0.3 * noisy(20)
    for name in ("stretch+nlm", "nlm+stretch"):
        first, second = name.split("+")
        np.testing.assert_array_equal(baseline(name).function(x), run(second, run(first, x)))
    assert not np.array_equal(baseline("stretch+nlm").function(x), baseline("nlm+stretch").function(x))
    enlarging = baseline("nlm+bicubic")
    np.testing.assert_array_equal(enlarging(x, 3), BASELINES["bicubic"](run("nlm", x), 3))
    assert enlarging.enlarges and not baseline("nlm+tv").enlarges
    with pytest.raises(InputError, match="enlarges more than once"):
        baseline("bicubic+lanczos")
    assert baseline("nlm") is BASELINES["nlm"]
    assert "then non-local means" in baseline("stretch+nlm").what


@pytest.mark.parametrize("name", ["telea", "navier-stokes"])
def test_holes_are_filled_and_nothing_else_is_touched(name):
    y, x = np.mgrid[0:40, 0:50] / 50
    whole = np.stack([x, y, 1 - x], 2).astype(np.float32)
    lost = np.zeros((40, 50), bool)
    lost[18:21, 5:45] = True
    holed = np.where(lost[..., None], np.float32(0), whole)
    found = BASELINES[name](holed, 1, lost)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[~lost], whole[~lost])
    assert np.abs(found - whole)[lost].max() < 0.1 < np.abs(holed - whole)[lost].max()
    np.testing.assert_array_equal(BASELINES[name](holed), holed)
    with pytest.raises(InputError, match="of which a part fills holes: name it alone"):
        baseline(f"{name}+nlm")


def test_chains_are_of_what_there_is():
    for name in CHAINS:
        assert not baseline(name).enlarges
    for name in ("", "nml", "nlm+", "nlm++tv"):
        with pytest.raises(InputError, match="there are identity"):
            baseline(name)
