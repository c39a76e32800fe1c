"""What makes results others, and what does not."""

from __future__ import annotations

import dataclasses
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from ldrps.errors import InputError, SettingsError
from ldrps.estimation.files import PlainDamage, read_plain
from ldrps.masks import Masks
from ldrps.presets import preset
from ldrps.run.fingerprint import FileFingerprint
from ldrps.run.job import Output
from ldrps.run.recipe import CaptionSource, OwnMethod, Recipe, RivalMethod

PLAIN = Recipe(OwnMethod(preset("default")))


def ours(**given: Any) -> Recipe:
    """The plain recipe with some of its method changed."""
    return Recipe(OwnMethod(**{"settings": preset("default"), **given}))


@pytest.mark.parametrize(
    "other",
    [
        ours(settings=preset("fast")),
        ours(settings=preset("default").with_changes(seed=1)),
        ours(dtype="bfloat16"),
        ours(captions=CaptionSource("a boat")),
        ours(prior="some/hub-id"),
        ours(damage=PlainDamage(Path("damage.json"), {})),
        ours(settings=preset("default").with_strengths(0.5)),
    ],
)
def test_what_changes_results(other: Recipe) -> None:
    assert other.fingerprint() != PLAIN.fingerprint()


@pytest.mark.parametrize(
    "same",
    [
        ours(settings=preset("default").with_changes(seed=0)),
        dataclasses.replace(PLAIN, output=Output(overwrite=True, compare=True, trace=True, samples=2, max_pixels=7)),
        ours(captions=CaptionSource(cache=False, timeout=1.0)),
    ],
)
def test_what_does_not(same: Recipe) -> None:
    assert same.fingerprint() == PLAIN.fingerprint()


@pytest.mark.parametrize("spec", ["file", "file:texts"])
def test_captions_in_files_count_for_their_pictures_alone(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "texts" if ":" in spec else tmp_path
    folder.mkdir(exist_ok=True)
    captions = CaptionSource(spec)
    recipe = ours(captions=captions).fingerprint()
    assert isinstance(recipe, FileFingerprint)
    source, other = tmp_path / "a.png", tmp_path / "b.png"
    marks = [recipe.of(source)]
    for text in ("a boat", "a goat"):
        recipe.text(source).write_text(text)
        marks.append(recipe.of(source))
    assert (folder / "a.txt").read_text() == "a goat"
    assert len(set(marks)) == 3 and recipe.of(other) == marks[0] == recipe.recipe
    recipe.text(source).write_text("a boat")
    assert recipe.of(source) == marks[1]


def test_masks_count_for_their_pictures_alone(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    masks = Masks(str(tmp_path / "masks"))
    recipe = ours(masks=masks).fingerprint()
    assert isinstance(recipe, FileFingerprint) and not recipe.texts
    source, other, mask = tmp_path / "a.png", tmp_path / "b.png", tmp_path / "masks" / "a.png"
    marks = [recipe.of(source)]
    for content in (b"one", b"another"):
        mask.write_bytes(content)
        marks.append(recipe.of(source))
    assert len(set(marks)) == 3 and recipe.of(other) == marks[0] == recipe.recipe
    assert recipe.files(source) == [mask] and recipe.files(other) == []
    plain, clear = ours().fingerprint(), ours(masks=Masks("alpha")).fingerprint()
    assert isinstance(clear, FileFingerprint) and len({plain, clear.of(source), recipe.recipe}) == 3
    both = ours(masks=masks, captions=CaptionSource("file")).fingerprint()
    assert isinstance(both, FileFingerprint) and both.files(source) == [tmp_path / "a.txt", mask]


def test_a_text_that_cannot_be_read_counts_as_none(tmp_path: Path) -> None:
    recipe = FileFingerprint("recipe")
    (tmp_path / "a.txt").mkdir()
    assert recipe.of(tmp_path / "a.png") == recipe.of(tmp_path / "\0.png") == "recipe"


@pytest.mark.parametrize("method", [PLAIN.method, RivalMethod("yoly", changes=(("steps", 3),))])
def test_every_method_can_be_sent_and_knows_what_is_too_large(method: OwnMethod | RivalMethod) -> None:
    recipe = Recipe(method, Output(max_memory=2**28))
    assert pickle.loads(pickle.dumps(recipe)) == recipe
    with pytest.raises(InputError, match=r"40 x 30 takes .* at least, the limit is 0\.25 GiB"):
        recipe.check_size((40, 30))
    Recipe(method).check_size((40, 30))


def test_what_a_picture_takes_is_known_of_ours_alone() -> None:
    assert PLAIN.cost((40, 30)).bytes < PLAIN.cost((400, 300)).bytes
    with pytest.raises(SettingsError, match="what yoly will take: leave --dry-run out"):
        Recipe(RivalMethod("yoly")).cost((40, 30))


def test_samples_are_drawn_by_ours_alone() -> None:
    with pytest.raises(SettingsError, match="samples is 2; this method draws none"):
        Recipe(RivalMethod("yoly"), Output(samples=2)).build()


def test_a_prior_is_told_by_its_weights(tiny_prior_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_prior_folder, tmp_path / "copy"))
    one, moved = (ours(prior=str(folder)).fingerprint() for folder in (tiny_prior_folder, copy))
    assert one == moved
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert ours(prior=str(copy)).fingerprint() != one


def test_a_prior_with_a_pipe_or_a_lost_link_can_be_told(tiny_prior_folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_prior_folder, tmp_path / "copy"))
    os.mkfifo(copy / "unet/pipe.json")
    (copy / "unet/lost.json").symlink_to("nowhere")
    told = [ours(prior=str(folder)).fingerprint() for folder in (tiny_prior_folder, copy)]
    assert told[0] == told[1], "they are nothing that is loaded"


def test_a_damage_is_what_its_file_was_when_it_was_read(tmp_path: Path) -> None:
    file = tmp_path / "damage.json"
    file.write_text('{"tone": {"kind": "tone", "gain": 0.25}}')
    recipe = ours(damage=read_plain(file))
    mark = recipe.fingerprint()
    file.unlink()
    sent = pickle.loads(pickle.dumps(recipe))
    sent.check_damage()
    assert sent == recipe and sent.fingerprint() == mark
    assert ours(damage=PlainDamage(tmp_path / "moved.json", dict(recipe.method.damage.data))).fingerprint() == mark
    blur = {"blur": {"kind": "gaussian blur", "sigma": 1.2}}
    marks = {scale: ours(damage=PlainDamage(file, blur, scale)).fingerprint() for scale in (None, 1.0, 2.0)}
    assert marks[None] == marks[1.0] != marks[2.0]
    with pytest.raises(InputError, match=r"damage\.json: kind is 'fog'"):
        ours(damage=PlainDamage(file, {"tone": {"kind": "fog"}})).check_damage()


def test_what_is_enlarged_costs_what_it_becomes() -> None:
    larger = Recipe(OwnMethod(preset("default").with_changes(scale=4.0)), Output(max_pixels=1_000_000))
    assert larger.cost((100, 75)).seconds > Recipe(OwnMethod(preset("default"))).cost((100, 75)).seconds
    best, best_larger = (Recipe(OwnMethod(preset("best").with_changes(scale=scale))) for scale in (1.0, 4.0))
    assert best_larger.cost((100, 75)).seconds > 4 * best.cost((100, 75)).seconds, "which has a loop"
    assert larger.fingerprint() != Recipe(OwnMethod(preset("default")), Output(max_pixels=1_000_000)).fingerprint()
    larger.check_size((300, 200))
    for ask in (larger.check_size, larger.cost):
        with pytest.raises(InputError, match=r"300 x 250, and enlarged 4 times 1200 x 1000 = 1,200,000 pixels") as told:
            ask((300, 250))
        assert "--max-pixels 1200000" in told.value.on_command_line
