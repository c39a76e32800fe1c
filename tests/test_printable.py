"""Texts on one line: what cannot be seen is escaped, and names of all the world stay as they are."""

from __future__ import annotations

import importlib
import json
import pickle
import pkgutil
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strange import NAME, STRANGE, assert_seen

import ldrps
from ldrps import errors
from ldrps.errors import LdrpsError
from ldrps.printable import json_text, printable, without_strange

_DIRECTIONS = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN", "B", "S")
_ODD = st.sampled_from("ab1#.\u0627\u0915\U0001f469\u2764\u845b\u200c\u200d\ufe0f\U000e0100\u180b\x1b\udcff\u3164")


@pytest.mark.parametrize(("raw", "seen"), STRANGE.values(), ids=STRANGE)
def test_what_cannot_be_seen_is_escaped(raw: str, seen: str) -> None:
    assert printable(f"a{raw}b.png") == f"a{seen}b.png"
    assert without_strange(f"a{raw[0]}b.png") == "ab.png"


@pytest.mark.parametrize(
    "name",
    [
        "IMG_0001 (2) [a] 'b' ~$%.JPG",
        "C:\\Pictures\\\\cat.png",
        "Müller e\u0301 Ω",
        "Снимок экрана",
        "صورة \u0661.jpg",
        "שלום עולם",
        "می\u200cخو\u0627\u0647م",
        "क्\u200dष ക്\u200d",
        "写真\u3000葛\U000e0100城",
        "Screenshot 9.41.00\u202fAM",
        "\U0001f4f7 \U0001f469\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525 \U0001f44d\U0001f3fd",
        "\U0001f3f3\ufe0f\u200d\U0001f308 1\ufe0f\u20e3 \U0001f1e9\U0001f1ea \U0001f642\u200d\u2194\ufe0f",
        "\U0001fae8",  # an emoji of a later Unicode than that of Python 3.11
        "\u0600\u06dd",  # signs that are seen, though of category Cf
    ],
)
def test_names_of_all_the_world_stay(name: str) -> None:
    assert printable(name) == without_strange(name) == name


def test_of_all_characters_none_that_controls_or_turns_stays_alone() -> None:
    stay = [chr(code) for code in range(0x110000) if printable(chr(code)) == chr(code)]
    assert len(stay) > 140_000
    assert not [
        ascii(each)
        for each in stay
        if unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp", "Co")
        or unicodedata.bidirectional(each) in _DIRECTIONS
    ]


@given(st.text(st.one_of(_ODD, st.characters()), max_size=12))
def test_again_changes_nothing(text: str) -> None:
    line = printable(text)
    assert printable(line) == line and len(line.splitlines()) <= 1
    kept = without_strange(text)
    assert without_strange(kept) == printable(kept) == kept


def test_joiners_and_selectors_hide_nothing() -> None:
    assert printable("\U0001f469" + "\u200d" * 3 + "\U0001f469").count("\\u200d") == 3
    assert printable("\u2764\ufe0f\ufe0f\ufe0e") == "\u2764\ufe0f\\ufe0f\\ufe0e"
    assert printable("a\u200db\u200dc") == "a\\u200db\\u200dc"


_NOT_FOR_DEVELOPERS = ("pyarrow", "ray")  # packages of the extra "ray", which they do not install


def every_error() -> list[type[LdrpsError]]:
    """All errors of the package, in whichever module, and whichever other test has imported that."""
    for module in pkgutil.walk_packages(ldrps.__path__, "ldrps."):
        if module.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if error.name not in _NOT_FOR_DEVELOPERS:
                raise
    kinds = [LdrpsError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return kinds


def test_errors_are_a_line() -> None:
    kinds = every_error()
    assert {"InputError", "WorkerLost"} < {kind.__name__ for kind in kinds}
    for kind in kinds:
        message = f"{NAME} cannot be read"
        error = kind(*{"Problem": (500, message), "ServiceError": (message, 500)}.get(kind.__name__, (message,)))
        assert_seen(str(error))
        assert "\n" not in str(error) and str(error).endswith("cannot be read"), kind
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), again.args, again.on_command_line) == (kind, error.args, error.on_command_line)


def test_an_error_of_ours_is_still_of_its_python_kind() -> None:
    assert isinstance(errors.OutputError("no room"), OSError) and errors.OutputError("no room").errno is None


@pytest.mark.parametrize("raw", [raw for raw, _ in STRANGE.values()], ids=STRANGE)
def test_json_is_ascii_and_comes_back(raw: str) -> None:
    text = json_text({raw: [raw, 0.5]})
    assert text.isascii() and all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == {raw: [raw, 0.5]}


def test_json_without_numbers_that_it_does_not_know() -> None:
    assert json.loads(json_text([float("inf")])) == [float("inf")]
    with pytest.raises(ValueError, match="JSON"):
        json_text([float("inf")], allow_nan=False)
