"""Who is asked, who stands in, and what is said of it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ldrps.caption.base import NO_HINTS, Caption, Captioner, Hints
from ldrps.caption.chain import Fallback, make_captioner
from ldrps.caption.none import NoCaptioner
from ldrps.caption.offline import OfflineCaptioner
from ldrps.caption.text import TextCaptioner
from ldrps.errors import CaptionError, InputError

GREY = Image.new("RGB", (40, 32), "grey")


class Failing:
    name = "openai:gpt-x"

    def __init__(self, message: str = "openai:gpt-x timed out after 30 s") -> None:
        self.message = message

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        raise CaptionError(self.message)


def test_the_first_answer_counts(caplog: pytest.LogCaptureFixture) -> None:
    chain = Fallback([TextCaptioner("first"), Failing()])
    assert chain.describe(GREY) == Caption("first", source="text")
    assert caplog.text == "" and chain.name == "text"


def test_who_stands_in_is_told(caplog: pytest.LogCaptureFixture) -> None:
    chain = Fallback([Failing(), Failing("no idea"), TextCaptioner("third")])
    with caplog.at_level(logging.WARNING):
        caption = chain.describe(GREY, Hints(Path("a.png")))
    note = "openai:gpt-x timed out after 30 s; openai:gpt-x: no idea; text used instead"
    assert caption == Caption("third", source="text", note=note)
    assert f"a.png: {note}" in caplog.text


def test_nobody_knows(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        caption = Fallback([Failing()]).describe(GREY)
    assert caption == Caption(note="openai:gpt-x timed out after 30 s; no caption used")
    assert caption.note in caplog.text
    with pytest.raises(CaptionError, match=r"^a\.png: openai:gpt-x timed out after 30 s$"):
        Fallback([Failing()], required=True).describe(GREY, Hints(Path("a.png")))


def test_who_fails_slowly_again_and_again_is_not_asked_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow failures in a row count; quick ones, and answers, do not."""
    seconds, asked, answers = 0.0, [0], [False]
    monkeypatch.setattr("ldrps.caption.chain.time.monotonic", lambda: asked[0] * seconds)

    class Endpoint(Failing):
        def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
            asked[0] += 1
            return Caption("answer", source=self.name) if answers[0] else super().describe(image, hints)

    chain = Fallback([Endpoint(), TextCaptioner("stand-in")])
    for _ in range(5):
        assert "timed out" in chain.describe(GREY).note
    assert asked == [5], "quick failures cost nothing"
    seconds = 30.0
    for answer in (False, False, True, False, False, False):
        answers[0] = answer
        chain.describe(GREY)
    assert asked == [11]
    caption = chain.describe(GREY)
    assert asked == [11] and caption.text == "stand-in"
    assert caption.note == "openai:gpt-x is not asked any more, after 3 slow failures; text used instead"


def said(captioner: Captioner) -> str | None:
    return captioner.text if isinstance(captioner, TextCaptioner) else None


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("a cat", "a cat"),
        ("text:none", "none"),
        ("text: a: b", "a: b"),
        ("a sign: stop", "a sign: stop"),
        ("autos", "autos"),
        ("offline:x", "offline:x"),
        ("openai", "openai"),
    ],
)
def test_words_are_the_caption(spec: str, text: str) -> None:
    assert said(make_captioner(spec)) == text


@pytest.mark.parametrize("spec", ["", "  ", "none", "text:", "text: "])
def test_none(spec: str) -> None:
    assert isinstance(make_captioner(spec), NoCaptioner)


def test_offline_and_auto(endpoint: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_captioner("offline"), OfflineCaptioner)
    assert isinstance(make_captioner("auto"), OfflineCaptioner), "no model is named"
    monkeypatch.setenv("OPENAI_MODEL", "gpt-y")
    assert make_captioner("auto").name == "openai:gpt-y"
    monkeypatch.delenv("OPENAI_BASE_URL")
    assert isinstance(make_captioner("auto"), OfflineCaptioner), "nor is OpenAI's own meant unless it is named"
    assert make_captioner("auto", url=endpoint.url).name == "openai:gpt-y"
    assert make_captioner("openai:gpt-z").name == "openai:gpt-z"


def test_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a cat")
    here, missing = Hints(tmp_path / "a.png"), Hints(tmp_path / "b.png")
    assert make_captioner("file").describe(GREY, here) == Caption("a cat", source="file")
    assert make_captioner(f"file:{tmp_path}").describe(GREY, Hints(Path("elsewhere/a.png"))).text == "a cat"
    note = f"file: there is no {tmp_path / 'b.txt'}; no caption used"
    assert make_captioner("file").describe(GREY, missing) == Caption(note=note)
    with pytest.raises(CaptionError, match=r"b\.txt"):
        make_captioner("file", required=True).describe(GREY, missing)


@pytest.mark.parametrize("spec", ["file:", "openai:", "transformers: ", "file:no/such/folder"])
def test_specifications_that_name_nothing(spec: str) -> None:
    with pytest.raises(InputError, match=r"names nothing|is no folder"):
        make_captioner(spec)


def test_a_failing_endpoint(endpoint: Any, offline: None, pauses: list[float]) -> None:
    endpoint.script = [endpoint.status(500)]
    caption = make_captioner("openai:gpt-x", timeout=1).describe(GREY)
    note = "openai:gpt-x answered HTTP 500: see its log; offline used instead"
    assert (caption.source, caption.note) == ("offline", note)
    assert caption.text.startswith("golden retriever")
    with pytest.raises(CaptionError, match="openai:gpt-x answered HTTP 500"):
        make_captioner("openai:gpt-x", timeout=1, required=True).describe(GREY)


def test_only_what_an_endpoint_said_is_kept(endpoint: Any, offline: None, pauses: list[float]) -> None:
    endpoint.script = [endpoint.status(401), endpoint.good("a red car"), endpoint.good("a blue car")]
    first, second, third = (make_captioner("openai:gpt-x").describe(GREY) for _ in range(3))
    assert (first.source, second.source, third.source) == ("offline", "openai:gpt-x", "openai:gpt-x")
    assert (second.text, third.text) == ("a red car", "a red car")
    assert len(endpoint.requests) == 2
    assert make_captioner("openai:gpt-x", cache=False).describe(GREY).text == "a blue car"
    for number, other in enumerate(
        (
            make_captioner("openai:gpt-y"),
            make_captioner("openai:gpt-x", prompt="What?"),
            make_captioner("openai:gpt-x", url=f"{endpoint.url}/"),
        )
    ):
        assert other.describe(GREY).text == "a blue car"
        assert len(endpoint.requests) == 4 + number
    assert make_captioner("openai:gpt-x").describe(GREY).text == "a red car"


class Model:
    made: list[tuple[str, str, str]]

    def __init__(self, model: str, *, device: str, prompt: str) -> None:
        self.name = f"transformers:{model}"
        Model.made.append((model, device, prompt))

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        raise CaptionError("it cannot be loaded")


def test_a_model_in_this_process(endpoint: Any, offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    module = types.ModuleType("ldrps.caption.vision_language")
    module.VisionLanguageCaptioner = Model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    Model.made = []
    caption = make_captioner("transformers:me/mine", device="cuda", prompt="What?").describe(GREY)
    assert Model.made == [("me/mine", "cuda", "What?")]
    assert caption.note == "transformers:me/mine: it cannot be loaded; offline used instead"
