"""All three parts on thirty small photographs, with the real networks, for one step each."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ldrps import load_prior
from ldrps.errors import InputError, PriorError
from ldrps.prior.tiny.prior import SHIPPED, EmbeddedPrior, load_part, save_part
from ldrps.prior.tiny.tone import TonePosterior
from ldrps.train.command import PARTS, train_part
from ldrps.train.photos import Photographs
from ldrps.train.tasks import ToneTask
from ldrps.train.tones import UNDAMAGED


@pytest.fixture(scope="module")
def trained(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A prior's folder and what was said while it grew."""
    out = tmp_path_factory.mktemp("trained")
    crops = Photographs.crops

    def fewer(photos: Photographs, random: np.random.Generator, count: int, *rest: Any) -> Tensor:
        return crops(photos, random, min(count, 8), *rest)

    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setattr(Photographs, "crops", fewer)  # to save time, most of which validation takes
        return out, {part: list(train_part(part, [photo_folder], out, steps=1)) for part in PARTS}


@pytest.fixture
def untested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ToneTask, "validate", lambda *_: {})


def stopping_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, loss = iter(range(1, 100)), ToneTask.loss

    def stopping(task: ToneTask, model: nn.Module, random: np.random.Generator) -> Tensor:
        if next(calls) == step:
            signal.raise_signal(signal.SIGTERM)
        return loss(task, model, random)

    monkeypatch.setattr(ToneTask, "loss", stopping)


def weights(out: Path) -> bytes:
    return (out / "tone/diffusion_pytorch_model.safetensors").read_bytes()


def test_what_is_said(trained: tuple[Path, dict[str, list[str]]]) -> None:
    lines = trained[1]
    assert {said[0] for said in lines.values()} == {"29 photographs to train on, 1 held out"}
    assert lines["autoencoder"][1].startswith("round trip of held-out crops: ")
    assert float(lines["autoencoder"][1].split()[-2]) > 30
    for part in ("diffusion", "tone"):
        assert len(lines[part]) == 2 and lines[part][1].startswith("step 1  loss ")
    assert "psnr_25" in lines["diffusion"][1] and "undamaged_clean" in lines["tone"][1]


def test_the_folder_is_a_prior(trained: tuple[Path, dict[str, list[str]]]) -> None:
    prior = load_prior(trained[0])
    assert isinstance(prior, EmbeddedPrior) and prior.tone is not None
    assert (prior.latent_channels, prior.factor, prior.size_multiple) == (20, 4, 16)
    random = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0.2, 0.8, 64).expand(1, 3, 48, 64)
    z = prior.encode(ramp)
    torch.testing.assert_close(prior.decode(z), ramp, atol=0.02, rtol=0)
    t = 300
    abar = prior.alphas_cumprod[t]
    noisy = abar**0.5 * z + (1 - abar) ** 0.5 * torch.randn(z.shape, generator=random)
    found = prior.denoise(noisy, t).z0
    # Hardly a step of training, but the preconditioning alone is a Wiener filter.
    assert float((found - z).pow(2).mean()) < float((noisy / abar**0.5 - z).pow(2).mean()) / 2
    assert prior.tone.config["undamaged"] == UNDAMAGED


def test_a_stopped_run_is_no_part_yet(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untested: None
) -> None:
    save_part(tmp_path / "a", "tone", TonePosterior(undamaged=0.5))
    before = weights(tmp_path / "a")
    with monkeypatch.context() as patch:
        stopping_at(2, patch)
        lines = list(train_part("tone", [photo_folder], tmp_path / "a", steps=3))
    assert lines[1].startswith("step 2 ")
    assert lines[2:] == ["stopped at step 2 of 3: nothing is put into the prior yet; go on with --resume"]
    assert weights(tmp_path / "a") == before
    with pytest.raises(InputError, match="give --resume to go on"):
        list(train_part("tone", [photo_folder], tmp_path / "a", steps=3))

    lines = list(train_part("tone", [photo_folder], tmp_path / "a", steps=3, resume=True))
    assert len(lines) == 2 and lines[1].startswith("step 3 ")
    list(train_part("tone", [photo_folder], tmp_path / "b", steps=3))
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != before
    assert load_part(tmp_path / "a", "tone", torch.device("cpu"), torch.float32).config["undamaged"] == UNDAMAGED


def test_a_finished_run_is_put_in_again(photo_folder: Path, tmp_path: Path, untested: None) -> None:
    list(train_part("tone", [photo_folder], tmp_path, steps=1, seed=4))
    before = weights(tmp_path)
    shutil.rmtree(tmp_path / "tone")
    assert len(list(train_part("tone", [photo_folder], tmp_path, steps=1, seed=4, resume=True))) == 1
    assert weights(tmp_path) == before


def test_a_run_may_start_from_trained_weights(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untested: None
) -> None:
    started: list[dict[str, Tensor]] = []
    loss = ToneTask.loss

    def noting(task: ToneTask, model: nn.Module, random: np.random.Generator) -> Tensor:
        started.append({name: tensor.clone() for name, tensor in model.state_dict().items()})
        return loss(task, model, random)

    monkeypatch.setattr(ToneTask, "loss", noting)
    list(train_part("tone", [photo_folder], tmp_path / "out", steps=2, init="embedded"))
    shipped = load_part(SHIPPED, "tone", torch.device("cpu"), torch.float32).state_dict()
    assert all(torch.equal(tensor, shipped[name]) for name, tensor in started[0].items())
    assert not all(torch.equal(tensor, shipped[name]) for name, tensor in started[1].items()), "and is trained"


def test_what_training_cannot_start_from(photo_folder: Path, tmp_path: Path) -> None:
    save_part(tmp_path / "other", "tone", TonePosterior(widths=(8, 16)))
    with pytest.raises(InputError, match="other has another network"):
        list(train_part("tone", [photo_folder], tmp_path / "out", steps=1, init=tmp_path / "other"))
    with pytest.raises(InputError, match="computed, not trained"):
        list(train_part("autoencoder", [photo_folder], tmp_path / "out", init="embedded"))
    list(train_part("autoencoder", [photo_folder], tmp_path / "out"))
    with pytest.raises(InputError, match="have different autoencoders: copy the folder vae"):
        list(train_part("diffusion", [photo_folder], tmp_path / "out", steps=1, init="embedded"))
    with pytest.raises(PriorError, match="none"):
        list(train_part("tone", [photo_folder], tmp_path / "out", steps=1, init=tmp_path / "none"))


@pytest.mark.parametrize(
    ("part", "options", "message"),
    [
        ("unet", {}, "part is 'unet'; there are autoencoder, diffusion, tone"),
        ("tone", {"steps": 0}, "steps is 0; it must be at least 1"),
        ("diffusion", {"steps": -3}, "steps is -3"),
        ("diffusion", {}, "has no autoencoder: run `ldrps train autoencoder` first"),
        ("tone", {"resume": True}, "nothing to resume"),
    ],
)
def test_what_cannot_be_done(
    part: str, options: dict[str, int | bool], message: str, photo_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        list(train_part(part, [photo_folder], tmp_path / "out", **options))  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_no_photographs(tmp_path: Path) -> None:
    lines: Iterator[str] = train_part("autoencoder", [tmp_path / "nowhere"], tmp_path / "out")
    with pytest.raises(InputError, match="nowhere is not a folder"):
        next(lines)
