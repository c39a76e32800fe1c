"""What `ldrps restore` says about names that lead nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run, noisy
from PIL import Image

LONG = "n" * 300 + ".png"


@pytest.mark.parametrize("option", [["-r"], ["--include", "*.png"], ["--exclude", "*.png"], ["--watch"]])
@pytest.mark.parametrize("name", ["photoz", LONG])
def test_a_missing_folder_is_named(command: Run, tmp_path: Path, option: list[str], name: str) -> None:
    code, told, err = command("restore", tmp_path / name, *option, "-o", tmp_path / "out")
    assert (code, told) == (2, "")
    assert err == f"ldrps: {tmp_path / name} does not exist: check the name and the folder\n"


def test_names_that_are_too_long_are_told_not_thrown(command: Run, tmp_path: Path, tiny_prior_folder: Path) -> None:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    for source, out in ((LONG, "b.png"), ("a.png", LONG)):
        words = ["restore", tmp_path / source, "-o", tmp_path / out]
        for more in (["--prior", tiny_prior_folder], ["--dry-run"]):
            code, told, err = command(*words, *more)
            assert (code, told) == (1, "") and LONG in err
