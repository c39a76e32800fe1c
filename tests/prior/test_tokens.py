"""Tokenizers: as transformers reads them, but for what they have no business to say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from ldrps.errors import PriorError
from ldrps.prior import EMBEDDED, prior_folder
from ldrps.prior.tokens import load_tokenizer, read_tokenizer

PROMPTS = ["", "a cat", "Café über 猫!! 123 it's", "x, " * 200, "<|endoftext|> a"]
ADDED = {"lstrip": False, "rstrip": False, "normalized": False, "single_word": False}


def loaded(folder: Path) -> CLIPTokenizer:
    return load_tokenizer(read_tokenizer(folder.parent), folder)


def said(tokenizer: CLIPTokenizer) -> list[list[int]]:
    cut = tokenizer(PROMPTS, padding="max_length", max_length=32, truncation=True)["input_ids"]
    return [*cut, *tokenizer(PROMPTS)["input_ids"]]


@pytest.fixture
def folder(copied: Path) -> Path:
    return copied / "tokenizer"


def as_four_files(folder: Path) -> None:
    """As Stable Diffusion ships it."""
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = "\n".join(" ".join(pair) for pair in model["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    end = {**ADDED, "content": "<|endoftext|>"}
    (folder / "special_tokens_map.json").write_text(json.dumps({"eos_token": end, "pad_token": "!"}))


def test_it_reads_what_transformers_reads(folder: Path) -> None:
    for change in (lambda _: None, as_four_files):
        change(folder)
        theirs, ours = CLIPTokenizer.from_pretrained(folder), loaded(folder)
        assert said(ours) == said(theirs) and len(ours) == len(theirs)
        for name in ("model_max_length", "padding_side", "truncation_side", "special_tokens_map"):
            assert getattr(ours, name) == getattr(theirs, name), name


def test_the_shipped_one() -> None:
    root = prior_folder(EMBEDDED)
    assert said(loaded(root / "tokenizer")) == said(CLIPTokenizer.from_pretrained(root / "tokenizer"))


def test_settings_count(folder: Path) -> None:
    config = json.loads((folder / "tokenizer_config.json").read_text())
    added = {"63": {**ADDED, "content": "<new>", "special": True}}
    config |= {
        "padding_side": "left",
        "pad_token": {**ADDED, "__type": "AddedToken", "content": "a"},
        "added_tokens_decoder": added,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "added_tokens.json").write_text('{"<more>": 64}')
    theirs, ours = CLIPTokenizer.from_pretrained(folder), loaded(folder)
    assert said(ours) == said(theirs) and ours.get_vocab() == theirs.get_vocab()
    assert ours.padding_side == "left" and ours.pad_token == "a"


def test_what_its_settings_name_is_not_read(folder: Path) -> None:
    before = said(loaded(folder))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    for name in ("vocab", "merges", "vocab_file", "tokenizer_file", "gguf_file", "chat_template"):
        config[name] = "/dev/zero"
    config |= {"fast_tokenizer_files": ["tokenizer.999.json"], "auto_map": {"AutoTokenizer": ["a.b", "c"]}}
    for change in (lambda _: None, as_four_files):
        change(folder)
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        assert said(loaded(folder)) == before


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("vocab.json", '{"a": 1.0}', r"vocab.json: found vocab \{'a': 1.0\}, expected an object of at most"),
        ("vocab.json", "[]", "vocab.json: found a JSON list"),
        ("merges.txt", "a b c\n", "tokenizer: found a tokenizer that cannot be read"),
        ("merges.txt", "zz zz\n", "tokenizer: found a tokenizer that cannot be read"),
        (
            "special_tokens_map.json",
            '{"eos_token": 7}',
            "special_tokens_map.json: found eos_token 7, expected a string",
        ),
        (
            "merges.txt",
            "\x1b[2J a\n",
            r"cannot be read \(Exception: Error while initializing BPE: Token `\\x1b\[2J` out of",
        ),
        ("special_tokens_map.json", '{"eos_token": {"lstrip": true}}', "found eos_token {'lstrip': True}"),
        ("added_tokens.json", '{"<new>": "9"}', "added_tokens.json: found added_tokens {'<new>': '9'}"),
        ("tokenizer_config.json", '{"padding_side": "up"}', "found padding_side up, expected left or right"),
        ("tokenizer_config.json", '{"model_max_length": 2}', "found model_max_length 2, expected a number from 3"),
        ("tokenizer_config.json", '{"added_tokens_decoder": {"x": {"content": "y"}}}', "cannot be read .ValueError"),
    ],
)
def test_broken_files(folder: Path, name: str, text: str, message: str) -> None:
    as_four_files(folder)
    (folder / name).write_text(text)
    with pytest.raises(PriorError, match=message):
        loaded(folder)


def test_a_tokenizer_is_whole(folder: Path) -> None:
    as_four_files(folder)
    (folder / "merges.txt").unlink()
    with pytest.raises(PriorError, match=r"tokenizer: found no merges.txt, expected tokenizer.json, or vocab.json and"):
        loaded(folder)
    shutil.rmtree(folder)
    with pytest.raises(PriorError, match=r"tokenizer: found no vocab.json"):
        loaded(folder)
