from __future__ import annotations

from pathlib import Path

import pytest
from train.photographs import NAMES, invented


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty photographs, one of which is held out. Read only."""
    folder = tmp_path_factory.mktemp("photographs")
    for seed, name in enumerate(NAMES):
        invented(seed).save(folder / name)
    return folder
