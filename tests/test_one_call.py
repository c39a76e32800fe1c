"""`ldrps.restore`: every setting by name, and what cannot be said."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from conftest import noisy

import ldrps
from ldrps import Caption, Damage, Prior, Restorer, preset, restore
from ldrps.errors import InputError, LdrpsError, SettingsError
from ldrps.settings import Loop, NamedSettings, Splitting


def test_it_is_a_restorer_in_one_call(tiny_prior: Prior) -> None:
    settings = preset("fast").with_changes(seed=4, recurrences=1, shifts=2, noise=12).with_strengths(skip=["tone"])
    result = restore(
        noisy(), prior=tiny_prior, preset="fast", seed=4, recurrences=1, shifts=2, noise=12, skip=["tone"], steps=None
    )
    assert result.settings == settings
    assert np.array_equal(result.levels, Restorer(tiny_prior, settings)(noisy()).levels)


def test_a_loaded_prior_is_where_and_as_it_is(tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    moved: list[Any] = []
    monkeypatch.setattr(Prior, "to", lambda prior, device: moved.append(device) or prior)
    options = {"prior": tiny_prior, "preset": "fast", "steps": 1}
    restore(noisy(), dtype=torch.float32, **options)
    assert not moved
    restore(noisy(), device="cpu", **options)
    assert moved == ["cpu"]
    with pytest.raises(InputError, match="loaded in float32 and dtype is bfloat16: give it to load_prior"):
        restore(noisy(), dtype=torch.bfloat16, **options)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("default", {"tile": 256, "relight": 1.0, "enlarging": Splitting(levels=3), "scale": 1.5}),
        ("ldrps", {"loop": Loop(free=2), "last_steps": 1, "steps": 2}),
        ("paper-dehazing", {"clamp_quantile": 0.9, "steps": 2}),
    ],
)
def test_every_setting_has_a_name(name: str, changes: dict[str, Any], tiny_prior: Prior) -> None:
    result = restore(noisy(), prior=tiny_prior, preset=name, **changes)
    assert result.settings == preset(name).with_changes(**changes)


def test_the_arguments_are_no_settings_and_the_settings_are_typed() -> None:
    arguments = dict(inspect.signature(restore).parameters)
    assert get_type_hints(restore)["settings"].__args__ == (NamedSettings,)
    del arguments["settings"]
    assert not arguments.keys() & NamedSettings.__annotations__.keys()


@pytest.mark.parametrize(
    ("name", "near"),
    [("sed", "seed"), ("devise", "device"), ("recurrence", "recurrences"), ("colorise", "colourise"), ("skp", "skip")],
)
def test_a_name_that_there_is_not(name: str, near: str) -> None:
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'; the nearest is '{near}'"):
        restore("no picture", **{name: 1})


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"preset": "fog"}, SettingsError, "preset is 'fog'; there are default"),
        ({"preset": 3}, SettingsError, "preset is 3; there are default"),
        ({"seed": "x"}, SettingsError, "seed is 'x'; it must be a whole number"),
        ({"shifts": 0}, SettingsError, "shifts is 0; it must be 1 to 64"),
        ({"loop": Loop()}, SettingsError, "preset 'default' has no setting 'loop'"),
        ({"only": 3}, SettingsError, "only is 3; it must be some of tone"),
        ({"max_pixels": "many"}, InputError, "max_pixels is a str, 'many': give a whole number"),
        ({"max_pixels": None}, InputError, "max_pixels is a NoneType"),
        ({"caption": None}, InputError, "the caption is a NoneType, None: give a text"),
        ({"damage": 3}, InputError, "the damage is a int, 3: give a Damage"),
        ({"prior": None}, InputError, 'the prior is a NoneType, None: give "embedded", a folder'),
    ],
)
def test_what_cannot_be(given: dict[str, Any], error: type[LdrpsError], message: str, tiny_prior: Prior) -> None:
    with pytest.raises(error, match=message):
        restore(noisy(), **({"prior": tiny_prior} | given))


def test_a_caption_may_be_one_with_a_source(tiny_prior: Prior) -> None:
    result = restore(noisy(), Caption("a boat", source="a friend"), prior=tiny_prior)
    assert (result.caption.text, result.caption.source) == ("a boat", "a friend")


def test_a_damage_may_be_a_file(tiny_prior: Prior, tmp_path: Path) -> None:
    damage = Damage.from_plain({"noise": {"kind": "white noise", "sigma": 0.08}})
    (tmp_path / "damage.json").write_text(json.dumps(damage.plain()))
    result = restore(noisy(), prior=tiny_prior, damage=tmp_path / "damage.json")
    assert isinstance(result, ldrps.Result) and result.damage == damage
