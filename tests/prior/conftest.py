"""A tiny Stable Diffusion with random weights, in full diffusers layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def tiny_sd_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`unet/`, `vae/`, `scheduler/`, `tokenizer/`, `text_encoder/`, `model_index.json`, all but the last by their
    libraries' own `save_pretrained`. Read only: copy it before changing anything.
    """
    from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("priors") / "tiny_sd"
    tokenizer = CLIPTokenizer.from_pretrained(_write_vocabulary(tmp_path_factory.mktemp("vocabulary")))
    text_config = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        UNet2DConditionModel(
            sample_size=8, in_channels=4, out_channels=4, block_out_channels=(32, 64), layers_per_block=1,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), cross_attention_dim=32,
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), norm_num_groups=8, attention_head_dim=8,
        ).save_pretrained(folder / "unet")  # fmt: skip
        AutoencoderKL(
            sample_size=32, latent_channels=4, block_out_channels=(16, 16, 32, 32), layers_per_block=1,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, norm_num_groups=8,
        ).save_pretrained(folder / "vae")  # fmt: skip
        CLIPTextModel(text_config).save_pretrained(folder / "text_encoder")
    tokenizer.save_pretrained(folder / "tokenizer")
    DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    ).save_pretrained(folder / "scheduler")  # fmt: skip
    index = {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "text_encoder": ["transformers", "CLIPTextModel"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture
def copied(tiny_sd_folder: Path, tmp_path: Path) -> Path:
    """A copy of `tiny_sd_folder`, to be damaged."""
    return Path(shutil.copytree(tiny_sd_folder, tmp_path / "copied"))


def _write_vocabulary(folder: Path) -> Path:
    """Letters, one merged word, and the special tokens of CLIP: the four files that Stable Diffusion ships."""
    letters = ["!", *"abcdefghijklmnopqrstuvwxyz,."]
    begin, end = "<|startoftext|>", "<|endoftext|>"
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "ca", "cat</w>", begin, end]
    files = {
        "vocab.json": json.dumps({token: number for number, token in enumerate(tokens)}),
        "merges.txt": "#version: 0.2\nc a\nca t</w>\n",
        "special_tokens_map.json": json.dumps(
            {"bos_token": begin, "eos_token": end, "unk_token": end, "pad_token": "!"}
        ),
        "tokenizer_config.json": json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": 77}),
    }
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder
