"""The page as it is seen: screenshots of every state, wide and narrow, light and dark, and what axe-core finds in each.

    python benchmarks/page.py out/page [--axe node_modules/axe-core/axe.min.js]

Look at the pictures. Without --axe (a file of the package axe-core) only they are made. Ends with code 1 if axe finds
something serious or critical.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from ldrps.serve.app import Address, running
from ldrps.serve.examples import examples
from ldrps.serve.limits import Limits
from ldrps.serve.work import Loader

LONG = 300_000  # milliseconds


def states(page: Page) -> Iterator[str]:
    """Drive the page through what a visitor sees of it; gives the name of each state."""
    yield "empty"
    page.set_input_files("#files input[type=file]", [str(path) for path in examples()[:2]])
    page.wait_for_selector("#stage img")
    yield "two-chosen"
    page.get_by_label("Fast, a little rougher").check()
    page.click("#restore")
    page.locator("#bar progress").wait_for()
    yield "running"
    page.locator("#status", has_text="Done in").wait_for()
    page.wait_for_function("[...document.images].every((image) => image.complete)")
    yield "done"
    page.click("[data-do=draw]")
    page.get_by_text("Draw over what is lost").click()
    page.get_by_text("For experts").click()
    page.get_by_text("Light and colours, by words").click()
    page.locator(".paper canvas").focus()
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    yield "drawing"
    page.get_by_label("Seed").fill("-1")
    page.keyboard.press("Tab")
    page.click("#restore")
    page.wait_for_selector("#refusal [role=alert]")
    yield "refused"


def findings(page: Page, axe: str) -> list[dict[str, Any]]:
    """What axe finds that is serious or critical."""
    page.evaluate(axe)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [each for each in found if each["impact"] in ("serious", "critical")]


def visit(browser: Browser, url: str, width: int, scheme: Any, out: Path, axe: str) -> int:
    """Look at all states in one width and scheme; how many findings there are."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(LONG)
    page.goto(url)
    page.wait_for_selector("#restore")
    count = 0
    for state in states(page):
        page.wait_for_timeout(500)  # of transitions
        page.screenshot(path=out / f"{state}-{width}-{scheme}.png", full_page=True)
        over = page.evaluate("document.documentElement.scrollWidth") - width
        if over > 0:
            print(f"{state} at {width} px, {scheme}: {over} pixels too wide")
            count += 1
        for found in findings(page, axe) if axe else []:
            count += 1
            print(f"{state} at {width} px, {scheme}: {found['impact']}, {found['id']}: {found['help']}")
            for node in found["nodes"][:4]:
                print(f"    {node['html'][:160]}\n        {node['failureSummary'].splitlines()[-1].strip()[:200]}")
    context.close()
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--axe", type=Path)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    axe = "" if given.axe is None else given.axe.read_text(encoding="utf-8")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with running(Loader(), Limits(), Address(port=0)) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        count = sum(
            visit(browser, url, width, scheme, given.out, axe) for width in (1400, 390) for scheme in ("light", "dark")
        )
        browser.close()
    print(f"{count} findings")
    sys.exit(bool(count))


if __name__ == "__main__":
    main()
