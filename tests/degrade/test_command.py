"""`ldrps degrade` as people use it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import Run
from PIL import Image

from ldrps.degrade import apply, seed_of


@pytest.fixture
def degrade(command: Run) -> Run:
    return partial(command, "degrade")


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "clean.png")
    return tmp_path / "clean.png"


def test_damage_can_be_repeated(degrade: Run, clean: Path, tmp_path: Path) -> None:
    words = ("--kind", "dark=0.5+noise=25", "--seed", 3)
    assert degrade(clean, "-o", tmp_path / "a.png", *words) == (0, f"{tmp_path / 'a.png'}\n", "")
    degrade(clean, "-o", tmp_path / "b.png", *words)
    degrade(clean, "-o", tmp_path / "c.png", *words[:3], 4)
    a, b, c = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "abc")
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert np.array_equal(a, apply(Image.open(clean), "dark=0.5+noise=25", seed_of(3, "clean")))


def test_metadata_and_alpha_stay(degrade: Run, tmp_path: Path) -> None:
    alpha = np.random.default_rng(1).integers(0, 256, (40, 48), dtype=np.uint8)
    image = Image.merge("RGBA", [*Image.new("RGB", (48, 40), (90, 80, 70)).split(), Image.fromarray(alpha)])
    exif = Image.Exif()
    exif[0x010F] = "maker"
    image.save(tmp_path / "in.png", exif=exif)
    degrade(tmp_path / "in.png", "-o", tmp_path / "out.png", "--kind", "noise=5")
    with Image.open(tmp_path / "out.png") as result:
        assert np.array_equal(np.asarray(result)[..., 3], alpha)
        assert result.getexif()[0x010F] == "maker"


def test_a_reduction_makes_it_smaller(degrade: Run, clean: Path, tmp_path: Path) -> None:
    assert degrade(clean, "-o", tmp_path / "small.png", "--kind", "downscale=2")[0] == 0
    assert Image.open(tmp_path / "small.png").size == (24, 20)


def test_a_bad_file_does_not_stop_the_others(degrade: Run, clean: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no")
    code, out, err = degrade(tmp_path / "bad.png", clean, "-o", tmp_path / "out", "--kind", "noise")
    assert (code, out) == (1, f"{tmp_path / 'out' / 'clean.png'}\n")
    assert "bad.png" in err
    code, _, err = degrade(clean, "-o", tmp_path / "out", "--kind", "noise")
    assert (code, "exists: give --force" in err) == (1, True)


def test_wrong_kinds_and_the_list(degrade: Run, clean: Path, tmp_path: Path) -> None:
    code, _, err = degrade(clean, "-o", tmp_path / "a.png", "--kind", "nose=3")
    assert (code, "kind is 'nose'" in err) == (2, True)
    code, out, _ = degrade("--kinds")
    assert code == 0
    assert "noise=sigma" in out
