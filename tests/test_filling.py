"""Restoring a picture with holes, or with what is protected: what is known comes back, what is lost is filled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

import ldrps
from ldrps import Damage, Estimate, Prior, Restorer, Settings, preset
from ldrps.cost import estimate
from ldrps.degradation import Exposure, WhiteNoise
from ldrps.errors import InputError, SettingsError
from ldrps.image.picture import load_picture
from ldrps.progress import Progress
from ldrps.settings import BlindSettings, Filling

NOTHING = Damage()
QUICK = Settings(method=BlindSettings(filling=Filling(levels=4)))
HEIGHT, WIDTH = 80, 112


@pytest.fixture(scope="module")
def embedded() -> Prior:
    return ldrps.load_prior()


def photo() -> np.ndarray:
    """Smooth shades with edges, bytes [H, W, 3]."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / 40
    disk = np.clip(20 * (0.6 - np.hypot(x - 1.4, y - 1)), 0, 1)
    values = np.stack([0.35 + 0.4 * disk, 0.4 + 0.2 * np.sin(2 * x), 0.5 - 0.2 * disk + 0.1 * np.cos(3 * y)], 2)
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def scratched() -> np.ndarray:
    """Which pixels are lost, bytes [H, W]."""
    lost = np.zeros((HEIGHT, WIDTH), np.uint8)
    lost[30:33, 5:-5], lost[:, 50:53] = 255, 255
    return lost


def holed(level: int = 0) -> np.ndarray:
    return np.where(scratched()[..., None] > 0, level, photo()).astype(np.uint8)


def pixels(result: Any) -> np.ndarray:
    return np.asarray(result.image)


def decibels(found: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((found / 255 - truth / 255) ** 2)))


def test_what_is_known_comes_back_to_the_byte_and_what_is_lost_is_filled(embedded: Prior) -> None:
    result = Restorer(embedded, QUICK)(holed(), mask=scratched(), damage=NOTHING)
    known = scratched() == 0
    assert np.array_equal(pixels(result)[known], photo()[known])
    assert decibels(pixels(result), photo()) > 35 > decibels(holed(), photo()) + 10
    assert result.words == "6.0% of the pixels filled"
    assert result.damage is not None and result.damage.holes is not None and "fill" in result.seconds


def test_what_is_lost_decides_nothing_of_what_is_judged(embedded: Prior) -> None:
    first, *others = (Restorer(embedded, QUICK)(holed(level), mask=scratched() > 0) for level in (0, 255, 128))
    for other in others:
        assert np.array_equal(first.levels, other.levels) and first.damage == other.damage


@pytest.mark.parametrize("form", ["path", "image", "tensor"])
def test_masks_are_taken_as_pictures_are(form: str, tiny_prior: Prior, tmp_path: Path) -> None:
    Image.fromarray(scratched()).save(tmp_path / "mask.png")
    forms = {
        "path": tmp_path / "mask.png",
        "image": Image.fromarray(scratched()),
        "tensor": torch.from_numpy(scratched() / 255),
    }
    restorer = Restorer(tiny_prior, QUICK)
    told = restorer(holed(), mask=forms[form], damage=NOTHING)
    assert np.array_equal(told.levels, restorer(holed(), mask=scratched(), damage=NOTHING).levels)


def test_a_mask_lies_as_the_picture_is_shown(tiny_prior: Prior, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(holed()).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "in.png", exif=exif)
    result = Restorer(tiny_prior, QUICK)(tmp_path / "in.png", mask=scratched(), damage=NOTHING)
    known = scratched() == 0
    assert np.array_equal(pixels(result)[known], photo()[known]) and pixels(result)[31, 60].mean() > 20
    with pytest.raises(InputError, match="is masked as it is shown"):
        Restorer(tiny_prior, QUICK)(tmp_path / "in.png", mask=np.rot90(scratched()).copy())


def test_in_one_call(tiny_prior: Prior) -> None:
    protect = np.zeros((HEIGHT, WIDTH), bool)
    protect[:20] = True
    damage = Damage(tone=Estimate(Exposure(-1.0)))
    result = ldrps.restore(holed(), mask=scratched(), protect=protect, preset="fast", prior=tiny_prior, damage=damage)
    assert np.array_equal(pixels(result)[:20], holed()[:20])
    assert (pixels(result)[40:, 60:].astype(int) - holed()[40:, 60:]).mean() > 20


def test_the_rest_is_restored_as_usual_and_holes_go_on_from_that(embedded: Prior) -> None:
    random = np.random.default_rng(0)
    noisy = np.clip(0.4 * holed() + random.normal(0, 6, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)
    damage = Damage(tone=Estimate(Exposure(-1.3)), noise=Estimate(WhiteNoise(14 / 255)))
    result = Restorer(embedded)(noisy, mask=scratched(), damage=damage)
    plain = Restorer(embedded)(load_picture(noisy).with_holes(scratched()), damage=damage)
    assert np.array_equal(result.levels, plain.levels), "given with the picture, it is the same"
    lost = scratched() > 0
    beside = np.roll(lost, 4, 0) & ~lost
    found = pixels(result).astype(float)
    assert abs(found[lost].mean() - found[beside].mean()) < 8, "as light as what is around"
    spread = [np.abs(np.diff(found, axis=1))[:, 1:][where[:, 2:]].mean() for where in (lost, beside)]
    assert 0.4 < spread[0] / spread[1] < 2.0, "and as smooth"


def test_a_record_has_the_mask_and_gives_the_same_bytes(tiny_prior: Prior, tmp_path: Path) -> None:
    Image.fromarray(holed()).save(tmp_path / "in.png")
    Image.fromarray(scratched()).save(tmp_path / "mask.png")
    restorer = Restorer(tiny_prior, QUICK)
    first = restorer(tmp_path / "in.png", mask=tmp_path / "mask.png")
    first.save(tmp_path / "out.png")
    record = json.loads((tmp_path / "out.png.json").read_text())
    assert record["damage"]["holes"]["file"] == str(tmp_path / "mask.png") and not record["unchanged"]
    damage = Damage.load(tmp_path / "out.png.json")
    assert np.array_equal(restorer(tmp_path / "in.png", damage=damage).levels, first.levels)
    other = np.roll(scratched(), 3, 0)
    assert not np.array_equal(restorer(tmp_path / "in.png", mask=other, damage=damage).levels, first.levels)


def test_alpha_is_filled_for_good(embedded: Prior) -> None:
    rgba = np.dstack([holed(200), 255 - scratched()])
    result = Restorer(embedded, QUICK)(Image.fromarray(rgba), mask="alpha", damage=NOTHING)
    assert result.image.mode == "RGB" and decibels(pixels(result), photo()) > 35
    assert result.damage is not None and result.damage.holes is not None and result.damage.holes.file == "alpha"


def test_alpha_stays_beside_another_mask(tiny_prior: Prior) -> None:
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[60:] = 0
    rgba = np.dstack([holed(), alpha])
    result = Restorer(tiny_prior, QUICK)(Image.fromarray(rgba), mask=scratched(), damage=NOTHING)
    assert result.image.mode == "RGBA"
    known = scratched() == 0
    assert np.array_equal(pixels(result)[known], rgba[known])


def test_holes_in_a_picture_that_tells_nothing_are_filled_too(tiny_prior: Prior) -> None:
    wall = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    page = np.where(np.random.default_rng(0).random((HEIGHT, WIDTH, 1)) < 0.9, 255, 0).repeat(3, 2).astype(np.uint8)
    for picture, why in ((wall, "one colour all over"), (page, "no shades")):
        result = Restorer(tiny_prior, QUICK)(picture, mask=scratched())
        known = scratched() == 0
        assert np.array_equal(pixels(result)[known], picture[known])
        assert result.words.startswith(why) and result.words.endswith("; 6.0% of the pixels filled")


def test_holes_at_the_edge_are_filled(embedded: Prior) -> None:
    lost = np.zeros((HEIGHT, WIDTH), bool)
    lost[:6], lost[:, -5:] = True, True
    torn = np.where(lost[..., None], 0, photo()).astype(np.uint8)
    result = Restorer(embedded, QUICK)(torn, mask=lost, damage=NOTHING)
    assert np.array_equal(pixels(result)[~lost], photo()[~lost])
    assert decibels(pixels(result), photo()) > decibels(torn, photo()) + 12


@pytest.mark.parametrize("share", [0.5, 0.85])
def test_what_is_made_up_between_scattered_pixels_is_no_noise(share: float, embedded: Prior) -> None:
    lost = np.random.default_rng(1).random((HEIGHT, WIDTH)) < share
    result = Restorer(embedded, QUICK)(np.where(lost[..., None], 0, photo()).astype(np.uint8), mask=lost)
    assert result.damage is not None
    assert result.damage.noise_deviation == 0 and result.damage.blur_kernel is None


def test_what_is_protected_does_not_change_the_rest(tiny_prior: Prior) -> None:
    damage = Damage(tone=Estimate(Exposure(-1.0)), noise=Estimate(WhiteNoise(0.05)))
    restorer = Restorer(tiny_prior)
    protect = np.zeros((HEIGHT, WIDTH), np.uint8)
    protect[10:40, 10:40], protect[10:40, 40:60] = 255, 128
    whole, part = restorer(photo(), damage=damage), restorer(photo(), protect=protect, damage=damage)
    assert np.array_equal(pixels(part)[protect == 255], photo()[protect == 255])
    assert np.array_equal(pixels(part)[protect == 0], pixels(whole)[protect == 0])
    both = (pixels(whole).astype(float) + photo()) / 2
    assert np.abs(pixels(part) - both)[protect == 128].max() <= 1.5


def test_what_is_protected_comes_back_in_its_own_depth_and_greyness(tiny_prior: Prior, tmp_path: Path) -> None:
    protect = scratched() > 0
    deep = photo().astype(np.uint16) * 200 + 77
    damage = Damage(tone=Estimate(Exposure(-1.0)))
    result = Restorer(tiny_prior)(deep, protect=protect, damage=damage)
    assert np.array_equal(result.levels[protect], deep[protect])
    grey = Image.fromarray(photo()[..., 0])
    result = Restorer(tiny_prior)(grey, protect=protect, damage=damage)
    assert np.array_equal(result.levels[..., 0][protect], photo()[..., 0][protect])


def test_all_protected_is_unchanged(tiny_prior: Prior) -> None:
    damage = Damage(tone=Estimate(Exposure(-1.0)))
    assert Restorer(tiny_prior)(photo(), protect=np.ones((HEIGHT, WIDTH), bool), damage=damage).unchanged


def test_every_step_is_told_and_shown(tiny_prior: Prior) -> None:
    seen: list[Progress] = []
    damage = Damage(noise=Estimate(WhiteNoise(0.1)))

    def see(step: Progress) -> None:
        seen.append(step)

    Restorer(tiny_prior, QUICK)(holed(), mask=scratched(), damage=damage, on_step=see)
    assert [step.number for step in seen] == list(range(1, len(seen) + 1)) and len(seen) > 4
    assert {step.total for step in seen} == {len(seen)}
    assert all(step.picture().shape[:2] == (1, 3) for step in seen)


@pytest.mark.parametrize(
    ("changes", "given", "reason"),
    [
        ({"scale": 2.0}, "mask", "there is a mask, and scale is 2; holes are filled in a picture's own size"),
        ({"scale": 2.0}, "protect", "some pixels are protected, and scale is 2"),
    ],
)
def test_no_mask_where_the_picture_is_enlarged(
    changes: dict[str, Any], given: str, reason: str, tiny_prior: Prior
) -> None:
    with pytest.raises(SettingsError, match=reason):
        Restorer(tiny_prior, QUICK.with_changes(**changes))(holed(), **{given: scratched()})


def test_the_published_method_fills_nothing_and_may_be_kept_from_some(tiny_prior: Prior) -> None:
    settings = preset("paper-denoising").with_changes(steps=1, recurrences=0)
    with pytest.raises(SettingsError, match="preset 'paper-denoising' cannot fill holes: leave mask out"):
        Restorer(tiny_prior, settings)(holed(), mask=scratched())
    result = Restorer(tiny_prior, settings)(holed(), protect=scratched() > 0)
    assert np.array_equal(pixels(result)[scratched() > 0], holed()[scratched() > 0])


def test_a_mask_of_another_size_is_refused(tiny_prior: Prior) -> None:
    with pytest.raises(InputError, match="give a mask of the picture's size"):
        Restorer(tiny_prior)(holed(), mask=scratched()[1:])


def test_what_filling_takes_is_told_before() -> None:
    size = (1000, 800)
    without, filled, quick = (
        estimate(size, settings) for settings in (Settings(), Settings(fill=True), QUICK.with_changes(fill=True))
    )
    assert filled.seconds > quick.seconds > without.seconds and filled.bytes > without.bytes
    assert Settings().with_masks(holes=True, protected=True).fill
