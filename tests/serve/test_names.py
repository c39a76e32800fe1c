from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ldrps.image.formats import FORMATS
from ldrps.printable import printable
from ldrps.serve.names import clean_name, result_name


@pytest.mark.parametrize(
    ("given_name", "clean"),
    [
        ("holiday.jpg", "holiday.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Pictures\\cat.PNG", "cat.PNG"),
        ("-rf.png", "rf.png"),
        (".hidden.png", "hidden.png"),
        ("two\nlines\x00.png", "twolines.png"),
        ("gnp.\u202egpj", "gnp.gpj"),  # a mark that turns what follows around
        ("ein Löwe 🦁.webp", "ein Löwe 🦁.webp"),
        ("\U0001f469\u200d\U0001f467 می\u200cخ.png", "\U0001f469\u200d\U0001f467 می\u200cخ.png"),  # joiners that join
        ("a\u200db\u3164\udcff.png", "ab.png"),
        ("a*\ufe0f.png", "a.png"),
        ("\U0001f469\u200d" * 30 + "\U0001f469.png", "\U0001f469\u200d" * 16 + "\U0001f469.png"),
        ("", "picture"),
        ("...", "picture"),
        ("a." + "b" * 300, ("a." + "b" * 300)[:120]),
    ],
)
def test_clean_names(given_name: str, clean: str) -> None:
    assert clean_name(given_name) == clean


@given(st.text(max_size=400))
def test_any_name_becomes_one_that_is_a_file_in_its_folder(name: str) -> None:
    clean = clean_name(name)
    assert clean_name(clean) == clean
    assert printable(clean) == clean, "so that it can be found again in what an error says"
    assert "/" not in clean and "\\" not in clean and "\0" not in clean
    assert clean not in ("", ".", "..") and clean[0] not in ".-"
    result = result_name(clean)
    assert len(result.encode()) < 200
    assert any(result.lower().endswith(suffix) for suffix in FORMATS)


def test_results_keep_their_names_where_they_can() -> None:
    assert result_name("cat.JPG") == "cat.JPG"
    assert result_name("cat.heic") == "cat.heic.png"
    assert result_name("cat.jpg", {"cat.jpg", "cat-2.jpg"}) == "cat-3.jpg"
    assert result_name("Cat.jpg", {"cat.jpg"}) == "Cat-2.jpg"
