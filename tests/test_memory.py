"""What memory is free, on the machine and in its container."""

from __future__ import annotations

from pathlib import Path

import pytest

from ldrps import memory

GIB = 2**30


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a control group, on a machine with 8 GiB free; this process takes 1 GiB."""
    (tmp_path / "meminfo").write_text(f"MemTotal: {2**24} kB\nMemAvailable: {2**23} kB\n")
    (tmp_path / "status").write_text(f"Name: python\nVmRSS: {2**20} kB\n")
    monkeypatch.setattr(memory, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "_CONTROL_GROUP", tmp_path)
    return tmp_path


def test_without_a_container_it_is_the_machines(group: Path) -> None:
    assert memory.available_bytes() == 9 * GIB


@pytest.mark.parametrize(
    ("limit", "free"), [("max", 8), (str(64 * GIB), 8), (str(5 * GIB), 3), (str(2 * GIB), 0), (str(GIB), 0)]
)
def test_a_container_may_allow_less(group: Path, limit: str, free: int) -> None:
    (group / "memory.max").write_text(f"{limit}\n")
    (group / "memory.current").write_text(f"{2 * GIB}\n")
    assert memory.available_bytes() == (1 + free) * GIB
    assert memory.share_bytes(4) == free * GIB // 4


def test_idle_cache_of_files_is_free(group: Path) -> None:
    (group / "memory.max").write_text(f"{5 * GIB}\n")
    (group / "memory.current").write_text(f"{4 * GIB}\n")
    (group / "memory.stat").write_text(f"anon {GIB}\ninactive_file {2 * GIB}\n")
    assert memory.available_bytes() == 4 * GIB


@pytest.mark.parametrize(("limit", "free"), [(str(2**63 - 4096), 8), (str(5 * GIB), 4), (str(GIB), 0)])
def test_a_container_of_version_1(group: Path, limit: str, free: int) -> None:
    """Without a limit it says a number that is larger than any memory."""
    (group / "memory").mkdir()
    (group / "memory" / "memory.limit_in_bytes").write_text(f"{limit}\n")
    (group / "memory" / "memory.usage_in_bytes").write_text(f"{4 * GIB}\n")
    (group / "memory" / "memory.stat").write_text(f"inactive_file 0\ntotal_inactive_file {3 * GIB}\n")
    assert memory.available_bytes() == (1 + free) * GIB


def test_elsewhere_than_on_linux_nothing_is_known(group: Path) -> None:
    (group / "meminfo").unlink()
    assert memory.available_bytes() is None
    assert memory.share_bytes(2) is None
