"""What no caption means to a text encoder, kept beside its weights.

A picture without a caption needs no more of it, and to load what it is run by takes as long as to restore a small one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ldrps.image.files import replace_file
from ldrps.prior.files import Config

NO_CAPTION = "no_caption.safetensors"
_NAME = "no_caption"


def read_no_caption(folder: Path, encoder: str) -> Tensor | None:
    """The embedding of "", float32 [1, L, D], that is kept in the folder of a text encoder.

    None where there is none, or one that is broken or of another `encoder`, a digest: then that has to be asked.
    """
    path = folder / NO_CAPTION
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="pt") as kept:
            if (kept.metadata() or {}).get("encoder") != encoder:
                return None
            told: Tensor = kept.get_tensor(_NAME)
    except (SafetensorError, OSError):
        return None
    good = told.dtype == torch.float32 and told.ndim == 3 and len(told) == 1 and bool(told.isfinite().all())
    return told if good else None


def write_no_caption(folder: Path, encoder: str, told: Tensor) -> None:
    """Keep the embedding of "" in the folder of a text encoder, whose digest is `encoder`."""
    content = save({_NAME: told.float().cpu().contiguous()}, {"encoder": encoder})
    replace_file(folder / NO_CAPTION, lambda file: file.write(content))


def digest_of(config: Config, words: Mapping[str, bytes], files: Sequence[Path]) -> str:
    """What tells a text encoder from another: a hash of its configuration, its tokenizer's files and its weights."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=list).encode())
    for name, content in [*sorted(words.items()), *((file.name, file.read_bytes()) for file in files)]:
        digest.update(b"%s %d " % (name.encode(), len(content)) + content)
    return digest.hexdigest()
