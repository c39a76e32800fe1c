"""Importing costs nothing until there is something to compute."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import noisy
from PIL import Image

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


# What a restoration without a caption has no use for; each takes longer to load than a small picture to restore, or
# brings others with it that do.
NEEDLESS = (
    *("diffusers", "transformers", "tokenizers", "huggingface_hub", "openai", "httpx", "requests"),
    *("scipy", "skimage", "cv2", "pandas", "matplotlib", "gradio", "spandrel", "torchvision"),
    *("sympy", "torch._dynamo", "torch._inductor", "torch.fx.experimental.symbolic_shapes", "torch.onnx"),
)


@pytest.mark.parametrize(
    "more",
    [[], ["--scale", "2"], ["--damage", "blur.json"], ["--mask", "mask.png", "--compare", "--trace"]],
    ids=["plain", "enlarged", "blurred", "filled"],
)
def test_a_restoration_loads_what_it_needs(more: list[str], tmp_path: Path) -> None:
    Image.fromarray(noisy()).save(tmp_path / "a.png")
    mask = Image.new("L", Image.open(tmp_path / "a.png").size)
    mask.paste(255, (8, 8, 12, 12))
    mask.save(tmp_path / "mask.png")
    (tmp_path / "blur.json").write_text('{"blur": {"kind": "gaussian blur", "sigma": 1.5}}')
    program = (
        "import sys; from ldrps.cli import main\ntry: main()\nexcept SystemExit as end: assert not end.code\n"
        f"sys.stderr.write(' '.join(sorted(set(sys.modules) & set({NEEDLESS!r}))))"
    )
    words = ["restore", "a.png", "-o", "b.png", "--preset", "fast", *more]
    finished = subprocess.run(
        [sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert finished.stderr == "" and finished.stdout.startswith("b.png\n")


def test_public_names() -> None:
    for name in ldrps.__all__:
        assert getattr(ldrps, name) is not None
        assert name in dir(ldrps)
    with pytest.raises(AttributeError, match="no attribute 'restorre'"):
        ldrps.restorre  # noqa: B018
