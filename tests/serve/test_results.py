from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ldrps.serve import results
from ldrps.serve.order import Order
from ldrps.serve.task import Upload, UploadOutcome
from ldrps.settings import Strengths


@pytest.fixture
def outcome(picture: Path) -> UploadOutcome:
    return UploadOutcome(
        "a.png",
        Order(strengths=Strengths(tone=0.5, noise=0.0)),
        picture,
        Upload("a.png", picture, picture, (64, 48)),
        after=picture,
        file=picture,
        parts={"tone": "2 stops too dark", "noise": "noise 9 of 255", "blur": "a blur", "holes": "marks"},
        filled=False,
        number=7,
    )


def where(path: Path, name: str = "") -> str:
    return "picture/token"


def test_each_finding_has_a_switch_and_what_can_be_undone_in_part_a_slider(outcome: UploadOutcome) -> None:
    html = results.findings(outcome)
    assert 'data-number="7"' in html
    for part, percent, is_on in (("tone", 50, True), ("noise", 0, False), ("blur", 100, True)):
        slider = html.split(f'data-part="{part}"')[1].split(">")[0]
        assert f'value="{percent}"' in slider and 'max="200"' in slider
        assert (f'data-switch="{part}" checked' in html) is is_on
    assert 'data-switch="holes">' in html and 'data-part="holes"' not in html


def test_where_nothing_was_found_there_is_nothing_to_switch(picture: Path) -> None:
    html = results.findings(UploadOutcome("a.png", Order(), picture, words="no damage found"))
    assert "no damage found" in html and "data-switch" not in html


def test_what_may_be_wrong_has_a_switch_that_is_off(outcome: UploadOutcome) -> None:
    doubt = "perhaps 1.9 stops too dark (21%), and left so"
    words = f"no damage found; {doubt}; bars"
    html = results.findings(replace(outcome, parts={}, doubt=doubt, words=words, order=Order()))
    assert 'data-switch="suspects">' in html and 'data-part="suspects"' not in html
    assert html.count(doubt) == 1 and "no damage found; bars" in html
    assert 'data-switch="suspects"' not in results.findings(outcome)


def test_the_one_that_is_shown_is_marked_in_the_gallery(outcome: UploadOutcome, picture: Path) -> None:
    other = UploadOutcome("b.png", Order(), picture, after=picture, file=picture, number=8)
    html = results.gallery([other, outcome], outcome, where)
    assert 'data-number="8" aria-pressed="false"' in html and 'data-number="7" aria-pressed="true"' in html


def test_marks_can_be_shown_and_changed_where_there_are_any(outcome: UploadOutcome) -> None:
    assert 'data-do="marks"' not in results.compare(outcome, where)
    html = results.compare(replace(outcome, marks=outcome.file), where)
    assert 'data-do="marks" aria-pressed="false"' in html and "Change the marks" in html
    assert "data:image/jpeg" in results.compare(outcome, where, b"jpeg")
