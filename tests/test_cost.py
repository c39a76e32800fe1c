"""What is announced before a restoration, and settings that stay within a limit."""

from __future__ import annotations

import dataclasses

import pytest

from ldrps import cost, preset
from ldrps.cost import affordable, check_reading, estimate, fitted
from ldrps.errors import InputError

GIB = 2**30


def test_a_larger_picture_and_a_better_preset_cost_more() -> None:
    fast, default, best = (preset(name) for name in ("fast", "default", "best"))
    small, large = (256, 256), (6000, 4000)
    for settings in (fast, default, best, preset("paper-lowlight")):
        less, more = estimate(small, settings), estimate(large, settings)
        assert less.seconds < more.seconds and less.bytes < more.bytes
    costs = [estimate(large, settings) for settings in (fast, default, best)]
    assert [c.seconds for c in costs] == sorted(c.seconds for c in costs)
    assert [c.bytes for c in costs] == sorted(c.bytes for c in costs)


def test_what_may_be_filled_counts() -> None:
    usual = preset("default")
    whole = estimate((1000, 1000), usual.with_masks(holes=True, protected=False))
    assert estimate((1000, 1000), usual.with_changes(scratches=True)) == whole
    assert whole.seconds > estimate((1000, 1000), usual).seconds


def test_a_working_size_makes_it_cheap() -> None:
    whole = preset("paper-lowlight")
    assert estimate((6000, 4000), dataclasses.replace(whole, working_size=512)).seconds < (
        estimate((6000, 4000), whole).seconds / 50
    )


def test_settings_that_fit_are_left_alone() -> None:
    settings = preset("default")
    assert fitted((1000, 800), settings, 4 * GIB) == settings


def test_windows_shrink_until_it_fits() -> None:
    settings = preset("best")
    limit = estimate((2000, 2000), dataclasses.replace(settings, tile=256)).bytes
    smaller = fitted((2000, 2000), settings, limit)
    assert smaller.tile == 256 and smaller.overlap == 32
    assert estimate((2000, 2000), smaller).bytes <= limit


def test_what_does_not_fit_is_refused_with_figures() -> None:
    with pytest.raises(InputError, match=r"6000 x 4000 takes 1\.\d\d GiB at least, the limit is 1\.00 GiB") as refused:
        fitted((6000, 4000), preset("fast"), GIB)
    assert "--max-memory" in refused.value.on_command_line and "--" not in str(refused.value)


def test_without_a_limit_what_is_free_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = preset("fast")
    for limit, free in ((GIB, None), (None, GIB)):
        monkeypatch.setattr(cost, "available_bytes", lambda free=free: free)
        assert affordable((256, 256), settings, limit) == settings
        check_reading((256, 256), limit)
        with pytest.raises(InputError, match=r"6600 x 6600 takes 2\.\d\d GiB at least, the limit is 1\.00 GiB"):
            affordable((6600, 6600), settings, limit)
        with pytest.raises(InputError, match=r"6600 x 6600 takes 2\.\d\d GiB at least, the limit is 1\.00 GiB"):
            check_reading((6600, 6600), limit)
    monkeypatch.setattr(cost, "available_bytes", lambda: None)  # where the system does not tell
    assert affordable((6600, 6600), settings, None) == settings
    check_reading((6600, 6600), None)


def test_what_is_enlarged_is_counted_as_it_will_be() -> None:
    default, best = preset("default"), preset("best")
    twice = default.with_changes(scale=2.0)
    told = [twice.with_changes(noise=5.0), twice.with_changes(recurrences=1), twice.with_strengths(skip="noise")]
    for size in ((128, 96), (1000, 800)):
        assert estimate(size, twice).bytes < estimate(size, default.with_changes(scale=4.0)).bytes
        assert estimate(size, twice).seconds < estimate(size, default.with_changes(scale=4.0)).seconds
        for loop in (*told, best.with_changes(scale=2.0)):
            assert 2 * estimate(size, twice).seconds < estimate(size, loop).seconds, "which has a loop"
    limit = estimate((1000, 800), dataclasses.replace(twice, tile=256)).bytes
    assert fitted((1000, 800), twice, limit).tile == 256
    with pytest.raises(InputError, match=r"picture of 8000 x 6400 takes .*: take a smaller scale than 8"):
        fitted((1000, 800), default.with_changes(scale=8.0), GIB)
    halves = cost.halved((200, 150), twice)
    assert halves is not None and halves.tile == 256 and cost.halved((200, 150), default) is None
