from __future__ import annotations

import pytest
import torch

from ldrps.degradation import Blur, GaussianBlur, JpegResidue, SharedNoise, Tone, WhiteNoise
from ldrps.degradation.change import ToneChange
from ldrps.degradation.kernels import gaussian
from ldrps.estimation.damage import Damage, Estimate
from ldrps.estimation.words import change_of, possible_change
from ldrps.findings import CaptionFit, Findings

NOTHING = Damage(Estimate(Tone(0.2, 0.1, 1.0), 0.1), Estimate(WhiteNoise(0.02), 0.2))
DARK = Tone(0.137)
HAZY = Tone(0.69, 0.31)


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        (Findings(), ""),
        (Findings(NOTHING), "no damage found"),
        (Findings(Damage()), "left as it is"),
        (Findings(shades=False), "no shades, as of text or a drawing: nothing to restore"),
        (Findings(missing="flat"), "one colour all over, or noise: nothing to judge by"),
        (Findings(missing="hidden"), "all of it is transparent: nothing to judge by"),
        (
            Findings(NOTHING, bars={"top": 40, "bottom": 38}),
            "no damage found; bars left as they are: 40 px top, 38 px bottom",
        ),
        (Findings(Damage(noise=Estimate(WhiteNoise(12.31 / 255)))), "noise 12 of 255"),
        (Findings(Damage(noise=Estimate(WhiteNoise(12.31 / 255), strength=0.5))), "noise 6 of 255"),
        (Findings(Damage(noise=Estimate(SharedNoise(12.31 / 255, 0.3)))), "coarse noise 12 of 255"),
        (Findings(Damage(noise=Estimate(JpegResidue(9 / 255), 0.5))), "JPEG compression 4 of 255"),
        (Findings(Damage(Estimate(Tone(1.0)), Estimate(WhiteNoise(0.0)))), "no damage found"),
        (Findings(Damage(noise=Estimate(WhiteNoise(12 / 255), strength=0.01))), "a trace of noise"),
        (Findings(Damage(Estimate(DARK, 0.251)), ToneChange(-0.1)), "tones a little off, perhaps (1% undone)"),
        (
            Findings(Damage(Estimate(DARK), Estimate(WhiteNoise(4 / 255))), ToneChange(-2.84)),
            "2.8 stops too dark, noise 4 of 255",
        ),
        (Findings(Damage(blur=Estimate(GaussianBlur(1.6)))), "blurred by 1.6 px"),
        (Findings(Damage(blur=Estimate(GaussianBlur(1.6), strength=0.5))), "blurred by 0.8 px"),
        (Findings(Damage(blur=Estimate(GaussianBlur(1.6), strength=0.0))), "no damage found"),
        (
            Findings(
                Damage(Estimate(DARK), Estimate(WhiteNoise(4 / 255)), blur=Estimate(Blur(gaussian(2, 2)))),
                ToneChange(-2.84),
            ),
            "2.8 stops too dark, blurred by 2.0 px, noise 4 of 255",
        ),
        (Findings(Damage(Estimate(HAZY)), ToneChange(0.9, veil=0.32)), "a veil of 32%"),
        (Findings(Damage(Estimate(Tone(gamma=1.1)))), "tones a little off"),
        (
            Findings(NOTHING, possible=ToneChange(-1.86, warmth=0.5)),
            "no damage found; perhaps 1.9 stops too dark and too warm (10%), and left so",
        ),
        (Findings(NOTHING, possible=ToneChange(-0.1)), "no damage found"),
        (
            Findings(Damage(Estimate(DARK, 0.2), Estimate(WhiteNoise(4 / 255))), possible=ToneChange(-2.84)),
            "noise 4 of 255; perhaps 2.8 stops too dark (20%), and left so",
        ),
        (Findings(NOTHING, relit=0.6), "no damage found; made lighter, as the caption asks"),
        (Findings(NOTHING, relit=-0.05), "no damage found"),
        (
            Findings(NOTHING, caption=CaptionFit(-0.1, followed=False)),
            "no damage found; the caption does not fit the picture and was not followed",
        ),
        (
            Findings(Damage(Estimate(DARK, 0.5)), ToneChange(-1.7, 0.4)),
            "1.7 stops too dark and too warm, perhaps (50% undone)",
        ),
        (Findings(Damage(Estimate(DARK, strength=0.0))), "no damage found"),
    ],
)
def test_findings_in_words(findings: Findings, words: str) -> None:
    assert findings.words() == words


def test_what_is_as_usual_is_not_recorded() -> None:
    assert Findings(NOTHING).plain() == {}
    told = Findings(windows=6, caption=CaptionFit(0.1, followed=True), bars={"top": 3})
    assert told.plain() == {"windows": 6, "caption": {"gain": 0.1, "followed": True}, "bars": {"top": 3}}


def test_tones_are_recorded_in_numbers() -> None:
    told = Findings(NOTHING, ToneChange(-1.23456, 0.5)).plain()
    assert told == {"tones": {"stops": -1.235, "warmth": 0.5, "green": 0.0, "contrast": 0.0, "veil": 0.0}}


def test_what_is_not_undone_changes_nothing() -> None:
    y = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert change_of(NOTHING, y) == ToneChange() == change_of(Damage(), y)
    found = change_of(Damage(Estimate(Tone(0.5))), y / 2)
    assert found.stops < -1 and found.warmth == pytest.approx(0, abs=0.05) and found.veil < 0.02


@pytest.mark.parametrize("probability", [0.05, 0.15, 0.5])
def test_what_may_have_happened_is_told_where_it_is_left_and_not_too_unlikely(probability: float) -> None:
    y = torch.rand(1, 3, 16, 16) * 0.1
    damage = Damage(Estimate(DARK, probability))
    possible, sure = possible_change(damage, y), change_of(Damage(Estimate(DARK)), y)
    assert possible == (sure if probability == 0.15 else ToneChange())
    assert sure.stops < -2
    assert possible_change(Damage(Estimate(DARK, probability, strength=0.0)), y) == ToneChange(), "nobody asked"
