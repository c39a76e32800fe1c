"""Files with bytes changed at random: whatever the decoders make of them, only our own errors leave.

`python benchmarks/fuzz.py` tries ten thousand.
"""

from __future__ import annotations

import pytest
from fuzz import check, damaged, seeds
from hypothesis import given, settings

from ldrps.image.picture import load_picture


def test_seeds_are_good(tmp_path):
    assert len(seeds()) > 35
    for name, data in seeds().items():
        (tmp_path / name).write_bytes(data)
        if name != "HEIC":  # boxes without pixels: there is no encoder
            assert load_picture(tmp_path / name, first_frame=True).rgb.isfinite().all(), name
        check(tmp_path / name, tmp_path)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of broken tags
@settings(max_examples=200, deadline=None)
@given(damaged())
def test_only_our_own_errors_leave(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(data)
    check(path, path.parent)
