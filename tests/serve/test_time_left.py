from __future__ import annotations

import time

import pytest

from ldrps.presets import preset
from ldrps.serve.time_left import Opening, TimeLeft


def test_large_pictures_count_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    left = TimeLeft([(10, 10), (10, 30)])
    assert left.seconds(0, 0.0) is None
    now = 104.0
    assert left.seconds(0, 0.5) == pytest.approx(28)
    assert left.seconds(0, 1.0) == pytest.approx(12)
    assert left.seconds(1, 1.0) == 0


def test_what_comes_before_the_first_step_moves_and_never_arrives() -> None:
    opening = Opening.of((6000, 4000), preset("default"))
    assert opening.seconds > Opening.of((300, 200), preset("default")).seconds
    shares = [opening.done(seconds, 0, 0) for seconds in (0.0, 1.0, 5.0, 20.0, 100.0)]
    assert shares[0] == 0 and shares == sorted(set(shares))
    assert shares[-1] <= opening.share <= opening.done(0.0, 1, 100)
    assert opening.done(0.0, 100, 100) == 1
