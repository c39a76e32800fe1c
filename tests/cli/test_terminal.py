"""Names and texts from outside on the terminal: whatever prints them, they are a part of a line and no more."""

from __future__ import annotations

import ast
import io
import json
import os
from functools import partial
from pathlib import Path

import pytest
from conftest import Run, noisy
from PIL import Image
from rich.console import Console
from strange import NAME, STRANGE, assert_seen

import ldrps
from ldrps.cli import bars, terminal
from ldrps.cli.bars import Display
from ldrps.printable import printable
from ldrps.run.job import Job
from ldrps.run.outcome import Outcome
from ldrps.run.tick import Tick

SHOWN = printable(NAME)
_WRITING = ("print", "echo", "secho", "write", "StreamHandler", "Console")
_IN_NAMES = {name: raw for name, (raw, _) in STRANGE.items() if raw not in ("\0", "\ud83d")}


@pytest.fixture
def restore(command: Run, tiny_prior_folder: Path) -> Run:
    return partial(command, "restore", "--prior", tiny_prior_folder, "--preset", "fast")


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        Image.fromarray(noisy()).save(file, "PNG")
    return path


def broken(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return path


def test_one_file_alone_prints() -> None:
    """So that nobody can forget: of the package, only the terminal, the bars and the log write for people."""
    root = Path(ldrps.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            last = getattr(node.func, "attr", getattr(node.func, "id", ""))
            # To write all calls out in full took most of the time.
            called = ast.unparse(node.func) if last.endswith(_WRITING) else ""
            if called in ("print", "typer.echo", "click.echo", "typer.secho") or called.endswith(
                ("stdout.write", "stderr.write", "console.print", "StreamHandler", "Console")
            ):
                found.add(path.relative_to(root).as_posix())
    assert found == {"cli/terminal.py", "cli/bars.py", "log.py"}


def test_lines_for_people_and_lines_of_results(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.tell("a b.png", NAME)
    terminal.tell_text("one\n\ntwo\n")
    terminal.say(NAME, f"more {NAME}")
    out, err = capsys.readouterr()
    assert out == f"a b.png\n{SHOWN}\none\n\ntwo\n"
    assert err == f"ldrps: {SHOWN}\n  more {SHOWN}\n"
    assert_seen(out + err)


@pytest.mark.parametrize("raw", _IN_NAMES.values(), ids=_IN_NAMES)
def test_a_plan_shows_each_name_on_a_line(command: Run, tmp_path: Path, raw: str) -> None:
    name = f"x{raw}y.png"
    picture(tmp_path / "in" / name)
    broken(tmp_path / "in" / f"z{name}")
    code, out, err = command("restore", tmp_path / "in", "-o", tmp_path / "out", "--dry-run")
    assert code == 1 and printable(name) in out and printable(f"z{name}") in err
    assert len(out.splitlines()) == 1 and len(err.splitlines()) == 2
    assert_seen(out + err)


def test_a_list_of_results_and_their_records(restore: Run, tmp_path: Path) -> None:
    source = picture(tmp_path / f"{NAME}.png")
    words = [source, "-o", tmp_path / "out", "--trace", "--compare", "--caption", f"text:{NAME}"]
    code, out, _ = restore(*words)
    assert code == 0
    assert out.splitlines() == [f"{tmp_path}/out/{SHOWN}.png{end}" for end in ("", ".compare.png", ".json")]
    record = (tmp_path / "out" / f"{NAME}.png.json").read_text("ascii")
    assert_seen(record)
    assert json.loads(record)["source"] == str(source) and json.loads(record)["caption"] == NAME
    (tmp_path / "out" / f"{NAME}.png").write_bytes(b"somebody else's")
    code, out, err = restore(*words, "--noise", 3)
    assert (code, out) == (1, "") and f"{SHOWN}.png exists" in err
    assert_seen(err)


def test_a_plain_name_is_as_it_is(restore: Run, tmp_path: Path) -> None:
    source = picture(tmp_path / "ein Bild \N{CAMERA} صورة a\\b.png")
    assert restore(source, "-o", tmp_path / "out") == (0, f"{tmp_path / 'out' / source.name}\n", "")


def test_pictures_that_fail_one_by_one_and_in_a_folder(restore: Run, tmp_path: Path) -> None:
    bad = [broken(tmp_path / "in" / f"{number}{NAME}.png") for number in range(2)]
    good = picture(tmp_path / "in" / f"good{NAME}.png")
    code, out, err = restore(*bad, good, "-o", tmp_path / "one")
    assert (code, out) == (1, f"{tmp_path}/one/good{SHOWN}.png\n")
    assert len(err.splitlines()) == 3 and "2 of 3 pictures failed" in err
    assert_seen(err)
    for _ in range(2):  # what failed is read from the manifest by the other
        code, out, err = restore(tmp_path / "in", "-o", tmp_path / "folder")
        assert code == 1 and len(err.splitlines()) == 2 + 1 + 2
        assert_seen(out + err)


def test_captions_beside_pictures_and_given(
    command: Run, tmp_path: Path, text_prior_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    restore = partial(command, "restore", "--prior", text_prior_folder, "--preset", "fast", "--trace")
    source = picture(tmp_path / f"{NAME}.png")
    code, out, err = restore(source, "-o", tmp_path / "a.png", "--caption", "file", "--caption-required")
    assert (code, out) == (1, "") and f"there is no {tmp_path}/{SHOWN}.txt" in err
    assert_seen(err)
    (tmp_path / f"{NAME}.txt").write_text("a dog\x1b]0;title\x07 \u202ein the sea", encoding="utf-8")
    code, out, err = restore(source, "-o", tmp_path / "b.png", "--caption", "file")
    record = (tmp_path / "b.png.json").read_text("ascii")
    assert code == 0 and json.loads(record)["caption_source"] == "file"
    assert_seen(out + err + record)
    code, _, err = restore(source, "-o", tmp_path / "c.png", "--caption", "a dog\udcff")
    assert code == 1 and err == "ldrps: the caption 'a dog\\udcff' has bytes that are no text: give it in UTF-8\n"


def test_words_that_the_parser_refuses(command: Run, tmp_path: Path) -> None:
    for words in (
        ["restore", "a.png", f"--{NAME}"],
        ["restore", "a.png", "-o", "b.png", "--dtype", NAME],
        ["restore", "a.png", "-o", "b.png", "--seed", NAME],
        ["restore", "a.png", "-o", "b.png", "--method", "gdp", "--set", NAME],
        [NAME],
    ):
        code, out, err = command(*words)
        assert (code, out) == (2, "")
        for drawn in "╭─╮│╰╯":  # what typer puts around it
            err = err.replace(drawn, " ")
        assert_seen(err)


def test_other_commands(command: Run, tmp_path: Path) -> None:
    source, bad = picture(tmp_path / f"{NAME}.png"), broken(tmp_path / f"bad{NAME}.png")
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "model_index.json").write_text("{}")
    code, out, err = command("degrade", source, bad, "-o", tmp_path / "out", "--kind", "noise=5")
    assert (code, out) == (1, f"{tmp_path}/out/{SHOWN}.png\n") and len(err.splitlines()) == 1
    assert_seen(err)
    for words in (
        ["degrade", source, "-o", tmp_path / "b.png", "--kind", NAME],
        ["info", folder],
        ["info", tmp_path / f"no {NAME}"],
        ["restore", source, "-o", tmp_path / "c.png", "--prior", folder],
        ["restore", source, "-o", tmp_path / "c.png", "--method", NAME],
        ["restore", tmp_path / f"no {NAME}", "-r", "-o", tmp_path / "c"],
        ["restore", source, folder / "x" / source.name, "-o", tmp_path / "c"],
        ["bench", f"folder:{folder}", "--store", tmp_path / "store"],
        ["bench", NAME, "--store", tmp_path / "store"],
    ):
        code, out, err = command(*words)
        assert (code, out) == (2, "") and len(err.splitlines()) == 1, err
        assert_seen(err)


@pytest.mark.skipif(os.name == "nt", reason="names of Windows are text")
def test_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = io.StringIO()
    monkeypatch.setattr(bars, "Console", lambda stderr: Console(file=seen, force_terminal=True, width=2000))
    job = Job(tmp_path / f"{NAME}.png", tmp_path / "out" / f"{NAME}.png")
    with Display(2) as display:
        display.tick(job, Tick(1, 2, 1, 0.5))
        display._bars.refresh()
        display.outcome(Outcome(job, "failed", reason=f"{NAME} is broken"))
        display.outcome(Outcome(job, "done", (job.target,), words=f"found {NAME}"))
    text = seen.getvalue()
    assert text.count(SHOWN) >= 3
    for raw in _IN_NAMES.values():
        assert raw[0] in "\x1b\n\r" or raw not in text, ascii(raw)  # bars themselves move the cursor
    assert "\x1b[2J" not in text and "\nldrps: all" not in text


def test_a_fault_of_ours_is_told_on_a_line(command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"a bug about {NAME}")

    monkeypatch.setattr("ldrps.run.batch.load_picture", fail)
    source = picture(tmp_path / f"{NAME}.png")
    code, _, err = command("restore", source, "-o", tmp_path / "b.png", "--method", "zero-dce-own")
    assert code == 1 and "please report it" in err
    assert_seen(err)
