"""Prompts to embeddings, as Stable Diffusion was trained: CLIP's last hidden state."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ldrps.errors import InputError
from ldrps.prior.folder import Config, unusable
from ldrps.prior.weights import build, load_weights

if TYPE_CHECKING:
    from transformers import CLIPTextModel, CLIPTokenizer

logger = logging.getLogger(__name__)


class TextEncoder:
    """A CLIP text encoder and its tokenizer.

    Attributes:
        length: how many tokens it reads, begin and end included; longer prompts are cut, shorter ones padded.
    """

    def __init__(self, tokenizer: CLIPTokenizer, model: CLIPTextModel) -> None:
        self.tokenizer = tokenizer
        self.model = model
        # A tokenizer without a limit of its own says 10^30.
        self.length = min(int(tokenizer.model_max_length), int(model.config.max_position_embeddings))

    @torch.no_grad()
    def __call__(self, prompts: list[str]) -> Tensor:
        """Prompts to embeddings, float32 [B, length, D] on the model's device. Without gradient.

        Raises:
            InputError: not a list of at least one string, or one that is no text.
        """
        states = self.states(prompts)
        for prompt, ids in zip(prompts, self.tokenizer(prompts, verbose=False)["input_ids"], strict=True):
            if len(ids) > self.length:
                logger.warning(
                    "the caption %r has %d tokens, the text encoder reads %d: its end is ignored; shorten it",
                    prompt, len(ids), self.length,
                )  # fmt: skip
        return states

    def states(self, prompts: list[str]) -> Tensor:
        """As a call, with gradient, and silent about captions that are cut: training draws them by the thousand."""
        if not isinstance(prompts, list) or not prompts or not all(isinstance(prompt, str) for prompt in prompts):
            raise InputError(f"prompts are {prompts!r}; give a list of at least one string, [''] for no caption")
        for prompt in prompts:
            if not _is_text(prompt):
                raise InputError(f"the caption {prompt!r} has bytes that are no text: give it in UTF-8")
        tokens = self.tokenizer(
            prompts, padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        )
        # No attention mask: Stable Diffusion was trained to attend to the padding as well.
        states: Tensor = self.model(tokens["input_ids"].to(self.model.device)).last_hidden_state  # [B, length, D]
        return states.float()


def _is_text(prompt: str) -> bool:
    """Whether it has no lone surrogates, as Python makes them of arguments that are not UTF-8."""
    try:
        prompt.encode()
    except UnicodeEncodeError:
        return False
    return True


def load_text_encoder(
    folder: Path, config: Config, files: list[Path], *, device: torch.device, dtype: torch.dtype
) -> TextEncoder:
    """Load `tokenizer/` and `text_encoder/` of a folder whose configuration was read.

    Raises:
        PriorError: files are missing, broken, or do not fit each other.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = _load_tokenizer(folder / "tokenizer")
    where = folder / "text_encoder/config.json"
    model = build(lambda: CLIPTextModel(CLIPTextConfig.from_dict(config)), where)
    if len(tokenizer) > model.config.vocab_size:
        expected = f"at most {model.config.vocab_size}, the vocab_size of text_encoder/config.json"
        remedy = "take tokenizer/ and text_encoder/ from the same model"
        raise unusable(folder / "tokenizer", f"{len(tokenizer)} tokens", expected, remedy)
    for module in model.modules():
        if "position_ids" in module._buffers:  # not stored: it only counts
            module.position_ids = torch.arange(model.config.max_position_embeddings).expand(1, -1)
    prefix = "text_model." if any(key.startswith("text_model.") for key in model.state_dict()) else ""
    load_weights(model, files, device=device, dtype=dtype, rename=lambda key: _current_name(key, prefix))
    return TextEncoder(tokenizer, model)


def _current_name(key: str, prefix: str) -> str | None:
    """Until version 5, transformers put "text_model." before each name; until 4.31 it also stored the positions."""
    bare = re.sub(r"^text_model\.", "", key)
    return None if bare == "embeddings.position_ids" else prefix + bare


def _load_tokenizer(folder: Path) -> CLIPTokenizer:
    from transformers import CLIPTokenizer

    again = "fetch the folder again"
    # Without these transformers makes up a tokenizer that knows no words.
    if not (folder / "tokenizer.json").is_file():
        for name in ("vocab.json", "merges.txt"):
            if not (folder / name).is_file():
                raise unusable(folder, f"no {name}", "tokenizer.json, or vocab.json and merges.txt", again)
    try:
        tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the tokenizers library raises bare Exception
        found = f"a tokenizer that cannot be read ({type(error).__name__}: {error})"
        raise unusable(folder, found, "a CLIP tokenizer", again) from error
    limit = tokenizer.model_max_length
    if not isinstance(limit, int | float) or not limit > 2:  # begin, end, and something between them
        raise unusable(folder / "tokenizer_config.json", f"model_max_length {limit}", "more than 2", again)
    return tokenizer
