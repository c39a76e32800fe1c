"""Data sets: found, paired by name, and explained where they are missing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ldrps.bench.data import ROOT_VARIABLE, DataSet, data_set, data_sets
from ldrps.errors import InputError


def put(path: Path, shade: int = 128) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), (shade,) * 3).save(path)
    return path


def test_every_set_is_described_and_its_patterns_compile() -> None:
    sets = data_sets()
    assert {"lol", "hsts", "kodak_noise30", "cbsd-noise25", "set5-x2", "levin", "rain"} <= sets.keys()
    for name, dataset in sets.items():
        assert dataset.name == name
        assert dataset.title, name
        assert dataset.licence, name
        assert dataset.get, name
        assert re.compile(dataset.input).groups > 0, name
        assert bool(dataset.degrade) != bool(dataset.target), f"{name}: damaged here, or paired"


def test_pairs_by_stem_not_by_position(tmp_path: Path) -> None:
    for stem in ("10", "2", "1"):
        put(tmp_path / "lol" / "input" / f"{stem}.png")
    for stem in ("2", "1", "10", "3"):
        put(tmp_path / "lol" / "target" / f"{stem}.jpg")
    pairs = data_set("lol").pairs(tmp_path)
    assert [pair.name for pair in pairs] == ["1", "2", "10"]
    assert all(pair.target is not None and pair.target.stem == pair.source.stem for pair in pairs)


def test_patterns_with_several_groups(tmp_path: Path) -> None:
    put(tmp_path / "levin" / "input" / "im1_kernel2_img.png")
    put(tmp_path / "levin" / "target" / "im1.png")
    put(tmp_path / "levin" / "target" / "kernel2.png")
    (pair,) = data_set("levin").pairs(tmp_path)
    assert (pair.name, pair.target) == ("im1_kernel2", tmp_path / "levin/target/im1.png")


def test_a_set_that_damages_itself_is_its_own_clean_side(tmp_path: Path) -> None:
    path = put(tmp_path / "set5" / "baby_GT.png")
    (pair,) = data_set("set5-x2").pairs(tmp_path)
    assert (pair.name, pair.source, pair.target) == ("baby", path, path)


def test_missing_data_says_what_to_get_and_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"get it: github.com/YBGou.*Put it at .*hsts"):
        data_set("hsts").pairs(tmp_path)
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    with pytest.raises(InputError, match=f"set {ROOT_VARIABLE}, or give --data"):
        data_set("hsts").pairs()
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    put(tmp_path / "hsts" / "input" / "a.png")
    with pytest.raises(InputError, match=r"a.png has no clean side: .*target/a\.\* is missing"):
        data_set("hsts").pairs()


def test_unknown_set_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'lool'; there are .*lol.*folder:PATH"):
        data_set("lool")


def test_folders_of_the_users(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a folder"):
        data_set(f"folder:{tmp_path / 'none'}")
    put(tmp_path / "plain" / "a.png")
    (alone,) = data_set(f"folder:{tmp_path / 'plain'}").pairs()
    assert (alone.name, alone.target) == ("a", None)
    put(tmp_path / "both" / "input" / "b.png")
    put(tmp_path / "both" / "target" / "b.png")
    (pair,) = data_set(f"folder:{tmp_path / 'both'}").pairs()
    assert pair.target == tmp_path / "both" / "target" / "b.png"


def test_a_file_that_differs_from_the_published_one_is_found(tmp_path: Path) -> None:
    put(tmp_path / "mine" / "input" / "a.png", 1)
    dataset = DataSet("mine", "", "mine", sha256={"input/a.png": "0" * 64, "input/absent.png": "0" * 64})
    assert dataset.other_files(tmp_path) == ["input/a.png"]
    assert replace(dataset, sha256={}).other_files(tmp_path) == []


def test_the_development_files_are_the_published_ones(shared: Path) -> None:
    for name in ("lol", "hsts", "kodak_noise30", "cbsd", "set5", "levin", "rain", "lol_full", "kodak_full"):
        dataset = data_set(name)
        assert dataset.sha256, name
        assert all((dataset.folder(shared / "eval") / file).is_file() for file in dataset.sha256), name
        assert dataset.other_files(shared / "eval") == [], name


def test_counts_of_the_development_files(shared: Path) -> None:
    counts = {name: len(data_set(name).pairs(shared / "eval")) for name in ("lol", "hsts", "kodak_noise30", "levin")}
    assert counts == {"lol": 8, "hsts": 5, "kodak_noise30": 12, "levin": 8}
