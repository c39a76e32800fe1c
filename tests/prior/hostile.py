"""Ways to make a folder that hangs, fills the memory or breaks whoever loads it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ldrps.prior.files import MOST_JSON, MOST_VOCABULARY

BILLION = 10**9
UNET, UNET_WEIGHTS = "unet/config.json", "unet/diffusion_pytorch_model.safetensors"
TOKENIZER = "tokenizer/tokenizer.json"
# The kind of each file, see `FIELDS`, in the two makes of folder.
COMMON = {
    "model_index.json": "model_index",
    "scheduler/scheduler_config.json": "scheduler",
    "text_encoder/config.json": "CLIPTextModel",
    "tokenizer/tokenizer_config.json": "tokenizer_config",
    "tokenizer/special_tokens_map.json": "special_tokens_map",
}
KINDS = {
    "stable diffusion": COMMON | {UNET: "UNet2DConditionModel", "vae/config.json": "AutoencoderKL"},
    "embedded": COMMON | {UNET: "LatentUNet", "vae/config.json": "PatchAutoencoder"},
}

Damage = Callable[[Path], object]


def says(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def edited(name: str, **changes: Any) -> Damage:
    return lambda folder: (folder / name).write_text(json.dumps(says(folder / name) | changes))


def replaced(name: str, put: Damage) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        put(folder / name)

    return damage


def piped(name: str) -> Damage:
    return replaced(name, os.mkfifo)


def endless(name: str) -> Damage:
    return replaced(name, lambda path: path.symlink_to("/dev/zero"))


def written(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content)


def filled(name: str, size: int, item: bytes = b"[],") -> Damage:
    """JSON of that size that takes many times the memory, all of it in a field that nothing knows."""
    return written(name, b'{"more": [' + item * (size // len(item) - 5) + b"0]}")


def sharded(*names: Any) -> Damage:
    def damage(folder: Path) -> None:
        (folder / UNET_WEIGHTS).unlink()
        (folder / f"{UNET_WEIGHTS}.index.json").write_text(json.dumps({"weight_map": dict(enumerate(names))}))

    return damage


def weights(size: int, **changes: Any) -> Damage:
    """A file of weights of that size, of which nothing is on the disk."""

    def damage(folder: Path) -> None:
        tensor = {"dtype": "F32", "shape": [1], "data_offsets": [0, size]} | changes
        header = json.dumps({"first.weight": tensor, "conv_in.weight": tensor}).encode()
        (folder / UNET_WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header)
        os.truncate(folder / UNET_WEIGHTS, 8 + len(header) + size)

    return damage


def reworded(**changes: Any) -> Damage:
    """A tokenizer of a changed model."""

    def damage(folder: Path) -> None:
        content = says(folder / TOKENIZER)
        content["model"].update(changes)
        (folder / TOKENIZER).write_text(json.dumps(content))

    return damage


# Of either make. What is done to it, and what the message must name.
EITHER: dict[str, tuple[Damage, str]] = {
    "pipe for a config": (piped(UNET), f"{UNET}: found a pipe"),
    "pipe for the index": (piped("model_index.json"), "model_index.json: found a pipe"),
    "pipe for weights": (piped(UNET_WEIGHTS), f"{UNET_WEIGHTS}: found a pipe"),
    "pipe for a vocabulary": (piped(TOKENIZER), f"{TOKENIZER}: found a pipe"),
    "pipe for special tokens": (piped("tokenizer/special_tokens_map.json"), "special_tokens_map.json: found a pipe"),
    "pipe for added tokens": (piped("tokenizer/added_tokens.json"), "added_tokens.json: found a pipe"),
    "endless config": (endless("vae/config.json"), "vae/config.json: found a device"),
    "endless settings": (endless("tokenizer/tokenizer_config.json"), "tokenizer_config.json: found a device"),
    "endless weights": (endless(UNET_WEIGHTS), f"{UNET_WEIGHTS}: found a device"),
    "config of folders": (replaced(UNET, Path.mkdir), f"{UNET}: found a folder"),
    "lost config": (replaced(UNET, lambda path: path.symlink_to("lost")), f"{UNET}: found a link to nothing"),
    "password": (replaced(UNET, lambda path: path.symlink_to("/etc/passwd")), f"{UNET}: found a link that leads out"),
    "large config": (filled(UNET, 40 << 20), rf"{UNET}: found a file of \d+ bytes, expected at most {MOST_JSON}"),
    "config of lists": (filled(UNET, MOST_JSON), f"{UNET}: found broken JSON .more than 300000 lists"),
    "config of objects": (filled(UNET, MOST_JSON, b'{"":0},'), f"{UNET}: found _class_name None"),
    "vocabulary of lists": (filled(TOKENIZER, MOST_VOCABULARY), f"{TOKENIZER}: found broken JSON .more than 300000"),
    "vocabulary of numbers": (filled(TOKENIZER, MOST_VOCABULARY, b"0.1,"), f"{TOKENIZER}: found no vocab and merges"),
    "deep config": (written(UNET, b'{"a":' * 500 + b"1" + b"}" * 500), f"{UNET}: found broken JSON .more than 32"),
    "endless text encoder": (
        edited("text_encoder/config.json", num_hidden_layers=BILLION),
        "text_encoder/config.json: found num_hidden_layers 1000000000, expected a whole number from 1 to 64",
    ),
    "endless noise": (
        edited("scheduler/scheduler_config.json", num_train_timesteps=BILLION),
        "num_train_timesteps 1000000000",
    ),
    "shards of no names": (sharded(5, None), rf"{UNET_WEIGHTS}.index.json: found shards \[5, None\], expected names"),
    "shards of lists": (sharded(["a"], {}), r"found shards \[\['a'\], {}\]"),
    "shard that is the folder": (sharded(""), f"{os.sep}unet/: found a folder|unet: found a folder"),
    "shard above": (sharded(".."), "found a folder"),
    "shards without number": (sharded(*map(str, range(999))), "expected names of 1 to 256 shards"),
    "no shards": (sharded(), r"found shards \[\]"),
    "large tensor": (weights(10**12, shape=[BILLION, 250]), f"{UNET_WEIGHTS}: found .* tensors missing"),
    "header of words": (weights(4, shape="wide"), "unreadable safetensors .ValueError: its header does not"),
    "header of one offset": (weights(4, data_offsets=[0]), "its header does not tell of tensors"),
    "another file as vocabulary": (
        lambda folder: ((folder / TOKENIZER).unlink(), edited("tokenizer/tokenizer_config.json", vocab="/dev/zero")),
        "tokenizer: found no vocab.json",
    ),
    "tokens beyond the embedding": (
        lambda folder: reworded(vocab=says(folder / TOKENIZER)["model"]["vocab"] | {"!": BILLION})(folder),
        "tokenizer: found tokens numbered up to 1000000000, expected at most",
    ),
    "tokens of no number": (reworded(vocab={"a": None}), f"{TOKENIZER}: found vocab {{'a': None}}, expected an object"),
    "merges of nothing": (reworded(merges=[None]), rf"{TOKENIZER}: found merges \[None\]"),
    "merges of three": (reworded(merges=[["a", "b", "c"]]), rf"{TOKENIZER}: found merges \[\['a', 'b', 'c'\]\]"),
    "another model": (reworded(type="Unigram"), f"{TOKENIZER}: found type Unigram, expected BPE"),
    "no padding": (edited("tokenizer/tokenizer_config.json", pad_token=None), "found pad_token None"),
}  # fmt: skip
OF_ONE: dict[str, dict[str, tuple[Damage, str]]] = {
    "stable diffusion": {
        "layers": (edited(UNET, layers_per_block=BILLION), f"{UNET}: found layers_per_block 1000000000"),
        "layers of the vae": (edited("vae/config.json", layers_per_block=BILLION), "vae/config.json: found layers"),
        "transformers": (edited(UNET, transformer_layers_per_block=[1, BILLION]), "found transformer_layers_per_block"),
        "product": (edited(UNET, layers_per_block=16, transformer_layers_per_block=16), "found a net of 512 blocks"),
        "width": (edited(UNET, block_out_channels=[-32, 64]), r"found block_out_channels \[-32, 64\]"),
        "half a width": (edited("vae/config.json", block_out_channels=[16.0] * 4), "found block_out_channels"),
        "grey vae": (edited("vae/config.json", in_channels=1), "found in_channels 1, expected 3"),
        "position": (edited("text_encoder/config.json", max_position_embeddings=BILLION), "max_position_embeddings"),
    },
    "embedded": {
        "blocks": (edited(UNET, blocks=[BILLION]), rf"{UNET}: found blocks \[1000000000\], expected a list"),
        "middle": (edited(UNET, middle=BILLION), f"{UNET}: found middle 1000000000"),
        "widths": (edited(UNET, widths=[-32, 32]), rf"{UNET}: found widths \[-32, 32\]"),
        "too wide": (edited(UNET, widths=[32, 10**12]), r"found widths \[32, 1000000000000\]"),
        "patch": (edited("vae/config.json", patch_size=0), "vae/config.json: found patch_size 0"),
        "deviation": (edited(UNET, sigma_data=[0.0] * 20), "found sigma_data"),
    },
}
CASES = {f"{make}, {name}": (make, *case) for make in KINDS for name, case in (EITHER | OF_ONE[make]).items()}

# What a field may be made to say: of every type and size, and some that mean something elsewhere.
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 7, 64, BILLION, 10**30, -BILLION, 0.5, -0.5, 1e300, "", "x", "silu", "\ud800",
    "a" * 5000, [], [1], [0], [-1], [BILLION], [None], ["x"], [[1]], {}, {"a": 1}, [32, 64], [32, 32], [True],
    ["DownBlock2D", "AttnDownBlock2D"], "UNetMidBlock2DSimpleCrossAttn", "fourier", "v_prediction", "left",
]  # fmt: skip
# Names of fields that libraries know, or which they would overwrite their own with.
FOREIGN = ("get", "items", "_use_default_values", "quantization_config", "dtype", "return_dict", "gguf_file", "vocab")
