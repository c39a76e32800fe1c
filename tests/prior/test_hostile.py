"""Whole folders, made to hang, to fill the memory or to break whoever loads them: all are refused in words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Run
from hypothesis import given, settings
from hypothesis import strategies as st
from prior.hostile import CASES, FOREIGN, KINDS, UNET, VALUES, edited, piped

from ldrps.errors import PriorError
from ldrps.prior import load_prior
from ldrps.prior.config import FIELDS


@pytest.fixture(scope="session")
def folders(tiny_sd_folder: Path, text_prior_folder: Path) -> dict[str, Path]:
    return {"stable diffusion": tiny_sd_folder, "embedded": text_prior_folder}


# Loads folders one after the other; the first is good, and tells what loading takes.
CHILD = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
from ldrps.errors import PriorError
from ldrps.prior import load_prior
load_prior(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF)
for folder in sys.argv[2:]:
    try:
        load_prior(folder)
        print("loaded")
    except PriorError as error:
        print(ascii(str(error)))
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_maxrss - before.ru_maxrss, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


@pytest.fixture(scope="module")
def answers(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a process of its own said of all the cases, the memory in bytes and the seconds that it took."""
    root = tmp_path_factory.mktemp("hostile")
    for number, (make, damage, _) in enumerate(CASES.values()):
        damage(Path(shutil.copytree(folders[make], root / str(number))))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-c", CHILD, folders["stable diffusion"], *(root / str(n) for n in range(len(CASES)))]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    *said, taken = done.stdout.splitlines()
    memory, seconds = map(float, taken.split())
    shutil.rmtree(root)
    unit = 1 if sys.platform == "darwin" else 1024
    return {**dict(zip(CASES, said, strict=True)), "memory": memory * unit, "seconds": seconds}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_in_words(case: str, answers: dict[str, Any]) -> None:
    message = CASES[case][2]
    assert re.search(message, answers[case].encode().decode("unicode_escape")), answers[case]
    assert ", expected " in answers[case] and "; " in answers[case] and len(answers[case]) < 1000


def test_it_takes_neither_time_nor_memory(answers: dict[str, Any]) -> None:
    assert answers["memory"] < 512 << 20
    assert answers["seconds"] < 2 * len(CASES), "on the average, of a processor; it is a tenth of that"


@pytest.mark.parametrize("make", KINDS)
def test_the_command_refuses_them_too(make: str, folders: dict[str, Path], tmp_path: Path, command: Run) -> None:
    folder = Path(shutil.copytree(folders[make], tmp_path / "prior"))
    piped(UNET)(folder)
    code, out, err = command("info", folder)
    assert (code, out) == (2, "")
    assert f"{UNET}: found a pipe, expected a regular file; put the file itself there" in err


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_whatever_a_field_says_a_prior_is_whole_or_refused(
    folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, make: str, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "changed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folders[make], folder)
    name = data.draw(st.sampled_from(sorted(KINDS[make])))
    field = data.draw(st.sampled_from([*sorted(FIELDS[KINDS[make][name]]), *FOREIGN]))
    edited(name, **{field: data.draw(st.sampled_from(VALUES))})(folder)
    try:
        prior = load_prior(folder)
    except PriorError as error:
        message = str(error)
    else:
        latents = prior.encode(torch.rand(1, 3, 64, 64))
        text = prior.embed(["a cat"]) if prior.has_text else None
        assert prior.denoise(latents, 1, text).z0.isfinite().all() and prior.decode(latents).shape == (1, 3, 64, 64)
        return
    assert (
        message.isprintable()
        and str(folder) in message
        and ", expected " in message
        and "; " in message
        and len(message) < 1500
    )
