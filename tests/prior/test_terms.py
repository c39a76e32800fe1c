"""Under which terms weights are: told alike wherever people meet them, and read from any card without trust."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from conftest import Run

import ldrps
from ldrps.prior import prior_folder
from ldrps.prior.terms import SHIPPED_SENTENCE, front_of, split_card, terms_of

ROOT = Path(__file__).parents[2]
SHIPPED = ("embedded", "embedded-pixels")


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_cards_say_it_to_people_and_to_programs(name: str) -> None:
    card = (prior_folder(name) / "README.md").read_text(encoding="utf-8")
    front, body = split_card(card)
    assert SHIPPED_SENTENCE in " ".join(body.split())
    assert terms_of(prior_folder(name)) == SHIPPED_SENTENCE
    assert front_of(prior_folder(name))["license"] == "other"
    figures = re.findall(r"value: ([\d.]+)", front)
    assert figures and all(figure in body for figure in figures), "a figure at the front is one of the card"


def test_the_readme_says_it() -> None:
    assert SHIPPED_SENTENCE in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_loaded_says_it(name: str, command: Run) -> None:
    assert ldrps.load_prior(name).describe()["terms"] == SHIPPED_SENTENCE
    code, out, _ = command("info", name)
    assert code == 0 and f"terms{' ' * 14}{SHIPPED_SENTENCE}\n" in out


@pytest.mark.parametrize(
    ("card", "terms"),
    [
        ("---\nlicense: mit\n---\n# mine\n", "mit"),
        ("---\nlicense: other\nlicense_name: 'my own terms'\ntags:\n- license: gpl\n---\n", "my own terms"),
        ("---\r\nlicense: openrail++\r\n---\r\n", "openrail++"),
        ("# license: mit\n", ""),
        ("---\nlicense: mit\nno end", ""),
        ("---\nlicense:\n- mit\n---\n", ""),
        ("---\nlicense: " + 300 * "x" + "\n---\n", 100 * "x"),
        ("", ""),
        ("\xff".encode("latin-1"), ""),
    ],
)
def test_the_cards_of_others(card: str | bytes, terms: str, tmp_path: Path) -> None:
    content = card if isinstance(card, bytes) else card.encode()
    (tmp_path / "README.md").write_bytes(content)
    assert terms_of(tmp_path) == terms


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_card_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "README.md")
    assert terms_of(tmp_path) == ""
    assert terms_of(tmp_path / "nowhere") == ""
