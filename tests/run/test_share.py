"""What each of several workers may take of the machine."""

from __future__ import annotations

import os

import pytest
import torch

from ldrps.presets import preset
from ldrps.run import share
from ldrps.run.job import Output
from ldrps.run.recipe import OwnMethod, Recipe
from ldrps.run.share import Share, wait_briefly

GIB = 2**30


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four cores, with 8 GiB free."""
    monkeypatch.setattr(share, "_cores", lambda: 4)
    monkeypatch.setattr(share, "share_bytes", lambda workers: 8 * GIB // workers)


def test_cores_and_memory_are_shared_and_one_alone_is_left_to_itself() -> None:
    assert Share.of(1) == Share.of(0) == Share(None, None)
    assert [Share.of(workers).threads for workers in (2, 3, 4, 9)] == [2, 1, 1, 1]
    assert Share.of(2).bytes == 4 * GIB


def test_a_recipe_keeps_to_the_share_unless_a_limit_was_given() -> None:
    recipe = Recipe(OwnMethod(preset("fast")))
    assert recipe.within(Share.of(1)) == recipe
    assert recipe.within(Share.of(2)).output.max_memory == 4 * GIB
    limited = Recipe(recipe.method, Output(max_memory=GIB))
    assert limited.within(Share.of(2)) == limited


@pytest.mark.parametrize(("given", "threads"), [(None, 1), ("2", 3)])
def test_threads_are_taken_unless_the_user_has_decided(
    given: str | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if given is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        Share.of(4).take()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("given", "told"),
    [({}, "30000"), ({"OMP_WAIT_POLICY": "active"}, None), ({"GOMP_SPINCOUNT": "0"}, "0")],
)
def test_threads_that_wait_spin_briefly_unless_the_user_has_decided(
    given: dict[str, str], told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")  # as it was comes back after the test
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    wait_briefly()
    assert os.environ.get("GOMP_SPINCOUNT") == told
