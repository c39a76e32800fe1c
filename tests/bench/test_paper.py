"""`ldrps bench paper`: what the paper prints, what the store holds, and the commands that measure the rest."""

from __future__ import annotations

import json
import re
import shlex
from functools import partial
from pathlib import Path

import pytest
from conftest import Run

from ldrps.bench.contenders import contenders
from ldrps.bench.data import data_set, groups
from ldrps.bench.paper import GROUP, entries
from ldrps.bench.store import Store
from ldrps.presets import preset


@pytest.fixture
def bench(command: Run, root: Path) -> Run:
    """`ldrps bench` with a store of its own, where the small set is."""
    return partial(command, "bench", "--store", root.parent / "bench", "--seeds", 1)


def cells_of(table: str, label: str, column: int) -> list[list[str]]:
    """The rows that have a label in a column of some tables."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    return [row for row in rows if len(row) > column and row[column] == label]


def row_of(table: str, label: str) -> dict[str, str]:
    """The row of a main table that stands for a method here, by its heads; those measured as `here NAME`."""
    heads = next(line for line in table.splitlines() if line.startswith("| printed |"))
    names = [name.strip() for name in heads.split("|")[1:-1]]
    middle = names.index("measured here")
    names[middle + 1 :] = [f"here {name}" for name in names[middle + 1 :]]
    (row,) = cells_of(table, label, middle)
    return dict(zip(names, row, strict=True))


def commands_of(table: str) -> dict[str, str]:
    """The commands below the tables, by their marks."""
    return dict(re.findall(r"^- (\[\d+\]) `([^`]+)`", table, re.MULTILINE))


def test_without_a_method_nothing_is_measured_and_each_cell_says_by_what_it_would_be(
    bench: Run, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    code, table, _ = bench(GROUP)
    assert code == 0
    assert Store(root.parent / "bench" / "rows.sqlite").rows() == []
    (absent,) = [record.message for record in caplog.records if record.message.startswith("left out")]
    assert absent.endswith(": hsts, kodak_noise30")
    row = row_of(table, "ldrps")
    printed = ("printed", "PSNR", "SSIM-Y", "LPIPS", "PI", "NIQE", "source")
    assert [row[name] for name in printed] == [
        *("LD-RPS", "17.45", "0.804", "0.277", "4.79", "5.52", "ICCV 2025, whole set"),
    ]
    marks = commands_of(table)
    assert row["here PSNR"] == "not measured [1]"
    assert shlex.split(marks["[1]"])[:8] == ["ldrps", "bench", "lol", "-m", "ldrps", "--seeds", "1", "--preset"]
    assert "3 of the 15 pictures: 1, 2, 10; not the published files: input/1.png, target/1.png" in table
    assert cells_of(table, "2", 0) == [["2", "17.73", *[f"not measured {mark}" for mark in _of_sweeps(marks)]]]
    assert [row[7] for row in cells_of(table, "DiffUIR", 0)] == ["no method here"]
    rivals = re.findall(r"-m (\S+) .*` *, about (.*) of a core for what is here", table)
    assert dict(rivals)["zero-ig"] == "70 minutes", "1,400 s for each of three pictures"


def _of_sweeps(marks: dict[str, str]) -> list[str]:
    return [mark for mark, command in marks.items() if "recurrences=0,1,2,3" in command]


def test_a_command_that_is_told_fills_its_cells(bench: Run, command: Run, root: Path) -> None:
    """Of `default`, in the main table and in both ablations, by the commands as they are printed."""
    _, table, _ = bench(GROUP, "--limit", 1)
    wanted = [each for each in commands_of(table).values() if "-m default" in each]
    assert len(wanted) == 3
    for each in wanted:
        assert command(*shlex.split(each)[1:])[0] == 0
    file = root.parent / "paper.json"
    code, filled, _ = bench(GROUP, "--limit", 1, "--json", file)
    assert code == 0
    assert set(commands_of(filled).values()) == set(commands_of(table).values()) - set(wanted)
    records = json.loads(file.read_text())
    measured = {
        (each["table"], each.get("value"), each["measured"]["label"]): each["measured"]["psnr_rgb"]
        for each in records
        if each["measured"] is not None
    }
    main = measured["main", None, "default"]
    assert measured.keys() == {
        ("main", None, "default"),
        ("caption", "none", "default"),
        ("caption", "written", "default, caption written"),
        *(("recurrences", value, f"default, recurrences {value}") for value in "0123"),
    }
    assert measured["caption", "none", "default"] == main, "one row, as nothing was changed"
    assert row_of(filled, "default")["here PSNR"] == f"{main:.2f}"
    _, more, _ = bench(GROUP, "--limit", 1, "--seeds", 2)
    row = row_of(more, "default")
    assert row["here PSNR"] == f"{main:.2f}" and row["here seeds"] == "1 of 2"
    assert "-m default --seeds 2 " in commands_of(more)[row["here pictures"].removeprefix("1 of 1 ")]
    (two,) = cells_of(filled, "2", 0)
    assert two[3] == f"{measured['recurrences', '2', 'default, recurrences 2']:.2f}"
    (loop,) = [each for each in records if each.get("printed_as") == "LD-RPS"]
    assert (loop["printed"]["psnr_rgb"], loop["measured"]) == (17.45, None)


def test_the_published_loop_is_asked_for_by_its_preset(bench: Run, root: Path) -> None:
    """`-m ldrps` alone would be `default`."""
    _, table, _ = bench(GROUP)
    wanted = [shlex.split(each) for each in commands_of(table).values() if "-m ldrps" in each]
    assert len(wanted) == 3
    for words in wanted:
        presets = [words[words.index("--preset") + 1]]
        (entry,) = contenders(words[words.index("-m") + 1], presets)
        assert entry.label == "ldrps" and entry.settings.method != preset("default").method


def test_a_method_is_measured_and_what_is_left_of_it_is_told(bench: Run, root: Path) -> None:
    html, tex = root.parent / "page", root.parent / "a.tex"
    code, table, _ = bench(GROUP, "-m", "identity", "--limit", 2, "--html", html, "--latex", tex)
    assert code == 0 and (html / "index.html").is_file() and r"\begin{tabular}" in tex.read_text()
    row = row_of(table, "identity")
    assert (row["printed"], row["PSNR"], row["here pictures"], row["here seeds"]) == ("", "", "2 of 2", "1 of 1")
    code, whole, _ = bench(GROUP)
    mark = row_of(whole, "identity")["here pictures"].removeprefix("2 of 3 ")
    assert "-m identity " in commands_of(whole)[mark]
    (root / "lol" / "input" / "1.png").write_bytes(b"no picture")
    code, _, err = bench(GROUP, "-m", "identity")
    assert code == 1 and "1 of 3 rows failed" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((GROUP, "lol"), "sets are paper, lol; paper has tables of its own: name it alone"),
        ((GROUP, "--sweep", "recurrences=1"), "--sweep is of what is measured, and without --method paper measures"),
        ((GROUP, "--reference", "identity", "--html", "x"), "--reference, --html is of what is measured"),
    ],
)
def test_what_the_tables_have_no_use_for_is_refused(bench: Run, words: tuple[str, ...], told: str) -> None:
    code, _, err = bench(*words)
    assert code == 2 and told in " ".join(err.split())


def test_sets_of_the_paper_and_what_stands_for_their_lines() -> None:
    assert groups()[GROUP] == ["hsts", "kodak_noise30", "lol"]
    for name in groups()[GROUP]:
        dataset = data_set(name)
        rows = entries(dataset)
        assert [(row.figures, row.method) for row in rows if row.printed == "LD-RPS"] == [
            ({key: value for key, value in dataset.published["LD-RPS"].items() if not isinstance(value, str)}, "ldrps")
        ]
        assert [row.method for row in rows if not row.printed] == ["default", "identity"]
        assert all(len(contenders(row.method, ["ldrps"])) == 1 for row in rows if row.method)
        # The published method at its best number of rounds, and with text, is the same run.
        assert max(dataset.ablations["recurrences"].values()) == dataset.ablations["caption"]["written"]
        assert data_set(f"{name}-clean").ablations == {}
