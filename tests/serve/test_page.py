"""The page in a real browser, as a visitor has it."""

from __future__ import annotations

import io
import shutil
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import PATIENCE, noisy, until
from PIL import Image

from ldrps import Prior, Restorer
from ldrps.errors import SettingsError
from ldrps.serve.limits import Limits
from ldrps.serve.task import Task

pytest.importorskip("gradio", reason="needs the packages of the extra serve")
playwright = pytest.importorskip("playwright.sync_api", reason="needs the packages of the extra browser")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

LONG = 1000 * PATIENCE  # milliseconds to wait for the page, which a busy machine may need


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"], timeout=LONG)
        except playwright.Error as error:
            pytest.skip(f"no browser can be started here: {error}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def url(tiny_prior: Prior, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from ldrps.serve.app import Address, running

    limits = Limits(pixels=100_000, upload=200_000, pictures=3)
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("serve")
        patch.setattr("tempfile.tempdir", str(root))
        with running(tiny_prior, limits, Address(port=0)) as url:
            yield url
        assert [path.name for path in root.iterdir() if path.name.startswith("ldrps-serve-")] == []


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    yield from _page(browser, url)


@pytest.fixture
def other(browser: Browser, url: str) -> Iterator[Page]:
    """Another visitor, on a phone."""
    yield from _page(browser, url, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)


def _page(browser: Browser, url: str, **kind: Any) -> Iterator[Page]:
    context = browser.new_context(**kind)
    page = context.new_page()
    page.set_default_timeout(LONG)
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if "://" in request.url else None)
    page.goto(url)
    page.wait_for_selector("#restore")
    yield page
    assert hosts == {url.split("/")[2]}, "nothing is fetched from elsewhere"
    context.close()


class Paused:
    """Restorations that stand still after their second step until they are let go, or somebody stops one.

    Attributes:
        ends: what became of them, "finished" or "closed".
    """

    def __init__(self) -> None:
        self.ends: list[str] = []
        self._go = threading.Event()

    def let_go(self) -> None:
        self._go.set()

    def steps(self, chain: Any) -> Any:
        try:
            for number in count(1):
                try:
                    progress = next(chain)
                except StopIteration as finished:
                    self.ends.append("finished")
                    return finished.value
                yield progress
                if number == 2:
                    assert self._go.wait(PATIENCE)
        except GeneratorExit:
            self.ends.append("closed")
            raise


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paused]:
    made = Paused()
    steps, stop = Restorer.steps, Task.stop

    def stop_and_let_go(self: Task) -> None:
        stop(self)
        if not self.snapshot.over:  # as those of an earlier visitor are, whose leaving may be seen late
            made.let_go()

    monkeypatch.setattr(Restorer, "steps", lambda *given, **more: made.steps(steps(*given, **more)))
    monkeypatch.setattr(Task, "stop", stop_and_let_go)
    yield made
    made.let_go()


# The line of the slider is in the middle of its picture, as it is once both have been loaded and measured.
LAID_OUT = """() => {
  const [line, picture] = ["[role=slider]", "img"].map(
    (part) => document.querySelector(`#slider ${part}`)?.getBoundingClientRect());
  if (!line || !picture) return false;
  return Math.abs(line.left + line.width / 2 - picture.left - picture.width / 2) < 0.03 * picture.width;
}"""


def choose(page: Page, *paths: Path) -> None:
    page.set_input_files("#files input[type=file]", list(paths))


def status(page: Page, text: str) -> None:
    page.locator("#status", has_text=text).wait_for()


def test_upload_run_slide_download(page: Page, picture: Path) -> None:
    choose(page, picture)
    page.wait_for_selector("#stage img[alt='our harbour.jpg']")
    page.get_by_label("fast", exact=True).check()
    page.click("#restore")
    status(page, "Done in")
    assert "Found" in page.inner_text("#details")
    line = page.locator("#slider [role=slider]")
    page.wait_for_function(LAID_OUT)
    line.focus()
    page.keyboard.press("ArrowRight")
    assert line.get_attribute("aria-valuenow") == "55"
    before, after = page.locator("#slider img").all()
    assert (before.get_attribute("alt"), after.get_attribute("alt")) == ("Before", "After")
    # Gradio measures from the edge of its frame, so a little is between what it shows and what was asked for.
    until(lambda: 52 < float((after.get_attribute("style") or "").split("%")[0].rsplit(" ", 1)[1]) < 58)
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "our harbour.jpg"
    restored = Image.open(download.value.path())
    assert (restored.format, restored.size) == ("JPEG", (64, 48))
    assert restored.getexif()[0x010E] == "the harbour"


def test_several_pictures_come_as_an_archive_and_history_brings_settings_back(
    page: Page, picture: Path, grainy: Path
) -> None:
    choose(page, picture, grainy)
    page.locator("#stage", has_text="2 pictures").wait_for()
    page.get_by_label("fast", exact=True).check()
    page.get_by_label("Seed", exact=True).fill("7")
    page.keyboard.press("Tab")
    page.click("#restore")
    page.locator("#download", has_text="Download all 2").wait_for()
    with page.expect_download() as download:
        page.click("#download")
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert sorted(archive.namelist()) == ["grainy.png", "our harbour.jpg"]
    page.get_by_label("best", exact=True).check()
    until(lambda: page.get_by_label("Seed", exact=True).input_value() == "0")
    page.get_by_label("grainy.png: fast, seed 7").check()
    page.click("#reuse")
    until(lambda: page.get_by_label("Seed", exact=True).input_value() == "7")
    until(page.get_by_label("fast", exact=True).is_checked)


def test_stopping_in_the_middle(page: Page, grainy: Path, paused: Paused) -> None:
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.get_by_label("best", exact=True).check()
    page.click("#restore")
    status(page, "left")
    until(lambda: page.get_attribute("#stage img", "alt") == "grainy.png after step 2 of 4")
    page.click("#stop")
    status(page, "Stopped")
    assert paused.ends == ["closed"]
    page.get_by_label("fast", exact=True).check()
    page.click("#restore")
    status(page, "Done in")


def bomb(side: int) -> bytes:
    """A PNG that claims to be `side` pixels square and holds none."""
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def test_bad_files_and_too_large_ones(page: Page, grainy: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    (tmp_path / "bomb.png").write_bytes(bomb(9000))
    choose(page, tmp_path / "notes.png", tmp_path / "bomb.png")
    refusal = page.locator("#refusal [role=alert]")
    refusal.wait_for()
    said = refusal.inner_text()
    assert "notes.png is not an image" in said
    assert "81.0 million pixels, more than the 0.1 million" in said
    assert str(tmp_path) not in said and "ldrps-serve" not in said
    assert page.locator("#restore").is_disabled()
    (tmp_path / "heavy.png").write_bytes(b"x" * 300_000)
    choose(page, tmp_path / "heavy.png")
    page.get_by_text("exceed the maximum allowed size").wait_for()
    choose(page, grainy)
    page.wait_for_selector("#stage img[alt='grainy.png']")  # and nothing is in the way of a better one


def test_two_visitors_at_once(page: Page, other: Page, picture: Path, grainy: Path, paused: Paused) -> None:
    choose(page, grainy)
    choose(other, picture)
    page.wait_for_selector("#stage img")
    other.wait_for_selector("#stage img[alt='our harbour.jpg']")
    page.get_by_label("best", exact=True).check()
    page.click("#restore")
    status(page, "left")
    other.click("#restore")
    status(other, "Waiting: 1 request ahead of yours")
    paused.let_go()
    status(page, "Done in")
    status(other, "Done in")
    assert paused.ends == ["finished", "finished"]
    assert "grainy" not in other.content() and "our harbour" not in page.content()
    assert other.evaluate("document.documentElement.scrollWidth") <= 390


def test_who_closes_the_page_leaves_a_free_worker_and_no_files(
    browser: Browser, url: str, picture: Path, grainy: Path, paused: Paused
) -> None:
    visitor = _page(browser, url)
    page = next(visitor)
    Image.fromarray(noisy(80, 72, seed=5)).save(grainy)
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.get_by_label("best", exact=True).check()
    page.click("#restore")
    status(page, "left")
    folder = next(path for path in _root().iterdir() if list(path.glob("tmp*/grainy.png")))
    next(visitor, None)
    until(lambda: paused.ends == ["closed"])
    until(lambda: not folder.exists())


def _root() -> Path:
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def test_an_example(page: Page) -> None:
    page.get_by_text("Try noisy").click()
    page.wait_for_selector("#stage img[alt='noisy.png']")


def test_a_password(browser: Browser, tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    from ldrps.serve.app import Address, running

    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # brought back at the end
    with running(tiny_prior, Limits(), Address(port=0, auth=("ann", "secret"))) as url:
        page = browser.new_page()
        page.set_default_timeout(LONG)
        page.goto(url)
        page.get_by_text("Login").first.wait_for()
        assert page.locator("#restore").count() == 0
        page.close()


def test_a_port_that_is_taken(url: str, tiny_prior: Prior, monkeypatch: pytest.MonkeyPatch) -> None:
    from ldrps.serve.app import Address, running

    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    with (
        pytest.raises(SettingsError, match="choose another --host or --port"),
        running(tiny_prior, Limits(), Address(port=port)),
    ):
        pass
