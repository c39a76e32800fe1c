"""The examples in the docstrings of public names give what they say."""

from __future__ import annotations

import doctest
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import ldrps

ROOT = Path(__file__).resolve().parents[1]  # where the pictures of the examples are


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in ldrps.__all__:
        documented = getattr(ldrps, name)
        if inspect.isclass(documented) or inspect.isfunction(documented):
            home = inspect.getmodule(documented)
            yield from (each for each in finder.find(documented, name, module=home) if each.examples)


EXAMPLES = {each.name: each for each in examples()}


def test_what_users_begin_with_has_examples() -> None:
    wanted = {"restore", "Restorer", "Restorer.forward", "Damage", "Denoiser", "RestorerModule"}
    assert wanted <= EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(EXAMPLES[name], out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)
