"""Which captioner a word on the command line stands for, and who is asked when it fails."""

from __future__ import annotations

import dataclasses
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ldrps.caption.base import NO_HINTS, Caption, Captioner, Hints
from ldrps.caption.cache import CachedCaptioner, CaptionCache, cache_path
from ldrps.caption.file import FileCaptioner
from ldrps.caption.none import NoCaptioner
from ldrps.caption.openai_endpoint import OpenAIEndpoint
from ldrps.caption.prompt import PROMPT
from ldrps.caption.text import TextCaptioner
from ldrps.errors import CaptionError, InputError

if TYPE_CHECKING:
    from PIL import Image

logger = logging.getLogger(__name__)


_SLOW, _PATIENCE = 5.0, 3  # seconds of a failure that costs, and how many of them in a row


class Fallback:
    """Asks one captioner after the other until one has an answer. One that fails slowly three times in a row is not
    asked again: a dead endpoint must not cost a time-out for each of a thousand pictures.

    Args:
        captioners: at least one, the best first.
        required: whether a picture without an answer is an error; else it has no caption, and a note says why.
    """

    def __init__(self, captioners: Sequence[Captioner], *, required: bool = False) -> None:
        self.name = captioners[0].name
        self._captioners = captioners
        self._required = required
        self._slow_failures = [0] * len(captioners)

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        """The first answer. What failed before is logged, and told in its note.

        Raises:
            CaptionError: an answer is required, and nobody has one.
        """
        failures: list[str] = []
        for number, captioner in enumerate(self._captioners):
            if self._slow_failures[number] >= _PATIENCE:
                failures.append(f"{captioner.name} is not asked any more, after {_PATIENCE} slow failures")
                continue
            began = time.monotonic()
            try:
                caption = captioner.describe(image, hints)
            except CaptionError as error:
                slow = time.monotonic() - began > _SLOW
                self._slow_failures[number] = self._slow_failures[number] + 1 if slow else 0
                reason = str(error)
                failures.append(reason if captioner.name in reason else f"{captioner.name}: {reason}")
                continue
            self._slow_failures[number] = 0
            return _noted(caption, failures, f"{captioner.name} used instead", hints)
        if self._required:
            raise CaptionError(_where(hints) + "; ".join(failures))
        return _noted(Caption(), failures, "no caption used", hints)


def make_captioner(
    spec: str,
    *,
    url: str | None = None,
    prompt: str | None = None,
    required: bool = False,
    cache: bool = True,
    timeout: float = 30.0,
    device: str = "cpu",
) -> Captioner:
    """The captioner that a specification names.

    Args:
        spec: "none" or nothing; "offline"; "auto" (the endpoint if OPENAI_MODEL and a URL are set, else offline);
            "file" or "file:FOLDER"; "openai:MODEL"; "transformers:MODEL"; "text:WORDS"; anything else is the caption.
        url: of the endpoint, instead of OPENAI_BASE_URL.
        prompt: what models are asked, instead of `PROMPT`.
        required: whether a picture that the one named has no answer for is an error. Else a model is stood in for by
            offline, and anything by no caption.
        cache: whether answers of models are kept, see `cache_path`.
        timeout: seconds for each try of an endpoint.
        device: of a model in this process.

    Raises:
        InputError: a package, a folder, a key, or a name after the colon is missing, or the URL cannot be used.
    """
    kind, colon, rest = spec.partition(":")
    if not spec.strip() or spec == NoCaptioner.name:
        return NoCaptioner()
    if kind == "text" and colon:
        return TextCaptioner(rest.strip()) if rest.strip() else NoCaptioner()
    if spec == "auto":
        model = os.environ.get("OPENAI_MODEL", "")
        kind, colon, rest = (
            ("openai", ":", model) if model and (url or os.environ.get("OPENAI_BASE_URL")) else ("offline", "", "")
        )
    if kind == "offline" and not colon:
        return _offline()
    if kind == "file":
        return Fallback([FileCaptioner(Path(_named(spec, rest)) if colon else None)], required=required)
    if not (colon and kind in ("openai", "transformers")):
        return TextCaptioner(spec)
    question = prompt or PROMPT
    model = _named(spec, rest)
    captioner: Captioner
    about: tuple[str, ...]
    if kind == "openai":
        endpoint = OpenAIEndpoint(model, url=url, prompt=question, timeout=timeout)
        captioner, about = endpoint, (endpoint.name, endpoint.url, question)
    else:
        captioner, about = _in_process(model, device, question), (f"transformers:{model}", question)
    if cache:
        captioner = CachedCaptioner(captioner, about, CaptionCache(cache_path()))
    return Fallback([captioner] if required else [captioner, _offline()], required=required)


def _offline() -> Captioner:
    from ldrps.caption.offline import OfflineCaptioner

    return OfflineCaptioner()


def _in_process(model: str, device: str, prompt: str) -> Captioner:
    from ldrps.caption.vision_language import VisionLanguageCaptioner

    return VisionLanguageCaptioner(model, device=device, prompt=prompt)


def _named(spec: str, rest: str) -> str:
    if not rest.strip():
        raise InputError(f"the caption {spec!r} names nothing after the colon; for these very words, text:{spec}")
    return rest.strip()


def _noted(caption: Caption, failures: Sequence[str], instead: str, hints: Hints) -> Caption:
    if not failures:
        return caption
    note = "; ".join([*failures, instead])
    logger.warning("%s%s", _where(hints), note)
    return dataclasses.replace(caption, note=note)


def _where(hints: Hints) -> str:
    return "" if hints.path is None else f"{hints.path}: "
