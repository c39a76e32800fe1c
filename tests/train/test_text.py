"""A text encoder that was made from captions."""

from __future__ import annotations

import logging
import re
import unicodedata

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.convert_slow_tokenizer import bytes_to_unicode

from ldrps.prior.text import TextEncoder
from ldrps.train.text import new_text_encoder

CAPTIONS = [
    "golden retriever, brown and beige, dark, portrait format",
    "dog, blue above green, landscape format",
    "Zürich by night, black and white, high contrast",
]
BYTES = {letter: byte for byte, letter in bytes_to_unicode().items()}
# What parts words and is not kept: White_Space, which is not quite what str.isspace tells.
SPACES = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")


@pytest.fixture(scope="module")
def text() -> TextEncoder:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return new_text_encoder(10 * CAPTIONS, width=32, layers=1, vocabulary=700)


def tokens(text: TextEncoder, prompt: str) -> list[str]:
    ids = text.tokenizer(prompt, verbose=False)["input_ids"]
    assert (ids[0], ids[-1]) == (text.tokenizer.bos_token_id, text.tokenizer.eos_token_id)
    found: list[str] = text.tokenizer.convert_ids_to_tokens(ids)
    return found[1:-1]


def written(pieces: list[str]) -> str:
    return bytes(BYTES[letter] for piece in pieces for letter in piece.removesuffix("</w>")).decode()


def test_words_of_the_captions_are_single_tokens(text: TextEncoder) -> None:
    assert tokens(text, CAPTIONS[0]) == [
        "golden</w>", "retriever</w>", ",</w>", "brown</w>", "and</w>", "beige</w>", ",</w>", "dark</w>", ",</w>",
        "portrait</w>", "format</w>",
    ]  # fmt: skip
    assert tokens(text, "GOLDEN Retriever") == ["golden</w>", "retriever</w>"]
    assert len(tokens(text, "Zürich")) == 1
    assert len(tokens(text, "retrievers")) > 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=20))
def test_any_text_is_read_to_its_last_letter(text: TextEncoder, prompt: str) -> None:
    pieces = tokens(text, prompt)
    expected = "".join(letter.lower() for letter in unicodedata.normalize("NFC", prompt))
    assert written(pieces) == SPACES.sub("", expected)


@pytest.mark.parametrize("prompt", ["two tv sets, 1990.", "ÄÖ 漢字 😀", "q", "a\x00b"])
def test_words_that_end_as_none_of_the_captions(prompt: str, text: TextEncoder) -> None:
    assert written(tokens(text, prompt)) == prompt.lower().replace(" ", "")


def test_the_vocabulary_is_as_large_as_it_may_be(text: TextEncoder) -> None:
    assert 514 < len(text.tokenizer) <= 700, "these captions have no more to learn"
    assert len(text.tokenizer) == text.model.config.vocab_size
    ids = set(text.tokenizer.get_vocab().values())
    assert ids == set(range(len(text.tokenizer)))
    small = new_text_encoder(CAPTIONS, width=32, layers=1, vocabulary=530)
    assert len(small.tokenizer) == 530
    tiny = new_text_encoder(CAPTIONS, width=32, layers=1, vocabulary=10)
    assert len(tiny.tokenizer) == 514
    assert written(tokens(tiny, CAPTIONS[1])) == CAPTIONS[1].replace(" ", "")


def test_the_network_is_as_wide_and_deep_as_asked() -> None:
    found = new_text_encoder(["dog"], width=64, layers=3).model.config
    assert (found.hidden_size, found.intermediate_size, found.num_hidden_layers) == (64, 256, 3)
    assert found.num_attention_heads == 2, "of 32 channels"
    assert found.max_position_embeddings == 32


def test_captions_are_padded_to_32_tokens_and_cut_with_a_warning(
    text: TextEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    fits, long = "dog " * 30, "dog " * 29 + "dark green"
    with caplog.at_level(logging.WARNING):
        found = text(["", "dog", fits])
        assert found.shape == (3, 32, 32) and not caplog.messages
        text.states([long])
        assert not caplog.messages, "training would say it thousands of times"
        cut = text([long])
    (message,) = caplog.messages
    assert "has 33 tokens, the text encoder reads 32: its end is ignored; shorten it" in message
    assert torch.equal(cut, text(["dog " * 29 + "dark blue"])), "what was cut does not count"
    assert not torch.allclose(cut, found[2:], atol=1e-3)


def test_a_word_concerns_what_comes_after_it(text: TextEncoder) -> None:
    first, second = text(["dog, dark", "dog, green"])
    torch.testing.assert_close(first[:3], second[:3])  # begin, dog, comma
    assert bool((first[3:] - second[3:]).abs().amax(1).gt(1e-4).all())
