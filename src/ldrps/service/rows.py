"""What is kept of a job, and the one place where a row of it is read: anybody may have written it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ldrps.database import Kind, NotOurs, real, strange, text, whole

State = Literal["waiting", "running", "done", "failed"]

NAME = re.compile(r"[0-9a-f]{32}")  # of a job, and of the folder of its files
_FILE = re.compile(r"[a-z]+(\.[a-z]+)?")

KIND = Kind(
    name="store of jobs of ldrps",
    mark=0x4C44524A,  # "LDRJ"
    version=1,
    tables=(
        "CREATE TABLE IF NOT EXISTS server ("
        "id INTEGER PRIMARY KEY CHECK (id = 1), host TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL,"
        " born TEXT NOT NULL, seen REAL NOT NULL)",
        "CREATE TABLE IF NOT EXISTS jobs ("
        "id TEXT PRIMARY KEY, number INTEGER NOT NULL, owner TEXT NOT NULL, key TEXT, digest TEXT NOT NULL,"
        " state TEXT NOT NULL, ask TEXT NOT NULL, parts TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,"
        " cost REAL NOT NULL, created REAL NOT NULL, began REAL, ended REAL, tries INTEGER NOT NULL,"
        " file TEXT, record TEXT, status INTEGER, reason TEXT NOT NULL,"
        " UNIQUE (owner, key))",
    ),
    instead="give another --jobs-folder",
)
COLUMNS = (
    "id, number, owner, key, digest, state, ask, parts, width, height, cost, created, began, ended, tries, file,"
    " record, status, reason"
)


@dataclass(frozen=True)
class Row:
    """A job, as it is kept.

    Attributes:
        id: by which it is known.
        number: in the order in which they came, from 1.
        owner: whose it is; see `Tokens`.
        key: by which its owner would know it again; None for none.
        digest: of all that was asked.
        state: how far it is.
        ask: the settings, as they came.
        parts: of the request that are files: image, and perhaps mask and protect.
        size: width and height of the picture.
        cost: seconds that it was expected to take.
        created, began, ended: when, in seconds of `time.time`; None for not yet.
        tries: how often it was begun.
        file: the name of the result; None for none.
        record: of the restoration; None for none.
        status: of the answer, where it failed.
        reason: why it failed; "" if it did not.
    """

    id: str
    number: int
    owner: str
    key: str | None
    digest: str
    state: State
    ask: dict[str, Any]
    parts: tuple[str, ...]
    size: tuple[int, int]
    cost: float
    created: float
    began: float | None = None
    ended: float | None = None
    tries: int = 0
    file: str | None = None
    record: dict[str, Any] | None = None
    status: int | None = None
    reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in ("done", "failed")

    def values(self) -> tuple[Any, ...]:
        """As they stand in the table, in the order of `COLUMNS`."""
        record = None if self.record is None else json.dumps(self.record)
        return (
            *(self.id, self.number, self.owner, self.key, self.digest, self.state),
            *(json.dumps(self.ask), " ".join(self.parts), *self.size, self.cost),
            *(self.created, self.began, self.ended, self.tries, self.file, record, self.status, self.reason),
        )


def row_of(values: tuple[object, ...]) -> Row:
    """The row that these values of `COLUMNS` are.

    Raises:
        NotOurs: a value is not of the type, or out of the range, that ldrps writes.
    """
    name, number, owner, key, digest, state, ask, parts, width, height, cost, *rest = values
    created, began, ended, tries, file, record, status, reason = rest
    if state not in get_args(State):
        raise strange(state, "state")
    if not NAME.fullmatch(text(name, "id")):  # it becomes a part of paths
        raise strange(name, "id")
    if file is not None and not _FILE.fullmatch(text(file, "file")):
        raise strange(file, "file")
    return Row(
        id=text(name, "id"),
        number=whole(number, "number"),
        owner=text(owner, "owner"),
        key=None if key is None else text(key, "key"),
        digest=text(digest, "digest"),
        state=state,  # type: ignore[arg-type]  # it is one of them
        ask=_object(ask, "ask"),
        parts=tuple(_part(part) for part in text(parts, "parts").split()),
        size=(whole(width, "width"), whole(height, "height")),
        cost=real(cost, "cost"),
        created=real(created, "created"),
        began=None if began is None else real(began, "began"),
        ended=None if ended is None else real(ended, "ended"),
        tries=whole(tries, "tries"),
        file=None if file is None else text(file, "file"),
        record=None if record is None else _object(record, "record"),
        status=None if status is None else whole(status, "status"),
        reason=text(reason, "reason"),
    )


def _part(name: str) -> str:
    if name not in ("image", "mask", "protect"):
        raise strange(name, "parts")
    return name


def _object(value: object, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text(value, name))
    except ValueError as error:
        raise strange(value, name) from error
    if not isinstance(found, dict):
        raise NotOurs(f"holds what no ldrps wrote ({name} is no object): move it away")
    return found
