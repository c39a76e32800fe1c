from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ldrps.errors import InputError
from ldrps.train.config import TrainingConfig, read_config
from ldrps.train.tones import FAMILIES

DEFAULTS = dataclasses.asdict(TrainingConfig())
EVERY = [(table, name) for table, values in DEFAULTS.items() for name in values]


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def toml(tables: dict[str, dict[str, Any]]) -> str:
    """For tables of numbers, texts and lists, TOML writes values as JSON does."""
    lines = []
    for table, values in tables.items():
        lines += [f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    return "\n".join(lines)


def other(value: Any) -> Any:
    """Another value of the same type."""
    match value:
        case bool():
            return not value
        case float() if 0 <= value < 1:  # a share stays one
            return (value + 1) / 2
        case int() | float():
            return value * 2 + 1
        case str():
            return value + "x"
    return [other(each) for each in value]


def test_no_file_and_an_empty_one_are_the_defaults(tmp_path: Path) -> None:
    assert read_config(None) == read_config(config(tmp_path, "")) == TrainingConfig()


def test_every_default_can_be_written_and_read(tmp_path: Path) -> None:
    assert read_config(config(tmp_path, toml(DEFAULTS))) == TrainingConfig()


@pytest.mark.parametrize(("table", "name"), EVERY)
def test_every_setting_can_be_changed_alone(table: str, name: str, tmp_path: Path) -> None:
    value = other(DEFAULTS[table][name])
    found = dataclasses.asdict(read_config(config(tmp_path, toml({table: {name: value}}))))
    expected = tuple(value) if isinstance(value, list) else value
    assert found.pop(table) == DEFAULTS[table] | {name: expected}
    assert found == {each: values for each, values in DEFAULTS.items() if each != table}


def test_whole_numbers_where_fractions_may_be_and_lists_of_any_length(tmp_path: Path) -> None:
    found = read_config(config(tmp_path, "[tone]\nlearning_rate = 1\n[unet]\nwidths = [32]\nblocks = [1, 2, 3, 4]"))
    assert found.tone.learning_rate == 1.0 and type(found.tone.learning_rate) is float
    assert (found.unet.widths, found.unet.blocks) == ((32,), (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[net]\nwidths = [32]",
            r"has 'net'; it may have the tables \[autoencoder\], \[text\], \[unet\], \[diffusion\], \[tone\]",
        ),
        ("steps = 5", r"has 'steps'; it may have the tables \[autoencoder\]"),
        ("unet = 5", "has 'unet'; it may have the tables"),
        ("[[tone]]\nsteps = 5", "has 'tone'; it may have the tables"),
        ("[unet]\ndepth = 3", r", \[unet\] has 'depth'; there are widths, blocks, middle"),
        ("[tone]\nrate = 1e-3", r", \[tone\] has 'rate'; there are steps, learning_rate, warmup"),
        ("[tone]\nsteps = 5.5", r", \[tone\], steps is 5\.5; it must be of type int, such as 4000"),
        ("[tone]\nsteps = true", r", \[tone\], steps is True; it must be of type int"),
        ("[tone]\nema = '0.9'", r", \[tone\], ema is '0\.9'; it must be of type float, such as 0\.998"),
        ("[tone]\nema = true", r", \[tone\], ema is True; it must be of type float"),
        ("[diffusion]\nbfloat16 = 1", r", \[diffusion\], bfloat16 is 1; it must be of type bool, such as False"),
        ("[diffusion]\ndevice = 0", r", \[diffusion\], device is 0; it must be of type str, such as 'cpu'"),
        ("[unet]\nwidths = 32", r", \[unet\], widths is 32; it must be of type tuple, such as \(128, 192, 256\)"),
        ("[unet]\nwidths = []", r", \[unet\], widths is \[\]; it must be of type tuple"),
        ("[unet]\nwidths = [32, 'a']", r", \[unet\], widths is 'a'; it must be of type int, such as 128"),
        ("[unet]\nmiddle = {a = 1}", r", \[unet\], middle is {'a': 1}; it must be of type int"),
        ("[unet\n", r"cannot be read as TOML: .*line 1"),
        ("[unet]\nmiddle = 1\nmiddle = 2", "cannot be read as TOML: .*overwrite"),
    ],
)
def test_what_is_not_understood_is_said_by_file_table_and_name(text: str, message: str, tmp_path: Path) -> None:
    path = config(tmp_path, text)
    with pytest.raises(InputError, match=f"^{path}.?{message}"):
        read_config(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[unet]\nwidths = [-32, 32, 64]", r"\[unet\] comes to widths \[-32, 32, 64\]; it must be a list of 1 to 8"),
        ("[unet]\nblocks = [1000000000, 1]", r"\[unet\] comes to blocks \[1000000000, 1\]; it must be"),
        ("[unet]\nmiddle = 250", r"\[unet\] comes to a net of 264 blocks; it must be at most 256"),
        (
            "[autoencoder]\npatch_size = 0",
            r"\[autoencoder\] comes to patch_size 0; it must be a whole number from 1 to",
        ),
        ("[text]\nlayers = 65", r"\[text\] comes to num_hidden_layers 65; it must be"),
    ],
)
def test_a_network_that_could_not_be_loaded_is_not_begun(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_config(config(tmp_path, text))


def test_a_plan_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="steps is 0; it must be at least 1"):
        read_config(config(tmp_path, "[tone]\nsteps = 0"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("veil = -0.1", "the share of 'veil' is -0.1; it must be from 0 to 1"),
        ("details = 1.5", "the share of 'details' is 1.5; it must be from 0 to 1"),
        ("dark = nan", "the share of 'dark' is nan; it must be from 0 to 1"),
        ("\n".join(f"{name} = 0" for name in FAMILIES), "no family has a share: give one of dark, bright"),
    ],
)
def test_shares_of_damage_that_cannot_be(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_config(config(tmp_path, f"[tone_examples]\n{text}"))


def test_a_family_of_damage_can_be_left_out(tmp_path: Path) -> None:
    found = read_config(config(tmp_path, "[tone_examples]\nveil = 0\ndark = 1")).tone_examples
    assert found.families == FAMILIES | {"veil": 0, "dark": 1}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml cannot be read as TOML: .*No such file"):
        read_config(tmp_path / "none.toml")
    with pytest.raises(InputError, match=f"{tmp_path} cannot be read as TOML: .*directory"):
        read_config(tmp_path)
    (tmp_path / "latin.toml").write_bytes("# für".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.toml cannot be read as TOML: .*utf-8"):
        read_config(tmp_path / "latin.toml")
