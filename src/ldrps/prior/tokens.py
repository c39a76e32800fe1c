"""The tokenizer of a prior: CLIP's byte pairs, from files that are not trusted.

transformers does what a tokenizer's files say: `tokenizer_config.json` may name any other file to be read in place of
the vocabulary. So what CLIP's tokenizer has a use for is taken from them here, and transformers is given that.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.prior.config import admitted
from ldrps.prior.files import AGAIN, MOST_VOCABULARY, Config, is_there, read_file, read_json
from ldrps.prior.refusal import reason, unusable

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

TOKENIZER = "tokenizer"
_SETTINGS = ("tokenizer_config", "special_tokens_map")


def read_tokenizer(folder: Path) -> dict[str, bytes]:
    """The files of the tokenizer in `tokenizer/` of a prior's folder by their names, with nothing in them but what is
    for CLIP's.

    These are tokenizer.json, or else vocab.json and merges.txt; and tokenizer_config.json, special_tokens_map.json and
    added_tokens.json, where they are. Normalisation is that of CLIP, whatever they say.

    Raises:
        PriorError: one is missing, broken or beyond the limits.
    """
    return {**_vocabulary(folder), **_settings(folder)}


def load_tokenizer(files: Mapping[str, bytes], where: Path) -> CLIPTokenizer:
    """The tokenizer of files that `read_tokenizer` read from the folder `where`.

    Raises:
        PriorError: they are not of one tokenizer.
    """
    from transformers import CLIPTokenizer

    try:
        with tempfile.TemporaryDirectory() as clean:
            for name, content in files.items():
                (Path(clean) / name).write_bytes(content)
            tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(clean, local_files_only=True)
        tokenizer([""], padding="max_length", max_length=3, truncation=True)
    except Exception as error:  # the tokenizers library raises bare Exception
        found = f"a tokenizer that cannot be read ({reason(error)})"
        raise unusable(where, found, "a CLIP tokenizer", AGAIN) from error
    return tokenizer


def _vocabulary(folder: Path) -> dict[str, bytes]:
    whole = f"{TOKENIZER}/tokenizer.json"
    if is_there(folder, whole):
        content = read_json(folder, whole, MOST_VOCABULARY)
        model = content.get("model")
        if not isinstance(model, dict) or not {"vocab", "merges"} <= model.keys():
            raise unusable(folder / whole, "no vocab and merges of a model", "a tokenizer of byte pairs", AGAIN)
        pairs = admitted(model, "BPE", folder / whole)
        added = {"added_tokens": [], **admitted(content, "tokenizer", folder / whole)}
        return {"tokenizer.json": _json({**added, "model": {**pairs, "type": "BPE"}})}
    # Without these transformers makes up a tokenizer that knows no words.
    for name in ("vocab.json", "merges.txt"):
        if not is_there(folder, f"{TOKENIZER}/{name}"):
            raise unusable(folder / TOKENIZER, f"no {name}", "tokenizer.json, or vocab.json and merges.txt", AGAIN)
    place = f"{TOKENIZER}/vocab.json"
    vocabulary = admitted({"vocab": read_json(folder, place, MOST_VOCABULARY)}, "BPE", folder / place)["vocab"]
    merges = read_file(folder, f"{TOKENIZER}/merges.txt", MOST_VOCABULARY)
    return {"vocab.json": _json(vocabulary), "merges.txt": merges}


def _settings(folder: Path) -> dict[str, bytes]:
    files = {}
    for kind in _SETTINGS:
        name = f"{TOKENIZER}/{kind}.json"
        if is_there(folder, name):
            files[f"{kind}.json"] = _json(admitted(read_json(folder, name), kind, folder / name))
    name = f"{TOKENIZER}/added_tokens.json"
    if is_there(folder, name):
        added = admitted({"added_tokens": read_json(folder, name)}, "added_tokens", folder / name)
        files["added_tokens.json"] = _json(added["added_tokens"])
    return files


def _json(content: Config) -> bytes:
    return json.dumps(content).encode()
