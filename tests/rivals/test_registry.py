"""The list of rivals: complete, light to load, and honest about names."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ldrps.errors import InputError
from ldrps.rivals.registry import RIVALS, all_facts, build_rival, facts_of, given_weights, is_rival, own_weights
from ldrps.rivals.rival import Rival


def test_it_loads_no_torch() -> None:
    program = "import sys, ldrps.rivals.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


@pytest.mark.parametrize("facts", all_facts(), ids=lambda facts: facts.name)
def test_each_entry_has_an_implementation_and_only_its_settings(facts) -> None:  # type: ignore[no-untyped-def]
    module, _, name = facts.place.partition(":")
    kind = getattr(import_module(module), name)
    assert issubclass(kind, Rival)
    assert set(facts.changes) <= {field.name for field in dataclasses.fields(kind.settings_type)}
    assert not facts.own or own_weights(facts).exists(), "what comes with the package is in it"
    assert bool(facts.own) == bool(facts.takes) and not (facts.own and facts.needs)
    assert facts.what and facts.purpose in ("dark", "haze", "noise", "all")


def test_names() -> None:
    assert {"yoly", "zero-ig", "zero-dce", "aod-net"} <= set(RIVALS)
    assert is_rival("yoly") and is_rival("command:x") and not is_rival("nlm") and not is_rival("ldrps")
    assert facts_of("command:cp {in} {out}").name == "command:cp {in} {out}"
    with pytest.raises(InputError, match=r"rival is 'yolo'; there are yoly, .*command:"):
        build_rival("yolo")


def test_weights_are_looked_for_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("LDRPS_WEIGHTS", raising=False)
    assert given_weights(None) is None
    monkeypatch.setenv("LDRPS_WEIGHTS", str(tmp_path))
    assert given_weights(None) == tmp_path
    monkeypatch.setenv("LDRPS_WEIGHTS", str(tmp_path / "gone"))
    assert given_weights(None) is None and "gone, which is not there" in caplog.text
    assert given_weights(Path("~/mine.pth")) == Path("~/mine.pth").expanduser()
