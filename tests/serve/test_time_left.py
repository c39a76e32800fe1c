from __future__ import annotations

import time

import pytest

from ldrps.serve.time_left import TimeLeft


def test_large_pictures_count_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    left = TimeLeft([(10, 10), (10, 30)])
    assert left.seconds(0, 0.0) is None
    now = 104.0
    assert left.seconds(0, 0.5) == pytest.approx(28)
    assert left.seconds(0, 1.0) == pytest.approx(12)
    assert left.seconds(1, 1.0) == 0
