"""The text encoder of a small prior: a byte-pair vocabulary from captions, and CLIP's transformer, small and untrained.

It learns together with the denoiser that it is for.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.prior.text import TextEncoder

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

TOKENS = 32  # that it reads: begin, end, and some twenty words
_BEGIN, _END = "<|startoftext|>", "<|endoftext|>"


def new_text_encoder(
    captions: Iterable[str], *, width: int = 128, layers: int = 2, vocabulary: int = 1536
) -> TextEncoder:
    """A text encoder whose words are those of the captions; its weights are random.

    The vocabulary has at most that many tokens, but never fewer than the 514 that any text can be written with.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = _tokenizer(captions, vocabulary)
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        max_position_embeddings=TOKENS,
        projection_dim=width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return TextEncoder(tokenizer, CLIPTextModel(config))


def _tokenizer(captions: Iterable[str], vocabulary: int) -> CLIPTokenizer:
    """CLIP's tokenizer, lower case and byte pairs, with merges of its own."""
    from transformers import CLIPTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = list(bytes_to_unicode().values())
    letters += [f"{letter}</w>" for letter in letters]

    def with_merges(merges: Sequence[Sequence[str]]) -> CLIPTokenizer:
        tokens = [*letters, *map("".join, merges), _BEGIN, _END]
        files = {
            "vocab.json": json.dumps({token: number for number, token in enumerate(tokens)}),
            "merges.txt": "\n".join(["#version: 0.2", *map(" ".join, merges)]) + "\n",
            "tokenizer_config.json": json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": TOKENS}),
        }
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                (Path(folder) / name).write_text(content, encoding="utf-8")
            tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        return tokenizer

    # Only the merges are taken: the vocabulary that comes with them lacks the ends of words that no caption has.
    learned = with_merges([]).train_new_from_iterator(captions, vocabulary).backend_tokenizer.to_str()
    merges = json.loads(learned)["model"]["merges"]
    return with_merges(merges[: max(0, vocabulary - len(letters) - 2)])
