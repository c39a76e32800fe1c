"""Captions that are kept: found again, shared, and done without where the file is of no use."""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from conftest import PATIENCE
from PIL import Image

from ldrps.caption.base import NO_HINTS, Caption, Hints
from ldrps.caption.cache import CachedCaptioner, CaptionCache, cache_path, picture_key
from ldrps.errors import CaptionError

RED, BLUE = (Image.new("RGB", (40, 40), colour) for colour in ("red", "blue"))
FOUND = Caption("a car", "a boat", "openai:gpt-x", 0.5)


class Counting:
    """Answers while it has answers, then fails."""

    name = "openai:gpt-x"

    def __init__(self, *answers: Caption) -> None:
        self.answers = list(answers)
        self.asked = 0

    def describe(self, image: Image.Image, hints: Hints = NO_HINTS) -> Caption:
        self.asked += 1
        if not self.answers:
            raise CaptionError("nothing more")
        return self.answers.pop(0)


def test_the_same_picture_is_asked_about_once(tmp_path: Path) -> None:
    model = Counting(FOUND, Caption("blue"))
    for _ in range(2):  # a second run reads the file anew
        cached = CachedCaptioner(model, ("url", "prompt"), CaptionCache(tmp_path / "new" / "captions.sqlite"))
        assert (cached.name, cached.describe(RED)) == ("openai:gpt-x", FOUND)
    assert model.asked == 1
    assert cached.describe(BLUE).text == "blue" and model.asked == 2


def test_failures_are_not_kept(tmp_path: Path) -> None:
    model = Counting()
    cached = CachedCaptioner(model, (), CaptionCache(tmp_path / "captions.sqlite"))
    with pytest.raises(CaptionError):
        cached.describe(RED)
    model.answers = [FOUND]
    assert cached.describe(RED) == FOUND and model.asked == 2


def test_what_an_answer_depends_on() -> None:
    keys = {
        picture_key(image, *about)
        for image in (RED, BLUE, RED.resize((80, 20)))
        for about in (("a", "b"), ("ab", ""), ("a", "c"), ("b", "a"), ())
    }
    assert len(keys) == 15
    grey = Image.new("L", (40, 40), 7)
    assert picture_key(grey) == picture_key(grey.convert("RGB"))


@pytest.mark.parametrize("fault", ["garbage", "other table", "a folder", "no place"])
def test_a_cache_that_cannot_be_used(fault: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "captions.sqlite"
    if fault == "garbage":
        path.write_bytes(b"not a database" * 100)
    elif fault == "other table":
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE captions (mine TEXT)")
    elif fault == "a folder":
        path.mkdir()
    else:
        (tmp_path / "file").write_text("")
        path = tmp_path / "file" / "captions.sqlite"
    before = path.read_bytes() if path.is_file() else b""
    model = Counting(FOUND, FOUND, FOUND)
    cached = CachedCaptioner(model, (), CaptionCache(path))
    with caplog.at_level(logging.WARNING):
        assert [cached.describe(RED) for _ in range(3)] == [FOUND] * 3
    assert model.asked == 3
    assert caplog.text.count("no captions are kept") == 1 and str(path) in caplog.text
    assert not before or path.read_bytes() == before, "a file that is not ours is left alone"


def test_a_database_that_another_process_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ldrps.caption.cache._WAIT", 0.1)
    path = tmp_path / "captions.sqlite"
    CaptionCache(path).put("key", FOUND)
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    cache = CaptionCache(path)
    assert cache.get("key") == FOUND, "to read, nobody has to wait"
    cache.put("other", FOUND)
    assert "locked" in caplog.text
    holder.close()
    assert CaptionCache(path).get("key") == FOUND and CaptionCache(path).get("other") is None


def test_two_processes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "captions.sqlite"
    program = (
        "import sys\nfrom pathlib import Path\nfrom ldrps.caption import cache as module\n"
        "from ldrps.caption.base import Caption\nfrom ldrps.caption.cache import CaptionCache\n"
        f"module._WAIT = {PATIENCE}\ncache = CaptionCache(Path(sys.argv[1]))\n"
        "for n in range(25):\n    cache.put(f'{sys.argv[2]} {n}', Caption(str(n)))\n"
        "    cache.put('shared', Caption('x'))\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, path, name], stderr=subprocess.PIPE) for name in "ab"]
    assert [(process.communicate(timeout=PATIENCE)[1], process.returncode) for process in both] == [(b"", 0)] * 2
    cache = CaptionCache(path)
    found = [cache.get(f"{name} {n}") for name in "ab" for n in range(25)]
    assert [caption and caption.text for caption in found] == [str(n) for _ in "ab" for n in range(25)]


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LDRPS_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_path() == tmp_path / "own" / "captions.sqlite"
    monkeypatch.delenv("LDRPS_CACHE")
    assert cache_path() == tmp_path / "xdg" / "ldrps" / "captions.sqlite"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_path() == tmp_path / ".cache" / "ldrps" / "captions.sqlite"
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert cache_path() is None
    model = Counting(FOUND, FOUND)
    cached = CachedCaptioner(model, (), CaptionCache(None))
    assert cached.describe(RED) == cached.describe(RED) == FOUND and model.asked == 2


def test_it_is_for_the_user_alone(tmp_path: Path) -> None:
    CaptionCache(tmp_path / "new" / "captions.sqlite").put("key", FOUND)
    assert os.name != "posix" or (tmp_path / "new").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[(name, b"a boat") for name in ("text", "negative", "source")],
        *[("confidence", value) for value in ("much", b"1", float("inf"), 2, -1e300)],
    ],
)
def test_a_caption_that_somebody_else_has_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, column: str, value: object
) -> None:
    path = tmp_path / "captions.sqlite"
    CaptionCache(path).put("key", FOUND)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE captions SET {column} = ?", (value,))
    cache = CaptionCache(path)
    assert cache.get("key") is None and cache.get("key") is None
    assert caplog.text.count(f"holds what no ldrps wrote ({column} is ") == 1 and "set LDRPS_CACHE" in caplog.text
