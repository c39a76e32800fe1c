"""What the tests of the service share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="needs the packages of the extra serve")
pytest.importorskip("python_multipart", reason="needs the packages of the extra serve")
pytest.importorskip("prometheus_client", reason="needs the packages of the extra serve")

from tests.service.faked import Served, served


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "jobs") as made:
        yield made
