"""What README and docs/ tell people to type is there: commands and their options, names of Python, files, headings."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from documents import ROOT, anchors, block_commands, documents, inline_codes, links, programs, text_of

import ldrps
from ldrps.cli import app
from ldrps.settings import NamedSettings

DOCUMENTS = documents()
GUIDES = [each for each in DOCUMENTS if each.parent.as_posix() in (".", "docs", "docs/guides")]
TREE = typer.main.get_command(app)
# What variables of the documents' programs hold, and what is on what they hold.
HOLD = {"result": "Result", "again": "Result", "restorer": "Restorer", "step": "Progress", "damage": "Damage"}
WITHIN = {"damage": "Damage", "tone": "Estimate", "noise": "Estimate", "blur": "Estimate"}
OF_OTHERS = {"--pip-args", "--torch-backend", "--extra-index-url"}  # pip, pipx, uv


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command of ldrps that words name, and what follows; a group if nothing more is said."""
    command, rest = TREE, words[1:]
    while hasattr(command, "commands") and rest and rest[0] in command.commands:
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def is_ldrps(words: list[str]) -> bool:
    return bool(words) and words[0].removeprefix(".venv/bin/") == "ldrps"


def all_options() -> set[str]:
    def of(command: Any) -> Iterator[str]:
        for parameter in command.get_params(typer.Context(command)):
            yield from (*parameter.opts, *parameter.secondary_opts)
        for each in getattr(command, "commands", {}).values():
            yield from of(each)

    return {option for option in of(TREE) if option.startswith("-")}


@pytest.mark.parametrize("document", GUIDES, ids=str)
def test_commands_can_be_given_as_they_stand(document: Path) -> None:
    for words in block_commands(text_of(document)):
        if not is_ldrps(words):
            continue
        command, rest = command_of(words)
        context = command.make_context("ldrps", list(rest))
        presets = context.params.get("preset", ())  # of restore one, of bench several
        assert ({presets} if isinstance(presets, str) else set(presets)) <= ldrps.PRESETS.keys()


def test_readme_has_commands_and_a_program() -> None:
    text = text_of(Path("README.md"))
    commands = [words for words in block_commands(text) if is_ldrps(words)]
    assert len(commands) >= 5
    assert ["make", "demo"] in list(block_commands(text))
    assert ["make", "test"] in list(block_commands(text))
    assert len(programs(text)) == 1
    assert len(links(text)) >= 20


def test_a_command_that_cannot_be_given_is_noticed() -> None:
    for wrong in ("restore IN -o OUT --lighter", "restore IN", "restore IN -o OUT --tile much", "serve PHOTOS"):
        command, rest = command_of(["ldrps", *wrong.split()])
        with pytest.raises(Exception, match=r"(?i)no such option|missing|valid integer|unexpected"):
            command.make_context("ldrps", rest)


@pytest.mark.parametrize("document", GUIDES, ids=str)
def test_commands_in_sentences_have_such_options(document: Path) -> None:
    for code in inline_codes(text_of(document)):
        words = shlex.split(code.replace("...", " ")) if code.startswith(("ldrps ", ".venv/bin/ldrps ")) else []
        command, rest = command_of(words) if words else (TREE, [])
        known = {
            option
            for each in command.get_params(typer.Context(command))
            for option in (*each.opts, *each.secondary_opts)
        }
        used = {word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)}
        assert used <= known, code
        if hasattr(command, "commands"):
            assert not [word for word in rest if not word.startswith("-")], f"{code}: no such command"


@pytest.mark.parametrize("document", GUIDES, ids=str)
def test_options_by_themselves_exist(document: Path) -> None:
    named = {found[0] for code in inline_codes(text_of(document)) if (found := re.match(r"--[a-z][a-z0-9-]*", code))}
    missing = named - all_options() - OF_OTHERS
    benchmarks = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
    assert not {option for option in missing if f'"{option}"' not in benchmarks}


@pytest.mark.parametrize("document", GUIDES, ids=str)
def test_files_targets_and_parts_that_commands_name_exist(document: Path) -> None:
    text = text_of(document)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for words in (*block_commands(text), *(code.split() for code in inline_codes(text))):
        if words[0] == "python" and len(words) > 1 and not words[1].startswith("-"):
            assert list(ROOT.glob(re.sub(r"\{.*\}", "*", words[1]))), f"{words[1]} is not there"
        if words[0] == "make" and len(words) > 1:
            assert words[1] in targets
        if words[:2] == ["pip", "install"]:
            asked = re.search(r"\[([\w,]+)\]", words[-1])
            assert not asked or set(asked[1].split(",")) <= extras.keys()


def _home_of(node: ast.expr) -> Any:
    """The class, or the package, that an expression is of; None if it is not ours, or not known."""
    if isinstance(node, ast.Name):
        return ldrps if node.id == "ldrps" else getattr(ldrps, HOLD.get(node.id, ""), None)
    if isinstance(node, ast.Attribute) and _home_of(node.value) not in (None, ldrps):
        return getattr(ldrps, WITHIN.get(node.attr, ""), None)
    return None


def _check_call(call: ast.Call) -> None:
    """The arguments of a call of a name of ldrps exist."""
    name = ast.unparse(call.func)
    if name.startswith("ldrps.") and "." not in name.removeprefix("ldrps."):
        function = getattr(ldrps, name.removeprefix("ldrps."))
        known = {*inspect.signature(function).parameters, *NamedSettings.__annotations__}
        assert {each.arg for each in call.keywords} - {None} <= known, ast.unparse(call)


@pytest.mark.parametrize("document", GUIDES, ids=str)
def test_programs_compile_and_their_names_exist(document: Path) -> None:
    for program in programs(text_of(document)):
        for node in ast.walk(ast.parse(program)):
            if isinstance(node, ast.Attribute):
                home = _home_of(node.value)
                fields = getattr(home, "__dataclass_fields__", {})
                assert home is None or hasattr(home, node.attr) or node.attr in fields, ast.unparse(node)
            elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("ldrps"):
                assert all(hasattr(importlib.import_module(str(node.module)), each.name) for each in node.names)
            elif isinstance(node, ast.Call):
                _check_call(node)


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_no_figure_is_still_to_be_filled_in(document: Path) -> None:
    assert "@@" not in (ROOT / document).read_text(), "where a figure was to be put"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    for path, anchor in links(text_of(document)):
        target = (ROOT / document.parent / path).resolve() if path else ROOT / document
        assert target.exists(), f"{path} is not there"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(target.read_text()), f"{path} has no heading for #{anchor}"


def test_every_public_name_is_in_the_reference() -> None:
    from ldrps import degradation

    for page, names in (("api", set(ldrps.__all__) - {"Settings"}), ("degradation", set(degradation.__all__))):
        told = text_of(Path(f"docs/reference/{page}.md"))
        missing = {name for name in names if not re.search(rf"(:: |`|ldrps\.){name}\b", told)}
        assert not missing


def test_every_page_is_reached() -> None:
    pages = {each for each in DOCUMENTS if each.parts[0] == "docs"} - {Path("docs/index.md")}
    listed = set()
    for page in (Path("docs/index.md"), *pages):
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", text_of(page), re.DOTALL):
            listed |= {(ROOT / page.parent / f"{line}.md").resolve() for line in tree.split() if line[0] != ":"}
    assert {ROOT / page for page in pages} <= listed
