"""Importing costs nothing until there is something to compute."""

from __future__ import annotations

import subprocess
import sys

import pytest

import ldrps

HEAVY = ("torch", "diffusers", "transformers", "numpy", "PIL", "safetensors", "huggingface_hub")


@pytest.mark.parametrize(
    "program",
    [
        "import ldrps, ldrps.cli",
        "import sys; sys.argv = ['ldrps', '--help']; from ldrps.cli import main\ntry: main()\nexcept SystemExit: pass",
        "import sys; sys.argv = ['ldrps', 'restore', '--help']; from ldrps.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
    ],
    ids=["import", "help", "help of a command"],
)
def test_nothing_heavy_is_loaded(program: str) -> None:
    tail = f"\nimport sys; sys.stderr.write(' '.join(sorted(set(sys.modules) & set({HEAVY!r}))))"
    finished = subprocess.run([sys.executable, "-c", program + tail], capture_output=True, text=True, check=True)
    assert finished.stderr == ""


def test_public_names() -> None:
    for name in ldrps.__all__:
        assert getattr(ldrps, name) is not None
        assert name in dir(ldrps)
    with pytest.raises(AttributeError, match="no attribute 'restorre'"):
        ldrps.restorre  # noqa: B018
