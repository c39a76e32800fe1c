"""The page in a real browser, as a visitor has it."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import PATIENCE, noisy, until
from PIL import Image
from serve.held import GatedLoader

from ldrps.errors import SettingsError
from ldrps.presets import preset
from ldrps.prior import load_prior
from ldrps.restorer import Restorer
from ldrps.serve.limits import Limits
from ldrps.serve.visits import Visit

pytest.importorskip("gradio", reason="needs the packages of the extra serve")
playwright = pytest.importorskip("playwright.sync_api", reason="needs the packages of the extra browser")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FileChooser, Page

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
def loader(tiny_prior_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> GatedLoader:
    return GatedLoader(tiny_prior_folder, tmp_path_factory.mktemp("gate") / "closed")


@pytest.fixture(scope="module")
def url(loader: GatedLoader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from ldrps.serve.app import Address, running

    limits = Limits(pixels=100_000, upload=200_000, pictures=3)
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("serve")
        patch.setattr("tempfile.tempdir", str(root))
        with running(loader, limits, Address(port=0)) as url:
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
    """Restorations that stand still after their second step until they are let go, or somebody stops one."""

    def __init__(self, gate: Path) -> None:
        self._gate = gate
        gate.touch()

    def let_go(self) -> None:
        self._gate.unlink(missing_ok=True)


@pytest.fixture
def paused(loader: GatedLoader) -> Iterator[Paused]:
    made = Paused(loader.gate)
    yield made
    made.let_go()


FAST, BEST = "Fast, a little rougher", "Best, takes some times as long"


def choose(page: Page, *paths: Path) -> None:
    page.set_input_files("#files input[type=file]", list(paths))


def type_in(page: Page, label: str, text: str) -> None:
    """Type into a field; once more where that came before the page, which had just shown the field, had filled it."""
    field = page.get_by_label(label)

    def stays() -> bool:
        field.fill(text)
        page.keyboard.press("Tab")
        page.wait_for_timeout(250)
        return field.input_value() == text

    until(stays)


def status(page: Page, text: str) -> None:
    page.locator("#status", has_text=text).wait_for()


def restore(page: Page, path: Path) -> None:
    """Choose a picture, and wait for its result."""
    choose(page, path)
    page.wait_for_selector("#stage img")
    page.get_by_label(FAST).check()
    page.click("#restore")
    status(page, "Done in")


def test_upload_run_compare_download(page: Page, picture: Path) -> None:
    choose(page, picture)
    page.wait_for_selector("#stage img[alt='our harbour.jpg']")
    page.get_by_label(FAST).check()
    page.click("#restore")
    status(page, "Done in")
    assert "What was found" in page.inner_text("#findings")
    line = page.get_by_label("Line between before and after")
    line.focus()
    page.keyboard.press("ArrowRight")
    assert line.input_value() == "51"
    clip = "getComputedStyle(document.querySelector('.compare .after')).clipPath"
    until(lambda: page.evaluate(clip) == "inset(0px 0px 0px 51%)")
    before, after = page.locator(".compare .before, .compare .after").all()
    alts = (before.get_attribute("alt"), after.get_attribute("alt"))
    assert alts == ("Before: our harbour.jpg", "After: our harbour.jpg")
    until(lambda: all(page.evaluate("[...document.querySelectorAll('.compare img')].map((one) => one.naturalWidth)")))
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "our harbour.jpg"
    restored = Image.open(download.value.path())
    assert (restored.format, restored.size) == ("JPEG", (64, 48))
    assert restored.getexif()[0x010E] == "the harbour"


def test_several_pictures_are_side_by_side_and_bring_their_settings_back(
    page: Page, picture: Path, grainy: Path
) -> None:
    choose(page, picture, grainy)
    page.locator("#stage", has_text="2 pictures").wait_for()
    page.get_by_label(FAST).check()
    page.get_by_text("For experts").click()
    type_in(page, "Seed", "7")
    page.click("#restore")
    page.locator("#all", has_text="Download all 2").wait_for()
    with page.expect_download() as download:
        page.click("#all")
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert sorted(archive.namelist()) == ["grainy.png", "our harbour.jpg"]
    page.get_by_label(BEST).check()
    type_in(page, "Seed", "5")
    page.locator(".gallery button", has_text="grainy.png").click()
    page.locator(".compare .after[alt='After: grainy.png']").wait_for()
    page.click("#reuse")
    until(lambda: page.get_by_label("Seed").input_value() == "7")
    until(page.get_by_label(FAST).is_checked)


def test_what_was_found_is_undone_more_and_less_by_keyboard(page: Page, grainy: Path) -> None:
    restore(page, grainy)
    address, slider = page.get_attribute(".compare .after", "src"), page.locator(".finding [data-part=noise]")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    changed = "(was) => { const now = document.querySelector('.compare .after').src; return !now.endsWith(was) && now }"
    page.wait_for_function(changed, arg=address)
    assert page.evaluate("document.activeElement.dataset.part") == "noise", "who moves it further has it still"
    row = page.locator(".finding:has([data-part=noise])")
    assert row.locator("output").inner_text() == "95%"
    address = page.get_attribute(".compare .after", "src")
    row.get_by_role("checkbox").uncheck()
    page.wait_for_function(changed, arg=address)
    assert page.locator(".gallery li").count() == 1

    def is_as_it_was() -> bool:
        with page.expect_download() as download:
            page.click("#download")
        try:
            restored = Image.open(download.value.path())
        except playwright.Error:  # of a result in whose place another one came meanwhile
            return False
        return bool(abs(np.asarray(restored).astype(float) - np.asarray(Image.open(grainy))).max() <= 1)

    until(lambda: is_as_it_was() or "Light and colour" in page.inner_text("#findings"))


@pytest.fixture
def doubtful(tiny_prior_folder: Path, tmp_path: Path) -> Path:
    """A photograph whose tones may be damaged, and more likely are not."""
    restorer = Restorer(load_prior(tiny_prior_folder), preset("fast"))
    place = tmp_path / "doubtful.png"
    photograph = np.asarray(Image.open(Path(__file__).parents[2] / "samples" / "shaken.png").convert("RGB")) / 255
    for gamma in np.arange(1, 4, 0.1):
        dark = Image.fromarray((255 * photograph**gamma).astype(np.uint8))
        dark.resize((120, 90), Image.Resampling.LANCZOS).save(place)  # whose levels do not tell what was done
        if restorer(place).findings.doubt():
            return place
    raise AssertionError("the judges are sure of all of them")


def test_what_may_be_wrong_is_undone_once_somebody_says_so(page: Page, doubtful: Path) -> None:
    restore(page, doubtful)
    row = page.locator(".finding:has([data-switch=suspects])")
    assert "perhaps" in row.inner_text() and "and left so" in row.inner_text()
    assert page.locator("[data-part=tone]").count() == 0
    row.get_by_role("checkbox").check()
    page.locator("[data-part=tone]").wait_for()
    assert "left so" not in page.inner_text("#findings")
    assert page.locator("[data-switch=suspects]").count() == 0 and page.locator(".gallery li").count() == 1
    with page.expect_download() as download:
        page.click("#download")
    before, after = (np.asarray(Image.open(path)).astype(float) for path in (doubtful, download.value.path()))
    assert abs(after - before).mean() > 5


def test_a_page_that_is_loaded_again_has_its_pictures_and_its_run(page: Page, grainy: Path, paused: Paused) -> None:
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.reload()
    page.wait_for_selector("#stage img[alt='grainy.png']")
    page.get_by_label(BEST).check()
    page.click("#restore")
    status(page, "Step 2 of 4")
    page.wait_for_selector("#stage img[alt^='grainy.png after step']")  # of steps that come fast not each is shown
    page.reload()
    status(page, "Step 2 of 4")
    paused.let_go()
    status(page, "Done in")
    page.reload()
    page.locator(".compare .after[alt='After: grainy.png']").wait_for()
    page.click("#forget")
    page.wait_for_selector(".gallery", state="detached")


def test_what_is_drawn_over_is_filled_and_kept_for_the_next_run(page: Page, grainy: Path) -> None:
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.get_by_text("Draw over what is lost").click()
    paper = page.locator(".paper canvas")
    until(lambda: paper.evaluate("(one) => one.width") == 64)
    paper.focus()
    page.keyboard.press("Space")  # in the middle
    page.get_by_role("button", name="Keep as it is").click()
    box = paper.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 5)
    page.mouse.up()
    page.get_by_label(FAST).check()
    for _ in range(2):
        page.click("#restore")
        page.wait_for_selector("#stop:not([disabled])")
        status(page, "Done in")
        assert "of the pixels filled" in page.inner_text("#findings")
    with page.expect_download() as download:
        page.click("#download")
    restored, source = (np.asarray(Image.open(path)) for path in (download.value.path(), grainy))
    assert (restored[0, 8] == source[0, 8]).all() and (restored[24, 32] != source[24, 32]).any()
    page.get_by_role("button", name="Show the marks").click()
    page.locator(".compare .marks").wait_for()
    page.get_by_role("button", name="Change the marks").click()
    red = "(one) => one.getContext('2d').getImageData(32, 24, 1, 1).data[0]"
    until(lambda: paper.evaluate(red) > 200)


def test_no_address_tells_of_the_server_or_serves_somebody_else(page: Page, other: Page, picture: Path) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    restore(page, picture)
    link = page.evaluate("document.querySelector('#download').href")
    assert page.request.get(link).ok
    assert other.request.get(link).status == 404
    assert [each for each in addresses if str(_root()) in each or "file=" in each] == []
    base = link.split("/picture/")[0]
    for path in ("/gradio_api/file=/etc/passwd", "/openapi.json", "/gradio_api/openapi.json", "/gradio_api/info"):
        assert other.request.get(base + path).status == 404


def test_an_error_names_its_field(page: Page, picture: Path) -> None:
    choose(page, picture)
    page.wait_for_selector("#stage img")
    page.get_by_text("For experts").click()
    type_in(page, "Seed", "1.5")
    page.click("#restore")
    page.locator("#refusal", has_text='"Seed" is 1.5; give a whole number').wait_for()


def test_stopping_in_the_middle(page: Page, grainy: Path, paused: Paused) -> None:
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.get_by_label(BEST).check()
    page.click("#restore")
    status(page, "left")
    status(page, "Step 2 of 4")
    page.wait_for_selector("#stage img[alt^='grainy.png after step']")  # of steps that come fast not each is shown
    page.click("#stop")
    status(page, "Stopped")
    paused.let_go()
    page.get_by_label(FAST).check()
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
    page.get_by_label(BEST).check()
    page.click("#restore")
    status(page, "left")
    other.click("#restore")
    status(other, "Waiting: 1 request ahead of yours")
    paused.let_go()
    status(page, "Done in")
    status(other, "Done in")
    assert "grainy" not in other.content() and "our harbour" not in page.content()
    assert other.evaluate("document.documentElement.scrollWidth") <= 390


def test_who_closes_the_page_leaves_a_free_worker_and_no_files(
    browser: Browser, url: str, grainy: Path, paused: Paused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Visit, "away", lambda self: 0.0 if self.left is None else 1e9)
    visitor = _page(browser, url)
    page = next(visitor)
    Image.fromarray(noisy(80, 72, seed=5)).save(grainy)
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.get_by_label(BEST).check()
    page.click("#restore")
    status(page, "left")
    folder = next(path for path in _root().iterdir() if list(path.glob("tmp*/grainy.png")))
    next(visitor, None)
    until(lambda: not folder.exists())


def _root() -> Path:
    from gradio.utils import get_upload_folder

    return Path(get_upload_folder())


def test_colours_are_offered_for_a_grey_picture_alone(page: Page, grainy: Path, tmp_path: Path) -> None:
    offer = page.get_by_label("Give grey pictures colours")
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    assert offer.count() == 0
    page.click("#clear")
    page.wait_for_selector("#stage img", state="detached")
    Image.open(grainy).convert("L").save(tmp_path / "grey.png")
    choose(page, tmp_path / "grey.png")
    offer.check()
    page.get_by_label(FAST).check()
    page.click("#restore")
    status(page, "Done in")
    with page.expect_download() as download:
        page.click("#download")
    assert Image.open(download.value.path()).mode == "RGB"


def test_an_example(page: Page) -> None:
    page.get_by_text("Try noisy").click()
    page.wait_for_selector("#stage img[alt='noisy.png']")


def test_a_password(browser: Browser, loader: GatedLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    from ldrps.serve.app import Address, running

    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # brought back at the end
    with running(loader, Limits(), Address(port=0, auth=("ann", "secret"))) as url:
        page = browser.new_page()
        page.set_default_timeout(LONG)
        page.goto(url)
        page.get_by_text("Login").first.wait_for()
        assert page.locator("#restore").count() == 0
        login = f"{url.rstrip('/')}/login"
        assert page.request.post(login, form={"username": "ann", "password": "guessed"}).status == 400
        assert page.request.post(login, form={"username": "ann", "password": "secret"}).ok
        page.close()


def test_a_port_that_is_taken(url: str, loader: GatedLoader, monkeypatch: pytest.MonkeyPatch) -> None:
    from ldrps.serve.app import Address, running

    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    port = int(url.rstrip("/").rsplit(":", 1)[1])
    with (
        pytest.raises(SettingsError, match="choose another --host or --port"),
        running(loader, Limits(), Address(port=port)),
    ):
        pass


def test_it_ends_in_the_midst_of_a_step(
    browser: Browser, loader: GatedLoader, grainy: Path, paused: Paused, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ldrps.serve.app import Address, running

    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    with running(loader, Limits(), Address(port=0)) as url:
        page = browser.new_page()
        page.set_default_timeout(LONG)
        page.goto(url)
        page.wait_for_selector("#restore")
        choose(page, grainy)
        page.wait_for_selector("#stage img")
        page.get_by_label(BEST).check()
        page.click("#restore")
        status(page, "Step 2 of 4")
    page.close()
    assert loader.gate.exists()


SHOWN = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return "nothing has the focus";
  const box = at.getBoundingClientRect();
  const seen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  if (!seen) return `out of sight, ${JSON.stringify(box)} of ${innerHeight}: ${at.outerHTML.slice(0, 200)}`;
  if (!at.matches(":focus-visible")) return `not as of a keyboard: ${at.outerHTML.slice(0, 200)}`;
  const line = at.matches(".compare .pair input") ? getComputedStyle(at.nextElementSibling, "::after") : null;
  const style = line ?? getComputedStyle(at);
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  if (!ring || (line === null && Number(style.opacity) === 0)) return `no ring: ${at.outerHTML.slice(0, 200)}`;
  return "";
}"""


class Keys:
    """Somebody at the keyboard alone, who goes on only while the focus can be seen."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)

    def looks(self) -> None:
        """The focus can be seen, once the page has been scrolled there."""
        try:
            self._page.wait_for_function(f"({SHOWN})() === ''", timeout=LONG / 4)
        except playwright.TimeoutError:
            raise AssertionError(self._page.evaluate(SHOWN)) from None

    def is_at(self, selector: str) -> bool:
        return bool(self._page.evaluate("(one) => document.activeElement.matches(one)", selector))

    def finds(self, selector: str) -> None:
        """The focus has gone by itself to where the work goes on."""
        until(lambda: self.is_at(selector))
        self.looks()

    def go(self, selector: str, key: str = "Tab") -> None:
        """From stop to stop until one is reached."""
        for _ in range(40):
            self.press(key)
            self.looks()
            if self.is_at(selector):
                return
        raise AssertionError(f"{key} leads to no {selector}")


def test_a_tour_by_keyboard_alone(page: Page, grainy: Path, paused: Paused) -> None:
    """From a page that has just been loaded to a download, with Tab, Space, Enter and arrows."""
    keys = Keys(page)
    keys.go("#files button")
    choosers: list[FileChooser] = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))

    def is_asked() -> bool:
        keys.press("Enter")  # which a page that is not quite there yet does not hear
        page.wait_for_timeout(1000)
        return bool(choosers)

    until(is_asked)
    choosers[0].set_files(grainy)
    page.wait_for_selector("#stage img[alt='grainy.png']")
    keys.finds("#files button")

    keys.go(".brush summary")
    keys.press("Enter")
    keys.go("[data-brush=kept]")
    keys.press("Space")
    assert page.get_attribute("[data-brush=kept]", "aria-pressed") == "true"
    keys.go("[data-brush=lost]", "Shift+Tab")
    keys.press("Enter")
    keys.go("[data-brush-width]")
    keys.press("ArrowLeft", "ArrowLeft")
    assert page.input_value("[data-brush-width]") == "14"
    keys.go(".paper canvas")
    paper = page.locator(".paper canvas")
    until(lambda: paper.evaluate("(one) => one.width") == 64)
    keys.press("ArrowUp", "Space", "Shift+ArrowRight")
    page.locator(".paper .aim:not([hidden])").wait_for()
    keys.looks()
    drawn = "(one) => one.getContext('2d').getImageData(0, 0, 64, 48).data.filter((level) => level > 127).length"
    assert paper.evaluate(drawn) > 0

    keys.go("#preset input")
    assert page.get_by_role("group", name="Way of restoring").count() == 1
    for name in (FAST, BEST):
        keys.press("ArrowDown")
        until(page.get_by_label(name).is_checked)
        keys.looks()
    keys.go("#restore", "Shift+Tab")
    keys.press("Enter")
    keys.finds("#stop")
    paused.let_go()
    status(page, "Done in")
    keys.finds(".compare .pair input")
    keys.press("ArrowRight")
    assert page.input_value(".compare .pair input") == "51"

    changed = "(was) => { const now = document.querySelector('.compare .after').src; return !now.endsWith(was) && now }"
    address = page.get_attribute(".compare .after", "src")
    keys.go("[data-switch=noise]")
    keys.press("Space")
    page.wait_for_function(changed, arg=address)
    keys.finds("[data-switch=noise]")
    assert page.locator(".finding:has([data-part=noise]) output").inner_text() == "0%"
    address = page.get_attribute(".compare .after", "src")
    keys.go("[data-part=noise]")
    keys.press("ArrowRight", "ArrowRight")
    page.wait_for_function(changed, arg=address)
    status(page, "Done")
    keys.finds("[data-part=noise]")

    keys.go("[data-do=draw]", "Shift+Tab")
    keys.press("Enter")
    keys.finds(".paper canvas")
    until(lambda: paper.evaluate(drawn) > 0)
    keys.go(".gallery [data-number]")
    keys.press("Enter")
    page.wait_for_selector(".compare .after")
    keys.finds(".gallery [data-number]")

    keys.go("#download", "Shift+Tab")
    with page.expect_download() as download:
        keys.press("Enter")
    restored, source = (np.asarray(Image.open(path)) for path in (download.value.path(), grainy))
    assert restored.shape == source.shape and (restored != source).any()
    keys.go("#forget")
    keys.press("Space")
    page.wait_for_selector(".gallery", state="detached")
    keys.finds("#files button")


def test_a_key_that_is_held_down_does_not_stop_what_it_began(page: Page, grainy: Path, paused: Paused) -> None:
    keys = Keys(page)
    choose(page, grainy)
    page.wait_for_selector("#stage img")
    page.get_by_label(BEST).check()
    page.focus("#restore")
    page.keyboard.down("Enter")
    keys.finds("#stop")
    for _ in range(3):
        page.keyboard.down("Enter")  # without going up between: it repeats
    page.keyboard.up("Enter")
    status(page, "Step 2 of 4")
    keys.press("Enter")
    status(page, "Stopped")
    keys.finds("#restore")
