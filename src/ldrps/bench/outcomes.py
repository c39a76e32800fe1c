"""What became of the pictures of a set, against what was given: how many were left as they were, which ones spoilt.

A mean hides both, and of pictures that were undamaged it is infinite as soon as one came back as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ldrps.bench.store import Row

NEAR = 32.0  # dB to itself; below it, an undamaged picture was changed for all to see
LOSS = 0.5  # dB
NAMED = 5
# The counts of `Outcomes`, with their heads in tables.
COUNTS = {"same": "as given", "far": f"below {NEAR:.0f} dB", "worse": f"worse by {LOSS} dB"}


@dataclass(frozen=True)
class Outcomes:
    """Of one contender on one set; a picture that was restored with several seeds counts by the worst of them.

    Attributes:
        same: pictures that came back as they were given, to the bit.
        far: of undamaged pictures, those below `NEAR` to themselves; None where pictures are damaged.
        worse: of damaged ones, those whose PSNR is less than that of the input by more than `LOSS`; None where they are
            undamaged, or nothing is known of the clean side.
        worst: the `NAMED` worst by name, the worst first: of damaged pictures what they gained over the input, of
            undamaged ones that were changed the PSNR to themselves, in dB. Empty where all came back as given.
    """

    same: int
    far: int | None = None
    worse: int | None = None
    worst: Mapping[str, float] = field(default_factory=dict)


def recorded(found: Outcomes | None) -> dict[str, Any]:
    """As plain data; of what is not known, None under every name."""
    if found is None:
        return dict.fromkeys(("as_given", "far", "worse", "worst"))
    return {"as_given": found.same, "far": found.far, "worse": found.worse, "worst": dict(found.worst)}


def outcomes(by_image: Mapping[str, Sequence[Row]], is_clean: bool) -> Outcomes | None:
    """From the rows of each picture that succeeded; None where no result can be compared with its input.

    Args:
        by_image: rows by the name of their picture.
        is_clean: whether nothing is wrong with what was given.
    """
    kept = {image: min(values) for image, rows in by_image.items() if (values := _scores(rows, "psnr_to_input"))}
    if not kept:
        return None
    same = sum(value == math.inf for value in kept.values())
    if is_clean:
        changed = {image: value for image, value in kept.items() if value < math.inf}
        return Outcomes(same, sum(value < NEAR for value in kept.values()), None, _least(changed))
    gains = {image: min(values) for image, rows in by_image.items() if (values := [*map(_gain, _compared(rows))])}
    if not gains:
        return Outcomes(same)
    worst = _least(gains) if same < len(kept) else {}
    return Outcomes(same, None, sum(gain < -LOSS for gain in gains.values()), worst)


def worst_in_words(found: Outcomes) -> str:
    """The worst pictures, in a line; "" where there are none."""
    if not found.worst:
        return ""
    if found.far is None:
        return "least gained, dB: " + ", ".join(f"{image} {gain:+.2f}" for image, gain in found.worst.items())
    return "most changed, dB to itself: " + ", ".join(f"{image} {value:.2f}" for image, value in found.worst.items())


def _scores(rows: Sequence[Row], name: str) -> list[float]:
    return [row.scores[name] for row in rows if name in row.scores]


def _compared(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if {"psnr_rgb", "psnr_input"} <= row.scores.keys()]


def _gain(row: Row) -> float:
    after, before = row.scores["psnr_rgb"], row.scores["psnr_input"]
    return 0.0 if after == before else after - before  # both may be infinite


def _least(values: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(values.items(), key=lambda item: (item[1], item[0]))[:NAMED])
