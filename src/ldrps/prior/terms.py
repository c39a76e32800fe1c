"""Under which terms weights are: of those that ship with ldrps in one sentence, of others what their card says.

A model card is the README.md beside the weights; what programs read of it stands between two lines of `---` at its
front, as the Hugging Face hub has it. Free of torch.
"""

from __future__ import annotations

import re
from pathlib import Path

from ldrps.errors import PriorError
from ldrps.prior.files import is_there, read_file

CARD = "README.md"
# What the front of the shipped cards calls the terms, and the sentence for people; it stands in the README, on the
# page and on the container, and `ldrps info` and `ldrps doctor` print it.
SHIPPED_TERMS = "noncommercial-research-and-education"
SHIPPED_SENTENCE = (
    "The weights that ship with ldrps were trained on photographs given for non-commercial research and education, "
    "and are for that alone; its code is Apache-2.0."
)

_LINE = re.compile(r"(\w+): *(\S.*?) *")
_LONGEST = 100  # characters of a licence's name


def terms_of(folder: Path) -> str:
    """The terms of the weights in a folder, for people; "" where its card does not tell, or there is none."""
    said = front_of(folder)
    name = said.get("license_name") or said.get("license", "")
    return SHIPPED_SENTENCE if name == SHIPPED_TERMS else name[:_LONGEST]


def front_of(folder: Path) -> dict[str, str]:
    """The plain `key: value` lines at the front of a folder's card; nothing where there is no card with such a front.

    Lists and what is nested are left out: nothing here needs them.
    """
    try:
        text = read_file(folder, CARD).decode() if is_there(folder, CARD) else ""
    except (PriorError, ValueError):
        return {}
    front, _ = split_card(text)
    matches = map(_LINE.fullmatch, front.splitlines())
    return {match[1]: match[2].strip("\"'") for match in matches if match is not None}


def split_card(text: str) -> tuple[str, str]:
    """The front of a card, without its two lines of `---`, and the rest; "" for a front that is not there."""
    opening, *lines = text.split("\n")
    if opening.rstrip() != "---" or not any(line.rstrip() == "---" for line in lines):
        return "", text
    end = next(number for number, line in enumerate(lines) if line.rstrip() == "---")
    return "".join(f"{line}\n" for line in lines[:end]), "\n".join(lines[end + 1 :])
