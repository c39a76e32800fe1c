"""What no caption means is known before the text encoder is loaded, and is what it would say."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import ldrps.prior.tiny.prior as module
from ldrps.errors import PriorError
from ldrps.prior import prior_folder
from ldrps.prior.text import DeferredTextEncoder
from ldrps.prior.tiny.no_caption import NO_CAPTION, read_no_caption, write_no_caption
from ldrps.prior.tiny.prior import EmbeddedPrior, load_embedded, load_text

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("text_encoder", "tokenizer"):
        shutil.copytree(prior_folder("embedded") / part, tmp_path / part)
    return tmp_path


def loaded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one each time that a text encoder is loaded."""
    times: list[int] = []
    whole = module.load_text_encoder

    def counted(*args: Any, **given: Any) -> Any:
        times.append(1)
        return whole(*args, **given)

    monkeypatch.setattr(module, "load_text_encoder", counted)
    return times


def test_it_is_what_the_encoder_says(folder: Path) -> None:
    kept = load_text(folder, CPU)
    (folder / "text_encoder" / NO_CAPTION).unlink()
    asked = load_text(folder, CPU)
    assert isinstance(kept, DeferredTextEncoder) and asked is not None
    torch.testing.assert_close(kept.no_caption(), asked.no_caption(), atol=1e-5, rtol=1e-4)
    assert kept(["", ""]).shape == (2, kept.length, kept.width) == asked(["", ""]).shape
    assert torch.equal(kept(["a boat", ""]), asked(["a boat", ""]))


def test_the_encoder_is_loaded_for_the_first_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    times = loaded(monkeypatch)
    prior = load_embedded()
    assert prior.has_text and prior.text is not None and prior.embed([""]).shape[0] == 1 and times == []
    moved = copy.deepcopy(prior)
    prior.embed(["a boat"])
    prior.embed(["a dog"])
    assert times == [1] and "text_encoder" in prior.networks()
    assert isinstance(moved, EmbeddedPrior) and torch.equal(moved.embed(["a boat"]), prior.embed(["a boat"]))
    with pytest.raises(AttributeError, match="has no 'words'"):
        prior.text.words  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("change", ["weights", "tokenizer", "broken", "gone", "of another"])
def test_what_is_kept_of_another_encoder_is_not_used(
    change: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = folder / "text_encoder" / NO_CAPTION
    if change == "weights":
        weights = folder / "text_encoder/model.safetensors"
        data = bytearray(weights.read_bytes())
        data[-1] ^= 1
        weights.write_bytes(data)
    elif change == "tokenizer":
        settings = folder / "tokenizer/tokenizer.json"
        settings.write_text(settings.read_text().replace('"a</w>":', '"a</ww>":', 1))
    elif change == "broken":
        kept.write_bytes(kept.read_bytes()[:-9])
    elif change == "gone":
        kept.unlink()
    else:
        write_no_caption(kept.parent, "another", torch.zeros(1, 4, 128))
    times = loaded(monkeypatch)
    try:
        load_text(folder, CPU)
    except PriorError:
        assert change == "tokenizer"
    assert times == [1]


@pytest.mark.parametrize("told", [torch.zeros(4, 8), torch.full((1, 4, 8), torch.nan), torch.zeros(2, 4, 8)], ids=str)
def test_what_cannot_be_is_not_read(told: torch.Tensor, tmp_path: Path) -> None:
    write_no_caption(tmp_path, "it", torch.ones(1, 4, 8))
    assert read_no_caption(tmp_path, "it") is not None and read_no_caption(tmp_path, "other") is None
    write_no_caption(tmp_path, "it", told)
    assert read_no_caption(tmp_path, "it") is None
