"""`ldrps bench` as people use it."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from functools import partial
from pathlib import Path

import pytest
from conftest import Run
from PIL import Image

from ldrps.bench.data import ROOT_VARIABLE


@pytest.fixture
def bench(command: Run, root: Path) -> Run:
    """`ldrps bench` with a store of its own, where the small set is."""
    return partial(command, "bench", "--store", root.parent / "bench")


def test_table_json_latex_and_page(bench: Run, root: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = root.parent / "results"
    files = ("--json", out / "a.json", "--latex", out / "a.tex", "--html", out / "page")
    code, table, _ = bench("lol", "--method", "identity,stretch", "--method", "oracle-gain-offset", *files)
    assert code == 0
    assert "only parts of sets are here: lol (3 of 15 pictures)" in caplog.text
    assert "lol: not the published files, so not comparable: input/1.png, " in caplog.text
    assert re.search(r"^\| stretch \|", table, re.MULTILINE)
    assert "| LD-RPS (published: ICCV 2025, whole set) | 17.45 |" in table

    records = json.loads((out / "a.json").read_text())
    assert [(r["set"], r["method"], r["n"]) for r in records] == [
        ("lol", name, 3) for name in ("identity", "stretch", "oracle-gain-offset")
    ]
    assert records[0]["low"] <= records[0]["psnr_rgb"] <= records[0]["high"]
    assert records[0]["psnr_rgb"] < records[2]["psnr_rgb"]
    assert f"| identity | {records[0]['psnr_rgb']:.2f} |" in table
    assert r"\begin{tabular}" in (out / "a.tex").read_text()

    page = (out / "page" / "index.html").read_text()
    for source in set(re.findall(r'src="([^"]+)"', page)):
        assert (out / "page" / source).is_file(), source
    assert page.count("<figure>") == 3 * 5, "input, three methods, clean"
    assert re.search(r"stretch: \d+\.\d\d dB, ", page)
    assert (out / "page" / "lol_pictures.svg").stat().st_size > 1000


def test_a_group_in_several_folders(
    command: Run, root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each set from the folder that has it; what is damaged here, left alone and paired; the worst pictures named."""
    other = root.parent / "other"
    (other / "classic5").mkdir(parents=True)
    Image.effect_noise((48, 40), 40).save(other / "classic5" / "boats.png")
    monkeypatch.delenv(ROOT_VARIABLE)
    out = root.parent / "results"
    words = ("bench", "all", "--store", root.parent / "bench", "--method", "identity,autogamma", "--data", root)
    files = ("--json", out / "a.json", "--html", out / "page")
    code, table, _ = command(*words, "--data", other, *files)
    assert code == 0
    titles = re.findall(r"^### ([\w-]+): ", table, re.MULTILINE)
    assert titles == ["classic5", *(f"classic5-jpeg{quality}" for quality in (10, 20, 40)), "lol", "lol-clean"]
    (absent,) = [record.message for record in caplog.records if record.message.startswith("left out")]
    assert {"cbsd", "set5", "kodak_noise30-white10"} <= set(re.split(r"[ ,]+", absent))

    records = {(each["set"], each["method"]): each for each in json.loads((out / "a.json").read_text())}
    assert records["lol", "identity"]["as_given"] == 3 and records["lol", "identity"]["worst"] == {}
    bright = records["lol", "autogamma"]
    assert (bright["as_given"], bright["worse"], set(bright["worst"])) == (0, 0, {"1", "2", "10"})
    changed = records["lol-clean", "autogamma"]
    assert changed["worse"] is None and 0 < changed["far"] <= 3
    shown = ", ".join(f"{name} {value:+.2f}" for name, value in bright["worst"].items())
    assert f"\n- autogamma: least gained, dB: {shown}\n" in table
    assert f"<li>autogamma: least gained, dB: {shown}</li>" in (out / "page" / "index.html").read_text()
    caplog.clear()
    monkeypatch.setenv(ROOT_VARIABLE, os.pathsep.join([str(root), str(other)]))
    assert command(*words[:-2])[:2] == (0, table), "from the store, with the folders named by the environment"


def test_a_group_of_which_nothing_is_there(bench: Run) -> None:
    code, _, err = bench("noise", "--method", "identity")
    assert code == 2
    assert "no set of the group 'noise' is there" in err and "where to get it: cbsd-noise15, " in err


def test_nothing_is_computed_twice_and_more_is_added(bench: Run, root: Path) -> None:
    _, first, _ = bench("lol", "--method", "identity")
    picture = next((root.parent / "bench" / "pictures").rglob("1-*.png"))
    written = picture.stat().st_mtime_ns
    _, second, _ = bench("lol", "--method", "identity")
    assert second == first, "seconds and all"
    _, third, _ = bench("lol", "--method", "identity,meanstd", "--reference", "meanstd")
    assert picture.stat().st_mtime_ns == written
    assert "| meanstd |" in third


def test_failures_are_named_and_counted_and_a_mended_file_is_another_row(bench: Run, root: Path) -> None:
    broken = root / "lol" / "input" / "2.png"
    whole = broken.read_bytes()
    broken.write_bytes(b"no picture")
    code, table, err = bench("lol", "--method", "identity", "--html", root.parent / "page")
    assert code == 1
    assert "2.png cannot be read" in err
    assert "2.png cannot be read" in (root.parent / "page" / "index.html").read_text()
    assert "2, 1 failed |" in table
    assert "1 of 3 rows failed; --retry tries them again" in err
    broken.write_bytes(whole)
    code, table, _ = bench("lol", "--method", "identity")
    assert code == 0
    assert "failed" not in table


def test_a_failure_stays_until_it_is_tried_again(bench: Run, root: Path) -> None:
    flag = root.parent / "flag"
    code = f"import os, shutil, sys; os.path.exists({str(flag)!r}) or sys.exit(1)"
    code += "; shutil.copytree(*sys.argv[1:], dirs_exist_ok=True)"
    method = ("--method", f"command:{shlex.quote(sys.executable)} -c {shlex.quote(code)} {{in}} {{out}}")
    words = ("lol", *method, "--limit", 1, "--seeds", 1)
    assert bench(*words)[0] == 1
    flag.touch()
    assert bench(*words)[0] == 1
    assert bench(*words, "--retry")[0] == 0


def test_presets_seeds_and_sweeps(bench: Run, root: Path, tiny_prior_folder: Path) -> None:
    (root / "lol" / "captions.tsv").write_text("1\ta grey ramp\n")
    words = ("--method", "ldrps", "--preset", "default", "--seeds", 2, "--limit", 1, "--prior", tiny_prior_folder)
    code, _, _ = bench(
        "lol",
        *words,
        "--sweep",
        "steps=1,2",
        "--sweep",
        "caption=none,file",
        "--json",
        root.parent / "s.json",
        "--html",
        root.parent / "page",
    )
    assert code == 0
    records = json.loads((root.parent / "s.json").read_text())
    assert [r["label"] for r in records] == [
        "default, steps 1",
        "default, steps 1, caption file",
        "default, steps 2",
        "default, steps 2, caption file",
    ]
    assert all((r["method"], r["preset"], r["seeds"], r["n"]) == ("ldrps", "default", 2, 1) for r in records)
    assert (root.parent / "page" / "lol_steps.svg").stat().st_size > 1000
    # A prior without text gives the same with captions and without.
    assert records[0]["psnr_rgb"] == records[1]["psnr_rgb"] and records[2]["psnr_rgb"] == records[3]["psnr_rgb"]


def test_what_cannot_be_carried_out(bench: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, message in (
        (("loll",), "set is 'loll'"),
        (("lol", "--method", "magic"), "method is 'magic'"),
        (("lol", "--method", "ldrps", "--preset", "magic"), "preset is 'magic'"),
        (("lol", "--method", "identity", "--reference", "nlm"), "reference is 'nlm'; it must be one of identity"),
        (("lol", "--weights", root / "none"), "is not a folder"),
        (("hsts",), "Put it at"),
        (("lol", "--seeds", 0), "seeds"),
    ):
        code, out, err = bench(*words)
        assert (code, out) == (2, "")
        assert message in err
    Image.new("RGB", (8, 8)).save(root / "rows.png")
    (root.parent / "bench").mkdir(exist_ok=True)
    (root.parent / "bench" / "rows.sqlite").write_bytes(b"no database" * 100)
    code, _, err = bench("lol", "--method", "identity")
    assert (code, "or no store of results" in err) == (2, True)


def test_a_folder_without_clean_sides(bench: Run, root: Path) -> None:
    code, table, _ = bench(f"folder:{root / 'lol' / 'input'}", "--method", "identity")
    assert code == 0
    assert re.search(r"^\| identity \|.*\| 3 \|$", table, re.MULTILINE)


def test_lists_are_printed(bench: Run) -> None:
    code, out, _ = bench("--list")
    assert code == 0
    assert re.search(r"^kodak_noise30 ", out, re.MULTILINE)
    assert re.search(r"^leave +cbsd, .*leave-mood", out, re.MULTILINE)
    assert re.search(r"^nlm ", out, re.MULTILINE)
