"""Data sets: found, paired by name, and explained where they are missing."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from ldrps.bench.captions import Captions
from ldrps.bench.data import ALL, FOLDER, ROOT_VARIABLE, DataSet, data_set, data_sets, groups, resolved, tell_parts
from ldrps.bench.inputs import prepare
from ldrps.bench.judges import Judges
from ldrps.bench.scores import score
from ldrps.degrade import parse
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
        assert not dataset.degrade or parse(dataset.degrade).reduction == dataset.enlarge, name
        assert dataset.shift <= dataset.border, f"{name}: a shift needs pixels to come from"


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


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_set_is_taken_from_the_first_root_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    first, second, third = roots = [tmp_path / name for name in ("first", "second", "third")]
    put(second / "cbsd" / "1.png")
    put(third / "cbsd" / "2.png")
    (third / "cbsd" / "captions.tsv").write_text("1\ta boat elsewhere\n")
    (second / "cbsd" / "captions.tsv").write_text("1\ta boat\n")
    put(third / "set5" / "baby_GT.png")
    put(first / "hsts" / "target" / "a.png")  # of the pairs, nothing; of the clean pictures, one
    for side in ("input", "target"):
        put(second / "hsts" / side / "b.png")
    (first / "set5").mkdir()
    (first / "cbsd").write_text("no folder")
    monkeypatch.setenv(ROOT_VARIABLE, os.pathsep.join(map(str, roots)))
    given = [] if by_variable else roots

    def places(name: str) -> list[Path]:
        return [pair.source for pair in data_set(name).pairs(*given)]

    assert places("cbsd") == [second / "cbsd" / "1.png"], "and nothing of the third"
    assert places("set5-x2") == [third / "set5" / "baby_GT.png"], "an empty folder is none"
    assert places("hsts") == [second / "hsts" / "input" / "b.png"]
    assert places("hsts-clean") == [first / "hsts" / "target" / "a.png"]
    dataset = replace(data_set("cbsd"), sha256={"1.png": "0" * 64, "2.png": "0" * 64})
    assert dataset.other_files(*given) == ["1.png"]
    assert Captions(dataset, dataset.pairs(*given), *given)("file", "1") == "a boat"
    assert data_set("lol").folder(*given) == first / "lol", "where it should be put"
    assert not data_set("lol").is_there(*given) and data_set("cbsd").is_there(*given)
    assert not data_set("cbsd").is_there(first) and not data_set("cbsd").is_there(tmp_path / "none")


def test_pictures_that_a_set_of_pairs_damages_are_its_clean_ones() -> None:
    pairs = data_set("kodak_noise30")
    variants = [name for name, dataset in data_sets().items() if name.startswith("kodak_noise30-")]
    assert len(variants) > 10
    for name in variants:
        dataset = data_set(name)
        assert (dataset.place, dataset.input, dataset.target) == (pairs.place, "target/(?P<id>.+)", "")
        assert not dataset.published and pairs.published
        assert dataset.is_clean == (name == "kodak_noise30-clean")


def test_groups_hold_what_their_names_say() -> None:
    together, sets = groups(), data_sets()
    assert not together.keys() & sets.keys(), "a name is a set's or a group's"
    assert together.keys() == {ALL, "noise", "jpeg", "light", "leave", "blur", "scale", "holes", "marks", "paper"}
    assert set(together["leave"]) == {name for name, dataset in sets.items() if dataset.is_clean}
    assert {"cc", "nam", "kodak_noise30", "kodak_noise30-chroma10", "mixed-dark-noisy"} <= set(together["noise"])
    assert set(together["jpeg"]) >= {name for name, dataset in sets.items() if "jpeg" in dataset.degrade}
    assert set(together["blur"]) == {
        "levin",
        *(name for name, each in sets.items() if re.search("blur|motion", each.degrade) and each.enlarge == 1),
    }
    assert {"set5-x2", "set5-x4-blur1.2-noise5", "imagenet_sr4"} <= set(together["scale"])
    assert set(together["scale"]) == {name for name, each in sets.items() if each.enlarge > 1}
    assert all(sets[name].border == sets[name].enlarge for name in together["scale"]), "the custom of the field"
    assert {"lol", "hsts", "revide", "kodak_noise30-gain0.5", "kodak_noise30-cast"} <= set(together["light"])
    assert "imagenet_sr4" not in together[ALL] and "set5-x2" not in together[ALL], "what has to be enlarged"
    assert set(together["holes"]) == {name for name, each in sets.items() if each.mask}
    assert {"inpaint", "kodak_noise30-scratches"} <= set(together["holes"]) - set(together[ALL]), "what has to be told"
    members = {each for members in together.values() for each in members}
    assert members == {*together[ALL], *together["scale"], *together["holes"]}


def test_groups_are_what_is_there_of_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    roots = (tmp_path / "a", tmp_path / "b")
    put(roots[0] / "cbsd" / "1.png")
    put(roots[1] / "classic5" / "1.png")
    mine = f"{FOLDER}{tmp_path}"
    compressed = [f"{name}-jpeg{quality}" for name in ("cbsd", "classic5") for quality in (10, 20, 40)]
    assert resolved(["jpeg"], *roots) == compressed
    (message,) = [record.message for record in caplog.records]
    assert re.match(
        r"left out, .*: kodak_noise30-white15-jpeg75, live1-jpeg10, .*, mixed-hazy-jpeg, mixed-dark-blurred-jpeg$",
        message,
    )
    assert resolved(["cbsd-jpeg20", mine, "jpeg", "lol"], *roots) == [
        *("cbsd-jpeg20", mine),
        *(name for name in compressed if name != "cbsd-jpeg20"),
        "lol",
    ], "each once; what is named alone is not left out"
    everything = resolved([ALL], *roots)
    assert {"cbsd", "cbsd-noise15", "classic5", *compressed} <= set(everything)
    assert all(data_set(name).place in {"cbsd", "classic5"} for name in everything)
    with pytest.raises(
        InputError, match=r"no set of the group 'light' is there: give --data.*where to get it: fivek, "
    ):
        resolved(["light"], *roots)


def test_groups_need_a_folder_of_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    with pytest.raises(InputError, match=f"set {ROOT_VARIABLE}, or give --data"):
        resolved(["noise"])
    assert resolved(["lol", "lol"]) == ["lol"]


def test_parts_of_sets_are_told_of_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    tell_parts([(data_set("set5"), 5), (data_set("rain"), 2)])
    assert not caplog.records, "whole, or of no fixed number"
    names = ("cbsd", "cbsd-noise15", "lol")
    tell_parts([(data_set(name), 3) for name in names])
    (record,) = caplog.records
    assert record.message == "only parts of sets are here: cbsd (3 of 68 pictures), lol (3 of 15 pictures)"


def test_unknown_set_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'lool'; there are .*lol.*, all, .*leave.*folder:PATH"):
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


def test_every_group_finds_its_sets_in_two_roots(shared: Path, caplog: pytest.LogCaptureFixture) -> None:
    roots = (shared / "eval", shared / "eval2")
    found = {name: len(data_set(name).pairs(*roots)) for name in resolved([ALL], *roots)}
    assert [record.message.rpartition(": ")[2] for record in caplog.records] == ["set14"]
    wanted = {"cc": 7, "nam": 4, "live1": 5, "classic5-jpeg20": 2, "fivek": 10, "wb_scene": 5, "sots_indoor": 6}
    wanted |= {"revide": 2, "reds": 9, "rain1200": 3, "kodak_noise30-chroma10": 12}
    wanted |= {"leave-document": 5, "leave-screenshot": 6, "leave-art": 7, "leave-mood": 8}
    assert wanted.items() <= found.items()
    assert len(data_set("imagenet_sr4").pairs(*roots)) == 10


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *(("cc", 33.14), ("nam", 36.32), ("fivek", 20.23), ("wb_scene", 20.58), ("sots_indoor", 13.19)),
        *(("rain1200", 14.99), ("revide", 15.96), ("reds", 24.33)),
    ],
)
def test_pairs_are_as_far_apart_as_is_known(shared: Path, name: str, known: float) -> None:
    """By figures found with another program; those that are scored after a shift, without border, are near them."""
    dataset = data_set(name)
    scores = []
    for pair in dataset.pairs(shared / "eval2"):
        values, _ = score(*prepare(dataset, pair), Judges(), border=dataset.border, shift=dataset.shift)
        scores.append(values["psnr_rgb"])
    assert sum(scores) / len(scores) == pytest.approx(known, abs=0.1 if dataset.border else 0.006)
