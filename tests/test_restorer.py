"""One picture through the library: what it returns, what it refuses, and that nothing stays behind."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ldrps
from ldrps import Cancelled, Prior, Progress, Restorer, Settings, preset
from ldrps.caption.base import Caption
from ldrps.errors import InputError, OutputError
from ldrps.estimation.estimators import Estimators
from ldrps.findings import Findings
from ldrps.methods import blind

PAPER = preset("paper-lowlight").with_changes(steps=4, recurrences=1)
METHODS = pytest.mark.parametrize(
    "settings", [Settings(), Settings(recurrences=1), PAPER], ids=["blind", "twice", "paper"]
)


def noisy(width: int = 48, height: int = 40, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ramp = np.add.outer(np.linspace(60, 120, height), np.linspace(0, 60, width))[..., None]
    return (ramp + rng.normal(0, 20, (height, width, 3))).clip(0, 255).astype(np.uint8)


def pixels(result: ldrps.Result) -> np.ndarray:
    return np.asarray(result.image)


@pytest.mark.asked_anew
@METHODS
def test_a_result_does_not_depend_on_what_was_restored_before(settings: Settings, tiny_prior: Prior) -> None:
    restorer = Restorer(tiny_prior, settings)
    first = restorer(noisy(seed=1))
    other = restorer(noisy(32, 64, seed=2))
    again = restorer(noisy(seed=1))
    assert np.array_equal(pixels(first), pixels(again))
    assert first.losses == again.losses
    assert first.findings == again.findings
    assert pixels(first).shape != pixels(other).shape
    torch.manual_seed(99)  # nor on the global generator
    assert np.array_equal(pixels(first), pixels(Restorer(tiny_prior, settings)(noisy(seed=1))))


def test_the_seed_decides(tiny_prior: Prior) -> None:
    results = [Restorer(tiny_prior, PAPER.with_changes(seed=seed))(noisy()) for seed in (0, 0, 1)]
    assert np.array_equal(pixels(results[0]), pixels(results[1]))
    assert not np.array_equal(pixels(results[0]), pixels(results[2]))


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (100, 37), (64, 129)])
@METHODS
def test_any_size_is_kept(settings: Settings, size: tuple[int, int], tiny_prior: Prior) -> None:
    assert Restorer(tiny_prior, settings)(noisy(*size)).image.size == size


def smooth() -> Image.Image:
    """Nothing is wrong with it."""
    ramp = np.add.outer(np.linspace(60, 180, 40), np.linspace(0, 60, 48))
    return Image.fromarray(ramp.astype(np.uint8)).convert("RGB")


def test_a_picture_that_needs_nothing_is_told_from_one_that_does(
    tiny_prior: Prior, unmoved: Estimators, tmp_path: Path
) -> None:
    smooth().save(tmp_path / "smooth.jpg", quality=97)
    result = Restorer(tiny_prior, estimators=unmoved)(tmp_path / "smooth.jpg")
    assert result.unchanged and result.record()["unchanged"]
    assert result.save(tmp_path / "a.jpg").read_bytes() == (tmp_path / "smooth.jpg").read_bytes()
    other = Restorer(tiny_prior)(noisy())
    assert not other.unchanged and not other.record()["unchanged"]


@pytest.mark.parametrize(
    "settings",
    [Settings(), Settings(recurrences=1, colourise=True, relight=1.0), PAPER],
    ids=["short", "with all", "paper"],
)
def test_a_picture_without_shades_is_left_alone(settings: Settings, tiny_prior: Prior, tmp_path: Path) -> None:
    text = Image.fromarray(noisy()).convert("1")
    text.save(tmp_path / "fax.tif", compression="group4")
    framed = text.convert("L")
    framed.paste(0, (0, 0, 48, 8))
    for source in (text, framed, text.convert("L"), tmp_path / "fax.tif"):
        result = Restorer(tiny_prior, settings)(source)
        assert result.unchanged and result.losses == []
        assert result.words == "no shades, as of text or a drawing: nothing to restore"
        assert np.array_equal(pixels(result), np.asarray(framed if source is framed else text.convert("L")))
    assert result.save(tmp_path / "a.tif").read_bytes() == (tmp_path / "fax.tif").read_bytes()


@pytest.mark.parametrize("settings", [Settings(), Settings(colourise=True, relight=1.0)], ids=["short", "with all"])
@pytest.mark.parametrize("level", [0, 3, 128, 255])
def test_a_picture_of_one_colour_is_left_alone(level: int, settings: Settings, tiny_prior: Prior) -> None:
    flat = np.full((40, 48, 3), level, np.uint8)
    dithered = (flat + np.random.default_rng(0).integers(0, 2, flat.shape)).clip(0, 255).astype(np.uint8)
    for picture in (flat, dithered):
        result = Restorer(tiny_prior, settings)(picture)
        assert result.unchanged and result.losses == [] and result.findings == Findings(missing="flat")
        assert result.words == "one colour all over, or noise: nothing to judge by"


def under_alpha(alpha: np.ndarray, hidden: int, width: int = 64, height: int = 48) -> Image.Image:
    """A noisy picture with that alpha, and one level in what it hides."""
    shown = np.where(alpha[..., None] > 0, noisy(width, height), hidden).astype(np.uint8)
    return Image.fromarray(np.dstack([shown, alpha]))


def disc(soft: float, width: int = 64, height: int = 48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    away = np.hypot(y - height / 2, x - width / 2)
    return (255 * ((20 + soft - away) / max(soft, 1e-9)).clip(0, 1)).round().astype(np.uint8)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("soft", [0.0, 6.0], ids=["hard", "soft"])
@METHODS
def test_what_is_hidden_decides_nothing_and_is_kept(
    settings: Settings, soft: float, mode: str, tiny_prior: Prior
) -> None:
    alpha = disc(soft)
    results = []
    for hidden in (0, 255):
        picture = under_alpha(alpha, hidden).convert(mode)
        result = Restorer(tiny_prior, settings)(picture)
        assert result.image.mode == mode
        before, after = np.asarray(picture), pixels(result)
        assert np.array_equal(after[alpha == 0], before[alpha == 0])
        assert np.array_equal(after[..., -1], alpha)
        results.append((after[alpha > 0], result.findings))
    assert np.array_equal(results[0][0], results[1][0]) and results[0][1] == results[1][1]


def test_a_picture_of_which_nothing_is_visible_is_left_alone(tiny_prior: Prior) -> None:
    picture = under_alpha(np.zeros((48, 64), np.uint8), 90)
    result = Restorer(tiny_prior)(picture)
    assert result.unchanged and np.array_equal(pixels(result), np.asarray(picture))
    assert result.words == "all of it is transparent: nothing to judge by"


@pytest.mark.parametrize("working_size", [0, 40])
@pytest.mark.parametrize(
    ("sides", "colour"),
    [((0, 9, 0, 9), 0), ((7, 7, 7, 7), 255), ((21, 0, 20, 0), 16), ((0, 0, 0, 12), 40)],
    ids=["letterbox", "white frame", "pillars", "one side"],
)
def test_a_picture_in_bars_comes_out_as_without_and_the_bars_stay(
    sides: tuple[int, int, int, int], colour: int, working_size: int, tiny_prior: Prior
) -> None:
    left, top, right, bottom = sides
    inside = noisy(64, 48)
    barred = np.pad(inside, ((top, bottom), (left, right), (0, 0)), constant_values=colour)
    restorer = Restorer(tiny_prior, Settings(working_size=working_size))
    result, alone = restorer(barred), restorer(inside)
    assert not alone.unchanged
    expected = np.pad(pixels(alone), ((top, bottom), (left, right), (0, 0)), constant_values=colour)
    assert np.array_equal(pixels(result), expected)
    bars = {name: n for name, n in zip(("left", "top", "right", "bottom"), sides, strict=True) if n}
    assert result.findings == dataclasses.replace(alone.findings, bars=bars)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_greyness_and_transparency_are_kept(mode: str, tiny_prior: Prior) -> None:
    picture = Image.fromarray(noisy()).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    result = Restorer(tiny_prior)(picture.convert(mode))
    assert result.image.mode == mode
    if "A" in mode:
        assert np.array_equal(np.asarray(result.image.getchannel("A")), np.asarray(picture.getchannel("A")))


def test_every_kind_of_input_is_the_same_picture(tiny_prior: Prior, tmp_path: Path) -> None:
    array = noisy()
    path = tmp_path / "a.png"
    Image.fromarray(array).save(path)
    tensor = torch.from_numpy(array).permute(2, 0, 1).float() / 255
    sources = (array, array / 255.0, Image.fromarray(array), path, str(path), tensor, tensor[None])
    results = [pixels(ldrps.restore(source, prior=tiny_prior)) for source in sources]
    assert all(np.array_equal(results[0], result) for result in results[1:])


@METHODS
def test_progress_counts_every_step(settings: Settings, tiny_prior: Prior) -> None:
    seen: list[Progress] = []
    result = Restorer(tiny_prior, settings)(noisy(), on_step=seen.append)
    assert [step.number for step in seen] == list(range(1, seen[0].total + 1))
    assert max(step.round for step in seen) == settings.recurrences
    assert len(result.losses) == len(seen)
    assert all(step.z0.isfinite().all() for step in seen)


def test_a_callback_stops_it(tiny_prior: Prior) -> None:
    with pytest.raises(Cancelled, match="stopped after step 2 of 6"):
        Restorer(tiny_prior, PAPER)(noisy(), on_step=lambda step: step.number < 2)


def test_the_generator_can_be_left_early(tiny_prior: Prior) -> None:
    steps = Restorer(tiny_prior, PAPER).steps(noisy())
    assert next(steps).number == 1
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((40, 40, 3), np.nan, np.float32), "NaN|not finite|finite"),
        (np.zeros((40, 40, 3), np.int64), "int64"),
        (np.zeros((0, 0, 3), np.uint8), "empty|pixels|0"),
        (np.zeros((40, 40, 5), np.uint8), "5"),
        (np.zeros((8, 40, 3), np.uint8), "32"),
        (np.full((40, 40, 3), 7.0), "7"),
        ("no-such-file.png", "no-such-file.png"),
    ],
)
def test_bad_input_is_refused_in_words(image: Any, message: str, tiny_prior: Prior) -> None:
    with pytest.raises(InputError, match=message):
        ldrps.restore(image, prior=tiny_prior)


def test_a_caption_guides_where_the_prior_knows_text(text_prior_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blind, "caption_gain", lambda *_: 0.1)  # nothing fits a random prior
    restorer = Restorer(ldrps.load_prior(text_prior_folder))
    none, dog, again = (restorer(noisy(), caption) for caption in ("", "golden retriever", "golden retriever"))
    assert np.array_equal(pixels(dog), pixels(again)) and dog.caption.text == "golden retriever"
    assert not np.array_equal(pixels(dog), pixels(none))
    exaggerated = Restorer(restorer.prior, Settings(text_scale=30.0))(noisy(), "golden retriever")
    assert not np.array_equal(pixels(exaggerated), pixels(dog))


@pytest.mark.parametrize("settings", [Settings(recurrences=2), PAPER], ids=["blind", "paper"])
def test_the_cleaner_picture_can_be_described_again(
    settings: Settings, text_prior_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blind, "caption_gain", lambda *_: 0.1)
    shown: list[Image.Image] = []

    def look_again(image: Image.Image) -> Caption:
        shown.append(image)
        return Caption(f"golden retriever {len(shown)}", source="again")

    prior = ldrps.load_prior(text_prior_folder)
    once = Restorer(prior, settings)(noisy(), "sea")
    twice = Restorer(prior, settings)(noisy(), "sea", recaption=look_again)
    assert len(shown) == settings.recurrences and shown[0].size == (48, 40)
    assert (twice.caption.text, twice.caption.source) == (f"golden retriever {settings.recurrences}", "again")
    assert once.caption.text == "sea"
    assert not np.array_equal(pixels(once), pixels(twice)), "the new caption counts"


def test_a_caption_for_a_prior_without_text_is_noted(tiny_prior: Prior, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        result = Restorer(tiny_prior)(noisy(), "a cat")
    assert "knows no text" in caplog.text
    assert result.caption.text == "a cat"


def test_the_record_is_json_and_tells_everything(tiny_prior: Prior, tmp_path: Path) -> None:
    result = Restorer(tiny_prior, PAPER)(noisy(), "")
    written = result.save(tmp_path / "deep.png")
    record = json.loads((tmp_path / "deep.png.json").read_text())
    assert Image.open(written).size == (48, 40)
    assert record["seed"] == PAPER.seed
    assert record["settings"]["method"]["alignment"]["distance"] == 0.02
    assert record["damage"] is None and record["words"] == ""
    assert {"caption", "prior", "seconds", "versions", "findings", "size"} <= record.keys()
    assert {"round", "t", "alignment/adversarial"} <= record["losses"][0].keys()


def test_saving_is_both_files_or_none(tiny_prior: Prior, tmp_path: Path) -> None:
    result = Restorer(tiny_prior)(noisy())
    (tmp_path / "a.png.json").write_text("mine")
    with pytest.raises(OutputError, match=r"a\.png\.json"):
        result.save(tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    assert (tmp_path / "a.png.json").read_text() == "mine"
    result.save(tmp_path / "a.png", overwrite=True)
    with pytest.raises(OutputError, match=r"a\.png"):
        result.save(tmp_path / "a.png")


def test_a_clean_picture_is_left_as_it_is(tiny_prior: Prior, unmoved: Estimators) -> None:
    ramp = np.broadcast_to(np.linspace(40, 210, 48, dtype=np.uint8)[None, :, None], (48, 48, 3)).copy()
    result = Restorer(tiny_prior, estimators=unmoved)(ramp)
    assert result.losses == []
    assert np.array_equal(pixels(result), ramp)


def test_the_result_of_a_scale_is_as_large_everywhere(tiny_prior: Prior, tmp_path: Path) -> None:
    """In the picture, its transparency, the record, the file and the step that is shown."""
    rgba = np.dstack([noisy(), np.full((40, 48), 255, np.uint8)])
    rgba[:8, :, 3] = 0
    Image.fromarray(rgba).save(tmp_path / "a.png", dpi=(300, 300))
    seen = []
    result = Restorer(tiny_prior, Settings(scale=2.5))(
        tmp_path / "a.png", on_step=lambda step: seen.append(step.picture().shape)
    )
    assert result.image.size == (120, 100) and result.image.mode == "RGBA"
    assert result.picture.size == (120, 100) and not result.unchanged
    alpha = np.asarray(result.image)[..., 3]
    assert (alpha[:15] == 0).all() and (alpha[26:] == 255).all()
    assert "enlarged 2.5 times; fine detail is sharpened by guess" in result.words
    record = json.loads(json.dumps(result.record()))
    assert record["size"] == [120, 100] and record["settings"]["scale"] == 2.5 and not record["unchanged"]
    result.save(tmp_path / "b.png")
    with Image.open(tmp_path / "b.png") as again:
        assert again.size == (120, 100) and again.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    again = Restorer(tiny_prior, Settings(scale=2.5))(tmp_path / "a.png", damage=result.damage)
    assert np.array_equal(again.levels, result.levels), "the record makes it again"


@pytest.mark.parametrize("mode", ["1", "L", "I;16"])
def test_an_enlarged_picture_is_of_the_same_kind(mode: str, tiny_prior: Prior, tmp_path: Path) -> None:
    levels = noisy()[..., 0]
    image = Image.fromarray(levels.astype(np.uint16) * 257 if mode == "I;16" else levels)
    (image.convert("1") if mode == "1" else image).save(tmp_path / "a.png")
    result = Restorer(tiny_prior, Settings(scale=2.0))(tmp_path / "a.png")
    assert result.levels.shape == (80, 96, 1) and result.levels.dtype == (np.uint16 if mode == "I;16" else np.uint8)
    result.save(tmp_path / "b.png", trace=False)
    assert Image.open(tmp_path / "b.png").size == (96, 80)
    if mode == "1":
        assert result.words == (
            "no shades, as of text or a drawing: nothing to restore; enlarged 2 times by a plain cubic"
        )


def test_what_has_nothing_to_restore_is_enlarged_even_so(tiny_prior: Prior) -> None:
    result = Restorer(tiny_prior, Settings(scale=2.0))(np.full((40, 48, 3), 90, np.uint8))
    assert result.levels.shape == (80, 96, 3) and (result.levels == 90).all() and not result.unchanged
    assert result.words.endswith("nothing to judge by; enlarged 2 times by a plain cubic")


def test_bars_of_a_picture_are_enlarged_with_it(tiny_prior: Prior, unmoved: Estimators) -> None:
    framed = np.zeros((120, 96, 3), np.uint8)
    y, x = np.mgrid[:72, :96]
    framed[24:96] = (120 + 60 * np.sin(x / 5) * np.cos(y / 7))[..., None]
    result = Restorer(tiny_prior, Settings(scale=2.0), estimators=unmoved)(framed)
    assert result.levels.shape == (240, 192, 3) and result.findings.bars == {"top": 24, "bottom": 24}
    assert (result.levels[:48] == 0).all() and (result.levels[192:] == 0).all() and result.levels[48:192].min() > 0


def test_colours_and_light_go_with_a_scale(tiny_prior: Prior) -> None:
    grey = np.repeat(noisy()[..., :1], 3, 2)
    settings = Settings(scale=2.0, colourise=True, relight=1.0)
    result = Restorer(tiny_prior, settings)(Image.fromarray(grey[..., 0]), "a bright red boat")
    assert result.image.size == (96, 80) and result.image.mode == "RGB"


def test_a_scale_in_one_call_and_its_limit(tiny_prior: Prior) -> None:
    assert ldrps.restore(noisy(), prior=tiny_prior, scale=2).image.size == (96, 80)
    with pytest.raises(InputError, match=r"enlarged 3 times 144 x 120 = 17,280 pixels.*max_pixels=17280"):
        ldrps.restore(noisy(), prior=tiny_prior, scale=3, max_pixels=17_279)
