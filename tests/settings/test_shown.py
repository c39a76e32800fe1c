"""What is told of a setting: its bounds, and whether it changes anything."""

from __future__ import annotations

import math

import pytest

from ldrps import preset
from ldrps.errors import SettingsError
from ldrps.settings import Settings, Within, option_name, options_of, refused


@pytest.mark.parametrize(
    ("bounds", "words", "good", "bad"),
    [
        (Within(1, 64), "1 to 64", [1, 64], [0, 65]),
        (Within(0, 1, above=True), "above 0, at most 1", [0.1, 1], [0, 1.1]),
        (Within(0, 1, above=True, below=True), "above 0 and below 1", [0.5], [0, 1]),
        (Within(0), "0 or more", [0, 1e9], [-1]),
        (Within(32, 8192, unit="pixels", zero="for all"), "0 for all, or 32 to 8192 pixels", [0, 32], [1, 31, -1]),
        (Within(1, 8.0), "1 to 8", [8.0], [8.5]),
    ],
    ids=str,
)
def test_bounds(bounds: Within, words: str, good: list[float], bad: list[float]) -> None:
    assert bounds.words() == words
    assert all(map(bounds.admits, good)) and not any(map(bounds.admits, [*bad, math.nan]))


def test_an_error_is_in_the_words_of_who_reads_it() -> None:
    error = refused("{working_size} is {0}: leave {colourise} out", "{seed}")
    assert str(error) == "working_size is {seed}: leave colourise out"
    assert error.on_command_line == "--working-size is {seed}: leave --colorize out"
    with pytest.raises(SettingsError, match=r"^tile is 8; it must be 64 to 8192 pixels") as raised:
        Settings(tile=8)
    assert raised.value.on_command_line.startswith("--tile is 8; it must be")
    with pytest.raises(SettingsError) as raised:
        preset("fast").with_changes(shifts=0)
    assert raised.value.on_command_line == str(raised.value), "shifts are no option"


def test_all_that_is_shown_says_what_it_does() -> None:
    shown = options_of(Settings) | options_of(type(preset("default").method))
    assert {"seed", "tile", "scale", "noise", "undamaged"} < shown.keys()
    for name, option in shown.items():
        assert option.shown.help.endswith(".") and option_name(name).startswith("--")


@pytest.mark.parametrize(
    ("name", "changes", "why"),
    [
        ("paper-denoising", {"tile": 256}, "tile changes nothing, as preset 'paper-denoising' restores a picture as a"),
        ("paper-lowlight", {"overlap": 32}, "overlap changes nothing"),
        ("default", {"tile": 512, "working_size": 256}, "one window holds the copy of working_size"),
        ("fast", {"steps": 4, "scale": 2}, "steps changes nothing, as with scale"),
        ("fast", {"negative": "snow"}, "only colourise and the paper's presets"),
    ],
)
def test_what_changes_nothing_is_refused(name: str, changes: dict[str, object], why: str) -> None:
    changed = preset(name).with_changes(**changes)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=why):
        changed.require_used(changes)


def test_what_changes_something_is_not() -> None:
    preset("paper-denoising").with_changes(negative="snow", steps=3).require_used(["negative", "steps"])
    preset("fast").with_changes(negative="snow", colourise=True).require_used(["negative", "colourise"])
    preset("fast").with_changes(tile=256, working_size=2048).require_used(["tile", "working_size"])
    quiet = preset("fast").with_strengths(skip=["noise"]).with_changes(noise=5, undamaged=0.5)
    quiet.require_used(["undamaged"])
    with pytest.raises(SettingsError, match="noise changes nothing, as noise is left as it is, by only, skip"):
        quiet.require_used(["noise"])
