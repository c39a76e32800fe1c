"""The torture folder of benchmarks/torture.py: each of its files has the fate that it must have."""

from __future__ import annotations

import os

import pytest
from torture import carry, identity
from torture_files import make


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.filterwarnings("ignore")  # Pillow warns of broken tags
def test_every_file_is_carried_or_refused(tmp_path):
    cases = make(tmp_path / "in")
    assert len(cases) > 250
    assert sum(case.bomb for case in cases) >= 10
    wrong = []
    for number, case in enumerate(cases):
        if "cut" in case.path.name and "cut 7 " not in case.path.name:
            continue  # the command does them all
        fate = carry(case, tmp_path / f"{number}", identity)
        if fate.outcome not in ("carried", "refused"):
            wrong.append(f"{case.path.name}: {fate.words}")
    assert not wrong
