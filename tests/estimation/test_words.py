from __future__ import annotations

from typing import Any

import pytest

from ldrps.estimation.words import in_words

NOTHING = {"amount": 0.0, "exposure": 1.0, "veil": 0.0, "uneven": 0.5}
DARK = {"amount": 1.0, "exposure": 0.137, "veil": 0.01, "uneven": 0.02}
HAZY = {"amount": 1.0, "exposure": 1.4, "veil": 0.31, "uneven": 0.2}


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        ({}, ""),
        ({"noise": 0.4}, "no damage found"),
        ({"shades": False}, "no shades, as of text or a drawing: nothing to restore"),
        ({"missing": "flat"}, "one colour all over, or noise: nothing to judge by"),
        ({"missing": "hidden"}, "all of it is transparent: nothing to judge by"),
        (
            {"noise": 0.4, "bars": {"top": 40, "bottom": 38}},
            "no damage found; bars left as they are: 40 px top, 38 px bottom",
        ),
        ({"noise": 12.31, "denoised": True}, "noise 12 of 255"),
        ({"noise": 0.9, "tone": NOTHING}, "no damage found"),
        ({"noise": 4.0, "denoised": True, "tone": DARK}, "0.14x exposure, noise 4 of 255"),
        ({"noise": 0.5, "tone": HAZY}, "1.4x exposure, a veil of 31%, unevenly lit or veiled"),
        ({"noise": 0.5, "tone": DARK | {"exposure": 1.0}}, "tones a little off"),
        ({"noise": 0.4, "relit": 0.6}, "no damage found; made lighter, as the caption asks"),
        ({"noise": 0.4, "relit": -0.05}, "no damage found"),
        ({"noise": 0.5, "tone": DARK | {"amount": 0.5}}, "0.14x exposure, perhaps (50% undone)"),
    ],
)
def test_findings_in_words(findings: dict[str, Any], words: str) -> None:
    assert in_words(findings) == words
