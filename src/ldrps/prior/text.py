"""Prompts to embeddings, as Stable Diffusion was trained: CLIP's last hidden state."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ldrps.errors import InputError
from ldrps.prior.files import Config
from ldrps.prior.refusal import unusable
from ldrps.prior.tokens import TOKENIZER, load_tokenizer
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

    @property
    def width(self) -> int:
        """D of the embeddings."""
        return int(self.model.config.hidden_size)

    def no_caption(self) -> Tensor:
        """What stands for no caption, float32 [1, length, D]."""
        return self([""])

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


class DeferredTextEncoder(TextEncoder):
    """One that is loaded when the first caption is to be read; what no caption means is known before.

    Args:
        load: makes the whole of it.
        no_caption: what it makes of "", float32 [1, length, D].
    """

    def __init__(self, load: Callable[[], TextEncoder], no_caption: Tensor) -> None:
        self._load, self._no_caption = load, no_caption

    def __getattr__(self, name: str) -> Any:
        if name not in ("tokenizer", "model", "length"):
            raise AttributeError(f"{type(self).__name__} has no {name!r}")
        whole = self._load()
        self.tokenizer, self.model, self.length = whole.tokenizer, whole.model, whole.length
        return getattr(whole, name)

    def __call__(self, prompts: list[str]) -> Tensor:
        if isinstance(prompts, list) and prompts and all(prompt == "" for prompt in prompts):
            return self._no_caption.repeat(len(prompts), 1, 1)
        return super().__call__(prompts)

    @property
    def width(self) -> int:
        return self._no_caption.shape[-1]

    def no_caption(self) -> Tensor:
        return self._no_caption


def _is_text(prompt: str) -> bool:
    """Whether it has no lone surrogates, as Python makes them of arguments that are not UTF-8."""
    try:
        prompt.encode()
    except UnicodeEncodeError:
        return False
    return True


def load_text_encoder(
    folder: Path,
    config: Config,
    words: Mapping[str, bytes],
    files: list[Path],
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> TextEncoder:
    """Load `tokenizer/` and `text_encoder/` of a folder that was read.

    Args:
        folder: the prior's.
        config: of the text encoder, see `folder.read_text`.
        words: the tokenizer's files, see `tokens.read_tokenizer`.
        files: the text encoder's weights.
        device: where to.
        dtype: precision of the weights there.

    Raises:
        PriorError: files are missing, broken, or do not fit each other.
    """
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = load_tokenizer(words, folder / TOKENIZER)
    where = folder / "text_encoder/config.json"
    model = build(lambda: CLIPTextModel(CLIPTextConfig.from_dict(config)), where)
    _require_same_vocabulary(tokenizer, int(model.config.vocab_size), folder / TOKENIZER)
    for module in model.modules():
        if "position_ids" in module._buffers:  # not stored: it only counts
            module.position_ids = torch.arange(model.config.max_position_embeddings).expand(1, -1)
    prefix = "text_model." if any(key.startswith("text_model.") for key in model.state_dict()) else ""
    load_weights(model, files, device=device, dtype=dtype, rename=lambda key: _current_name(key, prefix))
    return TextEncoder(tokenizer, model)


def _require_same_vocabulary(tokenizer: CLIPTokenizer, size: int, where: Path) -> None:
    count, last = len(tokenizer), max(tokenizer.get_vocab().values())  # numbers may have gaps
    if count > size or last >= size:
        found = f"{count} tokens" if count > size else f"tokens numbered up to {last}"
        expected = f"at most {size}, the vocab_size of text_encoder/config.json"
        raise unusable(where, found, expected, "take tokenizer/ and text_encoder/ from the same model")


def _current_name(key: str, prefix: str) -> str | None:
    """Until version 5, transformers put "text_model." before each name; until 4.31 it also stored the positions."""
    bare = re.sub(r"^text_model\.", "", key)
    return None if bare == "embeddings.position_ids" else prefix + bare
