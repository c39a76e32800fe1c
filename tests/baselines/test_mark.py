"""What tells a rival from what it was before."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldrps.baselines.mark import code_mark, weights_mark
from ldrps.baselines.registry import RIVALS


def test_other_weights_leave_another_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    file = tmp_path / "dehazer.pth"
    file.write_bytes(b"one")
    (tmp_path / "notes.txt").write_text("of no account")
    by_folder = weights_mark("aod-net", tmp_path)
    assert by_folder == weights_mark("aod-net", file), "where they lie does not matter"
    monkeypatch.setenv("LDRPS_WEIGHTS", str(tmp_path))
    assert weights_mark("aod-net", None) == by_folder
    by_name = weights_mark(f"spandrel:{file}", None)
    file.write_bytes(b"two")
    assert weights_mark("aod-net", tmp_path) != by_folder
    assert weights_mark(f"spandrel:{file}", None) != by_name


def test_what_comes_with_the_package_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    own = weights_mark("zero-dce-own", None)
    assert len(own) == 64 and own != weights_mark("gdp", None)
    (tmp_path / "zero-dce.safetensors").write_bytes(b"others")
    assert weights_mark("zero-dce-own", tmp_path) != own


def test_without_weights_there_is_no_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    (tmp_path / "dehazer.pth").write_bytes(b"one")
    assert weights_mark("yoly", tmp_path) == weights_mark("command:x {in} {out}", tmp_path) == ""
    assert weights_mark("aod-net", None) == weights_mark("aod-net", tmp_path / "none") == ""


def test_code_has_a_mark_of_its_own() -> None:
    assert code_mark("yoly") == code_mark("yoly-detached") != code_mark("zero-ig")
    assert all(len(code_mark(name)) == 64 for name in RIVALS)
