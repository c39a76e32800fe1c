from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

from ldrps import Restorer, preset
from ldrps.errors import InputError, PriorError
from ldrps.prior.base import Prior
from ldrps.prior.diffusers import StableDiffusionPrior, load_stable_diffusion
from ldrps.prior.prediction import PREDICTIONS
from ldrps.settings import LdrpsSettings, Loop

UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
VAE_WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
TEXT_WEIGHTS = "text_encoder/model.safetensors"


@pytest.fixture(scope="module")
def prior(tiny_sd_folder: Path) -> StableDiffusionPrior:
    return load_stable_diffusion(tiny_sd_folder)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def picture(batch: int = 2, height: int = 32, width: int = 48) -> torch.Tensor:
    return torch.rand(batch, 3, height, width, generator=torch.Generator().manual_seed(1))


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# What the networks say, against diffusers and transformers themselves


def test_attributes(prior: StableDiffusionPrior) -> None:
    assert isinstance(prior, Prior)
    assert (prior.latent_channels, prior.factor, prior.size_multiple) == (4, 8, 16)
    assert (prior.name, prior.has_text, prior.text_width) == ("tiny_sd", True, 32)
    assert (prior.dtype, prior.device, prior.prediction) == (torch.float32, torch.device("cpu"), "epsilon")


def test_encode_is_the_scaled_mean_of_the_autoencoder(prior: StableDiffusionPrior, tiny_sd_folder: Path) -> None:
    vae = AutoencoderKL.from_pretrained(tiny_sd_folder / "vae")
    images = picture()
    with torch.no_grad():
        expected = vae.encode(2 * images - 1).latent_dist.mean * 0.18215
    latents = prior.encode(images)
    assert latents.shape == (2, 4, 4, 6) and latents.dtype == torch.float32 and latents.is_contiguous()
    torch.testing.assert_close(latents, expected, atol=1e-5, rtol=1e-4)


def test_decode_is_the_autoencoder_unclamped(prior: StableDiffusionPrior, tiny_sd_folder: Path) -> None:
    vae = AutoencoderKL.from_pretrained(tiny_sd_folder / "vae")
    latents = 10 * noise(2, 4, 3, 5)
    with torch.no_grad():
        expected = vae.decode(latents / 0.18215).sample / 2 + 0.5
    images = prior.decode(latents)
    assert images.shape == (2, 3, 24, 40) and images.dtype == torch.float32 and images.is_contiguous()
    torch.testing.assert_close(images, expected, atol=1e-5, rtol=1e-4)
    assert prior.decode(3e3 * latents).aminmax().min < 0, "must not be clamped"


def test_scaling_and_shift_come_from_the_configuration(copied: Path, prior: StableDiffusionPrior) -> None:
    edit(copied / "vae/config.json", scaling_factor=0.5, shift_factor=0.25)
    shifted = load_stable_diffusion(copied)
    mean = prior.encode(picture()) / 0.18215
    torch.testing.assert_close(shifted.encode(picture()), (mean - 0.25) * 0.5, atol=1e-5, rtol=1e-4)
    z = noise(1, 4, 2, 2)
    torch.testing.assert_close(shifted.decode((z - 0.25) * 0.5), prior.decode(z * 0.18215), atol=1e-5, rtol=1e-4)


def test_denoise_is_the_unet(prior: StableDiffusionPrior, tiny_sd_folder: Path) -> None:
    unet = UNet2DConditionModel.from_pretrained(tiny_sd_folder / "unet")
    scheduler = DDIMScheduler.from_pretrained(tiny_sd_folder / "scheduler")
    scheduler.set_timesteps(20)
    z_t, text = noise(2, 4, 6, 8), noise(2, 5, 32, seed=3)
    with torch.no_grad():
        expected = unet(z_t, 651, encoder_hidden_states=text).sample
    z0, eps = prior.denoise(z_t, 651, text)
    assert eps.dtype == z0.dtype == torch.float32 and not eps.requires_grad and eps.is_contiguous()
    torch.testing.assert_close(eps, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(z0, scheduler.step(expected, 651, z_t).pred_original_sample, atol=1e-4, rtol=1e-4)


def test_denoise_depends_on_time_and_text(prior: StableDiffusionPrior) -> None:
    z_t, text = noise(1, 4, 4, 4), noise(1, 5, 32, seed=3)
    eps = prior.denoise(z_t, 500, text).eps
    assert not torch.allclose(eps, prior.denoise(z_t, 100, text).eps, atol=1e-3)
    assert not torch.allclose(eps, prior.denoise(z_t, 500, -5 * text).eps, atol=1e-3)


def test_embed_is_the_last_hidden_state(prior: StableDiffusionPrior, tiny_sd_folder: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(tiny_sd_folder / "tokenizer")
    model = CLIPTextModel.from_pretrained(tiny_sd_folder / "text_encoder")
    prompts = ["a cat", ""]
    tokens = tokenizer(prompts, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(tokens.input_ids).last_hidden_state
    text = prior.embed(prompts)
    assert text.shape == (2, 77, 32) and text.dtype == torch.float32 and not text.requires_grad
    torch.testing.assert_close(text, expected, atol=1e-5, rtol=1e-4)
    assert not torch.allclose(text[0], text[1], atol=1e-3)


def test_a_long_prompt_is_cut_with_a_warning(prior: StableDiffusionPrior, caplog: pytest.LogCaptureFixture) -> None:
    short = prior.embed(["b " * 75])  # 75 and the two ends are just the 77
    assert not caplog.records
    long = prior.embed(["a cat", "b " * 90])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "92 tokens" in caplog.text and "77" in caplog.text
    torch.testing.assert_close(long[1:], short, atol=1e-5, rtol=1e-4)


def test_noise_levels_of_the_folder(prior: StableDiffusionPrior, tiny_sd_folder: Path) -> None:
    expected = DDIMScheduler.from_pretrained(tiny_sd_folder / "scheduler").alphas_cumprod
    assert torch.equal(prior.alphas_cumprod, expected) and len(expected) == 1000


def test_other_schedulers_of_stable_diffusion_are_read(copied: Path, prior: StableDiffusionPrior) -> None:
    edit(copied / "scheduler/scheduler_config.json", _class_name="PNDMScheduler", skip_prk_steps=True)
    assert torch.equal(load_stable_diffusion(copied).alphas_cumprod, prior.alphas_cumprod)


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_predictions_of_a_prior_are_those_of_ddim(prediction: str, copied: Path, prior: StableDiffusionPrior) -> None:
    edit(copied / "scheduler/scheduler_config.json", prediction_type=prediction)
    z_t, text, t = noise(1, 4, 4, 4), noise(1, 5, 32, seed=3), 901
    output = prior.denoise(z_t, t, text).eps
    z0, eps = load_stable_diffusion(copied).denoise(z_t, t, text)
    scheduler = DDIMScheduler.from_pretrained(copied / "scheduler")
    scheduler.set_timesteps(10)
    torch.testing.assert_close(z0, scheduler.step(output, t, z_t).pred_original_sample, atol=1e-4, rtol=1e-4)
    abar = scheduler.alphas_cumprod[t]
    torch.testing.assert_close(abar.sqrt() * z0 + (1 - abar).sqrt() * eps, z_t, atol=1e-5, rtol=1e-4)


def test_zero_terminal_snr_is_finite_with_v(copied: Path) -> None:
    changes = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    edit(copied / "scheduler/scheduler_config.json", **changes)
    rescaled = load_stable_diffusion(copied)
    assert rescaled.alphas_cumprod[999] == 0
    z0, eps = rescaled.denoise(noise(1, 4, 4, 4), 999, noise(1, 5, 32))
    assert z0.isfinite().all() and eps.isfinite().all()


# Batches, gradients, precision, memory layout


def test_one_call_of_four_is_two_calls_of_two(prior: StableDiffusionPrior) -> None:
    z_t, text = noise(4, 4, 8, 8), noise(4, 7, 32, seed=2)
    whole = prior.denoise(z_t, 451, text)
    halves = [prior.denoise(z_t[i : i + 2], 451, text[i : i + 2]) for i in (0, 2)]
    torch.testing.assert_close(whole.eps, torch.cat([half.eps for half in halves]), atol=1e-5, rtol=0)
    torch.testing.assert_close(whole.z0, torch.cat([half.z0 for half in halves]), atol=1e-5, rtol=1e-5)


def test_decode_passes_gradients_to_latents_alone(prior: StableDiffusionPrior) -> None:
    latents = noise(1, 4, 2, 2).requires_grad_()
    direction = noise(1, 3, 16, 16, seed=5)
    (gradient,) = torch.autograd.grad((prior.decode(latents) * direction).sum(), latents)
    step = 1e-2 * noise(1, 4, 2, 2, seed=6)
    ahead, behind = prior.decode(latents.detach() + step), prior.decode(latents.detach() - step)
    torch.testing.assert_close(((ahead - behind) * direction).sum() / 2, (gradient * step).sum(), atol=1e-4, rtol=2e-2)
    assert not any(weight.requires_grad for net in (prior.unet, prior.vae) for weight in net.parameters())


def test_encode_passes_gradients_to_images(prior: StableDiffusionPrior) -> None:
    images, direction = picture(1, 16, 16).requires_grad_(), noise(1, 4, 2, 2, seed=5)
    (gradient,) = torch.autograd.grad((prior.encode(images) * direction).sum(), images)
    step = 1e-2 * noise(1, 3, 16, 16, seed=6)
    ahead, behind = prior.encode(images.detach() + step), prior.encode(images.detach() - step)
    torch.testing.assert_close(((ahead - behind) * direction).sum() / 2, (gradient * step).sum(), atol=1e-5, rtol=2e-2)


def test_networks_go_by_the_names_of_their_folders(prior: StableDiffusionPrior) -> None:
    assert prior.networks() == {"unet": prior.unet, "vae": prior.vae, "text_encoder": prior.text and prior.text.model}
    assert "AutoencoderKL" in prior.describe()["vae"]


def test_denoise_carries_no_gradient(prior: StableDiffusionPrior) -> None:
    denoised = prior.denoise(noise(1, 4, 4, 4).requires_grad_(), 5, noise(1, 5, 32))
    assert not denoised.z0.requires_grad and not denoised.eps.requires_grad


def test_bfloat16_is_close_to_float32(prior: StableDiffusionPrior, tiny_sd_folder: Path) -> None:
    half = load_stable_diffusion(tiny_sd_folder, dtype=torch.bfloat16)
    assert all(weight.dtype == torch.bfloat16 for weight in half.unet.parameters())
    z_t, text = noise(1, 4, 4, 4), prior.embed(["cat"])
    pairs = [
        (half.encode(picture()), prior.encode(picture())),
        (half.decode(z_t), prior.decode(z_t)),
        (half.denoise(z_t, 301, text).eps, prior.denoise(z_t, 301, text).eps),
        (half.denoise(z_t, 301, text).z0, prior.denoise(z_t, 301, text).z0),
        (half.embed(["cat"]), text),
    ]
    for coarse, fine in pairs:
        assert coarse.dtype == torch.float32
        error = ((coarse - fine).norm() / fine.norm()).item()
        assert 0 < error < 0.03


def test_networks_are_laid_out_for_speed(prior: StableDiffusionPrior) -> None:
    for network in (prior.unet, prior.vae):
        assert {type(p).__name__ for p in network.attn_processors.values()} == {"AttnProcessor2_0"}, "not SDPA"
        kernels = [weight for weight in network.parameters() if weight.ndim == 4 and min(weight.shape[1:]) > 1]
        assert kernels and all(w.is_contiguous(memory_format=torch.channels_last) for w in kernels)
        assert not network.training
    assert prior.text is not None and not prior.text.model.training
    assert prior.text.model.config._attn_implementation == "sdpa"


def test_loading_is_silent_and_leaves_randomness_alone(
    tiny_sd_folder: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    state = torch.get_rng_state()
    load_stable_diffusion(tiny_sd_folder)
    assert capfd.readouterr() == ("", "") and not caplog.records
    assert torch.equal(torch.get_rng_state(), state)


# Folders with less, or other files


def test_without_text_embeddings_come_from_elsewhere(copied: Path, prior: StableDiffusionPrior) -> None:
    for part in ("tokenizer", "text_encoder"):
        shutil.rmtree(copied / part)
    (copied / "model_index.json").unlink()
    mute = load_stable_diffusion(copied)
    assert not mute.has_text and mute.text_width == 32
    z_t, text = noise(1, 4, 4, 4), noise(1, 5, 32)
    torch.testing.assert_close(mute.denoise(z_t, 9, text).eps, prior.denoise(z_t, 9, text).eps)
    with pytest.raises(PriorError, match=r"no text encoder.*\[1, L, 32\]"):
        mute.denoise(z_t, 9)
    with pytest.raises(PriorError, match="no text encoder"):
        mute.embed(["cat"])


def test_a_promised_text_encoder_is_missed(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    for part in ("tokenizer", "text_encoder"):
        shutil.rmtree(copied / part)
    load_stable_diffusion(copied)
    assert "takes no captions" in caplog.text


def test_a_unet_without_attention_wants_no_text(copied: Path) -> None:
    unet = UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, cross_attention_dim=32,
        down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2, mid_block_type=None,
    )  # fmt: skip
    shutil.rmtree(copied / "unet")
    unet.save_pretrained(copied / "unet")
    blind = load_stable_diffusion(copied)
    assert blind.text_width is None
    assert blind.denoise(noise(1, 4, 4, 4), 9).eps.shape == (1, 4, 4, 4)
    with pytest.raises(InputError, match="attends to no text"):
        blind.denoise(noise(1, 4, 4, 4), 9, noise(1, 5, 32))


def test_half_precision_files_stand_in_where_alone(copied: Path, prior: StableDiffusionPrior) -> None:
    for file in (UNET_WEIGHTS, VAE_WEIGHTS, TEXT_WEIGHTS):
        plain = copied / file
        halved = {key: tensor.half() for key, tensor in load_file(plain).items()}
        save_file(halved, plain.with_suffix(".fp16.safetensors"))
        plain.unlink()
    half = load_stable_diffusion(copied)
    assert half.dtype == torch.float32
    z_t, text = noise(1, 4, 4, 4), half.embed(["cat"])
    found, expected = half.denoise(z_t, 9, text).eps, prior.denoise(z_t, 9, text).eps
    assert not torch.equal(found, expected)
    torch.testing.assert_close(found, expected, atol=5e-3, rtol=5e-3)


def test_full_precision_is_preferred(copied: Path, prior: StableDiffusionPrior) -> None:
    (copied / UNET_WEIGHTS).with_suffix(".fp16.safetensors").write_bytes(b"not to be read")
    (copied / "unet/diffusion_pytorch_model.bin").write_bytes(b"not to be read")
    z_t, text = noise(1, 4, 4, 4), noise(1, 5, 32)
    assert torch.equal(load_stable_diffusion(copied).denoise(z_t, 9, text).eps, prior.denoise(z_t, 9, text).eps)


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_shards_are_joined(variant: str | None, copied: Path, prior: StableDiffusionPrior) -> None:
    (copied / UNET_WEIGHTS).unlink()
    prior.unet.save_pretrained(copied / "unet", max_shard_size="1MB", variant=variant)
    assert len(list((copied / "unet").glob("*-of-*.safetensors"))) > 1
    z_t, text = noise(1, 4, 4, 4), noise(1, 5, 32)
    torch.testing.assert_close(load_stable_diffusion(copied).denoise(z_t, 9, text), prior.denoise(z_t, 9, text))


def test_names_of_older_libraries_are_understood(copied: Path, prior: StableDiffusionPrior) -> None:
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}

    def older_name(key: str) -> str:
        for new, before in old.items():
            key = key.replace(f".attentions.0.{new}.", f".attentions.0.{before}.")
        return key

    attention = {older_name(key): tensor.clone() for key, tensor in load_file(copied / VAE_WEIGHTS).items()}
    assert "decoder.mid_block.attentions.0.proj_attn.weight" in attention
    save_file(attention, copied / VAE_WEIGHTS)
    text = {f"text_model.{key}": tensor.clone() for key, tensor in load_file(copied / TEXT_WEIGHTS).items()}
    save_file(text | {"text_model.embeddings.position_ids": torch.arange(77)[None]}, copied / TEXT_WEIGHTS)
    older = load_stable_diffusion(copied)
    assert torch.equal(older.decode(noise(1, 4, 2, 2)), prior.decode(noise(1, 4, 2, 2)))
    assert torch.equal(older.embed(["a cat"]), prior.embed(["a cat"]))


def test_vocabulary_files_do_for_a_tokenizer(copied: Path, prior: StableDiffusionPrior) -> None:
    tokenizer = json.loads((copied / "tokenizer/tokenizer.json").read_text())["model"]
    (copied / "tokenizer/tokenizer.json").unlink()
    (copied / "tokenizer/vocab.json").write_text(json.dumps(tokenizer["vocab"]))
    merges = (" ".join(pair) for pair in tokenizer["merges"])
    (copied / "tokenizer/merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    assert torch.equal(load_stable_diffusion(copied).embed(["a cat"]), prior.embed(["a cat"]))


# Inputs that are refused


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 32, 32), r"shape \[3, 32, 32\].*\[B, 3, H, W\]"),
        (torch.zeros(1, 4, 32, 32), r"shape \[1, 4, 32, 32\]"),
        (torch.zeros(0, 3, 32, 32), r"shape \[0, 3, 32, 32\]"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "uint8.*must be float32"),
        (torch.zeros(1, 3, 24, 32), "24 by 32.*multiples of 16: pad"),
    ],
)
def test_images_that_do_not_fit(prior: StableDiffusionPrior, images: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prior.encode(images)


@pytest.mark.parametrize(
    ("latents", "message"),
    [
        (torch.zeros(1, 3, 4, 4), r"shape \[1, 3, 4, 4\].*\[B, 4, H, W\]"),
        (torch.zeros(4, 4), r"shape \[4, 4\]"),
        (torch.zeros(1, 4, 4, 4, dtype=torch.float64), "float64"),
    ],
)
def test_latents_that_do_not_fit(prior: StableDiffusionPrior, latents: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prior.decode(latents)
    with pytest.raises(InputError, match=message):
        prior.denoise(latents, 5, noise(len(latents), 5, 32))


def test_latents_of_odd_size_are_not_denoised(prior: StableDiffusionPrior) -> None:
    with pytest.raises(InputError, match=r"4 by 5.*multiples of 2"):
        prior.denoise(noise(1, 4, 4, 5), 5, noise(1, 5, 32))


@pytest.mark.parametrize("t", [-1, 1000])
def test_timesteps_outside_the_schedule(prior: StableDiffusionPrior, t: int) -> None:
    with pytest.raises(InputError, match=f"t is {t}.*0 to 999"):
        prior.denoise(noise(1, 4, 4, 4), t, noise(1, 5, 32))


@pytest.mark.parametrize("shape", [(2, 5, 32), (1, 5, 31), (5, 32), (1, 0, 32)])
def test_text_that_does_not_fit(prior: StableDiffusionPrior, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=re.escape(str(list(shape))) + r".*\[1, L, 32\]"):
        prior.denoise(noise(1, 4, 4, 4), 5, noise(*shape))


def test_text_must_not_be_forgotten(prior: StableDiffusionPrior) -> None:
    with pytest.raises(InputError, match=r"embed\(\[''\]\)"):
        prior.denoise(noise(1, 4, 4, 4), 5)


@pytest.mark.parametrize("prompts", ["a cat", [], [None]])
def test_prompts_are_a_list(prior: StableDiffusionPrior, prompts: Any) -> None:
    with pytest.raises(InputError, match="list of at least one string"):
        prior.embed(prompts)


def test_the_default_preset_restores_with_it(prior: StableDiffusionPrior) -> None:
    """What is dark comes out lighter, and goes through the net: what judges the damage is the package's own."""
    ramp = np.add.outer(np.linspace(2, 30, 64), np.linspace(0, 20, 64))[..., None]
    picture = (ramp + np.random.default_rng(0).normal(0, 6, (64, 64, 3))).clip(0, 255).astype(np.uint8)
    result = Restorer(prior, preset("default").with_knowledge(noise=6))(picture)
    assert result.findings.tones.stops < -0.8 and result.losses
    assert np.asarray(result.image).mean() > 1.5 * picture.mean()


def test_the_preset_ldrps_runs_with_it(prior: StableDiffusionPrior) -> None:
    """From pure noise, with free samples that are drawn of this prior; an untrained one has nothing to say of light."""
    settings = preset("ldrps").with_changes(steps=4)
    assert isinstance(settings.method, LdrpsSettings)
    settings = settings.with_changes(method=replace(settings.method, loop=Loop(undamaged=-2e9, damaged=-1e9)))
    ramp = np.add.outer(np.linspace(2, 30, 64), np.linspace(0, 20, 64))[..., None]
    dark = (ramp + np.random.default_rng(0).normal(0, 6, (64, 64, 3))).clip(0, 255).astype(np.uint8)
    result = Restorer(prior, settings)(dark)
    assert result.damage is not None and result.damage.tone is not None and result.damage.tone.share == 1
    assert [line["round"] for line in result.losses[:6]] == [0, 0, 0, 0, 1, 1]
    assert np.isfinite(np.asarray(result.image)).all() and not result.unchanged
