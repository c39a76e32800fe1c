"""What the denoiser learns, on small photographs and with a small net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import awake
from torch import Tensor

from ldrps.caption.look import describe_look
from ldrps.prior.base import NOISES, NoiseKind
from ldrps.prior.text import TextEncoder
from ldrps.prior.tiny.autoencoder import PatchAutoencoder
from ldrps.prior.tiny.denoiser import LatentUNet
from ldrps.train import tasks
from ldrps.train.noise import Noisy, add_noise
from ldrps.train.photos import Photographs
from ldrps.train.tasks import CaptionedDenoiser, DiffusionTask, View, latent_deviation
from ldrps.train.text import new_text_encoder

SMALL = (View(1.0, 6, 64, (1.0, 2.0)),)


@pytest.fixture(scope="module")
def task(photo_folder: Path) -> DiffusionTask:
    photos, held_out = Photographs([photo_folder]), Photographs([photo_folder], held_out=True)
    crops = photos.crops(np.random.default_rng(0), 60, 64, (1.0, 3.0))
    patches = torch.nn.functional.unfold(2 * crops - 1, 4, stride=4).transpose(1, 2).reshape(-1, 3, 4, 4)
    photos.subjects = [f"thing {number}" for number in range(len(photos.images))]
    return DiffusionTask(PatchAutoencoder.fit(patches, 20), photos, held_out, views=SMALL)


@pytest.fixture(scope="module")
def deviations(task: DiffusionTask) -> list[float]:
    return latent_deviation(task.autoencoder, task.train, 0)


def denoiser(deviations: list[float], text: TextEncoder | None = None) -> CaptionedDenoiser:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        width = 0 if text is None else 32
        unet = LatentUNet(deviations, widths=(32, 32), blocks=(1,), middle=2, embedding=32, text_width=width)
    return CaptionedDenoiser(unet, text)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_deviations_are_those_of_the_latents(task: DiffusionTask, deviations: list[float]) -> None:
    z0 = task.autoencoder.encode(2 * task.train.crops(generator(5), 300, 128, (1.0, 3.0)) - 1)
    torch.testing.assert_close(torch.tensor(deviations), z0.square().mean((0, 2, 3)).sqrt(), rtol=0.15, atol=1e-3)


@pytest.mark.parametrize("pixel_weight", [0.0, 0.75])
@torch.no_grad()
def test_a_net_that_has_learned_nothing_has_a_loss_of_one(
    pixel_weight: float, task: DiffusionTask, deviations: list[float]
) -> None:
    """Its targets have unit variance in every channel at every level, and the weights of channels a mean of one, where
    noise is white.
    """
    model, unlike = denoiser(deviations), replace(task, pixel_weight=pixel_weight)
    losses = [float(unlike.loss(model, generator(seed))) for seed in range(40)]
    assert float(np.mean(losses)) == pytest.approx(1, abs=0.12)


@torch.no_grad()
def test_only_a_net_that_tells_kinds_apart_meets_others(
    task: DiffusionTask, deviations: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[NoiseKind] = []

    def noting(clean: Tensor, kinds: list[NoiseKind], levels: Tensor, random: np.random.Generator) -> Noisy:
        asked.extend(kinds)
        return add_noise(clean, kinds, levels, random)

    monkeypatch.setattr(tasks, "add_noise", noting)
    real = replace(task, views=(replace(SMALL[0], real=0.6),))
    model = denoiser(deviations)
    real.loss(model, generator())
    assert set(asked) == {"white"}
    model.unet = model.unet.with_kinds(3)
    for seed in range(25):
        real.loss(model, generator(seed))
    shares = [asked.count(kind) / len(asked) for kind in NOISES]
    assert shares == pytest.approx([0.4, 0.3, 0.3], abs=0.12)
    figures = real.validate(model)
    assert {"gain_camera", "gain_jpeg"} <= figures.keys()


def test_a_loss_is_of_its_generator(task: DiffusionTask, deviations: list[float]) -> None:
    model = denoiser(deviations)
    awake(model.unet)
    first, again, other = (float(task.loss(model, generator(seed)).detach()) for seed in (1, 1, 2))
    assert first == again != other


def test_a_denoiser_without_text_is_told_nothing(deviations: list[float]) -> None:
    model = denoiser(deviations)
    assert model.embed(["dog"]) is None
    assert {name.split(".")[0] for name in model.state_dict()} == {"unet"}


def test_denoiser_and_text_encoder_learn_together(task: DiffusionTask, deviations: list[float]) -> None:
    model = denoiser(deviations, new_text_encoder(["thing 1, green"], width=32, layers=1))
    awake(model.unet, 0.1)
    task.loss(model, generator()).backward()
    for part in (model.unet, model.text_encoder):
        assert part is not None
        gradients = [p.grad for p in part.parameters() if p.requires_grad]
        assert all(gradient is not None and bool(gradient.isfinite().all()) for gradient in gradients)
        assert float(np.mean([bool(gradient.any()) for gradient in gradients if gradient is not None])) > 0.9


def test_every_view_is_seen_as_often_as_it_says(task: DiffusionTask, deviations: list[float]) -> None:
    seen: list[tuple[int, ...]] = []

    class Noting(Photographs):
        def __init__(self) -> None:
            self.images, self.subjects = task.train.images, task.train.subjects

        def crops_with_subjects(self, random: Any, count: int, size: int, reduction: Any) -> tuple[Tensor, list[str]]:
            seen.append((count, size))
            return super().crops_with_subjects(random, count, 1, reduction)[0].expand(-1, 3, 8, 8), [""] * count

    views = (View(0.7, 2, 64, (1.0, 2.0)), View(0.2, 3, 32, (1.0, 2.0)), View(0.1, 1, 96, (3.0, 3.0)))
    noting = replace(task, train=Noting(), views=views)
    model = denoiser(deviations)
    with torch.no_grad():
        for seed in range(150):
            noting.loss(model, generator(seed))
    shares = [seen.count((view.count, view.size)) / len(seen) for view in views]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.1)


def test_the_views_that_are_trained_on(task: DiffusionTask, deviations: list[float]) -> None:
    views = DiffusionTask(task.autoencoder, task.train, task.held_out).views
    assert sum(view.share for view in views) == pytest.approx(1)
    model = denoiser(deviations)
    for view in views:
        with torch.no_grad():
            assert 0 < float(replace(task, views=(replace(view, share=1.0),)).loss(model, generator())) < 5


def test_captions_of_training_are_what_is_seen_with_parts_left_out(task: DiffusionTask) -> None:
    crop = torch.cat([torch.full((3, 32, 64), 0.9), torch.tensor([0.2, 0.6, 0.1]).expand(32, 64, 3).movedim(2, 0)], 1)
    look = describe_look(crop)
    assert len(look) > 2
    captions = [task._caption(crop, "dog", generator(seed)) for seed in range(500)]
    words = [caption.split(", ") if caption else [] for caption in captions]
    assert all([each for each in ["dog", *look] if each in said] == said for said in words), "in their order"
    silent = 0.3 * 0.2 ** len(look)
    assert np.mean([not said for said in words]) == pytest.approx(silent, abs=0.05)
    assert np.mean(["dog" in said for said in words]) == pytest.approx(0.7, abs=0.07)
    assert np.mean([look[1] in said for said in words]) == pytest.approx(0.8, abs=0.07)
    unnamed = [task._caption(crop, "", generator(seed)) for seed in range(50)]
    assert not any(caption.startswith(",") for caption in unnamed)


@torch.no_grad()
def test_figures_of_validation_do_not_change_by_themselves(task: DiffusionTask, deviations: list[float]) -> None:
    model = denoiser(deviations)
    figures = task.validate(model)
    assert figures.keys() == {"psnr_15", "psnr_25", "psnr_50"}
    assert figures["psnr_15"] > figures["psnr_25"] > figures["psnr_50"]
    assert figures["psnr_15"] > 20 * np.log10(255 / 15) + 1, "even the filter that it begins as takes noise away"
    torch.manual_seed(99)
    assert task.validate(model) == figures
    torch.nn.init.normal_(model.unet.last.weight, std=0.1)
    assert task.validate(model) != figures


@torch.no_grad()
def test_what_right_captions_take_away_is_a_figure_too(task: DiffusionTask, deviations: list[float]) -> None:
    model = denoiser(deviations, new_text_encoder(["a dog, red"], width=32, layers=1, vocabulary=520))
    assert task.validate(model)["caption_gain"] == 0, "untrained, it hears nothing"
    assert model.unet.text_embedding is not None
    torch.nn.init.normal_(model.unet.text_embedding.weight, std=5.0)
    for layer in (*model.unet.core.modules(), model.unet.last):
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=0.2)
    assert task.validate(model)["caption_gain"] != 0


@torch.no_grad()
def test_what_is_drawn_shows_the_captions_of_held_out_photographs(task: DiffusionTask, deviations: list[float]) -> None:
    plain = task.pictures(denoiser(deviations))["drawn"]
    captioned = task.pictures(denoiser(deviations, new_text_encoder(["a dog"], width=32, layers=1)))["drawn"]
    assert captioned.height > 1.8 * plain.height, "a second row, with captions below it"
    assert np.asarray(plain).astype(float).std() > 5, "something is drawn"


@torch.no_grad()
def test_pictures_are_noisy_and_less_so(task: DiffusionTask, deviations: list[float]) -> None:
    sheet = task.pictures(denoiser(deviations))["denoised"]
    assert sheet.mode == "RGB" and sheet.width >= 6 * 128 and sheet.height >= 6 * 128
    grey = np.asarray(sheet.convert("L")).astype(float)
    rows = np.array_split(grey, 6)
    rough = [np.abs(np.diff(row, axis=1)).mean() for row in rows]
    assert all(noisy > 1.5 * denoised for noisy, denoised in zip(rough[::2], rough[1::2], strict=True))
    assert rough[0] < rough[2] < rough[4]


def test_compiling_concerns_what_the_loss_calls(
    task: DiffusionTask, deviations: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = denoiser(deviations)
    names, calls = set(model.state_dict()), []

    def compiled(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            calls.append(len(arguments))
            return function(*arguments)

        return call

    plain = float(task.loss(model, generator()).detach())
    monkeypatch.setattr(torch, "compile", compiled)
    model.compile()
    assert float(task.loss(model, generator()).detach()) == plain
    assert calls == [4]
    assert set(model.state_dict()) == names, "a checkpoint is the same with and without"
