"""What the tests of the page share."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import noisy
from PIL import Image
from serve.held import Held


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A noisy photograph with EXIF data, as a JPEG."""
    path = tmp_path / "given" / "our harbour.jpg"
    path.parent.mkdir()
    exif = Image.Exif()
    exif[0x010E] = "the harbour"  # ImageDescription
    Image.fromarray(noisy(64, 48)).save(path, quality=95, exif=exif)
    return path


@pytest.fixture
def grainy(tmp_path: Path) -> Path:
    """A PNG with so much noise that there are steps to do, which is not so of the JPEG."""
    path = tmp_path / "grainy.png"
    Image.fromarray(noisy(64, 48)).save(path)
    return path
