"""Large members of events, kept apart from them.

Owns their rows: the texts in parts, written a few at a time so that nobody waits for long for the
connection that writes. Must not know what they are, nor of which events they are members.

They are there before the event that refers to them; what no event came to refer to goes with its
job, or once it is old if there was never such a job.
"""

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Final

from localproc.errors import LocalprocError

TABLE: Final = """
CREATE TABLE apart (
  job TEXT NOT NULL,
  name TEXT NOT NULL,
  part INTEGER NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job, name, part)
) WITHOUT ROWID;
CREATE INDEX apart_at ON apart (at) WHERE part = 0
"""
_PART: Final = 1 << 18  #: characters of a row, of which each has a transaction of its own
_FEW: Final = 4  #: parts that are removed in one transaction
_OLD: Final = 24 * 3600  #: seconds after which no job is still being accepted
_BESIDE: Final = ",{"

#: Gives the connection that writes, for one transaction.
Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]


def write(
    transaction: Transaction, job_id: str, pieces: Iterable[str], go_on: Callable[[], object]
) -> tuple[str, int]:
    """Write a text; return the name that it has among those of its job, and its length.

    ``go_on`` is called between two parts; what it raises ends it, and nothing is left.
    """
    name, size, now = secrets.token_hex(8), 0, int(time.time())
    try:
        for number, part in enumerate(_parts(pieces)):
            with transaction() as db:
                if not number:
                    _forget_old(db, now - _OLD)
                values = (job_id, name, number, now, part)
                db.execute("INSERT INTO apart VALUES (?, ?, ?, ?, ?)", values)
            size += len(part)
            go_on()
    except BaseException:
        with suppress(LocalprocError), transaction() as db:
            db.execute("DELETE FROM apart WHERE job = ? AND name = ?", (job_id, name))
        raise
    return name, size


def has(db: sqlite3.Connection, job_id: str) -> bool:
    """Whether there is anything of a job."""
    return db.execute("SELECT 1 FROM apart WHERE job = ?", (job_id,)).fetchone() is not None


def forget(transaction: Transaction, job_id: str) -> None:
    """Remove all of a job that is not there any more, a few parts at a time."""
    is_more = True
    while is_more:
        with transaction() as db:
            db.execute(
                "DELETE FROM apart WHERE job = ?1 AND (name, part) IN "
                "(SELECT name, part FROM apart WHERE job = ?1 LIMIT ?2)",
                (job_id, _FEW),
            )
            is_more = has(db, job_id)


def referring(text: str, names: Mapping[str, str]) -> str:
    """Return the text of an event of which members, by their names, are apart.

    It is an array, which no event is that has everything itself.
    """
    return f"[{text},{json.dumps(names, separators=(',', ':'))}]"


def refers(text: object) -> bool:
    """Whether members of an event with such a text are apart."""
    return isinstance(text, str) and text.startswith("[")


def joined(db: sqlite3.Connection, job_id: str, text: str) -> str:
    """Return the text of an event with all its members; raises ``ValueError``."""
    own, _, names = text[1:-1].rpartition(_BESIDE)  # the names have no braces
    members = [own[1:-1]] if own != "{}" else []
    for member, name in json.loads("{" + names).items():
        rows = db.execute(
            "SELECT data FROM apart WHERE job = ? AND name = ? ORDER BY part", (job_id, name)
        )
        members.append(f"{json.dumps(member)}:{''.join(row[0] for row in rows)}")
    return f"{{{','.join(members)}}}"


def _forget_old(db: sqlite3.Connection, before: int) -> None:
    """Remove what was written for jobs that were never accepted."""
    db.execute(
        "DELETE FROM apart WHERE job IN (SELECT job FROM apart WHERE part = 0 AND at < ?) "
        "AND job NOT IN (SELECT id FROM jobs)",
        (before,),
    )


def _parts(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the same text in parts of about the same length."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        for at in range(0, len(piece), _PART):
            held.append(piece[at : at + _PART])
            size += len(held[-1])
            if size >= _PART:
                yield "".join(held)
                held, size = [], 0
    if held:
        yield "".join(held)
