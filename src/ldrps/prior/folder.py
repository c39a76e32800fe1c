"""What a Stable-Diffusion-like folder must hold, checked before any weight is read. Free of torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ldrps.errors import PriorError
from ldrps.prior.config import admitted
from ldrps.prior.files import AGAIN, Config, is_there, names_in, read_json, require_file
from ldrps.prior.refusal import shown, unusable
from ldrps.prior.tokens import read_tokenizer

INDEX = "model_index.json"
SCHEDULER = "scheduler/scheduler_config.json"
TEXT_CONFIG = "text_encoder/config.json"
# How diffusers and transformers name the weights in each component's folder.
WEIGHT_STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}

MOST_SHARDS = 256

_OTHERS = "load a Stable Diffusion 1.x or 2.x"
_PICKLES = {".bin", ".ckpt", ".pt", ".pth"}
# Relatives of Stable Diffusion that see more than the noisy latents, by their number of input channels.
_OTHER_KINDS = {5: "depth-to-image", 7: "upscaling", 8: "image-editing", 9: "inpainting"}
_EXTRA_CONDITIONS = ("addition_embed_type", "class_embed_type", "num_class_embeds", "encoder_hid_dim_type")


@dataclass(frozen=True)
class Layout:
    """The configuration of each component, the tokenizer's files as `words`, and where the weights are. `text` is None
    and `words` empty where there is no text encoder.
    """

    folder: Path
    index: Config
    unet: Config
    vae: Config
    scheduler: Config
    text: Config | None
    words: Mapping[str, bytes]
    weights: dict[str, list[Path]]


def read_layout(folder: Path) -> Layout:
    """Read and check all that a folder says about itself; its weights are found, not opened.

    Raises:
        PriorError: a file is missing or broken, or the model is of a kind that is not supported.
    """
    index = read_index(folder)
    _require_stable_diffusion(folder, index)
    unet = _read_component(folder, "unet", "UNet2DConditionModel")
    _require_plain_conditions(unet, folder / "unet/config.json")
    vae = _read_component(folder, "vae", "AutoencoderKL")
    _require_matching_latents(unet, vae, folder)
    text = _read_text(folder, cross_attention_width(unet, folder))
    parts = ["unet", "vae"] + (["text_encoder"] if text is not None else [])
    weights = {part: find_weights(folder, part) for part in parts}
    words = {} if text is None else read_tokenizer(folder)
    return Layout(folder, index, unet, vae, read_scheduler(folder), text, words, weights)


def read_index(folder: Path) -> Config:
    """What a folder calls itself; empty where it does not say.

    Raises:
        PriorError: the index is broken.
    """
    return admitted(read_json(folder, INDEX), "model_index", folder / INDEX) if is_there(folder, INDEX) else {}


def read_scheduler(folder: Path, name: str = SCHEDULER) -> Config:
    """The noise levels, and what is predicted, as a folder has them in the file `name`.

    Raises:
        PriorError: the file is missing or broken.
    """
    return admitted(read_json(folder, name), "scheduler", folder / name)


def read_component(folder: Path, part: str, kind: str, remedy: str = _OTHERS) -> Config:
    """The configuration of a network in the folder `part` of a prior's, "" for that itself.

    Raises:
        PriorError: it is missing, broken, or that of another `kind` of network than this class.
    """
    name = within(part, "config.json")
    config = read_json(folder, name)
    if config.get("_class_name") != kind:
        raise unusable(folder / name, f"_class_name {shown(config.get('_class_name'))}", kind, remedy)
    return admitted(config, kind, folder / name)


def read_text(folder: Path) -> Config:
    """The configuration of a CLIP text encoder.

    Raises:
        PriorError: it is missing, broken, or that of another text encoder.
    """
    where = folder / TEXT_CONFIG
    config = read_json(folder, TEXT_CONFIG)
    if config.get("model_type") != "clip_text_model":
        remedy = f"{_OTHERS}, or remove tokenizer/ and text_encoder/ to do without text"
        raise unusable(where, f"model_type {shown(config.get('model_type'))}", "clip_text_model", remedy)
    return admitted(config, "CLIPTextModel", where)


def find_weights(folder: Path, part: str) -> list[Path]:
    """The safetensors files of a network in the folder `part` of a prior's, "" for that itself: one, or its shards.
    Half-precision variants stand in where alone.

    Raises:
        PriorError: there are none, or only pickles; or one is no regular file, or leads out of the folder.
    """
    stem = WEIGHT_STEMS.get(part, "diffusion_pytorch_model")
    for variant in ("", ".fp16"):
        single = within(part, f"{stem}{variant}.safetensors")
        if is_there(folder, single):
            require_file(folder, single)
            return [folder / single]
        index = within(part, f"{stem}.safetensors.index{variant}.json")
        if is_there(folder, index):
            return _shards(folder, part, index)
    component, expected = folder / part, f"{stem}.safetensors or {stem}.fp16.safetensors"
    pickles = [name for name in names_in(component) if Path(name).suffix in _PICKLES][:8]
    if pickles:
        remedy = (
            "such files can run code when read and are refused: take a revision that has safetensors, or convert the "
            "model where you trust it (DiffusionPipeline.from_pretrained(...).save_pretrained(...))"
        )
        raise unusable(component, f"only {', '.join(pickles)}", expected, remedy)
    raise unusable(component, "no weights", expected, AGAIN)


def within(part: str, name: str) -> str:
    """The name of a file in the folder `part` of a prior's, "" for that itself."""
    return f"{part}/{name}" if part else name


def cross_attention_width(unet: Config, folder: Path) -> int | None:
    """The width of the embeddings that a UNet attends to, or None where it attends to none."""
    blocks = (str(unet.get(key, "CrossAttn")) for key in ("down_block_types", "mid_block_type", "up_block_types"))
    if not any("CrossAttn" in kind for kind in blocks):  # absent, they default to blocks that attend
        return None
    width = unet.get("cross_attention_dim", 1280)  # the default of UNet2DConditionModel
    widths = width if isinstance(width, list) else [width]
    if len(set(widths)) == 1:
        return int(widths[0])
    raise unusable(folder / "unet/config.json", f"cross_attention_dim {width}", "one number", _OTHERS)


def _shards(folder: Path, part: str, index: str) -> list[Path]:
    files = read_json(folder, index).get("weight_map")
    held = list(files.values()) if isinstance(files, dict) else []
    # A name may not lead out of the folder.
    wrong = [name for name in held if not isinstance(name, str) or Path(name).name != name]
    names = sorted(set(held)) if not wrong else []
    missing = [name for name in names if not is_there(folder, within(part, name))]
    if wrong or missing or not 1 <= len(names) <= MOST_SHARDS:
        found = f"shards {shown(wrong or names)}" + (f", of which {shown(missing)} are missing" if missing else "")
        raise unusable(folder / index, found, f"names of 1 to {MOST_SHARDS} shards beside this file", AGAIN)
    for name in names:
        require_file(folder, within(part, name))
    return [folder / part / name for name in names]


def _require_stable_diffusion(folder: Path, index: Config) -> None:
    pipeline = shown(index["_class_name"]) if "_class_name" in index else ""
    # SDXL has two text encoders and wants pooled embeddings and sizes with every call.
    if pipeline.startswith("StableDiffusionXL") or "text_encoder_2" in index or is_there(folder, "text_encoder_2"):
        raise _sdxl(folder / INDEX, pipeline or "a second text encoder")
    if os.path.isdir(folder / "unet"):
        return
    holds = names_in(folder)[:8]
    found = (
        f"{pipeline} without unet/" if pipeline else f"neither {INDEX} nor unet/ but {', '.join(holds) or 'nothing'}"
    )
    remedy = "give the folder that holds unet/, vae/ and scheduler/, or fetch it again"
    raise unusable(folder, found, "a Stable Diffusion in diffusers layout", remedy)


def _sdxl(where: Path, found: str) -> PriorError:
    expected = "a Stable Diffusion 1.x or 2.x"
    return unusable(where, f"{found}: a Stable Diffusion XL", expected, "load one of those; XL is not supported")


def _read_component(folder: Path, part: str, kind: str) -> Config:
    if not os.path.isdir(folder / part):
        raise unusable(folder, f"no {part}/", f"{part}/ with config.json and safetensors", AGAIN)
    return read_component(folder, part, kind)


def _require_plain_conditions(unet: Config, where: Path) -> None:
    if unet.get("addition_embed_type") == "text_time":
        raise _sdxl(where, "addition_embed_type text_time")
    for key in _EXTRA_CONDITIONS:
        if unet.get(key) is not None:
            remedy = "this model wants a condition that ldrps cannot give: load a plain text-to-image model"
            raise unusable(where, f"{key} {shown(unet[key])}", "none", remedy)


def _require_matching_latents(unet: Config, vae: Config, folder: Path) -> None:
    latents, seen, made = vae.get("latent_channels", 4), unet.get("in_channels", 4), unet.get("out_channels", 4)
    expected, where = f"{latents}, the latent channels of vae/config.json", folder / "unet/config.json"
    if seen != latents:
        kind = _OTHER_KINDS.get(seen) if latents == 4 else None
        remedy = "load a plain text-to-image model" if kind else "take unet/ and vae/ from the same model"
        raise unusable(where, f"in_channels {seen}" + (f" ({kind})" if kind else ""), expected, remedy)
    if made != latents:
        raise unusable(where, f"out_channels {made}", expected, "take unet/ and vae/ from the same model")
    for key in ("latents_mean", "latents_std"):
        if vae.get(key) is not None:
            found = f"{key} {shown(vae[key])}"
            raise unusable(folder / "vae/config.json", found, "null: latents that are only scaled", _OTHERS)


def _read_text(folder: Path, width: int | None) -> Config | None:
    present = [part for part in ("tokenizer", "text_encoder") if os.path.isdir(folder / part)]
    if not present:
        return None
    if len(present) == 1:
        raise unusable(folder, f"{present[0]}/ alone", "tokenizer/ and text_encoder/, or neither", AGAIN)
    config = read_text(folder)
    if width is not None and config.get("hidden_size") != width:
        expected = f"{width}, the cross_attention_dim of unet/config.json"
        remedy = "take unet/ and text_encoder/ from the same model"
        raise unusable(folder / TEXT_CONFIG, f"hidden_size {config.get('hidden_size')}", expected, remedy)
    return config
