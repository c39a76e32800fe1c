"""What is known of a folder of results that a cluster makes: how they are made, and how far it is.

It lies in a folder of its own among them, `.ldrps-ray`:

    run.json    how pictures are restored, pinned when the first was, and which pass this is
    manifest/   the pictures of this pass, in shards of Parquet
    done/       Ray's own checkpoint: the ids of all that was done, or failed, whichever pass it was
    outcomes/   a row for each of these: what became of it
    failures.parquet    those of this pass that failed, at its end

A pass is a list of pictures and the work on it, over any number of commands. When it has come to its end, the next
command lists the pictures anew: those that are new, were changed, or failed are done.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldrps.distributed.listing import Asked
from ldrps.distributed.store import Store
from ldrps.errors import InputError
from ldrps.folders.names import CLUSTER, MANIFEST
from ldrps.printable import json_text

_VERSION = 1
_RUN = f"{CLUSTER}/run.json"


@dataclass(frozen=True)
class Pinned:
    """What is found out once, where the first command is given, and counts for all machines and all later commands, as
    the bytes of results depend on it.

    Attributes:
        dtype: the precision of the prior.
        threads: that compute a picture.
        max_memory: bytes that a worker may take; windows of large pictures shrink to stay within.
        ldrps, torch: the versions.
    """

    dtype: str
    threads: int
    max_memory: int
    ldrps: str
    torch: str


@dataclass(frozen=True)
class Run:
    """What `run.json` holds.

    Attributes:
        recipe: the fingerprint of all that decides a result beside its picture.
        source: the URL of the folder of pictures.
        pinned: see there.
        asked: which of them are wanted, in this pass.
        number: of the pass, from 1.
        total: pictures in its manifest; None while that is being written.
        is_over: whether the pass has come to its end.
    """

    recipe: str
    source: str
    pinned: Pinned
    asked: Asked
    number: int = 1
    total: int | None = None
    is_over: bool = False

    def save(self, out: Store, scratch: Path) -> None:
        """Write it down.

        Raises:
            OutputError: it cannot be written.
        """
        about = {"version": _VERSION, **dataclasses.asdict(self)}
        out.write(_RUN, json_text(about).encode(), scratch)


def load_run(out: Store) -> Run | None:
    """What is known of a folder; None for one in which no cluster has restored.

    Raises:
        InputError: it cannot be read, or is not what this ldrps writes.
    """
    data = out.read(_RUN)
    if data is None:
        return None
    try:
        about = json.loads(data)
        version = about.pop("version")
        if version != _VERSION:
            raise InputError(
                f"{out.url_of(_RUN)} is of version {version!r}, and this ldrps knows {_VERSION}: use the ldrps that "
                "wrote it, or give another --out"
            )
        return _read(about)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{out.url_of(_RUN)} is damaged, or no ldrps wrote it ({type(error).__name__}: {error}): give another "
            "--out, or --force to make all results again"
        ) from error


def _read(about: dict[str, Any]) -> Run:
    asked = about.pop("asked")
    run = Run(
        pinned=Pinned(**about.pop("pinned")),
        asked=Asked(asked["recursive"], tuple(asked["include"]), tuple(asked["exclude"])),
        **about,
    )
    kinds = {"recipe": str, "source": str, "number": int, "is_over": bool}
    for name, kind in kinds.items():
        if not isinstance(getattr(run, name), kind):
            raise TypeError(f"{name} is {getattr(run, name)!r}")
    return run


def check_new(out: Store) -> None:
    """Refuse a folder that holds something, as results to come would replace it.

    Raises:
        InputError: it does, maybe results that were made without a cluster.
    """
    names = {str(each["name"]).rstrip("/").rpartition("/")[2] for each in out.entries()}
    if MANIFEST in names:
        raise InputError(
            f"the results in {out.url_of('')} were made without --ray, which their manifest {MANIFEST} tells: leave "
            "--ray out to go on with them, or give another --out"
        )
    if names - {CLUSTER}:
        raise InputError(
            f"{out.url_of('')} holds files already: give --ray a folder of its own as --out, or --force to replace "
            "those that results have the names of"
        )


def refuse_results_of_clusters(out: Path) -> None:
    """Refuse to go on without a cluster with results that one made.

    Raises:
        InputError: it is such a folder.
    """
    if os.path.isdir(out / CLUSTER):  # which a name that is too long is not
        raise InputError(
            f"the results in {out} were made with --ray, which {CLUSTER} there tells: give --ray to go on with them, "
            "or another --out"
        )


def check_same(run: Run, recipe: Sequence[str], source: Store, out: Store) -> None:
    """Refuse to go on with other settings or pictures than a folder was begun with: it is all of one kind.

    `recipe`: fingerprints that count as the same, one for each precision that "auto" may mean.

    Raises:
        InputError: they are others.
    """
    what = None
    if run.source != source.url:
        what = f"of the pictures in {run.source}"
    elif run.recipe not in recipe:
        what = "made with other settings, weights or precision"
    if what is not None:
        raise InputError(
            f"the results in {out.url_of('')} are {what}: give another --out, or --force to make all of them again"
        )
