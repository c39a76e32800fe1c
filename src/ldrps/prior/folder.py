"""What a Stable-Diffusion-like folder must hold, checked before any weight is read. Free of torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldrps.errors import PriorError

Config = dict[str, Any]

INDEX = "model_index.json"
SCHEDULER = "scheduler/scheduler_config.json"
# How diffusers and transformers name the weights in each component's folder.
WEIGHT_STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}

_AGAIN = "the download was probably interrupted: fetch the folder again"
_PICKLES = {".bin", ".ckpt", ".pt", ".pth"}
# Relatives of Stable Diffusion that see more than the noisy latents, by their number of input channels.
_OTHER_KINDS = {5: "depth-to-image", 7: "upscaling", 8: "image-editing", 9: "inpainting"}
_EXTRA_CONDITIONS = ("addition_embed_type", "class_embed_type", "num_class_embeds", "encoder_hid_dim_type")


@dataclass(frozen=True)
class Layout:
    """The configuration of each component, and where its weights are. `text` is None where there is no text encoder."""

    folder: Path
    index: Config
    unet: Config
    vae: Config
    scheduler: Config
    text: Config | None
    weights: dict[str, list[Path]]


def unusable(where: Path | str, found: str, expected: str, remedy: str) -> PriorError:
    """An error in the form that all of them have."""
    return PriorError(f"{where}: found {found}, expected {expected}; {remedy}")


def read_json(path: Path) -> Config:
    """The JSON object in a file.

    Raises:
        PriorError: it is missing, broken, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise unusable(path, "no such file", "a JSON file", _AGAIN) from error
    except (OSError, ValueError, RecursionError) as error:
        raise unusable(path, f"broken JSON ({error})", "a JSON object", _AGAIN) from error
    if not isinstance(content, dict):
        raise unusable(path, f"a JSON {type(content).__name__}", "a JSON object", _AGAIN)
    return content


def read_layout(folder: Path) -> Layout:
    """Read and check all that a folder says about itself; its weights are found, not opened.

    Raises:
        PriorError: a file is missing or broken, or the model is of a kind that is not supported.
    """
    index = read_json(folder / INDEX) if (folder / INDEX).is_file() else {}
    _require_stable_diffusion(folder, index)
    unet = _read_component(folder, "unet", "UNet2DConditionModel")
    _require_plain_conditions(unet, folder / "unet/config.json")
    vae = _read_component(folder, "vae", "AutoencoderKL")
    _require_matching_latents(unet, vae, folder)
    text = _read_text_config(folder, cross_attention_width(unet, folder))
    parts = ["unet", "vae"] + (["text_encoder"] if text is not None else [])
    weights = {part: find_weights(folder / part, WEIGHT_STEMS[part]) for part in parts}
    return Layout(folder, index, unet, vae, read_json(folder / SCHEDULER), text, weights)


def find_weights(component: Path, stem: str) -> list[Path]:
    """The safetensors files of a component: one, or its shards. Half-precision variants stand in where alone.

    Raises:
        PriorError: there are none, or only pickles.
    """
    for variant in ("", ".fp16"):
        single = component / f"{stem}{variant}.safetensors"
        if single.is_file():
            return [single]
        index = component / f"{stem}.safetensors.index{variant}.json"
        if index.is_file():
            return _shards(index)
    expected = f"{stem}.safetensors or {stem}.fp16.safetensors"
    pickles = sorted(path.name for path in component.iterdir() if path.suffix in _PICKLES)
    if pickles:
        remedy = (
            "such files can run code when read and are refused: take a revision that has safetensors, or convert the "
            "model where you trust it (DiffusionPipeline.from_pretrained(...).save_pretrained(...))"
        )
        raise unusable(component, f"only {', '.join(pickles)}", expected, remedy)
    raise unusable(component, "no weights", expected, _AGAIN)


def cross_attention_width(unet: Config, folder: Path) -> int | None:
    """The width of the embeddings that a UNet attends to, or None where it attends to none."""
    blocks = (str(unet.get(key, "CrossAttn")) for key in ("down_block_types", "mid_block_type", "up_block_types"))
    if not any("CrossAttn" in kind for kind in blocks):  # absent, they default to blocks that attend
        return None
    width = unet.get("cross_attention_dim", 1280)  # the default of UNet2DConditionModel
    widths = width if isinstance(width, list) else [width]
    if widths and all(isinstance(each, int) and each == widths[0] for each in widths):
        return int(widths[0])
    where = folder / "unet/config.json"
    raise unusable(where, f"cross_attention_dim {width}", "one number", "load a Stable Diffusion 1.x or 2.x")


def _shards(index: Path) -> list[Path]:
    files = read_json(index).get("weight_map")
    names = sorted(set(files.values())) if isinstance(files, dict) else []
    # A name may not lead out of the folder.
    paths = [index.parent / name for name in names if isinstance(name, str) and Path(name).name == name]
    missing = [path.name for path in paths if not path.is_file()]
    if missing or not paths or len(paths) != len(names):
        raise unusable(index, f"shards {names}, of which {missing} are missing", "shards beside this file", _AGAIN)
    return paths


def _require_stable_diffusion(folder: Path, index: Config) -> None:
    pipeline = str(index.get("_class_name", ""))
    # SDXL has two text encoders and wants pooled embeddings and sizes with every call.
    if pipeline.startswith("StableDiffusionXL") or "text_encoder_2" in index or (folder / "text_encoder_2").exists():
        raise _sdxl(folder / INDEX, pipeline or "a second text encoder")
    if (folder / "unet").is_dir():
        return
    holds = sorted(path.name for path in folder.iterdir())[:8]
    found = f"{pipeline} without unet/" if index else f"neither {INDEX} nor unet/ but {', '.join(holds) or 'nothing'}"
    remedy = "give the folder that holds unet/, vae/ and scheduler/, or fetch it again"
    raise unusable(folder, found, "a Stable Diffusion in diffusers layout", remedy)


def _sdxl(where: Path, found: str) -> PriorError:
    expected = "a Stable Diffusion 1.x or 2.x"
    return unusable(where, f"{found}: a Stable Diffusion XL", expected, "load one of those; XL is not supported")


def _read_component(folder: Path, part: str, kind: str) -> Config:
    if not (folder / part).is_dir():
        raise unusable(folder, f"no {part}/", f"{part}/ with config.json and safetensors", _AGAIN)
    config = read_json(folder / part / "config.json")
    if config.get("_class_name") != kind:
        where, found = folder / part / "config.json", f"_class_name {config.get('_class_name')}"
        raise unusable(where, found, kind, "load a Stable Diffusion 1.x or 2.x")
    return config


def _require_plain_conditions(unet: Config, where: Path) -> None:
    if unet.get("addition_embed_type") == "text_time":
        raise _sdxl(where, "addition_embed_type text_time")
    for key in _EXTRA_CONDITIONS:
        if unet.get(key) is not None:
            remedy = "this model wants a condition that ldrps cannot give: load a plain text-to-image model"
            raise unusable(where, f"{key} {unet[key]}", "none", remedy)


def _require_matching_latents(unet: Config, vae: Config, folder: Path) -> None:
    latents, seen, made = vae.get("latent_channels", 4), unet.get("in_channels", 4), unet.get("out_channels", 4)
    expected, where = f"{latents}, the latent channels of vae/config.json", folder / "unet/config.json"
    if seen != latents:
        kind = _OTHER_KINDS.get(seen) if latents == 4 and isinstance(seen, int) else None
        remedy = "load a plain text-to-image model" if kind else "take unet/ and vae/ from the same model"
        raise unusable(where, f"in_channels {seen}" + (f" ({kind})" if kind else ""), expected, remedy)
    if made != latents:
        raise unusable(where, f"out_channels {made}", expected, "take unet/ and vae/ from the same model")
    where, remedy = folder / "vae/config.json", "load a Stable Diffusion 1.x or 2.x"
    for key in ("latents_mean", "latents_std"):
        if vae.get(key) is not None:
            raise unusable(where, f"{key} {vae[key]}", "null: latents that are only scaled", remedy)
    scale, shift = vae.get("scaling_factor", 0.18215), vae.get("shift_factor")
    if not isinstance(scale, int | float) or not scale > 0 or not isinstance(shift, int | float | None):
        raise unusable(where, f"scaling_factor {scale}, shift_factor {shift}", "a positive number, a number", remedy)


def _read_text_config(folder: Path, width: int | None) -> Config | None:
    present = [part for part in ("tokenizer", "text_encoder") if (folder / part).is_dir()]
    if not present:
        return None
    if len(present) == 1:
        raise unusable(folder, f"{present[0]}/ alone", "tokenizer/ and text_encoder/, or neither", _AGAIN)
    where = folder / "text_encoder/config.json"
    config = read_json(where)
    if config.get("model_type") != "clip_text_model":
        remedy = "load a Stable Diffusion 1.x or 2.x, or remove tokenizer/ and text_encoder/ to do without text"
        raise unusable(where, f"model_type {config.get('model_type')}", "clip_text_model", remedy)
    if width is not None and config.get("hidden_size") != width:
        expected = f"{width}, the cross_attention_dim of unet/config.json"
        remedy = "take unet/ and text_encoder/ from the same model"
        raise unusable(where, f"hidden_size {config.get('hidden_size')}", expected, remedy)
    return config
