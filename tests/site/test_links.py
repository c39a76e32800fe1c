"""Links of the site: those that lead out of docs/ are set, and those of a built one are checked."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from documents import ROOT, documents, links, text_of

SITE = ROOT / "docs" / "site"
DOCUMENTS = documents()


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"site_{name}", SITE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.mark.parametrize(
    ("of", "page", "link", "wanted"),
    [
        ("docs/guides/dark.md", "guides/dark.md", "../measured.md#rivals", "../measured.md#rivals"),
        ("docs/guides/dark.md", "guides/dark.md", "../../examples/pipeline.py", "../gallery/pipeline.rst"),
        ("docs/default.md", "default.md", "../src/ldrps/estimation/weights/README.md", "project/judges.md"),
        ("CONTRIBUTING.md", "project/contributing.md", "docs/rivals.md", "../rivals.md"),
        ("CONTRIBUTING.md", "project/contributing.md", "src/ldrps/restorer.py", "../../src/ldrps/restorer.py"),
        ("src/ldrps/rivals/own/README.md", "project/zero-dce.md", "../../prior/tiny/weights/README.md", "prior.md"),
        ("docs/default.md", "default.md", "#blur", "#blur"),
        ("docs/default.md", "default.md", "https://example.org/a.md", "https://example.org/a.md"),
    ],
)
def test_a_link_leads_where_it_did(of: str, page: str, link: str, wanted: str) -> None:
    assert module("beyond").rewritten(f"See [it]({link}), (not) this.", of, page) == f"See [it]({wanted}), (not) this."


def test_documents_that_become_pages_are_there() -> None:
    beyond = module("beyond")
    assert all((beyond.ROOT / path).is_file() for path in beyond.PAGES)


def test_links_out_of_docs_lead_to_files_and_to_documents_that_become_pages() -> None:
    beyond = module("beyond")
    pages = {path for path in DOCUMENTS if path.as_posix().startswith("docs/") or path.as_posix() in beyond.PAGES}
    for document in pages:
        for link, _ in links(text_of(document)):
            target = (ROOT / document.parent / link).resolve().relative_to(ROOT).as_posix()
            if link and not target.startswith("docs/"):
                assert (ROOT / target).is_file(), f"{document}: {link} is no file, as which the site gives it"
                assert target in beyond.PAGES or not target.endswith(".md"), (
                    f"{document}: {link} is no page of the site"
                )


def test_a_site_without_faults(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">b</a><img src="data:,x"><a href="https://example.org">c</a>'
    )
    (tmp_path / "b.html").write_text('<p id="here"><a href="#here">up</a>')
    assert module("check").faults(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('<a href="b.html">', "leads to b.html, which is not there"),
        ('<a href="#there">', "leads to #there, which has no such place"),
        ('<img src="pictures/a.jpg">', "leads to pictures/a.jpg, which is not there"),
        ('<script src="https://example.org/x.js"></script>', "fetches https://example.org/x.js"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "fetches //example.org/x.css"),
    ],
)
def test_a_fault_of_a_site_is_told(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "a.html").write_text(text)
    assert module("check").faults(tmp_path) == [f"a.html {fault}"]


def test_an_empty_site_is_a_fault(tmp_path: Path) -> None:
    assert "no pages" in module("check").faults(tmp_path)[0]
