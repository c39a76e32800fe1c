"""What is known of a folder of results that a cluster makes, and who may go on with it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from conftest import Run as Command
from conftest import noisy
from PIL import Image

from ldrps.distributed.listing import Asked
from ldrps.distributed.state import Pinned, Run, check_new, check_same, load_run
from ldrps.distributed.store import Store
from ldrps.errors import InputError

pytest.importorskip("fsspec")
PINNED = Pinned("float32", 1, 2**30, "0.1.0", "2.13.0")
RUN = Run("abc", "file:///in", PINNED, Asked(True, ("*.png",), ()), 3, 17)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    out = Store.of(str(tmp_path / "out"))
    assert load_run(out) is None
    for run in (RUN, dataclasses.replace(RUN, total=None, is_over=True, asked=Asked())):
        run.save(out, tmp_path)
        assert load_run(out) == run


@pytest.mark.parametrize(
    "change",
    [{"version": 9}, {"pinned": None}, {"asked": {"recursive": True}}, {"recipe": 3}, {"more": 1}, {"number": "1"}],
    ids=str,
)
def test_what_no_ldrps_wrote(tmp_path: Path, change: dict[str, object]) -> None:
    out = Store.of(str(tmp_path / "out"))
    RUN.save(out, tmp_path)
    path = tmp_path / "out" / ".ldrps-ray" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    said = "is of version 9, and this ldrps knows 1" if "version" in change else "is damaged, or no ldrps wrote it"
    with pytest.raises(InputError, match=said):
        load_run(out)
    path.write_bytes(b"\xff{")
    with pytest.raises(InputError, match=r"is damaged.*--force"):
        load_run(out)


def test_a_folder_must_be_its_own(tmp_path: Path) -> None:
    out = Store.of(str(tmp_path / "out"))
    check_new(out)
    (tmp_path / "out" / ".ldrps-ray").mkdir(parents=True)
    check_new(out)
    (tmp_path / "out" / "a.png").touch()
    with pytest.raises(InputError, match="holds files already: give --ray a folder of its own"):
        check_new(out)
    (tmp_path / "out" / ".ldrps.sqlite").touch()
    with pytest.raises(InputError, match=r"were made without --ray.*leave --ray out to go on"):
        check_new(out)


def test_a_folder_is_of_one_kind() -> None:
    source, out = Store("file:///in"), Store("file:///out")
    check_same(RUN, ["xyz", "abc"], source, out)
    with pytest.raises(InputError, match="made with other settings, weights or precision: give another --out"):
        check_same(RUN, ["xyz"], source, out)
    with pytest.raises(InputError, match="of the pictures in file:///in: give another --out"):
        check_same(RUN, ["abc"], Store("s3://b/in"), out)


def test_without_a_cluster_its_results_are_left_alone(command: Command, tmp_path: Path) -> None:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    out = tmp_path / "out"
    RUN.save(Store.of(str(out)), tmp_path)
    for words in ([tmp_path / "a.png"], [tmp_path], [tmp_path, "--dry-run"], [tmp_path / "a.png", "--force"]):
        code, told, err = command("restore", *words, "-o", f"{out}/")
        assert (code, told) == (2, "") and "were made with --ray" in err and "give --ray to go on" in err
    assert [path.name for path in out.iterdir()] == [".ldrps-ray"]
