"""What a picture shows, as a vision-language model on this machine says it: any that transformers itself knows."""

from __future__ import annotations

import math
import os.path
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from ldrps.caption.base import NO_HINTS, Caption, Hints
from ldrps.caption.prompt import PROMPT, clean_answer
from ldrps.errors import CaptionError
from ldrps.memory import out_of_memory
from ldrps.printable import printable

if TYPE_CHECKING:
    from PIL import Image

_SIDE = 512  # pixels
_LONGEST_ANSWER = 60  # tokens
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_WANTED = "give a folder or hub id of an image-text-to-text model that transformers itself knows, in safetensors"
_AGAIN = "fetch the model again"


class VisionLanguageCaptioner:
    """Asks a vision-language model, which is loaded at the first picture and kept.

    What went wrong in loading is remembered: the next picture fails at once. So is that memory ran out.

    Args:
        model: a folder as `save_pretrained` leaves it, or a hub id. Only safetensors are read, and no code of the
            model's own is run.
        device: where to run: "cpu", "cuda", "cuda:1", "mps".
        prompt: what the model is asked.

    Attributes:
        name: "transformers:" and the model.
    """

    def __init__(self, model: str, *, device: str = "cpu", prompt: str = PROMPT) -> None:
        self.name = printable(f"transformers:{model}")
        self._model = model
        self._device = device
        self._prompt = prompt
        self._loaded: _Loaded | None = None
        self._failure = ""

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The model's answer; its confidence is the geometric mean of the probabilities of the answer's tokens.

        Raises:
            CaptionError: the model cannot be loaded or run, memory ran out, or the answer is no caption.
        """
        began = time.perf_counter()
        loaded = self._load()
        try:
            answer, confidence = _answer(loaded, _small(image), self._prompt)
            text = clean_answer(answer)
        except CaptionError as error:
            raise CaptionError(f"{self.name}: {error}") from error
        except Exception as error:  # whatever the model's own processing and generation raise
            failure = self._told(error, "it failed on this picture", "take another model")
            if out_of_memory(error):
                self._failure, self._loaded = failure, None
            raise CaptionError(failure) from error
        return Caption(text, source=self.name, confidence=confidence, seconds=time.perf_counter() - began)

    def _load(self) -> _Loaded:
        if self._failure:
            raise CaptionError(self._failure)
        if self._loaded is None:
            try:
                self._loaded = self._read()
            except CaptionError as error:
                self._failure = f"{self.name}: {error}"
                raise CaptionError(self._failure) from error
            except Exception as error:  # transformers', safetensors', the hub's and torch's own have no common base
                unfetched = isinstance(error, OSError) and _folder(self._model) is None
                remedy = self._fetching() if unfetched else _WANTED
                self._failure = self._told(error, "it cannot be loaded", remedy)
                raise CaptionError(self._failure) from error
        return self._loaded

    def _read(self) -> _Loaded:
        from transformers import (
            MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
            AutoConfig,
            AutoModelForImageTextToText,
            AutoProcessor,
        )

        place = _place(self._device)
        folder = _folder(self._model)
        if folder is None and not _HUB_ID.fullmatch(self._model):
            raise CaptionError(f"there is no such folder: check the path, or {_WANTED}")
        source = folder or self._model
        # False, not None: with None transformers would ask at the terminal.
        options = {"local_files_only": folder is not None, "trust_remote_code": False}
        # The small parts first, so that gigabytes are not fetched in vain.
        config = AutoConfig.from_pretrained(source, **options)
        if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
            raise CaptionError(f"it is no vision-language model but {config.model_type or 'nameless'}: {_WANTED}")
        processor = AutoProcessor.from_pretrained(source, **options)
        if getattr(processor, "image_processor", None) is None:
            raise CaptionError(f"it has no processor for images beside its tokenizer: {_AGAIN}")
        network, found = AutoModelForImageTextToText.from_pretrained(
            source, config=config, dtype=_precision(place), use_safetensors=True, output_loading_info=True, **options
        )
        if missing := sorted(found["missing_keys"]):  # transformers would go on with random numbers
            raise CaptionError(f"its weights lack {missing[0]}, {len(missing)} in all: {_AGAIN}")
        return _Loaded(processor, network.to(place).eval())

    def _told(self, error: Exception, what: str, remedy: str) -> str:
        """One line: the model, what is wrong, the first line of the library's message, the remedy."""
        line = (str(error).strip().splitlines() or [""])[0].strip().rstrip(".:")
        if out_of_memory(error):
            what, remedy = f"memory ran out on {self._device}", "take a smaller model or another device"
        elif isinstance(error, ImportError):
            what, remedy = "it needs a package that is not installed", "install it, or take another model"
        elif type(error).__name__ == "SafetensorError":
            what, remedy = "its weights are broken", _AGAIN
        return f"{self.name}: {what} ({type(error).__name__}: {line}): {remedy}"

    def _fetching(self) -> str:
        return (
            f"check the name; where there is a network run `hf download {self._model} --local-dir FOLDER`, "
            "and give FOLDER"
        )


class _Loaded(NamedTuple):
    processor: Any
    network: Any


def _folder(model: str) -> str | None:
    """The folder that a name stands for, if there is one; unlike those of pathlib, these calls never raise."""
    folder = os.path.expanduser(model)
    return folder if os.path.isdir(folder) else None


def _place(device: str) -> torch.device:
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:  # the latter where torch was built without CUDA
        raise CaptionError(f"device is {device!r}, which is not here: choose another, such as cpu") from error


def _precision(place: torch.device) -> torch.dtype:
    if place.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _small(image: Image.Image) -> Image.Image:
    """A copy of at most `_SIDE` pixels a side."""
    small = image.convert("RGB") if image.mode != "RGB" else image.copy()
    small.thumbnail((_SIDE, _SIDE))
    return small


@torch.inference_mode()
def _answer(loaded: _Loaded, picture: Image.Image, prompt: str) -> tuple[str, float]:
    """What the model says, always taking the likeliest token, and the geometric mean of their probabilities."""
    processor, network = loaded
    inputs = _inputs(processor, picture, prompt).to(network.device, network.dtype)
    output = network.generate(
        **inputs,
        max_new_tokens=_LONGEST_ANSWER,
        do_sample=False,
        num_beams=1,
        return_dict_in_generate=True,
        output_logits=True,
    )
    # Whether the prompt precedes the answer depends on the architecture; that there are logits for each new token not.
    tokens = output.sequences[0, -len(output.logits) :]
    logits = torch.stack(output.logits)[:, 0].float()  # [tokens, vocabulary]
    likelihood = logits.log_softmax(-1).gather(1, tokens[:, None].to(logits.device)).mean()
    if not math.isfinite(likelihood):
        raise CaptionError(f"its numbers overflow in {network.dtype}: take another device, such as cpu")
    return processor.decode(tokens, skip_special_tokens=True), float(likelihood.exp())


def _inputs(processor: Any, picture: Image.Image, prompt: str) -> Any:
    """Picture and prompt as the model was taught to read them."""
    if getattr(processor, "chat_template", None):
        content = [{"type": "image", "image": picture}, {"type": "text", "text": prompt}]
        return processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
    token = getattr(processor, "image_token", None) or getattr(processor.tokenizer, "image_token", None)
    puts_its_own = getattr(processor, "num_query_tokens", None) is not None  # BLIP-2 and InstructBLIP
    text = f"{token}\n{prompt}" if token and not puts_its_own else prompt
    return processor(images=picture, text=text, return_tensors="pt")
