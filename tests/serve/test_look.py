from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from strange import NAME, assert_seen

from ldrps.printable import printable
from ldrps.serve import look, results
from ldrps.serve.limits import Limits
from ldrps.serve.order import Order
from ldrps.serve.task import Snapshot, Upload, UploadOutcome


def where(path: Path, name: str = "") -> str:
    return f"picture/{len(path.name)}"


def result(upload: Upload, name: str, **more: Any) -> UploadOutcome:
    return UploadOutcome(name, Order(caption=name), upload.shown, upload, upload.shown, upload.path, **more)


def test_the_terms_of_the_weights_are_at_the_foot() -> None:
    assert "given for &lt;research&gt;</p>" in look.notice(Limits(), "given for <research>")
    assert look.notice(Limits(), "").count("<p") == 1


NASTY = '<img src=x onerror="alert(1)">'


@pytest.fixture
def upload(picture: Path) -> Upload:
    return Upload(NASTY, picture, picture, (64, 48))


def test_names_and_captions_are_text_and_never_markup(upload: Upload, picture: Path) -> None:
    parts = {"tone": NASTY, "holes": NASTY}
    outcome = result(upload, NASTY, words=NASTY, caption=NASTY, parts=parts, marks=picture)
    for html in (
        look.chosen([upload]),
        look.chosen([upload] * 9),
        look.running(Snapshot(started=True, picture=1, step=1, steps=2), [upload]),
        results.compare(outcome, where),
        results.findings(outcome),
        results.gallery([outcome], outcome, where),
        look.refusals([NASTY]),
        look.status(NASTY),
    ):
        assert "<img src=x" not in html
        assert 'onerror="' not in html


def test_names_captions_and_reasons_are_seen(picture: Path) -> None:
    upload = Upload(NAME, picture, picture, (64, 48))
    outcome = result(upload, NAME, words=NAME, caption=NAME, parts={"noise": NAME})
    for html in (
        look.chosen([upload]),
        look.running(Snapshot(started=True, picture=1, step=1, steps=2), [upload]),
        results.compare(outcome, where),
        results.findings(outcome),
        results.gallery([outcome], outcome, where),
        look.refusals([NAME]),
        look.status(NAME),
    ):
        assert_seen(html)
        assert printable(NAME) in html


def test_where_a_run_is() -> None:
    assert look.progress(Snapshot(), 2, 1, False) == "Waiting: 2 requests ahead of yours"
    assert look.progress(Snapshot(), 1, 1, False) == "Waiting: 1 request ahead of yours"
    step = Snapshot(started=True, picture=2, step=1, steps=4, seconds_left=75.4)
    assert look.progress(step, 0, 3, False) == "Picture 2 of 3, step 1 of 4, about 75 s left"
    assert look.progress(Snapshot(started=True, picture=1), 0, 1, False) == "Looking at it"
    assert look.progress(step, 0, 3, True) == "Stopping after this step"


def test_how_a_run_ended(picture: Path) -> None:
    good = UploadOutcome("a.png", Order(), picture, file=picture, seconds=2.0)
    bad = UploadOutcome("b.png", Order(), picture, error="no")
    assert look.finished(Snapshot(outcomes=(good,)), 1) == "Done in 2 s"
    assert look.finished(Snapshot(outcomes=(good, bad)), 2) == "1 of 2 restored in 2 s"
    assert look.finished(Snapshot(outcomes=(bad,)), 1) == "Nothing could be restored"
    assert look.finished(Snapshot(outcomes=(good,), stopped=True), 2) == "Stopped: 1 of 2 done"
    assert "log" in look.finished(Snapshot(), 1)


def test_many_pictures_are_a_strip_and_a_count(upload: Upload) -> None:
    html = look.chosen([upload] * 9)
    assert html.count("<img") == 6
    assert "and 3 more" in html
    assert look.chosen([]) == ""


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "1 s"), (89, "89 s"), (300, "5 min"), (7500, "2 h 5 min")])
def test_durations(seconds: float, said: str) -> None:
    assert look.duration(seconds) == said
