from __future__ import annotations

import os
import shutil
import types
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

from ldrps.errors import PriorError
from ldrps.prior import load_prior, precision_of
from ldrps.prior.diffusers import load_stable_diffusion
from ldrps.prior.hub import DEFAULT_HUB_ID, fetch
from ldrps.rivals.pixel.load import load_pixel_model

UNET_WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
NEEDED = {
    "model_index.json", "scheduler/scheduler_config.json", "unet/config.json", UNET_WEIGHTS, "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors", "text_encoder/config.json", "text_encoder/model.safetensors",
    "tokenizer/tokenizer.json", "tokenizer/tokenizer_config.json",
}  # fmt: skip


@pytest.fixture
def hub(tiny_sd_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A hub with one repository, whose `snapshot_download` obeys the patterns and lays files out as the real one."""
    import huggingface_hub

    repository = Path(shutil.copytree(tiny_sd_folder, tmp_path / "repository"))
    for junk in ("model.ckpt", "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.non_ema.safetensors",
                 "README.md", "safety_checker/config.json"):  # fmt: skip
        (repository / junk).parent.mkdir(exist_ok=True)
        (repository / junk).write_bytes(b"junk")
    snapshot = tmp_path / "cache/snapshots/0123456789abcdef0123"
    revisions: list[str | None] = []

    def download(repo_id: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        revisions.append(revision)
        files = [str(path.relative_to(repository)) for path in repository.rglob("*") if path.is_file()]
        for name in (file for file in files if any(fnmatch(file, pattern) for pattern in allow_patterns)):
            blob = snapshot.parents[1] / "blobs" / name.replace("/", "-")
            for place in (blob, snapshot / name):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.unlink(missing_ok=True)
            shutil.copy(repository / name, blob)
            (snapshot / name).symlink_to(os.path.relpath(blob, (snapshot / name).parent))
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return types.SimpleNamespace(repository=repository, snapshot=snapshot, revisions=revisions)


def test_a_hub_id_fetches_what_is_needed_and_no_more(hub: types.SimpleNamespace) -> None:
    half = (hub.repository / UNET_WEIGHTS).with_suffix(".fp16.safetensors")
    half.write_bytes(b"second precision")
    prior = load_stable_diffusion("someone/tiny-sd", revision="v1")
    assert prior.has_text and prior.name == "someone/tiny-sd@0123456789ab"
    assert load_prior(hub.snapshot).has_text, "what is in the cache is a folder like any other"
    assert hub.revisions == ["v1"]
    fetched = {str(path.relative_to(hub.snapshot)) for path in hub.snapshot.rglob("*") if path.is_file()}
    assert fetched == NEEDED | {"README.md"}


@pytest.fixture
def own(hub: types.SimpleNamespace, text_prior_folder: Path) -> types.SimpleNamespace:
    """The same hub with a prior of our own make in its repository."""
    shutil.rmtree(hub.repository)
    shutil.copytree(text_prior_folder, hub.repository)
    (hub.repository / "README.md").write_text("---\nlicense: cc0-1.0\n---\n")
    (hub.repository / "training").mkdir()
    (hub.repository / "training/checkpoint.safetensors").write_bytes(b"large")
    return hub


@pytest.mark.parametrize(
    ("name", "revision", "asked"),
    [("someone/mine", None, None), ("someone/mine", "v1", "v1"), ("someone/mine@refs/pr/2", None, "refs/pr/2")],
)
def test_a_prior_of_our_own_make_comes_from_the_hub(
    name: str, revision: str | None, asked: str | None, own: types.SimpleNamespace, text_prior_folder: Path
) -> None:
    prior, local = load_prior(name, revision=revision), load_prior(text_prior_folder)
    assert (prior.name, prior.terms) == ("someone/mine@0123456789ab", "cc0-1.0")
    assert set(own.revisions) == {asked} and not (own.snapshot / "training").exists()
    assert (own.snapshot / "text_encoder/no_caption.safetensors").is_file()
    z = torch.zeros(1, 20, 8, 8)
    assert torch.equal(prior.denoise(z, 300).z0, local.denoise(z, 300).z0)
    assert torch.equal(prior.embed(["dog"]), local.embed(["dog"]))
    assert precision_of(name, "auto") == precision_of(text_prior_folder, "auto")


def test_a_model_of_pixels_of_our_own_make_comes_from_the_hub(own: types.SimpleNamespace) -> None:
    assert load_pixel_model("someone/mine@v2").name == "someone/mine@0123456789ab"
    assert own.revisions == ["v2"]


def test_a_revision_of_what_has_none(tiny_sd_folder: Path, hub: types.SimpleNamespace) -> None:
    for name in ("embedded", tiny_sd_folder, "someone/mine@v1"):
        with pytest.raises(PriorError, match="found a revision, v2, expected none; leave the revision out"):
            load_prior(name, revision="v2")
    assert not hub.revisions


def test_a_hub_id_with_half_precision_alone(hub: types.SimpleNamespace) -> None:
    plain = hub.repository / UNET_WEIGHTS
    plain.rename(plain.with_suffix(".fp16.safetensors"))
    assert load_stable_diffusion("someone/tiny-sd").has_text
    assert not list(hub.snapshot.rglob("*.bin"))


def test_a_model_without_parts(hub: types.SimpleNamespace) -> None:
    """As `UNet2DModel.save_pretrained` writes it, everything at the top."""
    shutil.rmtree(hub.repository)
    hub.repository.mkdir()
    needed = {"config.json", "scheduler_config.json", "diffusion_pytorch_model.safetensors"}
    for name in (*needed, "diffusion_pytorch_model.bin", "vae.png"):
        (hub.repository / name).write_bytes(b"anything")
    assert {path.name for path in fetch("someone/pixels").iterdir()} == needed


def _hub_error(name: str) -> Exception:
    import httpx2
    from huggingface_hub import errors

    response = httpx2.Response(404, request=httpx2.Request("GET", "https://hub.invalid"))
    return {
        "repository": errors.RepositoryNotFoundError("404", response=response),
        "gated": errors.GatedRepoError("403", response=response),
        "revision": errors.RevisionNotFoundError("404", response=response),
        "network": httpx2.ConnectError("no route to host"),
        "cache": errors.LocalEntryNotFoundError("cannot find the requested files\nin the cache"),
        "disk": OSError(28, "No space left on device"),
    }[name]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("repository", f"no such repository on the hub.*mirrored as {DEFAULT_HUB_ID}"),
        ("gated", "restricted access.*hf auth login"),
        ("revision", "some/one@v9: found no such revision"),
        (
            "network",
            "ConnectError: no route to host.*download some/one --local-dir FOLDER --revision v9.*give FOLDER",
        ),
        ("cache", "LocalEntryNotFoundError: cannot find the requested files\\).*hf download"),
        ("disk", "No space left on device"),
    ],
)
def test_hub_ids_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, error: str, message: str) -> None:
    import huggingface_hub

    def download(*_: object, **__: object) -> str:
        raise _hub_error(error)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(PriorError, match=message):
        load_stable_diffusion("some/one", revision="v9")


def test_offline_with_an_empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(PriorError, match=f"hf download {DEFAULT_HUB_ID} --local-dir"):
        fetch(DEFAULT_HUB_ID)


def test_a_path_is_never_a_hub_id(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    monkeypatch.chdir(tmp_path)
    for place in (
        Path("some/one"),
        "./some/one",
        "../one",
        "some/one/more",
        "one",
        "~/one",
        "some/one@",
        "some/one@../x",
    ):
        with pytest.raises(PriorError, match="no such folder"):
            load_stable_diffusion(place)
