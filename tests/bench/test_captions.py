"""Captions of sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldrps.bench.captions import KINDS, Captions
from ldrps.bench.data import DataSet, Pair, data_set


def pairs(*names: str) -> list[Pair]:
    return [Pair(name, Path(name), None) for name in names]


def test_of_each_kind(tmp_path: Path) -> None:
    (tmp_path / "hsts").mkdir()
    (tmp_path / "hsts" / "captions.tsv").write_text("1352\tmy town \nno tab here\n0586\t\n")
    captions = Captions(data_set("hsts"), pairs("0586", "1352", "1381", "unknown"), tmp_path)
    assert captions("none", "1352") == captions("offline", "1352") == ""
    assert "tower blocks" in captions("written", "1352")
    assert captions("wrong", "0586") == captions("written", "1381") != captions("written", "0586")
    assert captions("wrong", "1352") == "", "nobody wrote one for its neighbour"
    assert (captions("file", "1352"), captions("file", "0586"), captions("file", "1381")) == ("my town", "", "")


def test_a_single_picture_has_no_wrong_one(tmp_path: Path) -> None:
    captions = Captions(data_set("hsts"), pairs("0586"), tmp_path)
    assert captions("written", "0586") and captions("wrong", "0586") == ""


def test_sets_without_captions(tmp_path: Path) -> None:
    captions = Captions(DataSet("mine", "mine", str(tmp_path)), pairs("a", "b"))
    assert not any(captions(kind, "a") for kind in KINDS)


@pytest.mark.parametrize("name", ["lol", "hsts", "kodak_noise30"])
def test_written_captions_are_short_and_say_nothing_of_damage(name: str, tmp_path: Path) -> None:
    dataset = data_set(name)
    file = Path(str(Path(__file__).parents[2] / f"src/ldrps/bench/sets/{name}.tsv"))
    names = [line.split("\t")[0] for line in file.read_text().splitlines()]
    captions = Captions(dataset, pairs(*names), tmp_path)
    for each in names:
        words = captions("written", each).replace(",", "").split()
        assert 4 <= len(words) <= 20
        assert not {"blurry", "noisy", "grainy", "hazy", "haze", "foggy", "underexposed"} & set(words)
