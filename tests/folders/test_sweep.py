"""What a sweep removes: what died processes left in its folder, and nothing that only looks like it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ldrps.folders.alive import ran
from ldrps.folders.sweep import sweep

DEAD = ".ldrps-partial-4194305-"  # more than the most that Linux numbers processes by


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "out" / "sub").mkdir(parents=True)
    return tmp_path / "out"


def test_what_nobody_writes_goes(root: Path) -> None:
    for folder in (root, root / "sub"):
        (folder / f"{DEAD}0a").touch()
        sweep(folder, root)
        assert not (folder / f"{DEAD}0a").exists()
    sweep(root / "gone", root)
    (root / "file").touch()
    sweep(root / "file", root)
    assert sorted(path.name for path in root.iterdir()) == ["file", "sub"]


@pytest.mark.parametrize(
    "name",
    [
        ".ldrps-partial-notes.txt",
        ".ldrps-partial-",
        ".ldrps-partial-12",
        f"{DEAD}0a.png",
        f"{DEAD}0a\n",
        f"{DEAD}XY",
        f"my {DEAD}0a",
        ".ldrps.sqlite",
    ],
)
def test_what_is_not_named_by_us_stays(root: Path, name: str) -> None:
    (root / name).touch()
    sweep(root, root)
    assert (root / name).exists()


@pytest.mark.skipif(os.name == "nt", reason="no such links and pipes")
def test_what_is_no_file_stays(root: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (root / f"{DEAD}0a").symlink_to(tmp_path / "precious")
    (root / f"{DEAD}0b").mkdir()
    os.mkfifo(root / f"{DEAD}0c")
    (root / f"{DEAD}0d").symlink_to(tmp_path / "nowhere")
    sweep(root, root)
    assert len(list(root.iterdir())) == 4 + 1 and (tmp_path / "precious").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("way", ["above", "absolute", "link", "link within link", "around"])
def test_what_is_outside_stays(root: Path, tmp_path: Path, way: str) -> None:
    victim = tmp_path / "victim" / "deep"
    victim.mkdir(parents=True)
    for folder in (tmp_path, victim, victim.parent):
        (folder / f"{DEAD}0a").touch()
    (root / "link").symlink_to(victim.parent)
    (root / "other").symlink_to(root / "link")
    ways = {
        "above": root / "..",
        "absolute": victim,
        "link": root / "link",
        "link within link": root / "other" / "deep",
        "around": root / "sub" / ".." / ".." / "victim",
    }
    sweep(ways[way], root)
    assert all((folder / f"{DEAD}0a").exists() for folder in (tmp_path, victim, victim.parent))


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_folder_of_results_that_is_itself_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(root)
    (root / "sub" / f"{DEAD}0a").touch()
    sweep(tmp_path / "named" / "sub", tmp_path / "named")
    assert not (root / "sub" / f"{DEAD}0a").exists(), "whoever names a link means what it leads to"


@pytest.mark.parametrize("pid", ["0", "99999999999999999999", "9" * 200])
def test_numbers_that_no_process_can_have(root: Path, pid: str) -> None:
    path = root / f".ldrps-partial-{pid}-0a"
    path.touch()
    sweep(root, root)
    assert not path.exists()


def test_who_is_no_process_runs_not() -> None:
    assert not any(ran(pid, 0.0) for pid in (0, -1, 2**31, 2**64)) or os.name == "nt"
    assert ran(os.getpid(), 0.0)
