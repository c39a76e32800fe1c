"""All four parts on thirty small photographs, with small networks where there is a choice, for a few steps each."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Run, until
from PIL import Image
from torch import Tensor, nn

from ldrps import load_prior
from ldrps.errors import InputError, PriorError
from ldrps.estimation.estimators import load_estimators, save_estimator
from ldrps.estimation.tone import newest
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.prior.tiny.prior import EmbeddedPrior, load_part
from ldrps.train import command as train_command
from ldrps.train.command import train_part
from ldrps.train.loop import train
from ldrps.train.order import PARTS
from ldrps.train.photos import Photographs
from ldrps.train.tasks import CaptionedDenoiser, DiffusionTask
from ldrps.train.tone_task import ToneTask
from ldrps.train.tones import UNDAMAGED

SMALL = """
[text]
width = 32
layers = 1
vocabulary = 700

[unet]
widths = [8, 32]
blocks = [1]
middle = 2
"""


# `ldrps` in a process of its own, with as few crops as the fixture `fewer` leaves.
FEWER = """
from ldrps.cli import main
from ldrps.train.photos import Photographs
crops = Photographs.crops_with_subjects
Photographs.crops_with_subjects = lambda self, random, count, *rest: crops(
    self, random, 8 if count > 32 else count, *rest
)
main()
"""

# The same, which comes no further than its ninth checkpoint, however long nobody ends it.
WAITING = f"""
import time
from ldrps.train import loop
written, replace_file = [], loop.replace_file
def replaced(path, write, **how):
    replace_file(path, write, **how)
    written.append(path.name)
    if written.count("checkpoint.pt") == 9:
        time.sleep(600)
loop.replace_file = replaced
{FEWER}"""


@pytest.fixture(scope="module")
def folder(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photographs, every one described, so that none needs the tagger. Read only."""
    found = tmp_path_factory.mktemp("described")
    shutil.copytree(photo_folder, found, dirs_exist_ok=True)
    lines = [f"{path.name}\t{'zebra' if k % 2 else 'golden retriever'}\n" for k, path in enumerate(found.iterdir())]
    (found / "captions.tsv").write_text("".join(lines))
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config of small networks."""
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module", autouse=True)
def fewer() -> Iterator[None]:
    """To save time, most of which crops and validation take."""
    crops = Photographs.crops_with_subjects

    def fewer(photos: Photographs, random: np.random.Generator, count: int, *rest: Any) -> tuple[Tensor, list[str]]:
        return crops(photos, random, 8 if count > 32 else count, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Photographs, "crops_with_subjects", fewer)
        yield


@pytest.fixture(scope="module")
def trained(folder: Path, small: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A prior's folder and what was said while it grew."""
    out = tmp_path_factory.mktemp("trained")
    lines = {part: list(train_part(part, [folder], out, config=small, steps=1)) for part in ("autoencoder", "text")}
    shutil.copytree(out, out.with_name("begun"))  # see `begun`
    lines |= {
        part: list(train_part(part, [folder], out, config=small, steps=1))
        for part in ("diffusion", "tone", "noise", "blur", "cast", "scratches", "enlarger")
    }
    assert lines.keys() | {"pixels", "zero-dce"} == set(PARTS), "those two are no parts of this prior"
    return out, lines


@pytest.fixture
def begun(trained: tuple[Path, dict[str, list[str]]], tmp_path: Path) -> Callable[[str], Path]:
    """Makes folders, by name, with all that diffusion needs: an autoencoder and untrained text."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(trained[0].with_name("begun"), tmp_path / name))

    return copy


@pytest.fixture
def untested(monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (ToneTask, DiffusionTask):
        monkeypatch.setattr(task, "validate", lambda *_: {})
        monkeypatch.setattr(task, "pictures", lambda *_: {})


def stopping_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, loss = iter(range(1, 100)), ToneTask.loss

    def stopping(task: ToneTask, model: nn.Module, random: np.random.Generator) -> Tensor:
        if next(calls) == step:
            signal.raise_signal(signal.SIGTERM)
        return loss(task, model, random)

    monkeypatch.setattr(ToneTask, "loss", stopping)


def weights(out: Path, part: str = "tone") -> bytes:
    return next((out / part).glob("*.safetensors")).read_bytes()


def test_what_is_said(trained: tuple[Path, dict[str, list[str]]]) -> None:
    lines = trained[1]
    assert {said[0] for said in lines.values()} == {"29 photographs to train on, 1 held out"}
    assert lines["autoencoder"][1].startswith("round trip of held-out crops: ")
    assert float(lines["autoencoder"][1].split()[-2]) > 30
    found = re.fullmatch(r"a vocabulary of (\d+) tokens from captions such as: (.*)", lines["text"][1])
    assert found is not None and 514 < int(found[1]) <= 700
    assert found[2].startswith(("zebra, ", "golden retriever, "))
    assert re.match(r"step 1 of 1  loss -?\d+\.\d{4}  0:00:00 left  right \d+\.\d\d  factor ", lines["noise"][1])
    for part in ("diffusion", "tone"):
        assert len(lines[part]) == 2
        assert re.match(r"step 1 of 1  loss -?\d+\.\d{4}  0:00:00 left  \w+ \d+\.\d\d ", lines[part][1])
    assert "psnr_25" in lines["diffusion"][1] and "nothing_photos" in lines["tone"][1]


def test_the_folder_is_a_prior(trained: tuple[Path, dict[str, list[str]]]) -> None:
    prior = load_prior(trained[0])
    assert isinstance(prior, EmbeddedPrior)
    assert (prior.latent_channels, prior.factor, prior.size_multiple) == (32, 4, 8)
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
    assert load_estimators(trained[0]).tone.config["undamaged"] == UNDAMAGED, "and one of estimators"


def test_the_folder_is_a_prior_that_knows_text(trained: tuple[Path, dict[str, list[str]]]) -> None:
    prior = load_prior(trained[0])
    assert isinstance(prior, EmbeddedPrior) and prior.has_text and prior.text is not None
    assert prior.unet.config["text_width"] == prior.text.model.config.hidden_size == 32
    tokens = prior.text.tokenizer.tokenize("golden retriever, a zebra")
    assert [token for token in tokens if len(token) > 8] == ["golden</w>", "retriever</w>", "zebra</w>"]
    text = prior.embed(["zebra"])
    assert text.shape == (1, 32, 32)
    assert bool(prior.denoise(torch.zeros(1, 32, 8, 8), 500, text).z0.isfinite().all())
    words, begun = (
        json.loads((folder / "tokenizer/tokenizer.json").read_text())["model"]
        for folder in (trained[0], trained[0].with_name("begun"))
    )
    assert words == begun, "training changes what words mean, not their numbers"


@pytest.mark.parametrize(("part", "picture"), [("diffusion", "denoised"), ("tone", "tones")])
def test_what_there_is_to_look_at(part: str, picture: str, trained: tuple[Path, dict[str, list[str]]]) -> None:
    training = trained[0] / "training" / part
    for name in (picture, "curve"):
        with Image.open(training / f"{name}.png") as image:
            dark, bright = image.convert("L").getextrema()
            assert min(image.size) >= 180 and bright - dark > 200
    first, report = [json.loads(line) for line in (training / "log.jsonl").read_text().splitlines()]
    assert first["plan"]["steps"] == 1 and report["step"] == 1 and report["left"] == 0
    assert all(np.isfinite(list(report["validation"].values())))


def test_without_text_a_denoiser_is_trained_alone(folder: Path, small: Path, tmp_path: Path, untested: None) -> None:
    list(train_part("autoencoder", [folder], tmp_path, config=small))
    list(train_part("diffusion", [folder], tmp_path, config=small, steps=1))
    prior = load_prior(tmp_path)
    assert not prior.has_text and "text_encoder" not in json.loads((tmp_path / "model_index.json").read_text())


def test_a_killed_run_that_is_resumed_repeats_an_unbroken_one(
    folder: Path, begun: Callable[[str], Path], tmp_path: Path, untested: None
) -> None:
    """SIGKILL in the midst of a training in a process of its own, as when memory or the machine's time is up."""
    config = tmp_path / "often.toml"
    config.write_text(SMALL + "[diffusion]\nsteps = 15\nwarmup = 2\nema = 0.9\ncheckpoint_seconds = 0\n")
    out = begun("killed")
    before = weights(out, "text_encoder")
    words = [sys.executable, "-c", WAITING, "train", "diffusion", "--data", folder, "--out", out, "--config", config]
    checkpoint = out / "training/diffusion/checkpoint.pt"
    with subprocess.Popen([*map(str, words)], stdout=subprocess.DEVNULL) as process:
        until(lambda: checkpoint.exists() or process.poll() is not None)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    done = torch.load(checkpoint, weights_only=True)["step"]
    assert 0 < done < 15
    assert not (out / "unet").exists() and weights(out, "text_encoder") == before

    lines = list(train_part("diffusion", [folder], out, config=config, resume=True))
    assert lines[-1].startswith("step 15 of 15 ")
    whole = begun("whole")
    list(train_part("diffusion", [folder], whole, config=config))
    for part in ("unet", "text_encoder"):
        assert weights(out, part) == weights(whole, part) != before
    assert not list(checkpoint.parent.glob(".ldrps-partial-*.png"))


def test_the_config_decides_and_options_count_more(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untested: None
) -> None:
    plans = []

    def noting(model: nn.Module, task: Any, plan: Any, out: Path, **options: Any) -> Any:
        plans.append(plan)
        return train(model, task, plan, out, **options)

    monkeypatch.setattr(train_command, "train", noting)
    config = tmp_path / "tone.toml"
    config.write_text("[tone]\nsteps = 2\nseed = 5\nlearning_rate = 0.25\ndevice = 'abacus'\n[diffusion]\nseed = 8")
    with pytest.raises(PriorError, match="abacus"):
        list(train_part("tone", [folder], tmp_path / "a", config=config))
    assert not (tmp_path / "a").exists()
    list(train_part("tone", [folder], tmp_path / "a", config=config, device="cpu"))
    list(train_part("tone", [folder], tmp_path / "b", config=config, device="cpu", steps=1, seed=0))
    found = [(plan.steps, plan.seed, plan.device, plan.learning_rate) for plan in plans]
    assert found == [(2, 5, "cpu", 0.25), (1, 0, "cpu", 0.25)]


def test_the_size_of_the_networks_is_that_of_the_config(folder: Path, tmp_path: Path, untested: None) -> None:
    config = tmp_path / "sizes.toml"
    config.write_text(
        "[autoencoder]\nlatent_channels = 12\n[text]\nwidth = 64\nlayers = 3\nvocabulary = 600\n"
        "[unet]\nwidths = [8, 16, 32]\nblocks = [1, 2]\nmiddle = 1\n"
    )
    for part in ("autoencoder", "text", "diffusion"):
        list(train_part(part, [folder], tmp_path / "out", config=config, steps=1))
    prior = load_prior(tmp_path / "out")
    assert isinstance(prior, EmbeddedPrior) and prior.text is not None
    assert (prior.latent_channels, prior.size_multiple) == (12, 16)
    assert (prior.text.model.config.num_hidden_layers, prior.embed(["x"]).shape[-1]) == (3, 64)
    assert 514 < len(prior.text.tokenizer) <= 600
    assert [len(blocks) for blocks in prior.unet.encoder] == [1, 2] and len(prior.unet.core) == 1


def test_training_in_bfloat16(folder: Path, begun: Callable[[str], Path], tmp_path: Path, untested: None) -> None:
    losses = []
    for kind in ("true", "false"):
        config = tmp_path / f"{kind}.toml"
        config.write_text(SMALL + f"[diffusion]\nsteps = 2\nwarmup = 1\nbfloat16 = {kind}\n")
        list(train_part("diffusion", [folder], begun(kind), config=config))
        log = (tmp_path / kind / "training/diffusion/log.jsonl").read_text().splitlines()
        losses.append(json.loads(log[-1])["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=0.02) and losses[0] != losses[1]
    prior = load_prior(tmp_path / "true")
    assert bool(prior.denoise(torch.zeros(1, 32, 8, 8), 500, prior.embed(["zebra"])).z0.isfinite().all())


def test_on_the_command_line(
    folder: Path, small: Path, begun: Callable[[str], Path], tmp_path: Path, command: Run, untested: None
) -> None:
    out = begun("out")
    words = ["train", "diffusion", "--data", folder, "--out", out, "--steps", 1, "--config", small]
    code, said, _ = command(*words, "--device", "cpu", "--seed", 3)
    assert code == 0 and said.splitlines()[1].startswith("step 1 of 1  loss ")
    assert json.loads((out / "training/diffusion/log.jsonl").read_text().splitlines()[0])["plan"]["seed"] == 3
    assert load_prior(out).has_text
    for wrong, message in (
        (["--seed", 4, "--resume"], "is of a run with seed 3, not 4: give that seed"),
        (["--device", "abacus", "--seed", 3, "--resume"], "abacus"),
        (["--config", tmp_path / "none.toml"], "none.toml is no file: give a TOML file"),
        (["--seed", 3], "checkpoint.pt exists: give --resume to go on"),
    ):
        code, said, err = command(*words, *wrong)
        assert code == 2 and message in " ".join(err.split())


def test_networks_that_cannot_be(folder: Path, begun: Callable[[str], Path], tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text("[unet]\nwidths = [32, 32]\n")
    with pytest.raises(InputError, match=r"widths are \[32, 32\] and blocks \[3, 4\]"):
        list(train_part("diffusion", [folder], begun("out"), config=config))


def test_a_stopped_run_is_no_part_yet(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, untested: None
) -> None:
    save_estimator(tmp_path / "a", "tone", TonePosterior(undamaged=0.5))
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
    assert load_estimators(tmp_path / "a").tone.config["undamaged"] == UNDAMAGED


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
    shipped = newest(load_estimators().tone).state_dict()
    assert all(torch.equal(tensor, shipped[name]) for name, tensor in started[0].items())
    assert not all(torch.equal(tensor, shipped[name]) for name, tensor in started[1].items()), "and is trained"
    assert load_estimators(tmp_path / "out").tone.config["undamaged"] == UNDAMAGED, "as of this training"


@pytest.mark.parametrize("words", ["its own", "other", "none"])
def test_a_warm_start_and_words(
    words: str,
    folder: Path,
    small: Path,
    trained: tuple[Path, dict[str, list[str]]],
    begun: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    untested: None,
) -> None:
    """A denoiser goes on with the text encoder that it knows; one that it does not know it listens to from nothing."""
    init, out, started = trained[0], begun("out"), []
    loss = DiffusionTask.loss

    def noting(task: DiffusionTask, model: CaptionedDenoiser, random: np.random.Generator) -> Tensor:
        started.append({name: tensor.clone() for name, tensor in model.unet.state_dict().items()})
        return loss(task, model, random)

    monkeypatch.setattr(DiffusionTask, "loss", noting)
    for part in ("text_encoder", "tokenizer"):
        shutil.rmtree(out / part)
        if words == "its own":
            shutil.copytree(init / part, out / part)
    if words == "other":
        list(train_part("text", [folder], out, config=small, seed=1))
    list(train_part("diffusion", [folder], out, config=small, steps=1, init=init))
    known = load_part(init, "unet", torch.device("cpu"), torch.float32).state_dict()
    listening = {name for name in known if name.startswith(("text_embedding", "attention.words"))}
    assert len(listening) == 4
    assert started[0].keys() == (known.keys() - listening if words == "none" else known.keys())
    for name, tensor in started[0].items():
        if words == "other" and name in listening:
            assert not tensor.any(), "what a caption says changes nothing at first"
        else:
            torch.testing.assert_close(tensor, known[name], rtol=0, atol=0)
    assert load_prior(out).has_text == (words != "none")


def test_a_warm_start_with_more_latents(
    folder: Path, small: Path, trained: tuple[Path, dict[str, list[str]]], tmp_path: Path, untested: None
) -> None:
    """The denoiser of a prior with fewer components of the same patches goes on; fewer than it has are refused."""
    config, out = tmp_path / "config.toml", tmp_path / "out"
    for channels in (40, 24):
        config.write_text(f"{small.read_text()}[autoencoder]\nlatent_channels = {channels}")
        list(train_part("autoencoder", [folder], out, config=config))
        if channels == 40:
            list(train_part("diffusion", [folder], out, config=config, steps=1, init=trained[0]))
    known = load_part(trained[0], "unet", torch.device("cpu"), torch.float32)
    unet = load_part(out, "unet", torch.device("cpu"), torch.float32)
    assert unet.config["sigma_data"][:32] == known.config["sigma_data"] and len(unet.config["sigma_data"]) == 40
    torch.testing.assert_close(unet.core[0].expand.weight, known.core[0].expand.weight, atol=5e-3, rtol=0)
    with pytest.raises(InputError, match="have different autoencoders: copy the folder vae"):
        list(train_part("diffusion", [folder], tmp_path / "out", config=config, steps=1, init=trained[0]))


def test_what_training_cannot_start_from(photo_folder: Path, tmp_path: Path) -> None:
    save_estimator(tmp_path / "other", "tone", TonePosterior(widths=(8, 16)))
    with pytest.raises(InputError, match="other has another network"):
        list(train_part("tone", [photo_folder], tmp_path / "out", steps=1, init=tmp_path / "other"))
    with pytest.raises(InputError, match="autoencoder is made from the photographs, not trained by"):
        list(train_part("autoencoder", [photo_folder], tmp_path / "out", init="embedded"))
    with pytest.raises(InputError, match="text is made from the photographs, not trained by itself"):
        list(train_part("text", [photo_folder], tmp_path / "out", init="embedded"))
    list(train_part("autoencoder", [photo_folder], tmp_path / "out"))
    with pytest.raises(InputError, match="have different autoencoders: copy the folder vae"):
        list(train_part("diffusion", [photo_folder], tmp_path / "out", steps=1, init="embedded"))
    with pytest.raises(PriorError, match="none"):
        list(train_part("tone", [photo_folder], tmp_path / "out", steps=1, init=tmp_path / "none"))


@pytest.mark.parametrize(
    ("part", "options", "message"),
    [
        ("unet", {}, "part is 'unet'; there are autoencoder, text, diffusion, tone"),
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
