"""Rooms import only what the table in CONTRIBUTING.md lets them, and nothing is imported in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]


class Import(NamedTuple):
    """A statement by which one module imports another; both go by their names within the package."""

    source: str
    target: str
    place: str
    deferred: bool  # until a function is called

    @property
    def rooms(self) -> tuple[str, str]:
        return self.source.partition(".")[0], self.target.partition(".")[0]


def read_table(text: str) -> dict[str, set[str]]:
    """What each room may import, in the order of the table; the rooms named in its header, all below them may."""
    section = text.partition("\n## Where things live\n")[2].partition("\n## ")[0]
    header, *rows = [line.split("|")[1:4] for line in section.splitlines() if line.startswith("| ")]
    common = re.findall(r"`(\w+)`", header[2])
    table: dict[str, set[str]] = {}
    for rooms, _, allowed in rows:
        for room in re.findall(r"`(\w+)", rooms):
            table[room] = {*re.findall(r"\w+", allowed), *(each for each in common if each in table)}
    return table


def read_imports(package: Path) -> Iterator[Import]:
    """Every import of one of the package's modules by another: at the top, in functions and for types alike."""
    modules = {_name(path.relative_to(package)): path for path in sorted(package.rglob("*.py"))}
    for source, path in modules.items():
        file = path.relative_to(package)
        for node, deferred in _statements(ast.parse(path.read_text(encoding="utf-8"))):
            for whole in _imported(node, [package.name, *file.parts[:-1]]):
                if whole[0] == package.name:  # a module, or an object in one
                    names = (".".join(whole[1:end]) for end in range(len(whole), 1, -1))
                    target = next((name for name in names if name in modules), "__init__")
                    yield Import(source, target, f"{file.as_posix()}:{node.lineno}", deferred)


def find_faults(package: Path, table: str) -> list[str]:
    """What breaks the rules of such a table, in words."""
    rooms, imports = read_table(table), list(read_imports(package))
    present = {path.relative_to(package).parts[0].removesuffix(".py") for path in package.rglob("*.py")}
    faults = [f"{room} is not in the table" for room in sorted(present - rooms.keys())]
    faults += [f"{room} is in the table, and is no more" for room in sorted(rooms.keys() - present)]
    above: set[str] = set()
    for room, allowed in rooms.items():
        above.add(room)
        faults += [f"{other} is not above {room} in the table" for other in sorted(allowed - above)]
    for each in imports:
        room, other = each.rooms
        allowed = rooms.get(room, present)  # of one that is not in the table, that is fault enough
        if other not in {room, *allowed}:
            faults.append(f"{each.place}: {room} may not import {other}")
    faults += _circles(each.rooms for each in imports)
    # Within a room, a function may import what is built on its own module: `Prior.from_pretrained` loads any prior.
    faults += _circles((each.source, each.target) for each in imports if not each.deferred)
    return list(dict.fromkeys(faults))  # a statement may import several names


def _name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _statements(tree: ast.AST, deferred: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, deferred
        yield from _statements(node, deferred or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _imported(node: ast.Import | ast.ImportFrom, home: list[str]) -> list[list[str]]:
    if isinstance(node, ast.Import):
        return [alias.name.split(".") for alias in node.names]
    start = home[: len(home) + 1 - node.level] if node.level else []
    start += node.module.split(".") if node.module else []
    return [[*start, alias.name] for alias in node.names]


def _circles(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    graph: dict[str, dict[str, None]] = {}
    for source, target in pairs:
        if source != target:
            graph.setdefault(source, {})[target] = None
    while True:
        try:
            return TopologicalSorter(graph).prepare()
        except CycleError as error:
            first, second, *rest = reversed(error.args[1])
            yield f"a circle: {' -> '.join([first, second, *rest])}"
            del graph[first][second]  # to find the next


def test_the_layers_hold() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert find_faults(ROOT / "src" / "ldrps", table) == []


TABLE = """
## Where things live

| room | what it holds | may import, beside `errors` |
|---|---|---|
| `errors.py`, `__init__.py` | | |
| `low/` | | |
| `left.py`, `right.py` | | low |
| `high/` | | low, left |

## And so on
"""
HOUSE = {
    "__init__.py": "",
    "errors.py": "",
    "low/__init__.py": "import torch\nfrom ldrps.errors import LdrpsError",
    "low/floor.py": "from ldrps.low.deep.cellar import dig\nfrom .deep import cellar",
    "low/deep/cellar.py": "def dig():\n    from ldrps.low import floor",
    "left.py": "from ldrps import low\nfrom .low.floor import walk",
    "right.py": "import ldrps.low.floor as ground",
    "high/__init__.py": "",
    "high/roof.py": "from .. import errors, left\nimport os, ldrps.low",
}


def build(folder: Path, house: dict[str, str]) -> Path:
    for name, code in house.items():
        path = folder / "ldrps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code)
    return folder / "ldrps"


def test_a_house_in_order_has_no_faults(tmp_path: Path) -> None:
    package = build(tmp_path, HOUSE)
    assert find_faults(package, TABLE) == []
    found = {(each.source, each.target) for each in read_imports(package)}
    assert {("low", "errors"), ("low.floor", "low.deep.cellar"), ("low.deep.cellar", "low.floor")} <= found
    assert {("left", "low"), ("left", "low.floor"), ("right", "low.floor"), ("high.roof", "left")} <= found


@pytest.mark.parametrize(
    "code",
    [
        "from ldrps.right import x",
        "import ldrps.right",
        "import os, ldrps.right as r",
        "from ldrps import errors, right",
        "from .. import right",
        "from ..right import x",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ldrps.right import X",
        "class A:\n    async def f(self):\n        if self:\n            from ldrps.right import x",
    ],
)
def test_an_import_that_the_table_does_not_allow(tmp_path: Path, code: str) -> None:
    line = next(number for number, text in enumerate(code.splitlines(), 1) if "right" in text)
    package = build(tmp_path, HOUSE | {"high/door.py": code})
    assert find_faults(package, TABLE) == [f"high/door.py:{line}: high may not import right"]
    assert find_faults(package, TABLE.replace("low, left |", "low, left, right |")) == []


def test_the_public_face_is_a_room_too(tmp_path: Path) -> None:
    package = build(tmp_path, HOUSE | {"left.py": "from ldrps import __version__"})
    assert find_faults(package, TABLE) == ["left.py:1: left may not import __init__"]


def test_circles_of_rooms_and_of_modules(tmp_path: Path) -> None:
    within = {
        "low/a.py": "from .b import B, C",
        "low/b.py": "if TYPE_CHECKING:\n    from ldrps.low.c import C",
        "low/c.py": "from ldrps.low.a import A",
        "high/x.py": "import ldrps.high.y",
        "high/y.py": "if TYPE_CHECKING:\n    from . import x",
    }
    assert find_faults(build(tmp_path / "modules", HOUSE | within), TABLE) == [
        "a circle: high.x -> high.y -> high.x",
        "a circle: low.a -> low.b -> low.c -> low.a",
    ]
    late = {"low/a.py": "def f():\n    from ldrps.left import x, y"}
    assert find_faults(build(tmp_path / "rooms", HOUSE | late), TABLE) == [
        "low/a.py:2: low may not import left",
        "a circle: low -> left -> low",
    ]


def test_a_table_of_another_house(tmp_path: Path) -> None:
    package = build(tmp_path, HOUSE)
    assert find_faults(package, TABLE.replace("`left.py`, ", "").replace("low, left", "low")) == [
        "left is not in the table",
        "high/roof.py:1: high may not import left",
    ]
    assert find_faults(package, TABLE.replace("`high/`", "`high/`, `tower/`")) == [
        "tower is in the table, and is no more"
    ]
    assert find_faults(package, TABLE.replace("| | low |", "| | low, high |")) == [
        "high is not above left in the table",
        "high is not above right in the table",
    ]
    assert "low is not in the table" in find_faults(package, TABLE.partition("| `errors.py`")[0])
