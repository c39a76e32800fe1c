"""What is announced before a restoration, and settings that stay within a limit."""

from __future__ import annotations

import dataclasses

import pytest

from ldrps import preset
from ldrps.cost import estimate, fitted
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
    assert smaller.tile == 256 and smaller.overlap == 64
    assert estimate((2000, 2000), smaller).bytes <= limit


def test_what_does_not_fit_is_refused_with_figures() -> None:
    with pytest.raises(InputError, match=r"6000 x 4000 takes 1\.\d\d GiB at least, the limit is 1\.00 GiB.*--max-m"):
        fitted((6000, 4000), preset("fast"), GIB)
