"""What the configurations in a prior's folder may say: the one place that has their limits. Free of torch.

Each field that we, diffusers or transformers read has a kind and a range. They leave room for several times what any
Stable Diffusion 1 or 2, ADM-256 and the priors of `ldrps train` have, and are tight enough that a network of a
configuration that passes is built on the meta device within seconds and some hundred megabytes:

- at most `MOST_LEVELS` levels of at most `WIDEST` channels;
- levels x layers of a level x transformers of a layer, the largest of each, at most `MOST_BLOCKS` (Stable Diffusion has
  8, ADM-256 has 12), and at most `MOST_OWN_BLOCKS` of the small blocks of a `LatentUNet` (ours has 20);
- at most `MOST_PARAMETERS` weights in a network (the largest UNet, of Stable Diffusion 2, has 0.87 billion), which
  `weights.build` counts once it is built.

A field that is not named here is left out, as the libraries would ignore it; what they have no name for cannot reach
them. Which fields must be there is for those to say who need them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ldrps.prior.files import Config
from ldrps.prior.kinds import Flag, Kind, Null, Number, Record, Several, Table, Whole, Word
from ldrps.prior.refusal import shown, unusable

logger = logging.getLogger(__name__)

MOST_LEVELS, WIDEST, MOST_BLOCKS, MOST_OWN_BLOCKS = 8, 8192, 64, 256
MOST_PARAMETERS, MOST_TIMESTEPS, MOST_TOKENS = 2_000_000_000, 100_000, 1 << 18

_NULL, _FLAG, _WORD = Null(), Flag(), Word()
_WIDTH = Whole(1, WIDEST)
_SHARE = Number(0, 1)
_SQUARE = Whole(8, 1024)  # pixels of a thumbnail
_FACTOR = Number(1e-6, 1e6)
_LAYERS, _TRANSFORMERS, _OWN_BLOCKS = Whole(1, 16), Whole(1, 16), Whole(0, MOST_OWN_BLOCKS)
_TOKEN_ID = Whole(0, 10**9)
_FLAGS_OF_TOKENS = ("lstrip", "rstrip", "normalized", "single_word", "special")
_TOKEN: dict[str, Kind] = {"content": Word(512), "__type": _WORD, **dict.fromkeys(_FLAGS_OF_TOKENS, _FLAG)}
_SPECIAL = Word(512) | Record(_TOKEN, ("content",))
_SPECIALS = Several(_SPECIAL, 0, 1024) | Table(_SPECIAL, 1024)


def _levels(kind: Kind, least: int = 1) -> Kind:
    return Several(kind, least, MOST_LEVELS)


def _each(kind: Kind) -> Kind:
    """One for all levels, or one for each."""
    return kind | _levels(kind)


_NAMES: dict[str, Kind] = {"_class_name": _WORD | Several(_WORD, 1, 4), "_name_or_path": Word(4096) | _NULL}
_CLASS = Several(_WORD | _NULL, 2, 2) | _NULL  # library and name
_SIZE = Whole(1, 1 << 16) | Several(Whole(1, 1 << 16), 2, 2) | _NULL

_CONVOLUTIONS: dict[str, Kind] = {
    **_NAMES,
    "sample_size": _SIZE,
    "down_block_types": _levels(_WORD),
    "up_block_types": _levels(_WORD),
    "block_out_channels": _levels(_WIDTH),
    "act_fn": _WORD,
}
_UNET: dict[str, Kind] = {
    **_CONVOLUTIONS,
    "in_channels": Whole(1, 1024),
    "out_channels": Whole(1, 1024),
    "center_input_sample": _FLAG,
    "flip_sin_to_cos": _FLAG,
    "freq_shift": Number(-16, 16),
    "mid_block_type": _WORD | _NULL,
    "mid_block_scale_factor": _FACTOR,
    "downsample_padding": Whole(0, 8),
    "dropout": _SHARE,
    "norm_eps": _SHARE,
    "resnet_time_scale_shift": _WORD,
    "time_embedding_type": _WORD,
    "time_embedding_dim": _WIDTH | _NULL,
    "class_embed_type": _WORD | _NULL,
    "num_class_embeds": Whole(1, 1 << 20) | _NULL,
}
_SPECIAL_TOKENS: dict[str, Kind] = {
    **{f"{place}_token": _SPECIAL for place in ("bos", "eos", "unk", "pad")},
    "additional_special_tokens": _SPECIALS,
    "extra_special_tokens": _SPECIALS,
}
_SIDE = Word(choices=("left", "right"))

FIELDS: dict[str, Mapping[str, Kind]] = {
    "model_index": {**_NAMES, "text_encoder": _CLASS, "text_encoder_2": _CLASS},
    "scheduler": {
        **_NAMES,
        "num_train_timesteps": Whole(2, MOST_TIMESTEPS) | _NULL,
        "beta_start": _SHARE | _NULL,
        "beta_end": _SHARE | _NULL,
        "beta_schedule": _WORD | _NULL,
        "trained_betas": Several(_SHARE, 2, MOST_TIMESTEPS) | _NULL,
        "rescale_betas_zero_snr": _FLAG | _NULL,
        "prediction_type": _WORD,
        "variance_type": _WORD | _NULL,
    },
    "UNet2DConditionModel": {
        **_UNET,
        "layers_per_block": _each(_LAYERS),
        "norm_num_groups": _WIDTH | _NULL,
        "only_cross_attention": _each(_FLAG),
        "mid_block_only_cross_attention": _FLAG | _NULL,
        "cross_attention_dim": _each(_WIDTH),
        "cross_attention_norm": _WORD | _NULL,
        "transformer_layers_per_block": _each(_TRANSFORMERS) | _levels(Several(_TRANSFORMERS, 1, 17)),
        "reverse_transformer_layers_per_block": _levels(_each(_TRANSFORMERS)) | _NULL,
        "attention_head_dim": _each(_WIDTH),
        "num_attention_heads": _each(_WIDTH) | _NULL,
        "dual_cross_attention": _FLAG,
        "use_linear_projection": _FLAG,
        "upcast_attention": _FLAG | _NULL,
        "attention_type": _WORD,
        "encoder_hid_dim": _WIDTH | _NULL,
        "encoder_hid_dim_type": _WORD | _NULL,
        "addition_embed_type": _WORD | _NULL,
        "addition_embed_type_num_heads": _WIDTH,
        "addition_time_embed_dim": _WIDTH | _NULL,
        "projection_class_embeddings_input_dim": _WIDTH | _NULL,
        "class_embeddings_concat": _FLAG,
        "resnet_skip_time_act": _FLAG,
        "resnet_out_scale_factor": _FACTOR,
        "time_embedding_act_fn": _WORD | _NULL,
        "timestep_post_act": _WORD | _NULL,
        "time_cond_proj_dim": _WIDTH | _NULL,
        "conv_in_kernel": Whole(1, 15),
        "conv_out_kernel": Whole(1, 15),
    },
    "UNet2DModel": {
        **_UNET,
        "layers_per_block": _LAYERS,
        "norm_num_groups": _WIDTH,
        "attn_norm_num_groups": _WIDTH | _NULL,
        "attention_head_dim": _WIDTH | _NULL,
        "add_attention": _FLAG,
        "downsample_type": _WORD,
        "upsample_type": _WORD,
        "num_train_timesteps": Whole(2, MOST_TIMESTEPS) | _NULL,
    },
    "AutoencoderKL": {
        **_CONVOLUTIONS,
        "in_channels": Whole(3, 3),
        "out_channels": Whole(3, 3),
        "latent_channels": Whole(1, 1024),
        "layers_per_block": _LAYERS,
        "norm_num_groups": _WIDTH,
        "scaling_factor": _FACTOR,
        "shift_factor": Number(-1e6, 1e6) | _NULL,
        "latents_mean": Several(Number(-1e6, 1e6), 1, 1024) | _NULL,
        "latents_std": Several(_FACTOR, 1, 1024) | _NULL,
        "force_upcast": _FLAG,
        "use_quant_conv": _FLAG,
        "use_post_quant_conv": _FLAG,
        "mid_block_add_attention": _FLAG,
    },
    "CLIPTextModel": {
        "model_type": _WORD,
        "vocab_size": Whole(1, MOST_TOKENS),
        "hidden_size": _WIDTH,
        "intermediate_size": Whole(1, 4 * WIDEST),
        "projection_dim": _WIDTH | _NULL,
        "num_hidden_layers": Whole(1, MOST_BLOCKS),
        "num_attention_heads": _WIDTH,
        "max_position_embeddings": Whole(3, 1024),
        "hidden_act": _WORD,
        "layer_norm_eps": _SHARE,
        "attention_dropout": _SHARE,
        "initializer_range": _SHARE,
        "initializer_factor": _FACTOR,
        "pad_token_id": _TOKEN_ID | _NULL,
        "bos_token_id": _TOKEN_ID | _NULL,
        "eos_token_id": _TOKEN_ID,
    },
    "special_tokens_map": _SPECIAL_TOKENS,
    "tokenizer_config": {
        **_SPECIAL_TOKENS,
        "model_max_length": Number(3, 1e31),  # begin, end, and something between them; 1e30 stands for no limit
        "added_tokens_decoder": Table(Record(_TOKEN, ("content",)), 1024),
        "add_prefix_space": _FLAG,
        "padding_side": _SIDE,
        "truncation_side": _SIDE,
    },
    "added_tokens": {"added_tokens": Table(_TOKEN_ID, 1024)},
    "tokenizer": {"added_tokens": Several(Record({**_TOKEN, "id": _TOKEN_ID}, ("content", "id")), 0, 1024)},
    "BPE": {
        "type": Word(choices=("BPE",)),
        "vocab": Table(_TOKEN_ID, MOST_TOKENS),
        "merges": Several(Word(1025) | Several(Word(512), 2, 2), 0, MOST_TOKENS),
    },
    "PatchAutoencoder": {**_NAMES, "patch_size": Whole(1, 32), "latent_channels": Whole(1, 3 * 32**2)},
    "LatentUNet": {
        **_NAMES,
        "sigma_data": Several(_FACTOR, 1, 3 * 32**2),
        "widths": _levels(_WIDTH),
        "blocks": _levels(_OWN_BLOCKS, 0),
        "middle": _OWN_BLOCKS,
        "text_width": Whole(0, WIDEST),
        "embedding": _WIDTH,
        "kinds": Whole(1, 16),
    },
    "TonePosterior": {
        **_NAMES,
        "thumbnail": _SQUARE,
        "widths": _levels(_WIDTH),
        "hypotheses": Whole(1, 64),
        "uneven": Whole(0, 64),
        "undamaged": _SHARE,
        "field_bins": Whole(1, 64),
        "turned": _FLAG,
    },
    "NoisePosterior": {**_NAMES, "widths": _levels(_WIDTH), "none": _SHARE, "periods": _FLAG},
    "BlurPosterior": {**_NAMES, "widths": _levels(_WIDTH), "none": _SHARE},
    "CastPosterior": {
        **_NAMES,
        "side": _SQUARE,
        "widths": _levels(_WIDTH),
        "looks": Whole(1, 64),
        "casts": Number(1e-6, 1 - 1e-6),
    },
    "ScratchDetector": {**_NAMES, "widths": _levels(_WIDTH)},
    "Enlarger": {**_NAMES, "width": _WIDTH, "depth": _OWN_BLOCKS},
}
# Where a field that has no use is told, as diffusers would: it may be a network that we only half know.
_TOLD = {
    "UNet2DConditionModel",
    "UNet2DModel",
    "AutoencoderKL",
    "PatchAutoencoder",
    "LatentUNet",
    "TonePosterior",
    "NoisePosterior",
    "BlurPosterior",
    "CastPosterior",
    "ScratchDetector",
    "Enlarger",
}


class Fault(NamedTuple):
    """What is wrong with a configuration."""

    found: str
    expected: str


def fault(config: Config, kind: str) -> Fault | None:
    """The first thing in the configuration of a `kind`, one of `FIELDS`, that is out of its limits."""
    for name, wanted in FIELDS[kind].items():
        if name in config and not wanted.admits(config[name]):
            return Fault(f"{name} {shown(config[name])}", str(wanted))
    for blocks, most in ((_own_blocks(config), MOST_OWN_BLOCKS), (_blocks(config), MOST_BLOCKS)):
        if blocks > most:
            return Fault(f"a net of {blocks} blocks", f"at most {most}")
    return None


def admitted(config: Config, kind: str, where: Path) -> Config:
    """The fields of a configuration that a `kind`, one of `FIELDS`, has, all within their limits.

    Args:
        config: what the file says.
        kind: the class that is made of it, or which other file it is.
        where: the file, for messages.

    Raises:
        PriorError: one is out of its limits.
    """
    if wrong := fault(config, kind):
        raise unusable(where, *wrong, "mend the file, or take it from the model as it was published")
    fields = FIELDS[kind]
    unknown = sorted(shown(name) for name in config if name not in fields and not name.startswith("_"))
    if unknown and kind in _TOLD:
        logger.warning("%s: fields that %s does not know are ignored: %s", where, kind, ", ".join(unknown[:8]))
    return {name: value for name, value in config.items() if name in fields}


def _own_blocks(config: Config) -> int:
    """Of a `LatentUNet`; 0 for any other."""
    return 2 * sum(config.get("blocks", ())) + int(config.get("middle", 0))


def _blocks(config: Config) -> int:
    """Levels x layers x transformers of a network of diffusers; 0 for any other."""
    levels = max(len(config.get(name, ())) for name in ("block_out_channels", "down_block_types", "up_block_types"))
    return (
        levels * _largest(config.get("layers_per_block", 1)) * _largest(config.get("transformer_layers_per_block", 1))
    )


def _largest(value: Any) -> int:
    return max(map(_largest, value)) if isinstance(value, list) else int(value)
