"""A prior goes out as a folder that loads as it did, with a card that a hub can read, and never half of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import Run, noisy
from huggingface_hub import ModelCard

import ldrps
from ldrps.errors import OutputError, PriorError
from ldrps.image import files
from ldrps.prior import prior_folder
from ldrps.prior.export import export_prior
from ldrps.prior.terms import SHIPPED_SENTENCE

CARD = "---\nlicense: cc0-1.0\n---\n# Mine\n\nSee [the method](../docs/default.md) and [ours](https://example.org/x).\n"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mine(text_prior_folder: Path, tmp_path: Path) -> Path:
    """A prior of `ldrps train`, with a card and what training leaves beside it."""
    folder = Path(shutil.copytree(text_prior_folder, tmp_path / "mine"))
    (folder / "README.md").write_text(CARD)
    (folder / "training").mkdir()
    (folder / "training" / "checkpoint.safetensors").write_bytes(b"large")
    return folder


@pytest.mark.parametrize("name", ["embedded", "embedded-pixels"])
def test_what_goes_out_restores_to_the_same_bytes(name: str, tmp_path: Path) -> None:
    written = export_prior(tmp_path / "deep" / "out", name)
    held = contents(written.folder)
    assert (written.files, written.size) == (len(held), sum(map(len, held.values())))
    assert not list((tmp_path / "deep").glob(".ldrps*")), "nothing is left beside it"
    pictures = [
        ldrps.restore(noisy(), prior=prior, preset="fast", seed=3).levels
        for prior in (name, written.folder, ldrps.Prior.from_pretrained(str(written.folder)))
    ]
    assert all(np.array_equal(pictures[0], each) for each in pictures[1:])
    source = prior_folder(name)
    assert all(data == (source / file).read_bytes() for file, data in held.items() if file != "README.md")


def test_the_card_is_one_that_a_hub_reads(tmp_path: Path) -> None:
    card = ModelCard.load(export_prior(tmp_path / "out").folder / "README.md")
    assert (card.data.license, card.data.library_name) == ("other", "ldrps")
    assert "image-restoration" in card.data.tags
    assert {each.metric_type for each in card.data.eval_results} == {"psnr"}
    assert SHIPPED_SENTENCE in " ".join(card.text.split())
    assert "](.." not in card.text and "judge of noise" in card.text, "links into the project lead nowhere from there"


def test_a_prior_of_ones_own(mine: Path, tmp_path: Path) -> None:
    written = export_prior(tmp_path / "out", mine)
    held = contents(written.folder)
    assert "training/checkpoint.safetensors" not in held
    assert set(held) == set(contents(mine)) - {"training/checkpoint.safetensors"}
    assert b"See the method and [ours](https://example.org/x)." in held["README.md"]
    first, again = ldrps.load_prior(mine), ldrps.load_prior(written.folder)
    assert again.terms == first.terms == "cc0-1.0" and again.has_text
    z = torch.zeros(1, 20, 8, 8)
    assert torch.equal(first.denoise(z, 300, first.embed(["dog"])).z0, again.denoise(z, 300, again.embed(["dog"])).z0)


@pytest.mark.parametrize("card", [None, "# Mine\n", "---\ntags: [a]\n---\n"])
def test_a_prior_of_ones_own_needs_terms(card: str | None, mine: Path, tmp_path: Path) -> None:
    (mine / "README.md").unlink()
    if card is not None:
        (mine / "README.md").write_text(card)
    with pytest.raises(PriorError, match=r"README\.md.*under which terms it may be used"):
        export_prior(tmp_path / "out", mine)
    assert not (tmp_path / "out").exists()


def test_other_makes_and_broken_ones_are_refused(mine: Path, tmp_path: Path) -> None:
    (mine / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"broken")
    (tmp_path / "other").mkdir()
    for source, message in ((mine, "diffusion_pytorch_model"), (tmp_path / "other", "one of our own make")):
        with pytest.raises(PriorError, match=message):
            export_prior(tmp_path / "out", source)
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_kept_unless_told(mine: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="holds other things than a prior"):
            export_prior(out, mine, overwrite=overwrite)
    assert contents(out) == {"notes.txt": b"mine"}
    (out / "notes.txt").unlink()
    export_prior(out, mine)  # into a folder that is empty
    (out / ".git").mkdir()
    (out / ".git" / "HEAD").write_text("ref")
    before = contents(out)
    with pytest.raises(OutputError, match="holds a prior: give overwrite=True"):
        export_prior(out, "embedded-pixels")
    assert contents(out) == before
    export_prior(out, "embedded-pixels", overwrite=True)
    after = contents(out)
    assert after.pop(".git/HEAD") == b"ref" and not any(name.startswith("text_encoder") for name in after)
    assert ldrps.load_prior(out).latent_channels == 48


@pytest.mark.parametrize("there", [False, True])
def test_what_is_interrupted_is_no_prior(
    there: bool, mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    if there:
        export_prior(out, mine)
    written: list[Path] = []

    def fill(path: Path, write: object) -> None:
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        written.append(path)
        files.replace_file(path, write)  # type: ignore[arg-type]

    monkeypatch.setattr("ldrps.prior.export.replace_file", fill)
    with pytest.raises(OutputError, match="No space left on device"):
        export_prior(out, "embedded", overwrite=there)
    assert out.exists() == there and not list(tmp_path.glob(".ldrps*"))
    if there:
        with pytest.raises(PriorError):
            ldrps.load_prior(out)


def test_the_command(command: Run, mine: Path, tmp_path: Path) -> None:
    code, out, err = command("prior", "export", tmp_path / "out")
    size = sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file()) / 1e6
    assert code == 0 and out == f"{tmp_path / 'out'}: 12 files, {size:.1f} MB\n" and SHIPPED_SENTENCE in err
    code, out, err = command("prior", "export", tmp_path / "out", "--prior", mine)
    assert code == 2 and "give --force to replace it" in err and out == ""
    code, _, err = command("prior", "export", tmp_path / "out", "--prior", mine, "--force")
    assert code == 0 and "its terms: cc0-1.0" in err
    assert command("prior", "export", mine / "README.md" / "out")[0] == 2
