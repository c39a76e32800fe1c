"""Whether a file is still being copied."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from containers import jpeg, motion_photo, photo, ultra_hdr

from ldrps.image.whole import looks_cut


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(kind, {})
    photo(200, 160).save(buffer, kind, **options)
    return buffer.getvalue()


FILES = {kind: encoded(kind) for kind in ("PNG", "TIFF", "WEBP", "BMP", "GIF", "AVIF")}
FILES |= {
    "JPEG": jpeg(photo(200, 160)),
    "progressive": jpeg(photo(200, 160), progressive=True),
    "motion": motion_photo(),
}
FILES |= {"gain map": ultra_hdr()}


@pytest.mark.parametrize("name", FILES)
def test_whole_files_are_whole(tmp_path: Path, name: str) -> None:
    (tmp_path / "p").write_bytes(FILES[name])
    assert not looks_cut(tmp_path / "p")


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("motion", "gain map")])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.7])
@pytest.mark.parametrize("zeros", [False, True])
def test_half_copies_are_cut(tmp_path: Path, name: str, share: float, zeros: bool) -> None:
    data = FILES[name]
    kept = data[: round(share * len(data))]
    (tmp_path / "p").write_bytes(kept + bytes(len(data) - len(kept)) * zeros)
    assert looks_cut(tmp_path / "p")


def test_what_is_wrong_from_its_start_is_not_cut(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("no picture")
    assert not looks_cut(tmp_path / "p")
    assert not looks_cut(tmp_path / "none") and not looks_cut(tmp_path)
