from __future__ import annotations

from pathlib import Path

import pytest

from ldrps.serve import examples as module


def test_from_the_package_or_the_checkout_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "src" / "ldrps" / "serve" / "examples.py"
    monkeypatch.setattr(module, "__file__", str(place))
    assert module.examples() == []
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "dark.png").write_bytes(b"")
    assert [path.name for path in module.examples()] == ["dark.png"]
    place.with_name("examples").mkdir(parents=True)
    (place.with_name("examples") / "hazy.png").write_bytes(b"")
    assert [path.name for path in module.examples()] == ["hazy.png"]
