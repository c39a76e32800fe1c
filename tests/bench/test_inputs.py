"""What goes into a row, and that another input is another row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ldrps.bench import command as module
from ldrps.bench import inputs
from ldrps.bench.command import Benchmark, Plan
from ldrps.bench.data import DRAWN, DataSet, Pair
from ldrps.bench.inputs import InputMarks, mask_of, prepare
from ldrps.bench.store import Row
from ldrps.errors import InputError


def benchmark(root: Path, dataset: str = "lol", method: str = "identity", **given: object) -> Benchmark:
    plan = Plan([dataset], [method], data=[root], store=root.parent / "bench", **given)  # type: ignore[arg-type]
    return Benchmark(plan)


def fill(given: Benchmark) -> None:
    """A row for each task, as if it had been computed."""
    for task in given.tasks:
        given.store.add(Row(task.key, {"psnr_rgb": 1.0}, 1.0, details={"judges": given.plan.judges.names}))
    assert given.missing() == []


def images(given: Benchmark) -> list[str]:
    return [task.key.image for task in given.missing()]


def shade(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (32, 32), (value,) * 3).save(path)


@pytest.mark.parametrize("side", ["input", "target"])
def test_a_picture_that_was_overwritten_is_computed_anew(root: Path, side: str) -> None:
    fill(benchmark(root))
    assert benchmark(root).missing() == []
    shade(root / "lol" / side / "2.png", 9)
    again = benchmark(root)
    assert images(again) == ["2"]
    assert [row.key.image for row in again.rows()] == ["1", "10"]


def test_folders_of_one_name_do_not_share_rows(root: Path, tmp_path: Path) -> None:
    for number, side in enumerate("AB"):
        shade(tmp_path / side / "holiday" / "1.png", 50 * number)
    first, second = (f"folder:{tmp_path / side / 'holiday'}" for side in "AB")
    fill(benchmark(root, first))
    other = benchmark(root, second)
    assert images(other) == ["1"] and other.rows() == []
    assert other.tasks[0].picture != benchmark(root, first).tasks[0].picture, "nor pictures"
    with pytest.raises(InputError, match="two sets are called 'holiday': rename a folder"):
        Benchmark(Plan([first, second], ["identity"], store=root.parent / "bench"))


def test_finished_pictures_that_changed_are_measured_anew(root: Path) -> None:
    for name in ("1", "2"):
        shade(root / "lol" / "theirs" / f"{name}.png", 10)
    fill(benchmark(root, method="files:theirs"))
    shade(root / "lol" / "theirs" / "2.png", 20)
    shade(root / "lol" / "theirs" / "10.png", 20)
    assert images(benchmark(root, method="files:theirs")) == ["2", "10"]
    fill(benchmark(root))
    shade(root / "lol" / "theirs" / "1.png", 30)
    assert benchmark(root).missing() == [], "others do not look at them"


@pytest.mark.parametrize(
    "changes", [{"degrade": "noise=20"}, {"degrade": "noise=30"}, {"border": 2}, {"border": 2, "shift": 1}], ids=str
)
def test_another_damage_or_scoring_is_another_row(
    root: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    known = module.data_set("lol")
    fill(benchmark(root))
    monkeypatch.setattr(module, "data_set", lambda name: replace(known, **changes))
    assert images(benchmark(root)) == ["1", "2", "10"]


def test_another_seed_of_the_damage_is_another_row(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(benchmark(root))
    monkeypatch.setattr(inputs, "DAMAGE_SEED", 1)
    assert len(benchmark(root).missing()) == 3


def test_another_caption_is_another_row(root: Path, tiny_prior_folder: Path) -> None:
    def ours(kind: str, limit: int | None = None) -> Benchmark:
        return benchmark(
            root, method="ldrps", sweeps=[f"caption={kind}"], limit=limit, seeds=1, prior=str(tiny_prior_folder)
        )

    table = root / "lol" / "captions.tsv"
    table.write_text("1\ta boat\n2\ta house\n")
    fill(ours("file"))
    fill(ours("none"))
    table.write_text("1\ta boat\n2\ta barn\n")
    assert images(ours("file")) == ["2"]
    assert ours("none").missing() == []
    for name in ("22", "23"):
        for side in ("input", "target"):
            shade(root / "lol" / side / f"{name}.png", 90)
    fill(ours("wrong"))
    shown = {task.pair.name: task.caption for task in ours("wrong").tasks}
    fewer = ours("wrong", limit=3)
    changed = [task.pair.name for task in fewer.tasks if task.caption != shown[task.pair.name]]
    assert changed and images(fewer) == changed, "its neighbour is another"


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shade(tmp_path / "a.png", 1)
    pair, dataset, read = Pair("a", tmp_path / "a.png", None), DataSet("mine", "", str(tmp_path)), []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (read.append(path), whole(path))[1])
    marks = InputMarks()
    assert marks.mark(dataset, pair) == marks.mark(dataset, pair) != marks.mark(dataset, pair, "a boat")
    assert read == [tmp_path / "a.png"]


def test_a_file_that_cannot_be_read_has_a_mark_and_is_told_by_its_row(tmp_path: Path) -> None:
    pair = Pair("a", tmp_path / "gone.png", None)
    assert len(InputMarks().mark(DataSet("mine", "", str(tmp_path)), pair)) == 16
    with pytest.raises(InputError, match=r"gone\.png cannot be read"):
        prepare(DataSet("mine", "", str(tmp_path)), pair)


def test_damage_depends_on_the_picture_alone_and_crops_the_truth(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (41, 50, 3), dtype=np.uint8)
    for name in ("a", "b"):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    dataset = DataSet("mine", "", str(tmp_path), r"(?P<id>.+)", "", degrade="downscale=3+noise=20")
    a, b = dataset.pairs()
    damaged, truth = prepare(dataset, a)
    assert damaged.size == (16, 13)
    assert truth is not None
    assert truth.size == (48, 39)
    assert np.array_equal(damaged, prepare(dataset, a)[0])
    assert not np.array_equal(damaged, prepare(dataset, b)[0]), "another name, another noise"
    alone = DataSet("mine", "", str(tmp_path), r"(?P<id>b)", "", degrade="downscale=3+noise=20")
    assert np.array_equal(prepare(alone, alone.pairs()[0])[0], prepare(dataset, b)[0]), "a part is damaged as the whole"


def test_no_damage_leaves_the_picture(tmp_path: Path) -> None:
    Image.new("RGB", (33, 35), (1, 2, 3)).save(tmp_path / "a.png")
    dataset = DataSet("mine", "", str(tmp_path), r"(?P<id>.+)", "", degrade="none")
    damaged, truth = prepare(dataset, dataset.pairs()[0])
    assert np.array_equal(damaged, np.full((35, 33, 3), (1, 2, 3)))
    assert np.array_equal(damaged, truth)


def test_a_mask_is_read_or_is_what_was_drawn(tmp_path: Path) -> None:
    for folder in ("input", "target", "mask"):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (40, 36), (90, 90, 90)).save(tmp_path / folder / "a.png")
    told = DataSet("mine", "", str(tmp_path), mask=r"mask/\g<id>")
    (pair,) = told.pairs()
    damaged, _ = prepare(told, pair)
    mask = mask_of(told, pair, damaged)
    assert pair.mask == tmp_path / "mask" / "a.png" and mask is not None and mask.getpixel((0, 0)) == 90
    clean = {"input": "target/(?P<id>.+)", "target": "", "degrade": "scratches=3"}
    drawn = DataSet("mine", "", str(tmp_path), **clean, mask=DRAWN)  # type: ignore[arg-type]
    (pair,) = drawn.pairs()
    damaged, _ = prepare(drawn, pair)
    mask = mask_of(drawn, pair, damaged)
    assert np.array_equal(np.asarray(mask) > 0, (np.asarray(damaged) == 0).all(2))
    alone = DataSet("mine", "", str(tmp_path), **clean)  # type: ignore[arg-type]
    assert mask_of(alone, pair, damaged) is None
    assert InputMarks().mark(drawn, pair) != InputMarks().mark(alone, pair)
    (tmp_path / "mask" / "a.png").unlink()
    with pytest.raises(InputError, match=r"has no mask: .*mask/a\.\* is missing"):
        told.pairs()
