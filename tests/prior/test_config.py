"""The limits of configurations: all that was ever published passes, and whatever passes is built at once."""

from __future__ import annotations

import inspect
import json
import time
from pathlib import Path
from typing import Any

import diffusers
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ldrps.errors import PriorError
from ldrps.estimation.tone_posterior import TonePosterior
from ldrps.prior import prior_folder
from ldrps.prior.config import FIELDS, MOST_BLOCKS, MOST_OWN_BLOCKS, Fault, admitted, fault
from ldrps.prior.tiny.prior import PARTS
from ldrps.prior.weights import build

HERE = Path("config.json")
CROSS, PLAIN = "CrossAttnDownBlock2D", "DownBlock2D"
CLASSES = {
    **{kind: getattr(diffusers, kind) for kind in ("UNet2DConditionModel", "UNet2DModel", "AutoencoderKL")},
    **{part.__name__: part for part in (*PARTS.values(), TonePosterior)},
}
ADDED = {"__type": "AddedToken", "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
UNET = {
    "act_fn": "silu", "attention_head_dim": 8, "block_out_channels": [320, 640, 1280, 1280],
    "center_input_sample": False, "cross_attention_dim": 768, "down_block_types": [CROSS, CROSS, CROSS, PLAIN],
    "downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
    "mid_block_scale_factor": 1, "norm_eps": 1e-05, "norm_num_groups": 32, "out_channels": 4, "sample_size": 64,
    "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3],
}  # fmt: skip
VAE = {
    "act_fn": "silu", "block_out_channels": [128, 256, 512, 512], "down_block_types": ["DownEncoderBlock2D"] * 4,
    "in_channels": 3, "latent_channels": 4, "layers_per_block": 2, "out_channels": 3, "sample_size": 512,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}  # fmt: skip
TEXT = {
    "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2,
    "hidden_act": "quick_gelu", "hidden_size": 768, "initializer_factor": 1.0, "initializer_range": 0.02,
    "intermediate_size": 3072, "layer_norm_eps": 1e-05, "max_position_embeddings": 77, "model_type": "clip_text_model",
    "num_attention_heads": 12, "num_hidden_layers": 12, "pad_token_id": 1, "projection_dim": 768,
    "torch_dtype": "float32", "transformers_version": "4.22.0.dev0", "vocab_size": 49408,
}  # fmt: skip
SCHEDULER = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True,
    "steps_offset": 1, "trained_betas": None, "clip_sample": False,
}  # fmt: skip
# As published, all their fields, and the weights of each in millions; None for what is no network.
PUBLISHED: dict[str, tuple[str, dict[str, Any], float | None]] = {
    "UNet of 1.5": (
        "UNet2DConditionModel",
        {"_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", **UNET},
        859.52,
    ),
    "UNet of 2.1": (
        "UNet2DConditionModel",
        {
            **UNET, "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.10.0.dev0",
            "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "dual_cross_attention": False,
            "num_class_embeds": None, "only_cross_attention": False, "sample_size": 96, "upcast_attention": True,
            "use_linear_projection": True,
        },
        865.91,
    ),
    "autoencoder of 1.4": (
        "AutoencoderKL",
        {"_class_name": "AutoencoderKL", "_diffusers_version": "0.2.2", **VAE},
        83.65,
    ),
    "autoencoder of 2.1": (
        "AutoencoderKL",
        {**VAE, "norm_num_groups": 32, "sample_size": 768, "scaling_factor": 0.18215, "force_upcast": True},
        83.65,
    ),
    "autoencoder saved today": (
        "AutoencoderKL",
        {**VAE, "latents_mean": None, "latents_std": None, "shift_factor": None, "mid_block_add_attention": True,
         "use_quant_conv": True, "use_post_quant_conv": True},
        83.65,
    ),
    "text encoder of 1.5": ("CLIPTextModel", TEXT, 123.06),
    "text encoder of 2.1": (
        "CLIPTextModel",
        {**TEXT, "hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16,
         "num_hidden_layers": 23, "projection_dim": 512},
        340.39,
    ),
    "scheduler of 1.5": ("scheduler", SCHEDULER, None),
    "scheduler of 2.1": ("scheduler", {**SCHEDULER, "prediction_type": "v_prediction"}, None),
    "index of 1.5": (
        "model_index",
        {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.6.0", "unet": ["diffusers", "UNet"],
         "feature_extractor": [None, None], "text_encoder": ["transformers", "CLIPTextModel"],
         "requires_safety_checker": True},
        None,
    ),
    "tokenizer of 1.5": (
        "tokenizer_config",
        {"add_prefix_space": False, "bos_token": {**ADDED, "content": "<|startoftext|>"}, "do_lower_case": True,
         "eos_token": {**ADDED, "content": "<|endoftext|>"}, "errors": "replace", "model_max_length": 77,
         "name_or_path": "openai/clip-vit-large-patch14", "pad_token": "<|endoftext|>",
         "special_tokens_map_file": "./special_tokens_map.json", "tokenizer_class": "CLIPTokenizer",
         "unk_token": {**ADDED, "content": "<|endoftext|>"}},
        None,
    ),
    "tokenizer of 2.1": (
        "tokenizer_config", {"pad_token": "!", "model_max_length": 1000000000000000019884624838656}, None
    ),
    "ddpm-church-256": (
        "UNet2DModel",
        {"_class_name": "UNet2DModel", "_diffusers_version": "0.0.4", "act_fn": "silu", "attention_head_dim": None,
         "block_out_channels": [128, 128, 256, 256, 512, 512], "center_input_sample": False,
         "down_block_types": [PLAIN] * 4 + ["AttnDownBlock2D", PLAIN], "downsample_padding": 0,
         "flip_sin_to_cos": False, "freq_shift": 1, "in_channels": 3, "layers_per_block": 2,
         "mid_block_scale_factor": 1, "norm_eps": 1e-06, "norm_num_groups": 32, "out_channels": 3,
         "sample_size": 256, "time_embedding_type": "positional",
         "up_block_types": ["UpBlock2D", "AttnUpBlock2D"] + ["UpBlock2D"] * 4},
        113.67,
    ),
}  # fmt: skip


def built(kind: str, config: dict[str, Any]) -> nn.Module:
    """The network of a configuration, as it is built before its weights are read."""
    known = admitted(config, kind, HERE)
    if kind == "CLIPTextModel":
        made = transformers.CLIPTextConfig.from_dict(known)
        return build(lambda: transformers.CLIPTextModel(made), HERE)
    return build(lambda: CLASSES[kind].from_config(known), HERE)


def millions(network: nn.Module) -> float:
    return sum(parameter.numel() for parameter in network.parameters()) / 1e6


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_was_published_is_admitted_whole(name: str, caplog: pytest.LogCaptureFixture) -> None:
    kind, config, size = PUBLISHED[name]
    known = admitted(config, kind, HERE)
    assert known == {field: value for field, value in config.items() if field in FIELDS[kind]}
    assert not caplog.records
    if size is not None:
        assert millions(built(kind, config)) == pytest.approx(size, abs=0.01)


@pytest.mark.parametrize("name", ["embedded", "embedded-pixels"])
def test_what_is_shipped_is_admitted_whole(name: str) -> None:
    root = prior_folder(name)
    for part, kind in PARTS.items():
        if (root / part).is_dir():
            config = json.loads((root / part / "config.json").read_text())
            assert admitted(config, kind.__name__, HERE).keys() == config.keys() - {"_diffusers_version"}


@pytest.mark.parametrize("kind", CLASSES)
def test_every_argument_of_a_network_has_its_limits(kind: str) -> None:
    """A field that is not listed is left out: a new one of a new diffusers must not be forgotten."""
    arguments = inspect.signature(CLASSES[kind].__init__).parameters.keys() - {"self", "kwargs"}
    assert arguments <= FIELDS[kind].keys()


WRONG: list[Any] = [True, 1.5, -1, 10**12, float("inf"), float("nan"), "x" * 5000, "", [], [[[[1]]]], [None], {"a": []}]


@pytest.mark.parametrize("kind", FIELDS)
def test_values_that_nothing_could_mean(kind: str) -> None:
    """Each field refuses most of these, and tells of itself in a line."""
    for name, wanted in FIELDS[kind].items():
        refused = [value for value in WRONG if not wanted.admits(value)]
        assert len(refused) >= len(WRONG) - 5, name
        for value in refused:
            with pytest.raises(PriorError, match=f"config.json: found {name} ") as caught:
                admitted({name: value}, kind, HERE)
            assert len(str(caught.value)) < 800 and str(caught.value).isprintable()


COUNTS = [
    (kind, name)
    for kind, fields in FIELDS.items()
    for name, wanted in fields.items()
    if any(wanted.admits(whole) and not wanted.admits(half) for whole, half in ((2, 2.5), ([2, 2], [2.5, 2.5])))
]


@pytest.mark.parametrize(("kind", "name"), COUNTS)
def test_counts_are_whole_and_bounded(kind: str, name: str) -> None:
    for value in (-1, 10**12, 2.0, True, "2", {}, [-1], [2, 2.0], [2, None], [2, True], [2, "2"], [10**12], [2] * 5000):
        assert fault({name: value}, kind) is not None, value


def test_networks_of_too_many_blocks_are_refused_by_their_number() -> None:
    deep = {**UNET, "layers_per_block": 16, "transformer_layers_per_block": [1, 1, 2, 1]}
    assert fault(deep, "UNet2DConditionModel") == Fault("a net of 128 blocks", f"at most {MOST_BLOCKS}")
    nested = {**UNET, "layers_per_block": [2, 2, 2, 3], "transformer_layers_per_block": [[1], [2, 8], [1], [1]]}
    assert fault(nested, "UNet2DConditionModel") == Fault("a net of 96 blocks", f"at most {MOST_BLOCKS}")
    assert fault({**VAE, "layers_per_block": 16}, "AutoencoderKL") is None
    own = {"widths": [32, 32, 32], "blocks": [60, 60], "middle": 20}
    assert fault(own, "LatentUNet") == Fault("a net of 260 blocks", f"at most {MOST_OWN_BLOCKS}")


# The deepest and the widest that pass, each of as many levels as may be.
EXTREMES: dict[str, tuple[str, dict[str, Any]]] = {
    "layers": ("UNet2DConditionModel", {**UNET, "block_out_channels": [32] * 4, "layers_per_block": 16}),
    "transformers": (
        "UNet2DConditionModel",
        {**UNET, "block_out_channels": [32] * 4, "layers_per_block": 1, "transformer_layers_per_block": 16},
    ),
    "levels": (
        "UNet2DConditionModel",
        {**UNET, "block_out_channels": [32] * 8, "layers_per_block": 8, "down_block_types": [CROSS] * 8,
         "up_block_types": ["CrossAttnUpBlock2D"] * 8},
    ),
    "pixels": (
        "UNet2DModel",
        {"block_out_channels": [32] * 8, "layers_per_block": 8, "down_block_types": ["AttnDownBlock2D"] * 8,
         "up_block_types": ["AttnUpBlock2D"] * 8},
    ),
    "autoencoder": (
        "AutoencoderKL",
        {**VAE, "block_out_channels": [32] * 8, "layers_per_block": 8, "down_block_types": ["DownEncoderBlock2D"] * 8,
         "up_block_types": ["UpDecoderBlock2D"] * 8},
    ),
    "text": ("CLIPTextModel", {**TEXT, "num_hidden_layers": 64}),
    "own": ("LatentUNet", {"sigma_data": [1.0] * 3072, "widths": [32] * 8, "blocks": [18] * 7, "middle": 4}),
    "tone": ("TonePosterior", {"widths": [32] * 8, "hypotheses": 64, "uneven": 64, "field_bins": 64}),
}  # fmt: skip


@pytest.mark.parametrize("name", EXTREMES)
def test_the_largest_that_passes_is_built_in_seconds(name: str) -> None:
    kind, config = EXTREMES[name]
    assert fault(config, kind) is None
    began = time.process_time()
    assert 0 < millions(built(kind, config)) < 2000
    assert time.process_time() - began < 20, "a second, on two cores that do nothing else"


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("UNet2DConditionModel", {**UNET, "block_out_channels": [8192] * 4}),
        ("LatentUNet", {"sigma_data": [1.0], "widths": [8192] * 8, "blocks": [18] * 7, "middle": 4}),
        ("CLIPTextModel", {**TEXT, "hidden_size": 8192, "intermediate_size": 32768, "num_attention_heads": 64}),
        ("TonePosterior", {"widths": [8192] * 4}),
    ],
)
def test_networks_of_too_many_weights_are_refused_by_their_number(kind: str, config: dict[str, Any]) -> None:
    with pytest.raises(PriorError, match=r"config.json: found a net of \d{10,} weights, expected at most 2000000000; "):
        built(kind, config)


def test_what_is_not_known_is_left_out_and_told(caplog: pytest.LogCaptureFixture) -> None:
    config = {**VAE, "get": 5, "\x1b[2J": 1, "_use_default_values": ["layers_per_block"], "_diffusers_version": "0.1"}
    assert admitted(config, "AutoencoderKL", HERE) == VAE
    assert caplog.messages == [r"config.json: fields that AutoencoderKL does not know are ignored: '\x1b[2J', get"]
    caplog.clear()
    assert (
        admitted({**SCHEDULER, "solver_order": 2}, "scheduler", HERE).keys() < SCHEDULER.keys() and not caplog.records
    )


STRINGS = st.text("a é\x1b\u202e", max_size=9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | STRINGS,
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.sampled_from(sorted(FIELDS)), st.data())
def test_whatever_a_file_says_the_answer_is_in_words(kind: str, data: st.DataObject) -> None:
    config = data.draw(st.dictionaries(st.sampled_from(sorted(FIELDS[kind])), JSON, max_size=4))
    if fault(config, kind) is None:
        assert admitted(config, kind, HERE) == config
        return
    with pytest.raises(PriorError, match=r"config\.json: found .*, expected .*; mend the file") as caught:
        admitted(config, kind, HERE)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 800
