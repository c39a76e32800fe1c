"""Settings: frozen, checked, and presets of them."""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import Decimal
from typing import Any, get_type_hints

import numpy as np
import pytest

from ldrps import PRESETS, Settings, preset
from ldrps.errors import SettingsError
from ldrps.settings import (
    Alignment,
    BlindSettings,
    Guidance,
    LdrpsSettings,
    Loop,
    NamedSettings,
    PublishedSettings,
    Splitting,
    Strengths,
    Until,
    changed,
)


def test_presets_carry_their_name_and_kind() -> None:
    assert all(settings.preset == name for name, settings in PRESETS.items())
    assert isinstance(preset("default").method, BlindSettings)
    assert preset("default").text_scale == 1.0
    fast, default, best = (preset(name) for name in ("fast", "default", "best"))
    for less, more in ((fast, default), (default, best)):
        assert isinstance(less.method, BlindSettings) and isinstance(more.method, BlindSettings)
        assert less.steps < more.steps and less.method.shifts < more.method.shifts
        assert less.method.enlarging.levels < more.method.enlarging.levels
        enlarging = dataclasses.replace(more.method.enlarging, levels=less.method.enlarging.levels)
        assert less.method.filling.levels < more.method.filling.levels
        filling = dataclasses.replace(more.method.filling, levels=less.method.filling.levels)
        assert less.method.expected >= more.method.expected
        counts = {"shifts": less.method.shifts, "expected": less.method.expected}
        same = dataclasses.replace(more.method, **counts, enlarging=enlarging, filling=filling)
        assert less.method == same, "they cost more or less, and are else one method"
    for task in ("lowlight", "dehazing", "denoising"):
        paper = preset(f"paper-{task}")
        assert isinstance(paper.method, PublishedSettings)
        assert (paper.steps, paper.renoise, paper.text_scale) == (450, 0.5, 8.0)


def test_unknown_preset_lists_the_known() -> None:
    with pytest.raises(SettingsError, match=r"'fog'; there are default, fast, best, ldrps, paper-lowlight"):
        preset("fog")


def test_changes_keep_what_is_none_and_take_zero() -> None:
    changed = preset("paper-lowlight").with_changes(seed=0, steps=None, recurrences=0)
    assert (changed.seed, changed.steps, changed.recurrences) == (0, 450, 0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("seed", -1, "0 to"),
        ("seed", 2**64, "0 to"),
        ("steps", 0, "1 to"),
        ("recurrences", -1, "0 to 100"),
        ("recurrences", 101, "0 to 100"),
        ("renoise", 0.0, "above 0, at most 1"),
        ("renoise", 1.5, "above 0, at most 1"),
        ("text_scale", -0.1, "0 to 100"),
        ("overlap", 8, "16 to 1024 pixels"),
        ("tile", 96, "128 to 8192 pixels: four times the overlap at least"),
        ("working_size", 16, "0 for the picture's own, or 32 to 8192 pixels"),
    ],
)
def test_limits_name_field_value_and_limit(field: str, value: Any, limit: str) -> None:
    with pytest.raises(SettingsError, match=f"{field} is {value}; it must be {limit}"):
        Settings(**{field: value})


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("shifts", 0, "1 to 64"),
        ("noise_factor", -1, "0 to 10"),
        ("noiseless", 1.0, "above 0 and below 1"),
        ("data_variance", -0.5, "0 or more"),
        ("data_variance", float("nan"), "0 or more"),
    ],
)
def test_limits_of_the_default_too(field: str, value: Any, limit: str) -> None:
    with pytest.raises(SettingsError, match=f"{field} is {re.escape(str(value))}; it must be {limit}"):
        BlindSettings(**{field: value})


@pytest.mark.parametrize("value", ["2", True, [2], 2j, Decimal(2)])
@pytest.mark.parametrize("field", ["scale", "renoise", "steps", "seed"])
def test_what_is_no_number_is_refused(field: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=rf"{field} is {re.escape(repr(value))}; it must be a (whole )?number"):
        preset("default").with_changes(**{field: value})


def test_no_part_of_a_step_and_no_text_in_a_method() -> None:
    with pytest.raises(SettingsError, match=r"steps is 2\.5; it must be a whole number"):
        preset("default").with_changes(steps=2.5)
    with pytest.raises(SettingsError, match="noise is '5'; it must be a number"):
        BlindSettings(noise="5")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="levels is nan; it must be a whole number"):
        Splitting(levels=float("nan"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [{"scale": np.float32(2.5)}, {"scale": np.int64(3)}, {"renoise": np.float64(0.25)}, {"seed": np.uint8(7)}],
    ids=str,
)
def test_numpys_numbers_can_be_recorded(changes: dict[str, Any]) -> None:
    changed = preset("default").with_changes(**changes)
    told = json.loads(json.dumps(dataclasses.asdict(changed)))
    for name, value in changes.items():
        assert told[name] == value and type(getattr(changed, name)) in (int, float)


def test_a_term_acts_below_its_timestep() -> None:
    assert [Until(0.5, 100).at(t) for t in (0, 99, 100, 900)] == [0.5, 0.5, 0.0, 0.0]


def test_who_knows_the_damage_can_say_so() -> None:
    knowing = preset("fast").with_knowledge(undamaged=0.1, noise=0)
    assert isinstance(knowing.method, BlindSettings)
    assert (knowing.method.undamaged, knowing.method.noise, knowing.method.shifts) == (0.1, 0, 1)
    assert preset("paper-denoising").with_knowledge() == preset("paper-denoising")
    with pytest.raises(SettingsError, match="'paper-denoising' finds the damage out by itself: leave noise out"):
        preset("paper-denoising").with_knowledge(noise=25)
    for bad in ({"noise": 300}, {"undamaged": 0}):
        with pytest.raises(SettingsError, match="must be"):
            preset("fast").with_knowledge(**bad)


def strengths(settings: Settings) -> Strengths:
    assert isinstance(settings.method, BlindSettings)
    return settings.method.strengths


def test_parts_of_the_damage_are_chosen_by_name() -> None:
    settings = preset("fast")
    assert settings.with_strengths() == settings
    assert strengths(settings.with_strengths(0.5)) == Strengths(0.5, 0.5, 0.5)
    assert strengths(settings.with_strengths({"noise": 0.5})) == Strengths(None, 0.5)
    assert strengths(settings.with_strengths(only=["noise"])) == Strengths(0.0, None, 0.0)
    assert settings.with_strengths(only="noise") == settings.with_strengths(only=["noise"])
    assert strengths(settings.with_strengths(0.5, skip=["noise"])) == Strengths(0.5, 0.0, 0.5)
    assert strengths(settings.with_strengths(skip=["tone"]).with_strengths({"noise": 0.5})) == Strengths(0.0, 0.5)
    assert strengths(settings.with_strengths(0.5).with_strengths({"tone": 1.0})) == Strengths(1.0, 0.5, 0.5)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"strength": {"haze": 1.0}}, "part is 'haze'; it must be one of tone, noise"),
        ({"only": ["fog"]}, "part is 'fog'"),
        ({"skip": ["Noise"]}, "part is 'Noise'"),
        ({"strength": -0.1}, "strength of tone is -0.1; it must be 0, which leaves it out, to 4"),
        ({"strength": {"noise": 4.5}}, "strength of noise is 4.5"),
        ({"strength": float("nan")}, "strength of tone is nan"),
        ({"strength": "much"}, "strength of tone is 'much'"),
        ({"strength": {"noise": True}}, "strength of noise is True"),
    ],
)
def test_parts_and_strengths_that_cannot_be(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        preset("default").with_strengths(**asked)


def test_the_published_method_knows_no_parts() -> None:
    with pytest.raises(SettingsError, match="'paper-denoising' learns the damage as a whole: leave damage, only, skip"):
        preset("paper-denoising").with_strengths(0.5)


METHODS = (BlindSettings, LdrpsSettings, PublishedSettings)


def test_every_setting_goes_by_its_name_and_type() -> None:
    own = {field.name for field in dataclasses.fields(Settings)} - {"preset"}
    of_methods = {field.name for method in METHODS for field in dataclasses.fields(method)}
    assert not own & of_methods, "a name means one setting"
    named = get_type_hints(NamedSettings)
    assert named.keys() == own | of_methods
    for kind in (Settings, *METHODS):
        hints = get_type_hints(kind)
        for field in dataclasses.fields(kind):
            assert field.name == "preset" or named[field.name] == hints[field.name] | None, field.name


def test_settings_of_the_method_are_changed_by_name_too() -> None:
    settings = preset("fast").with_changes(shifts=2, noise=5, seed=3)
    assert isinstance(settings.method, BlindSettings)
    assert (settings.seed, settings.method.shifts, settings.method.noise) == (3, 2, 5)
    assert settings.method.enlarging.levels == 6, "the rest is the preset's"
    both = preset("default").with_changes(method=LdrpsSettings(shifts=3), last_steps=4)
    assert both.method == LdrpsSettings(shifts=3, last_steps=4)
    assert preset("default").with_changes(shifts=None) == preset("default")
    with pytest.raises(SettingsError, match="shifts is 0; it must be 1 to 64"):
        preset("default").with_changes(shifts=0)
    for name, alien in (("default", {"loop": Loop()}), ("paper-lowlight", {"shifts": 2})):
        with pytest.raises(SettingsError, match=f"preset '{name}' has no setting '{next(iter(alien))}': leave it out"):
            preset(name).with_changes(**alien)


@pytest.mark.parametrize(
    ("name", "told"),
    [("xyz", "there are alignment, blur_factor"), ("sed", "the nearest is 'seed'"), ("shift", "nearest is 'shifts'")],
)
def test_a_name_that_no_setting_has(name: str, told: str) -> None:
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'; .*{told}"):
        preset("default").with_changes(**{name: 1})


def test_a_dotted_name_that_goes_on_behind_a_value() -> None:
    with pytest.raises(SettingsError, match=r"there is no setting 'method\.shifts\.x'; 'method\.shifts' is a value"):
        changed(preset("default"), {"method.shifts.x": 1})
    with pytest.raises(SettingsError, match=r"there is no setting 'seed\.x'; 'seed' is a value"):
        changed(preset("default"), {"seed.x": 1})


@pytest.mark.parametrize(
    ("kind", "field", "value", "wanted"),
    [
        (Settings, "negative", 3, "a text"),
        (Settings, "preset", None, "a text"),
        (Settings, "colourise", "yes", "True or False"),
        (Settings, "colourise", 1, "True or False"),
        (Settings, "method", 3, "PublishedSettings or BlindSettings"),
        (BlindSettings, "strengths", 0.5, "Strengths"),
        (BlindSettings, "enlarging", {}, "Splitting"),
        (BlindSettings, "sample", "no", "True or False"),
        (LdrpsSettings, "loop", 1, "Loop"),
        (Loop, "free", 2.5, "a whole number"),
        (PublishedSettings, "guidance", 3, "Guidance"),
        (PublishedSettings, "clamp_quantile", "0.9", "a number"),
        (Guidance, "distance", 1.0, "Until"),
        (Alignment, "distance", "far", "a number"),
        (Until, "weight", "1", "a number"),
    ],
)
def test_what_is_of_another_type_is_refused(kind: Any, field: str, value: Any, wanted: str) -> None:
    with pytest.raises(SettingsError, match=rf"{field} is {re.escape(repr(value))}; it must be {wanted}"):
        kind(**{field: value})


def test_numpys_truth_is_pythons() -> None:
    assert preset("default").with_changes(colourise=np.bool_(True)).colourise is True


def test_presets_and_parts_of_another_type() -> None:
    with pytest.raises(SettingsError, match=r"preset is \['fast'\]; there are default"):
        preset(["fast"])  # type: ignore[arg-type]
    for option in ("only", "skip"):
        with pytest.raises(SettingsError, match=f"{option} is 3; it must be some of tone, noise, blur"):
            preset("default").with_strengths(**{option: 3})
