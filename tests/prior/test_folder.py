from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ldrps.errors import PriorError
from ldrps.prior.diffusers import load_stable_diffusion

UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
VAE_WEIGHTS = "vae/diffusion_pytorch_model.safetensors"
TEXT_WEIGHTS = "text_encoder/model.safetensors"
SCHEDULER = "scheduler/scheduler_config.json"


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(path: Path, change: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    tensors = {key: tensor.clone() for key, tensor in load_file(path).items()}
    change(tensors)
    save_file(tensors, path, {"format": "pt"})


def _only_pickles(folder: Path) -> None:
    (folder / UNET_WEIGHTS).rename(folder / "unet/diffusion_pytorch_model.bin")


def _cut(file: str, keep: Callable[[int], int]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: keep(len(content))])

    return damage


def _write(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(content)


def _edit(file: str, **changes: Any) -> Callable[[Path], object]:
    return lambda folder: edit(folder / file, **changes)


def _weights(file: str, change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], object]:
    return lambda folder: edit_weights(folder / file, change)


def _remove(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for name in names:
            shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()

    return damage


def _make(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).mkdir()


def _many_entries(folder: Path) -> None:
    """100,000 empty tensors: a valid file that parsers stall on."""
    header = json.dumps({f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(100_000)})
    (folder / UNET_WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header.encode())


def _lost_shard(folder: Path) -> None:
    (folder / UNET_WEIGHTS).unlink()
    index = {"weight_map": {"a": "diffusion_pytorch_model-00001-of-00002.safetensors"}}
    (folder / f"{UNET_WEIGHTS}.index.json").write_text(json.dumps(index))


def _leading_out(folder: Path) -> None:
    (folder / UNET_WEIGHTS).rename(folder / "outside.safetensors")
    index = {"weight_map": {"a": "../outside.safetensors"}}
    (folder / f"{UNET_WEIGHTS}.index.json").write_text(json.dumps(index))


# What is done to a folder, and what the message must name.
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    # halves
    "nothing of ours": (_remove("model_index.json", "unet"), "neither model_index.json nor unet/ but scheduler"),
    "no unet": (_remove("unet"), "StableDiffusionPipeline without unet/"),
    "no vae": (_remove("vae"), "no vae/, expected vae/ with config.json.*fetch the folder again"),
    "no scheduler": (_remove("scheduler"), f"{SCHEDULER}: found no such file"),
    "no unet config": (_remove("unet/config.json"), "unet/config.json: found no such file.*fetch"),
    "no unet weights": (_remove(UNET_WEIGHTS), "unet: found no weights, expected diffusion_pytorch_model.safetensors"),
    "no vae weights": (_remove(VAE_WEIGHTS), "vae: found no weights"),
    "no text weights": (_remove(TEXT_WEIGHTS), "text_encoder: found no weights, expected model.safetensors"),
    "no tokenizer": (_remove("tokenizer"), "text_encoder/ alone, expected tokenizer/ and text_encoder/, or neither"),
    "no text encoder": (_remove("text_encoder"), "tokenizer/ alone"),
    "no vocabulary": (_remove("tokenizer/tokenizer.json"), "tokenizer: found no vocab.json"),
    "only pickles": (_only_pickles, "only diffusion_pytorch_model.bin.*can run code.*convert"),
    "lost shard": (_lost_shard, r"index.json: found shards .*00001-of-00002.safetensors'\] are missing"),
    "shard outside": (_leading_out, r"index.json: found shards \['../outside.safetensors'\]"),
    # damage
    "cut json": (_cut("unet/config.json", lambda n: n // 2), "unet/config.json: found broken JSON"),
    "binary json": (_write("vae/config.json", b"\xff\xfe\x00"), "vae/config.json: found broken JSON"),
    "json list": (_write("model_index.json", b"[]"), "model_index.json: found a JSON list, expected a JSON object"),
    "deep json": (_write(SCHEDULER, b"[" * 100_000), f"{SCHEDULER}: found broken JSON"),
    "empty weights": (_write(UNET_WEIGHTS, b""), f"{UNET_WEIGHTS}: found 0 bytes, cut short"),
    "cut header": (_cut(UNET_WEIGHTS, lambda n: 1000), f"{UNET_WEIGHTS}: found 1000 bytes, cut short"),
    "cut weights": (_cut(VAE_WEIGHTS, lambda n: n - 1), f"{VAE_WEIGHTS}: found unreadable safetensors.*fetch"),
    "random header": (_write(VAE_WEIGHTS, (20).to_bytes(8, "little") + b"?" * 40), "unreadable safetensors"),
    "pointer": (_write(UNET_WEIGHTS, b"version https://git-lfs.github.com/spec/v1\n"), "git-lfs pointer.*git lfs pull"),
    "many entries": (_many_entries, f"{UNET_WEIGHTS}: found a header of [0-9]+ bytes, expected at most 1048576"),
    "cut text weights": (_cut(TEXT_WEIGHTS, lambda n: n // 2), f"{TEXT_WEIGHTS}: found unreadable safetensors"),
    "no room for words": (_edit("tokenizer/tokenizer_config.json", model_max_length=[]), r"model_max_length \[\]"),
    "broken tokenizer": (_write("tokenizer/tokenizer.json", b"{}"), "tokenizer.json: found no vocab and merges"),
    # weights that do not fit
    "NaN": (
        _weights(UNET_WEIGHTS, lambda w: w["conv_out.bias"].fill_(torch.nan)),
        f"{UNET_WEIGHTS}: found NaN or infinity in conv_out.bias",
    ),
    "infinity in the vae": (
        _weights(VAE_WEIGHTS, lambda w: w["decoder.conv_in.weight"][0, 0, 0].fill_(torch.inf)),
        "NaN or infinity in decoder.conv_in.weight",
    ),
    "NaN in the text encoder": (
        _weights(TEXT_WEIGHTS, lambda w: next(iter(w.values())).fill_(torch.nan)),
        f"{TEXT_WEIGHTS}: found NaN",
    ),
    "missing tensor": (
        _weights(UNET_WEIGHTS, lambda w: w.pop("conv_in.bias")),
        "1 tensors missing, such as conv_in.bias",
    ),
    "extra tensor": (
        _weights(UNET_WEIGHTS, lambda w: w.update(lora=torch.zeros(1))),
        "1 unknown tensors, such as lora.*different models",
    ),
    "other shape": (
        _weights(UNET_WEIGHTS, lambda w: w.update({"conv_in.bias": torch.zeros(7)})),
        r"conv_in.bias of shape \[7\], expected \[32\]",
    ),
    "quantised": (
        _weights(UNET_WEIGHTS, lambda w: w.update({"conv_in.bias": torch.zeros(32, dtype=torch.int8)})),
        "conv_in.bias in torch.int8",
    ),
    "other width": (
        _edit("unet/config.json", block_out_channels=[32, 96]),
        r"of shape \[.*64.*\], expected \[.*96.*\]",
    ),
    "nonsense": (_edit("vae/config.json", norm_num_groups=5), "vae/config.json: found a configuration that cannot"),
    "more tokens": (
        _edit("text_encoder/config.json", vocab_size=20),
        "tokenizer: found 62 tokens, expected at most 20",
    ),
    # other kinds of model
    "XL by name": (
        _edit("model_index.json", _class_name="StableDiffusionXLPipeline"),
        "Stable Diffusion XL.*not supported",
    ),
    "XL by folder": (_make("text_encoder_2"), "Stable Diffusion XL"),
    "XL by condition": (_edit("unet/config.json", addition_embed_type="text_time"), "text_time: a Stable Diffusion XL"),
    "refined by class": (_edit("unet/config.json", num_class_embeds=1000), "num_class_embeds 1000.*cannot give"),
    "inpainting": (_edit("unet/config.json", in_channels=9), r"in_channels 9 \(inpainting\), expected 4.*plain text"),
    "depth": (_edit("unet/config.json", in_channels=5), r"in_channels 5 \(depth-to-image\)"),
    "other latents": (_edit("vae/config.json", latent_channels=16), "in_channels 4, expected 16.*same model"),
    "learned variance": (_edit("unet/config.json", out_channels=8), "out_channels 8, expected 4"),
    "shifted latents": (_edit("vae/config.json", latents_mean=[0.0] * 4), "latents_mean"),
    "no scale": (_edit("vae/config.json", scaling_factor=0), "scaling_factor 0"),
    "other vae": (_edit("vae/config.json", _class_name="AutoencoderTiny"), "AutoencoderTiny, expected AutoencoderKL"),
    "other unet": (_edit("unet/config.json", _class_name="UNet2DModel"), "UNet2DModel, expected UNet2DConditionModel"),
    "other text encoder": (
        _edit("text_encoder/config.json", model_type="t5"),
        "model_type t5, expected clip_text_model",
    ),
    "other text width": (
        _edit("unet/config.json", cross_attention_dim=1024),
        "hidden_size 32, expected 1024.*same model",
    ),
    "several widths": (_edit("unet/config.json", cross_attention_dim=[32, 64]), r"cross_attention_dim \[32, 64\]"),
    # schedules
    "other prediction": (_edit(SCHEDULER, prediction_type="flow"), f"{SCHEDULER}: found prediction_type 'flow'"),
    "other schedule": (_edit(SCHEDULER, beta_schedule="sigmoid"), "beta_schedule 'sigmoid'"),
    "flow matching": (_write(SCHEDULER, b'{"_class_name": "FlowMatchEulerDiscreteScheduler"}'), "FlowMatchEuler"),
    "no time": (
        _edit(SCHEDULER, num_train_timesteps=10**12),
        "num_train_timesteps 1000000000000, expected a whole number from 2",
    ),
    "betas above one": (_edit(SCHEDULER, beta_end=30.0), "beta_end 30.0, expected a number from 0 to 1"),
    "betas of zero": (_edit(SCHEDULER, trained_betas=[0.0, 0.0]), "alphas_cumprod from 1 to 1"),
    "nested betas": (_edit(SCHEDULER, trained_betas=[[0.1, 0.2]]), r"trained_betas \[\[0.1, 0.2\]\], expected a list"),
    "betas in words": (_edit(SCHEDULER, beta_end="much"), "beta_end much, expected a number from 0 to 1"),
    "epsilon of pure noise": (_edit(SCHEDULER, rescale_betas_zero_snr=True), "alphas_cumprod from 0 to.*epsilon"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_folders_that_cannot_be_used(copied: Path, case: str) -> None:
    damage, message = BROKEN[case]
    damage(copied)
    with pytest.raises(PriorError, match=message) as caught:
        load_stable_diffusion(copied)
    assert str(copied) in str(caught.value) and "; " in str(caught.value), "must name the file, and a remedy"


def test_weights_too_large_for_half_precision(copied: Path) -> None:
    edit_weights(copied / UNET_WEIGHTS, lambda w: w["conv_out.bias"].fill_(3.4e38))
    load_stable_diffusion(copied)
    with pytest.raises(PriorError, match=r"as torch.bfloat16.*or use float32"):
        load_stable_diffusion(copied, dtype=torch.bfloat16)


def test_places_that_are_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match=r"nowhere: found no such folder.*check the path"):
        load_stable_diffusion(tmp_path / "nowhere")
    single = tmp_path / "model.safetensors"
    single.write_bytes(b"")
    with pytest.raises(PriorError, match=r"model.safetensors: found a file.*from_single_file"):
        load_stable_diffusion(str(single))
    (tmp_path / "empty").mkdir()
    with pytest.raises(PriorError, match="but nothing"):
        load_stable_diffusion(tmp_path / "empty")


# Stable Diffusion 2.1 and 2.1-base, which copies mix up


def warnings_of(folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "ldrps"):
        load_stable_diffusion(folder)
    return caplog.text


def test_a_base_model_that_predicts_v_is_doubted(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    edit(copied / "scheduler/scheduler_config.json", prediction_type="v_prediction")
    assert warnings_of(copied, caplog) == ""
    base = copied.rename(copied.parent / "stable-diffusion-2-1-base")
    assert "stable-diffusion-2-1-base" in warnings_of(base, caplog) and "mend prediction_type" in caplog.text
    edit(base / "scheduler/scheduler_config.json", prediction_type="epsilon")
    assert warnings_of(base, caplog) == ""


def test_a_copy_of_a_base_model_is_known_by_its_origin(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    edit(copied / "scheduler/scheduler_config.json", prediction_type="v_prediction")
    edit(copied / "unet/config.json", _name_or_path="stabilityai/stable-diffusion-2-base")
    assert "predicts epsilon" in warnings_of(copied, caplog)


def test_a_768_checkpoint_that_predicts_epsilon_is_doubted(copied: Path, caplog: pytest.LogCaptureFixture) -> None:
    edit(copied / "unet/config.json", sample_size=96)
    assert "768" in warnings_of(copied, caplog) and "epsilon" in caplog.text
    edit(copied / "scheduler/scheduler_config.json", prediction_type="v_prediction")
    assert warnings_of(copied, caplog) == ""
