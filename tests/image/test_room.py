"""Planes of large pictures lie in files, and are the same to the bit."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import photo

import ldrps
from ldrps.cost import estimate
from ldrps.image import room as rooms
from ldrps.image.arrays import pixels
from ldrps.image.pad import pad_to_multiple
from ldrps.image.room import in_file, is_large, room

needs_files = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="no file can be reserved here")


@pytest.fixture
def in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is larger than nothing is large."""
    monkeypatch.setattr(rooms, "LARGE", 1)


def free_bytes(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """Let a disk have so much room."""
    usage = SimpleNamespace(free=count)
    monkeypatch.setattr(rooms.shutil, "disk_usage", lambda folder: usage)


def mapped_files() -> int:
    """How many nameless files this process has mapped."""
    return sum("(deleted)" in line for line in Path("/proc/self/maps").read_text().splitlines())


@needs_files
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what is mapped")
def test_large_planes_lie_in_a_file_that_goes_with_them(in_files: None) -> None:
    before = mapped_files()
    planes = room(1, 3, 40, 50)
    assert mapped_files() == before + 1
    assert planes.shape == (1, 3, 40, 50) and planes.dtype == torch.float32 and not planes.any()
    planes[0, 2, 39, 49] = 0.25
    assert float(planes.sum()) == 0.25
    view = planes[..., 3:]
    del planes
    assert mapped_files() == before + 1, "a view holds it"
    del view
    assert mapped_files() == before


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell what is mapped")
def test_others_are_in_memory() -> None:
    before = mapped_files()
    assert not in_file(4000, 6000) and not is_large(4000, 6000)
    assert not room(1, 3, 8, 8).any() and mapped_files() == before


@needs_files
def test_a_full_disk_is_met_before_anything_is_written(in_files: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    planes = room(1, 3, 40, 50)
    planes += 1
    assert bool((planes == 1).all())


@needs_files
def test_without_room_on_the_disk_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    height, width = 20_000, 25_000
    free_bytes(monkeypatch, 20 * 10**9)
    assert in_file(height, width)
    free_bytes(monkeypatch, 10**10)
    assert not in_file(height, width)

    def missing(folder: str) -> None:
        raise FileNotFoundError(folder)

    monkeypatch.setattr(rooms.shutil, "disk_usage", missing)
    assert not in_file(height, width)


@needs_files
@pytest.mark.parametrize("size", [(40, 56), (41, 56), (40, 59), (45, 61)])
def test_padded_in_a_file_as_in_memory(size: tuple[int, int], in_files: None) -> None:
    x = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    padded, crop = pad_to_multiple(x, 8)
    assert torch.equal(padded, F.pad(x, (0, -size[1] % 8, 0, -size[0] % 8), mode="reflect"))
    assert torch.equal(crop(padded), x)
    thin, _ = pad_to_multiple(x[..., :3, :], 8)
    assert torch.equal(thin[..., 3:, : size[1]], x[..., 2:3, :].expand(-1, -1, 5, -1)), "too thin to be reflected"


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_levels_become_the_nearest_floats(kind: type[np.unsignedinteger]) -> None:
    most = np.iinfo(kind).max
    levels = np.random.default_rng(0).integers(0, most, (37, 41, 3), kind, endpoint=True)
    expected = torch.from_numpy(levels.astype(np.float32) / np.float32(most)).permute(2, 0, 1)[None]
    assert torch.equal(pixels(levels), expected)
    assert torch.equal(pixels(levels[..., :1]), expected[:, :1].expand(-1, 3, -1, -1))


@needs_files
def test_a_restoration_is_the_same_to_the_bit(tiny_prior: ldrps.Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = torch.randn(1, 3, 90, 131, generator=torch.Generator().manual_seed(0))
    picture = (photo(160)[..., :90, :131] / 2 + 0.06 * noise).clamp(0, 1)
    restorer = ldrps.Restorer(tiny_prior, ldrps.preset("fast").with_changes(tile=64, overlap=16))
    expected = restorer(picture)
    assert expected.findings.windows > 1 and not expected.unchanged
    monkeypatch.setattr(rooms, "LARGE", 1)
    assert torch.equal(restorer(picture).tensor, expected.tensor)


@needs_files
def test_what_lies_in_files_is_not_announced_as_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    free_bytes(monkeypatch, 10**12)
    settings = ldrps.preset("default")
    small, large, larger = (estimate(size, settings).bytes for size in ((6000, 4000), (12000, 8000), (24000, 16000)))
    assert large < small + 2**30
    assert (larger - large) / (3 * 12000 * 8000) == pytest.approx(12, abs=1)
    free_bytes(monkeypatch, 0)
    assert estimate((12000, 8000), settings).bytes > large + 2 * 2**30
