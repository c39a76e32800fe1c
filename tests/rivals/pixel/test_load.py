"""Models of pixels from folders: what diffusers wrote, and what is no such model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d import UNet2DModel
from hypothesis import given, settings
from hypothesis import strategies as st
from prior.hostile import VALUES, Damage, edited, endless, piped
from rivals.pixel.conftest import FACTS

from ldrps.errors import PriorError
from ldrps.prior.config import FIELDS
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.pixel.gdp import Gdp
from ldrps.rivals.pixel.load import load_pixel_model
from ldrps.rivals.pixel.model import ADM_FILE
from ldrps.rivals.pixel.tao import Tao, TaoSettings
from ldrps.rivals.registry import build_rival

X = torch.randn((2, 3, 16, 24), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def changed(unet_folder: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the folder with other values in one of its files."""

    def change(file: str, **values: Any) -> Path:
        folder = Path(shutil.copytree(unet_folder, tmp_path / "changed", dirs_exist_ok=True))
        path = folder / file
        path.write_text(json.dumps(json.loads(path.read_text()) | values))
        return folder

    return change


def test_it_says_what_the_network_says(unet_folder: Path) -> None:
    model = load_pixel_model(unet_folder)
    unet = UNet2DModel.from_pretrained(unet_folder)
    t = 400
    with torch.no_grad():
        eps = unet(X, t).sample
    said = model.predict(X, t)
    torch.testing.assert_close(said.eps, eps)
    abar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)[t]  # the schedule in the folder
    torch.testing.assert_close(said.x0, (X - (1 - abar) ** 0.5 * eps) / abar**0.5, rtol=1e-3, atol=1e-3)
    assert said.spread is None and model.variance == "fixed_large"
    assert model.size_multiple == 2 and len(model.alphas_cumprod) == 1000


def test_the_layout_of_a_pipeline(unet_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "scheduler").mkdir()
    shutil.copytree(unet_folder, tmp_path / "unet")
    (tmp_path / "unet/scheduler_config.json").rename(tmp_path / "scheduler/scheduler_config.json")
    model, same = load_pixel_model(tmp_path), load_pixel_model(unet_folder)
    assert torch.equal(model.predict(X, 7).eps, same.predict(X, 7).eps)


def test_one_folder_for_all_weights(unet_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other.pth").touch()
    (tmp_path / "pixels").symlink_to(unet_folder)
    assert load_pixel_model(tmp_path).variance == "fixed_large"
    (tmp_path / ADM_FILE).touch()
    with pytest.raises(PriorError, match=f"{ADM_FILE}: found a file that cannot be read as weights"):
        load_pixel_model(tmp_path)


def test_weights_of_half_precision(unet_folder: Path) -> None:
    said = load_pixel_model(unet_folder, dtype=torch.bfloat16).predict(X, 400)
    assert said.eps.dtype == said.x0.dtype == torch.float32
    wanted = load_pixel_model(unet_folder).predict(X, 400).eps
    assert 0 < float((said.eps - wanted).abs().mean()) < 0.05 * float(wanted.abs().mean())


def test_rivals_run_on_it(unet_folder: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (33, 40, 3), dtype=np.uint8)
    for rival in (
        Gdp.build(FACTS, RivalOptions(weights=unet_folder, steps=2, changes={"patch": 32, "stride": 16})),
        Tao(FACTS, load_pixel_model(unet_folder), TaoSettings(steps=2, task="noise")),
    ):
        assert rival(image).levels.shape == image.shape


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"_class_name": "UNet2DConditionModel"}, "found _class_name UNet2DConditionModel"),
        ("config.json", {"in_channels": 4}, "found in_channels 4, expected 3, of a model of pixels"),
        ("config.json", {"num_class_embeds": 10}, "found num_class_embeds 10, expected none"),
        ("config.json", {"time_embedding_type": "fourier"}, "found time_embedding_type fourier"),
        ("config.json", {"layers_per_block": 2}, "tensors missing"),
        ("scheduler_config.json", {"variance_type": "learned"}, "found variance_type 'learned'"),
        ("scheduler_config.json", {"variance_type": "learned_range"}, "found out_channels 3, expected 6"),
        ("scheduler_config.json", {"prediction_type": "flow"}, "found prediction_type 'flow'"),
    ],
)
def test_models_of_another_kind(file: str, values: dict[str, Any], message: str, changed: Callable[..., Path]) -> None:
    with pytest.raises(PriorError, match=message):
        load_pixel_model(changed(file, **values))


def test_folders_without_a_model(changed: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(PriorError, match="found no such folder"):
        load_pixel_model(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(PriorError, match=r"found neither unet/ nor config.json but nothing, expected a UNet2DModel"):
        load_pixel_model(tmp_path / "empty")
    with pytest.raises(PriorError, match=r"give 256x256_diffusion_uncond.pt \(2.2 GB"):
        load_pixel_model(tmp_path / "empty")
    folder = changed("config.json")
    (folder / "diffusion_pytorch_model.safetensors").rename(folder / "diffusion_pytorch_model.bin")
    with pytest.raises(PriorError, match=r"only diffusion_pytorch_model.bin.*can run code when read"):
        load_pixel_model(folder)


@pytest.mark.parametrize(("name", "seed"), [("gdp", 0), ("tao-dark", 10), ("tao-haze", 10), ("tao-noise", 20)])
def test_by_name(name: str, seed: int, unet_folder: Path) -> None:
    rival = build_rival(name, RivalOptions(weights=unet_folder))
    assert (rival.settings.seed, rival.settings.steps) == (seed, 1000)  # type: ignore[attr-defined]
    assert name == "gdp" or rival.settings.task == name.removeprefix("tao-")  # type: ignore[attr-defined]
    assert build_rival(name).model.name == "embedded-pixels"  # type: ignore[attr-defined]


def test_a_folder_of_other_weights(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "dehazer.pth").touch()
    (tmp_path / "notes.json").write_text("{}")
    assert load_pixel_model(tmp_path).name == "embedded-pixels"
    assert f"{tmp_path} has no diffusion model of pixels: the embedded one is taken" in caplog.text


def test_the_embedded_one_denoises() -> None:
    model = load_pixel_model(None)
    assert model.size_multiple == 16
    x_t = X[..., :16]
    assert torch.equal(model.predict(x_t, 300).x0, load_pixel_model("embedded-pixels").predict(x_t, 300).x0)
    ramp = torch.linspace(-0.5, 0.5, 64).expand(1, 3, 64, 64)
    t = 100
    abar = model.alphas_cumprod[t]
    noise = torch.randn(ramp.shape, generator=torch.Generator().manual_seed(1))
    said = model.predict(abar**0.5 * ramp + (1 - abar) ** 0.5 * noise, t)
    level = float(((1 - abar) / abar) ** 0.5)
    assert float((said.x0 - ramp).square().mean()) ** 0.5 < 0.15 * level, "next to all of the noise is gone"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (piped("config.json"), r"config\.json: found a pipe"),
        (endless("scheduler_config.json"), r"scheduler_config\.json: found a device"),
        (piped("diffusion_pytorch_model.safetensors"), r"diffusion_pytorch_model\.safetensors: found a pipe"),
        (edited("config.json", layers_per_block=10**9), "found layers_per_block 1000000000, expected a whole number"),
        (edited("config.json", block_out_channels=[-32, 64]), r"found block_out_channels \[-32, 64\]"),
        (edited("scheduler_config.json", variance_type=["fixed_small"]), r"found variance_type \['fixed_small'\]"),
    ],
)
def test_hostile_folders(damage: Damage, message: str, changed: Callable[..., Path]) -> None:
    folder = changed("config.json")
    damage(folder)
    with pytest.raises(PriorError, match=message):
        load_pixel_model(folder)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["UNet2DModel", "scheduler"]), st.data())
def test_whatever_a_field_says_a_model_of_pixels_is_whole_or_refused(
    unet_folder: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "changed-pixels"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(unet_folder, folder)
    name = {"UNet2DModel": "config.json", "scheduler": "scheduler_config.json"}[kind]
    edited(name, **{data.draw(st.sampled_from(sorted(FIELDS[kind]))): data.draw(st.sampled_from(VALUES))})(folder)
    try:
        model = load_pixel_model(folder)
    except PriorError as error:
        message = str(error)
    else:
        assert model.predict(torch.rand(1, 3, 32, 32), 1).x0.isfinite().all()
        return
    assert ", expected " in message and "; " in message
