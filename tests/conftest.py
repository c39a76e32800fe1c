"""What tests share: the project's reference material beside the checkout, where there is any."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference material; a test that needs it is skipped where it is not."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("needs the reference material in ../shared, which is not here")
    return SHARED
