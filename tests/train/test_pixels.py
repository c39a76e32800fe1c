"""`ldrps train pixels`: a minute model of all the pixels, trained and restored with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ldrps import Restorer, load_prior
from ldrps.errors import InputError
from ldrps.prior.tiny.prior import EmbeddedPrior, load_part
from ldrps.rivals.facts import Facts
from ldrps.rivals.pixel.gdp import Gdp, GdpSettings
from ldrps.rivals.pixel.load import load_pixel_model
from ldrps.rivals.pixel.patch_model import PatchPixels
from ldrps.rivals.pixel.tao import Tao, TaoSettings
from ldrps.train.command import train_part
from ldrps.train.photos import Photographs
from ldrps.train.tasks import DiffusionTask

CPU = torch.device("cpu")
CONFIG = """
[unet]
widths = [16, 32]
blocks = [1]
middle = 1

[diffusion]
steps = 12
warmup = 2
learning_rate = 3e-3
"""


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Few crops and no validation: what they are is tested elsewhere."""
    crops = Photographs.crops_with_subjects

    def fewer(photos: Photographs, random: np.random.Generator, count: int, *rest: Any) -> tuple[Tensor, list[str]]:
        return crops(photos, random, 8 if count > 32 else count, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Photographs, "crops_with_subjects", fewer)
        patch.setattr(DiffusionTask, "validate", lambda *_: {})
        patch.setattr(DiffusionTask, "pictures", lambda *_: {})
        yield


@pytest.fixture(scope="module")
def trained(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pixels")
    config = out.with_name("pixels.toml")
    config.write_text(CONFIG)
    lines = list(train_part("pixels", [photo_folder], out, config=config))
    assert lines[-1].startswith("step 12 of 12 ")
    return out


@pytest.fixture(scope="module")
def dark() -> np.ndarray:
    random = np.random.default_rng(0)
    shape = np.add.outer(np.linspace(20, 60, 40), np.linspace(0, 40, 48))[..., None]
    return (shape + random.normal(0, 4, (40, 48, 3))).clip(0, 255).astype(np.uint8)


def test_its_latents_are_the_pixels_in_another_frame(trained: Path) -> None:
    prior = load_prior(trained)
    assert isinstance(prior, EmbeddedPrior)
    assert prior.latent_channels == 48 and prior.factor == 4
    anything = torch.rand((2, 3, 16, 24), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(prior.decode(prior.encode(anything)), anything, atol=1e-5, rtol=0)
    basis = prior.autoencoder.basis.flatten(1)
    torch.testing.assert_close(basis @ basis.T, torch.eye(48), atol=1e-5, rtol=0)


def test_it_is_a_model_of_pixels(trained: Path, photo_folder: Path) -> None:
    model = load_pixel_model(trained)
    assert isinstance(model, PatchPixels) and model.size_multiple == 8
    assert len(model.alphas_cumprod) == 1000 and float(model.alphas_cumprod[-1]) < 1e-4
    crops = 2 * Photographs([photo_folder]).crops(np.random.default_rng(1), 4, 64, (1.0, 1.0)) - 1
    noise = torch.randn(crops.shape, generator=torch.Generator().manual_seed(0))
    t = 300
    abar = model.alphas_cumprod[t]
    x_t = abar**0.5 * crops + (1 - abar) ** 0.5 * noise
    said = model.predict(x_t, t)
    torch.testing.assert_close(abar**0.5 * said.x0 + (1 - abar) ** 0.5 * said.eps, x_t, atol=1e-4, rtol=0)
    assert float((said.x0 - crops).square().mean()) < float((x_t / abar**0.5 - crops).square().mean()) / 4
    assert said.spread is None and not said.x0.requires_grad


def test_everything_restores_with_it(trained: Path, dark: np.ndarray) -> None:
    prior, model = load_prior(trained), load_pixel_model(trained)
    facts = Facts("minute", "", "all", "")
    results = [
        Restorer(prior)(dark),
        Gdp(facts, model, GdpSettings(steps=3))(dark),
        Tao(facts, model, TaoSettings(steps=3, task="noise"))(dark),
    ]
    assert all(result.levels.shape == dark.shape for result in results)
    first, second = (Gdp(facts, model, GdpSettings(steps=3, seed=seed))(dark).levels for seed in (0, 1))
    assert (first != second).any()


def test_a_prior_of_fewer_latents_is_a_chain_of_these(tiny_prior_folder: Path) -> None:
    prior, model = load_prior(tiny_prior_folder), load_pixel_model(tiny_prior_folder)
    assert isinstance(model, PatchPixels) and prior.latent_channels == 20
    x_t = torch.randn((1, 3, 16, 24), generator=torch.Generator().manual_seed(0))
    said = model.predict(x_t, 300)
    same = 2 * prior.decode(prior.encode((said.x0 + 1) / 2)) - 1
    torch.testing.assert_close(same, said.x0, atol=1e-4, rtol=0)
    seen = 2 * prior.decode(prior.encode((x_t + 1) / 2)) - 1
    torch.testing.assert_close(model.predict(seen, 300).x0, said.x0, atol=1e-4, rtol=0)
    abar = model.alphas_cumprod[300]
    torch.testing.assert_close(abar**0.5 * said.x0 + (1 - abar) ** 0.5 * said.eps, x_t, atol=1e-4, rtol=0)


def test_pixels_do_not_go_on_from_fewer_latents(tiny_prior_folder: Path, photo_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has 20 latents, pixels need 48: leave out --init"):
        list(train_part("pixels", [photo_folder], tmp_path / "out", init=tiny_prior_folder, steps=1))
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="has 20 latents, pixels need 48: give another --out"):
        list(train_part("pixels", [photo_folder], tiny_prior_folder, steps=1))


def test_it_may_start_from_another_of_its_kind(trained: Path, photo_folder: Path, tmp_path: Path) -> None:
    config = trained.with_name("pixels.toml")
    list(train_part("pixels", [photo_folder], tmp_path, config=config, steps=1, init=trained))
    ours, theirs = (load_part(folder, "vae", CPU, torch.float32).state_dict() for folder in (tmp_path, trained))
    torch.testing.assert_close(ours, theirs, atol=0, rtol=0)
