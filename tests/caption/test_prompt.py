"""What is kept of the answers that language models give."""

from __future__ import annotations

import contextlib
import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ldrps.caption.prompt import PROMPT, clean_answer
from ldrps.errors import CaptionError

DAMAGE = re.compile(
    r"\b(?:blurry|blurred|dark|dim|noisy|grainy|haz[ye]|low.(?:quality|light)|(?:under|over)exposed|pixelated|compressed|"
    r"faded)\b(?!-)",
    re.IGNORECASE,
)


@pytest.mark.parametrize(
    ("answer", "caption"),
    [
        ("A golden retriever on green grass.", "A golden retriever on green grass"),
        ('"A dog"', "A dog"),
        ("“A dog\u2019s bowl.”", "A dog's bowl"),
        ("'a dog'", "a dog"),
        ('{"caption": "A red car, portrait"}', "A red car, portrait"),
        ('```json\n{"caption": "a cat"}\n```', "a cat"),
        ('"a \\u0063at"', "a cat"),
        ("**This image shows** a dog\nrunning", "a dog running"),
        ("# Caption\n\n- a *red* car\n- on a [road](http://x.y)", "Caption a red car on a road"),
        ("Sure! Here is the caption: a dog", "a dog"),
        ("Caption: a house", "a house"),
        ("In this image, we can see a cat", "a cat"),
        ("A photo of a cat", "a cat"),
        ("The picture depicts a cat", "a cat"),
        ("This appears to be an image of a cat", "a cat"),
        ("<think>It is dark.</think>\na cat", "a cat"),
        ("a dog\x00\x1b[31m red\u200b\u202e car\ud800", "a dog red car"),
        ("a dog\r\n\tand\u2028 a cat", "a dog and a cat"),
        ("ein Hündchen auf grüner Wiese", "ein Hündchen auf grüner Wiese"),
        ("a cat on a mat \ufffd\ufffd", "a cat on a mat"),  # cut within a character
        ("bus 38 to 12:45, route 7", "bus 38 to 12:45, route 7"),
        ("a shop called 北京 with red doors", "a shop called 北京 with red doors"),
        ("Stop sign with the words 'STOP' on it", "Stop sign with the words 'STOP' on it"),
        # damage
        ("A photo of a blurry, dark dog and a cat", "a dog and a cat"),
        ("a dark and blurry photo of a dog", "a dog"),
        ("A blurred, noisy and underexposed kitchen with cupboards, grainy", "A kitchen with cupboards"),
        ("a dark and rainy street", "a rainy street"),
        ("a small and dark room", "a small room"),
        ("a small, dark and quiet room", "a small, quiet room"),
        ("A dark old car in a dimly lit garage", "an old car in a garage"),
        ("An overexposed beach", "a beach"),
        ("The room is dark", "The room"),
        ("A street at night. The image is dark and grainy.", "A street at night"),
        ("A man, but the photo is too dark", "A man"),
        ("A street in low light", "A street"),
        ("a house in the dark with a light on", "a house with a light"),
        ("mountains shrouded in thick haze", "mountains"),
        ("haze over a city", "a city"),
        ("a hazy and foggy city skyline", "a city skyline"),
        ("a foggy photo of a barn", "a barn"),
        ("A foggy mountain valley", "A foggy mountain valley"),
        ("dark-haired woman in a dark blue coat", "dark-haired woman in a blue coat"),
        ("A low-quality, pixelated image of a bridge", "a bridge"),
        ("low-light photograph of a tower", "a tower"),
        ("a house with heavy noise and blur", "a house"),
        ("a house, blurry, with a garden", "a house, with a garden"),
        ("a woman sitting on a bench, out of focus and", "a woman sitting on a bench"),
        ("a very dark, slightly blurry room with a bed and a lamp in", "a room with a bed and a lamp"),
        ("compressed and faded", None),
        ("a dim image", None),
        # limits
        ("one two three four five " * 5, "one two three four five " * 3 + "one two three four five"),
        ("a dog " + "and a cat " * 12, "a dog " + "and a cat " * 6),
        ("a cat, " + "x" * 300, "a cat"),
        ("word " * 60, "word " * 20),
        ("word " * 61, None),
        ("x" * 201, None),
        # no answers
        ("I'm sorry, I can't help with that", None),
        ("I\u2019m sorry, but no.", None),
        ("I cannot see an image", None),
        ("Unfortunately the picture is black", None),
        ("As an AI language model, I have no eyes", None),
        ("Please upload the picture.", None),
        ('{"caption": "I am unable to describe this"}', None),
        ("", None),
        ("  \n", None),
        ('""', None),
        ("12345 !!!", None),
        ("7\ufffdC WCKv@:5\ufffd\ufffd\ufffd%\ufffd", None),  # bytes at random, as a server writes them down
        ("#1: 2 x 4 = 8", None),
        ("一只狗在草地上", None),
        ("собака на траве", None),
        ('{"caption": ', None),
        ('{"text": "a cat"}', None),
        ('{"caption": 3}', None),
        ('["a cat"]', None),
        ("<html><body>502</body></html>", None),
        ("[" * 100_000, None),
        ("a " * 2000, None),
        ("and with the", None),
    ],
)
def test_an_answer_and_its_caption(answer: str, caption: str | None) -> None:
    if caption is None:
        with pytest.raises(CaptionError, match=r"^the answer "):
            clean_answer(answer)
    else:
        assert clean_answer(answer) == caption.strip()


PIECES = (
    "a",
    "the",
    "dog",
    "dark",
    "very",
    "blurry",
    "and",
    ",",
    ".",
    "photo",
    "of",
    "in",
    "haze",
    "with",
    "noise",
    "is",
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_a_caption_is_short_ends_well_and_tells_of_no_damage(pieces: list[str]) -> None:
    try:
        caption = clean_answer(" ".join(pieces))
    except CaptionError:
        return
    assert 0 < len(caption.split()) <= 20 and len(caption) <= 200
    assert not DAMAGE.search(caption)
    assert caption == caption.strip(" ,.;:") and "  " not in caption and " ," not in caption and ",," not in caption
    assert caption.split()[-1] not in ("and", "with", "of", "the", "a", "in", "is")


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=300), st.text(max_size=100).map(lambda text: json.dumps({"caption": text}))))
def test_any_text_is_a_caption_or_a_caption_error(text: str) -> None:
    try:
        caption = clean_answer(text)
    except CaptionError:
        return
    assert caption and caption.isprintable()
    caption.encode()


@pytest.mark.parametrize(
    "piece", ["very ", "a ", "dark, ", "the whole ", "[", "`", "<think>", "it is ", " \n", "[a](b"]
)
def test_no_text_takes_long(piece: str) -> None:
    for length in (1900, 60_000):
        text = (piece * length)[:length] + "x"
        began = time.thread_time()  # of this thread's work: what others do meanwhile does not count
        with contextlib.suppress(CaptionError):
            clean_answer(text)
        assert time.thread_time() - began < 5


def test_the_question() -> None:
    assert "20" in PROMPT and "never instructions" in PROMPT and "never mention damage" in PROMPT
