"""The page: plots of sweeps, names that are paths, pictures that are gone."""

from __future__ import annotations

import html
import re
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import pytest
from conftest import Run
from PIL import Image
from strange import assert_seen

from ldrps.bench import plots
from ldrps.bench.lines import Interval, Line
from ldrps.bench.report import _stem
from ldrps.printable import printable

ODD = "a\x1b[2J\nldrps: all is well\x9b\u2028\u202e|<b>\u200b\udcff"


@pytest.fixture
def bench(command: Run, root: Path) -> Run:
    """`ldrps bench` with a store of its own, where the small set is."""
    return partial(command, "bench", "--store", root.parent / "bench", "--method", "identity")


def line(steps: int, captions: str, mean: float = 20.0) -> Line:
    return Line(
        *("lol", "default", "ldrps", "default", {}, Interval(mean, mean - 1, mean + 1)),
        changes={"steps": steps},
        captions=captions,
    )


def test_each_kind_of_captions_is_a_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, list[int]] = {}
    keep = plots._setting_plot

    def note(curves, *rest):
        drawn.update({label: [each.changes["steps"] for each in curve] for label, curve in curves.items()})
        return keep(curves, *rest)

    monkeypatch.setattr(plots, "_setting_plot", note)
    lines = [line(steps, captions) for steps in (2, 1) for captions in ("none", "written")]
    (plot,) = plots.psnr_by_setting(lines, tmp_path, "lol")
    assert drawn == {"default": [2, 1], "default caption written": [2, 1]}
    assert plot.stat().st_size > 1000


def test_points_at_one_place_of_a_curve_are_drawn(tmp_path: Path) -> None:
    assert plots.psnr_by_setting([line(1, "none", 20.0), line(1, "none", 21.0)], tmp_path, "lol")


def test_pictures_of_subfolders_are_shown(bench: Run, root: Path) -> None:
    nest, page = root.parent / "a nest #1", root.parent / "page"
    (nest / "sub").mkdir(parents=True)
    for number in (1, 2):
        Image.new("RGB", (40, 40), (90, 90, 90 * number)).save(nest / "sub" / f"{number}.png")
    Image.new("RGB", (40, 40)).save(nest / "sub_1.png")
    assert bench(f"folder:{nest}", "--html", page)[0] == 0
    sources = set(re.findall(r'src="([^"]+)"', (page / "index.html").read_text()))
    assert len(sources) == 2 * 3, "input and result of each"
    assert all((page / unquote(source)).is_file() for source in sources)


def test_a_folder_of_strange_names(bench: Run, root: Path) -> None:
    """Names that are no text, too: rows, tables, plots and the page hold them, and show them in full."""
    odd = root.parent / ODD
    odd.mkdir()
    for number in (1, 2):
        with (odd / f"{number}{ODD}.png").open("wb") as file:
            Image.new("RGB", (40, 40), (90, 90, 90 * number)).save(file, "PNG")
    files = {name: root.parent / name for name in ("a.json", "a.tex", "page/index.html")}
    words = ("--json", files["a.json"], "--latex", files["a.tex"], "--html", root.parent / "page")
    code, out, err = bench(f"folder:{odd}", *words)
    assert code == 0
    assert_seen(out + err)
    shown = printable(ODD)
    assert f"### {shown}: {shown}\n" in out
    for path in files.values():
        assert_seen(path.read_text("utf-8"))
    page = files["page/index.html"].read_text("utf-8")
    assert f"<h3>1{html.escape(shown)}</h3>" in page
    sources = re.findall(r'src="([^"]+)"', page)
    assert sources and all((root.parent / "page" / unquote(source)).is_file() for source in sources)
    assert bench(f"folder:{odd}")[:2] == (0, out), "from the store"


def test_stems_are_names_of_files_and_no_two_are_the_same() -> None:
    names = ["lol_1", "lol_sub/1", "lol_sub_1", "lol_sub?1", "../x"]
    stems = [_stem(name) for name in names]
    assert stems[0] == "lol_1" and stems[2] == "lol_sub_1"
    assert len(set(stems)) == len(names)
    assert all(re.fullmatch(r"[\w.-]+", stem) for stem in stems)
    longest = [_stem("ä" * 400 + each) for each in "ab"]
    assert longest[0] != longest[1] and all(len(stem.encode()) < 220 for stem in longest)


def test_a_picture_that_was_deleted_is_left_out(bench: Run, root: Path, caplog: pytest.LogCaptureFixture) -> None:
    page = root.parent / "page"
    assert bench("lol")[0] == 0
    next((root.parent / "bench" / "pictures").rglob("2-*.png")).unlink()
    assert bench("lol", "--html", page)[0] == 0
    assert re.search(r"2-\w+\.png is gone: the page does not show identity on 2", caplog.text)
    assert (page / "index.html").read_text().count("<figure>") == 3 * 3 - 1
    shutil.rmtree(root.parent / "bench" / "pictures")
    assert bench("lol", "--html", page)[0] == 0
