"""Captions without a model that talks: none, a text, a file, and what the classifier and the colours say."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ldrps.caption import offline
from ldrps.caption.base import Caption, Hints
from ldrps.caption.file import FileCaptioner
from ldrps.caption.look import describe_look
from ldrps.caption.none import NoCaptioner
from ldrps.caption.offline import OfflineCaptioner
from ldrps.caption.tagger import Tagger
from ldrps.caption.text import TextCaptioner
from ldrps.errors import CaptionError, InputError, PriorError
from ldrps.image.arrays import pixels

GREY = Image.new("RGB", (40, 32), "grey")


def test_none_and_text() -> None:
    assert NoCaptioner().describe(GREY) == Caption()
    assert TextCaptioner("  a cat ").describe(GREY) == Caption("  a cat ", source="text")


def test_a_file_beside_the_picture_or_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\ufeff  a café,\n on a\tsquare ", encoding="utf-8")
    here = Hints(tmp_path / "a.jpg")
    assert FileCaptioner().describe(GREY, here) == Caption("a café, on a square", source="file")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a dog")
    assert FileCaptioner(tmp_path / "texts").describe(GREY, here).text == "a dog"
    with pytest.raises(InputError, match="is no folder"):
        FileCaptioner(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "there is no .*a.txt"),
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"caf\xe9", "is not UTF-8"),
        (b"a" * 1001, "is longer than 1000 characters"),
        (b" " * 20_000 + b"a", "is empty|is longer than 1000 characters"),
        ("folder", "there is no"),
        ("pipe", "there is no"),
    ],
)
def test_a_file_that_is_no_caption(data: Any, message: str, tmp_path: Path) -> None:
    if data == "folder":
        (tmp_path / "a.txt").mkdir()
    elif data == "pipe":
        os.mkfifo(tmp_path / "a.txt")
    elif data is not None:
        (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(CaptionError, match=message):
        FileCaptioner().describe(GREY, Hints(tmp_path / "a.png"))
    with pytest.raises(CaptionError, match="came from no file"):
        FileCaptioner().describe(GREY)


def scene(brightness: float = 1.0) -> Image.Image:
    """Sky above grass, which is darker where there is less light."""
    random = np.random.default_rng(0)
    rgb = np.empty((60, 90, 3))
    rgb[:30], rgb[30:] = (110, 165, 245), (30, 95, 15)
    return Image.fromarray((brightness * (rgb + random.normal(0, 8, rgb.shape))).clip(0, 255).astype(np.uint8))


class Eye:
    """Takes what is dark for a tench, of which it is sure, and the rest for a golden retriever, less so."""

    def __init__(self, limit: float = 0.25) -> None:
        self.limit = limit
        self.means: list[float] = []

    def logits(self, x: Tensor) -> Tensor:
        rows = torch.full((len(x), 1000), 1e-9)
        for row, image in zip(rows, x, strict=True):
            self.means.append(float(image.mean()))
            if self.means[-1] < self.limit:
                row[0], row[1] = 0.95, 0.05
            else:
                row[207], row[1] = 0.7, 0.3
        return rows.log()


def test_versions_agree_on_a_subject() -> None:
    eye: Any = Eye()
    tagger = Tagger(eye)
    dark, bright = torch.full((3, 50, 70), 0.1), torch.full((3, 64, 30), 0.6)
    alone = tagger.agreed([dark])
    assert alone is not None and (alone.name, round(alone.probability, 3)) == ("tench", 0.95)
    both = tagger.agreed([dark, bright, bright])
    assert both is not None and both.name == "golden retriever"
    assert both.probability == pytest.approx(2 * 0.7 / 3, abs=1e-3), "the mean, which is the sum over their number"


def test_the_subject_of_a_darkened_picture() -> None:
    eye: Any = Eye()
    tagger = Tagger(eye)
    dark = scene(0.12)
    alone = tagger.of_image(dark)
    assert alone is not None and alone.name == "tench"
    eye.means.clear()
    caption = OfflineCaptioner(tagger).describe(dark)
    assert caption.text.startswith("golden retriever, ")
    assert caption.source == "offline" and caption.confidence == pytest.approx(1.4 / 3, abs=0.01)
    as_it_is, stretched, brightened = eye.means
    assert as_it_is < 0.1 and stretched > 0.3 and brightened == pytest.approx(0.45, abs=0.01)


def test_versions_of_others_count(caplog: pytest.LogCaptureFixture) -> None:
    eye: Any = Eye(limit=0.7)  # nothing is bright enough for it but the version that it is given
    captioner = OfflineCaptioner(Tagger(eye))
    assert captioner.describe(scene(0.12)).text.startswith("tench, ")
    white = Image.new("RGB", (90, 60), "white")
    hinted = captioner.describe(scene(0.12), Hints(versions=[scene(), *[white] * 9]))
    assert hinted.text.startswith("golden retriever, black and white")


def test_the_look_is_that_of_the_best_version() -> None:
    eye: Any = Eye()
    captioner = OfflineCaptioner(Tagger(eye))
    good, dark = scene(), scene(0.12)
    look = describe_look(pixels(np.asarray(good))[0])
    assert "blue above green" in look and not {"dark", "very dark"} & set(look)
    assert captioner.describe(good).text == ", ".join(["golden retriever", *look]), "a good one is taken as it is"
    assert "very dark" in describe_look(pixels(np.asarray(dark))[0])
    assert "dark" not in captioner.describe(dark).text and "blue" in captioner.describe(dark).text
    hazy = Image.fromarray((np.asarray(good) * 0.2 + 190).astype(np.uint8))
    assert "low contrast" in describe_look(pixels(np.asarray(hazy))[0])
    assert "low contrast" not in captioner.describe(hazy).text
    red = Image.new("RGB", (90, 60), "red")
    assert "red" in captioner.describe(dark, Hints(versions=[good, red])).text


def test_without_the_classifier(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def missing() -> Tagger:
        raise PriorError("the tagger needs the package nobody-has-it")

    monkeypatch.setattr(offline, "Tagger", missing)
    captioner = OfflineCaptioner()
    with caplog.at_level(logging.WARNING):
        captions = [captioner.describe(scene()) for _ in range(2)]
    assert captions[0].text == ", ".join(describe_look(pixels(np.asarray(scene()))[0]))
    assert captions[0].confidence < 0.4
    assert caplog.text.count("nobody-has-it") == 1


@pytest.mark.parametrize("colour", [0, 128, 255])
@pytest.mark.parametrize("size", [(1, 1), (33, 2000), (3000, 2000)])
def test_any_picture_in_two_seconds(size: tuple[int, int], colour: int) -> None:
    eye: Any = Eye()
    image = Image.new("RGB", size, (colour,) * 3)
    caption = OfflineCaptioner(Tagger(eye)).describe(image)
    assert caption.text and len(caption.text) <= 200
    assert caption.seconds < 2
    assert image.size == size
