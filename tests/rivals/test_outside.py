"""Programs outside: run without a shell, given up on in time, and told about in words."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import PATIENCE, noisy

from ldrps import Cancelled
from ldrps.errors import InputError, LdrpsError, SettingsError
from ldrps.rivals.facts import RivalOptions
from ldrps.rivals.registry import build_rival
from ldrps.rivals.rival import Rival

INVERT = """
from pathlib import Path
from PIL import Image, ImageOps
for path in Path(sys.argv[1]).iterdir():
    ImageOps.invert(Image.open(path)).save(Path(sys.argv[2]) / path.name)
"""


@pytest.fixture
def program(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A rival that is this Python code, which has the folders as arguments, and maybe the seed."""

    def make(code: str, more: str = "", **changes: object) -> Rival:
        script = tmp_path / "a program.py"
        script.write_text(f"import sys, time, os\n{code}")
        command = f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{in}} {{out}} {more}"
        return build_rival(f"command:{command}", RivalOptions(changes=changes))

    return make


def test_what_it_leaves_is_the_result(program) -> None:  # type: ignore[no-untyped-def]
    seen = []
    result = program(INVERT)(noisy(), on_step=lambda step: seen.append(step.number))
    assert np.array_equal(result.levels, 255 - noisy())
    assert seen[-1] == 1 and set(seen) <= {0, 1}
    assert result.record()["settings"]["command"].endswith("{in} {out} "), "which can be run again"


def test_the_seed_can_be_given(program) -> None:  # type: ignore[no-untyped-def]
    rival = program("sys.exit(int(sys.argv[3]))", "{seed}").with_seed(7)
    with pytest.raises(LdrpsError, match="ended with exit code 7, without a word"):
        rival(noisy())


def test_failures_in_words(program) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LdrpsError, match=r"exit code 1: .*RuntimeError: no card"):
        program("raise RuntimeError('no card')")(noisy())
    with pytest.raises(LdrpsError, match="left no pictures in its folder"):
        program("print('done')")(noisy())
    small = INVERT.replace("Image.open(path)", "Image.open(path).resize((33, 34))")
    with pytest.raises(LdrpsError, match="made a picture of 33 x 34 from 48 x 40 pixels"):
        program(small)(noisy())


def test_it_is_not_waited_for_for_ever(program, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LdrpsError, match=r"was not done after 0\.5 seconds and was ended"):
        program(f"time.sleep({PATIENCE})", timeout=0.5)(noisy())
    with pytest.raises(SettingsError, match="timeout is 0"):
        program("", timeout=0)


def test_it_ends_with_who_waited(program, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    note = tmp_path / "id"
    code = f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep({PATIENCE})"
    with pytest.raises(Cancelled, match="stopped after step 0 of 1"):
        program(code)(noisy(), on_step=lambda step: not (note.exists() and note.read_text()))
    assert not Path(f"/proc/{note.read_text()}").exists()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("python {in}", "has no {out}: say where its folders go"),
        ("python", "has no {in} and no {out}"),
        ("no-such-program {in} {out}", "there is no program 'no-such-program'"),
        ("python '{in} {out}", "mend its quotes"),
    ],
)
def test_bad_commands_are_told_before_a_picture_is_read(command: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        build_rival(f"command:{command}")


def test_no_shell_sees_it(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    rival = build_rival(f"command:{shlex.quote(sys.executable)} -c '' {{in}} {{out}} ; touch {trap}")
    with pytest.raises(LdrpsError, match="left no pictures"):
        rival(noisy())
    assert not trap.exists()
