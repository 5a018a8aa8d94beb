"""How a store of an older format becomes one of this format.

Owns the numbered steps, and that they are taken all or none, by one process, with a copy of the
file beside it. Must not know who reads the tables.

A step is never changed once it was released; what comes next is a step of its own.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable
from typing import Final

from localproc.errors import EnvironmentProblem, StoreCorrupted
from localproc.store.apart import TABLE
from localproc.store.copies import copy_store, no_copy
from localproc.store.home_paths import HomePaths
from localproc.store.schema import SCHEMA


def _shorten_paths(db: sqlite3.Connection, path: str) -> None:
    """Write the paths of events relative to the home, as they are kept from here on."""
    paths = HomePaths(os.path.dirname(path))
    last = (0, 0)
    while found := db.execute(
        "SELECT job, seq, data FROM events WHERE (job, seq) > (?, ?) ORDER BY job, seq LIMIT 1000",
        last,
    ).fetchall():
        db.executemany(
            "UPDATE events SET data = ? WHERE job = ? AND seq = ?",
            [(paths.shortened(row[2]), row[0], row[1]) for row in found],
        )
        last = (found[-1][0], found[-1][1])


#: The step to each format: ``STEPS[0]`` makes a new store, whose format is 1.
STEPS: Final[tuple[str | Callable[[sqlite3.Connection, str], None], ...]] = (
    SCHEMA,
    # Events tell the version of their class; a job that cannot be read is put aside.
    """
    ALTER TABLE events ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE jobs ADD COLUMN aside TEXT NOT NULL DEFAULT ''
    """,
    _shorten_paths,
    # Jobs have a priority, and a key under which there is one at a time.
    """
    ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE jobs ADD COLUMN once TEXT NOT NULL DEFAULT '';
    CREATE INDEX jobs_once ON jobs (namespace, once, n) WHERE once <> ''
    """,
    # What sets jobs off by itself, and each time that it did.
    """
    CREATE TABLE triggers (
      n INTEGER PRIMARY KEY,
      namespace TEXT NOT NULL,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      definition TEXT NOT NULL,
      enabled INTEGER NOT NULL,
      due INTEGER,
      state TEXT NOT NULL DEFAULT '{}',
      revision INTEGER NOT NULL DEFAULT 1,
      UNIQUE (namespace, kind, name)
    );
    CREATE INDEX triggers_due ON triggers (due) WHERE enabled = 1;
    CREATE TABLE firings (
      trigger INTEGER NOT NULL REFERENCES triggers (n) ON DELETE CASCADE,
      key TEXT NOT NULL,
      due INTEGER NOT NULL,
      job TEXT NOT NULL DEFAULT '',
      said TEXT NOT NULL DEFAULT '',
      attempt INTEGER NOT NULL DEFAULT 1,
      again INTEGER,
      open INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (trigger, key)
    ) WITHOUT ROWID;
    CREATE INDEX firings_due ON firings (trigger, due);
    CREATE INDEX firings_jobs ON firings (job) WHERE job <> '';
    CREATE INDEX firings_open ON firings (open) WHERE open = 1;
    CREATE INDEX firings_again ON firings (again) WHERE again > 0
    """,
    # Large members of events lie apart from them.
    TABLE,
    # Of very many jobs that wait, those that come next are found without a look at the others.
    """
    DROP INDEX jobs_open;
    CREATE INDEX jobs_open ON jobs (owner, priority DESC, n)
      WHERE status IN ('accepted', 'running');
    CREATE INDEX jobs_stopping ON jobs (owner, n)
      WHERE dismiss = 1 AND status IN ('accepted', 'running')
    """,
)
FORMAT: Final = len(STEPS)


def known_format(db: sqlite3.Connection, path: str) -> int:
    """Return the format of a store, 0 for one that is new.

    Raises ``StoreCorrupted`` for a file that has tables, and is of no format.
    """
    if not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        return 0
    found = None
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        found = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
    told = "" if found is None else str(found[0])
    if not (told.isdecimal() and int(told)):
        raise StoreCorrupted(
            f"{path} is no store of localproc: its format is {told!r}",
            hint="move the file away to begin a new store, or put back the one that was there",
        )
    return int(told)


def check_format(found: int, path: str) -> None:
    """Raise ``EnvironmentProblem`` for a store that a newer localproc has written."""
    if found > FORMAT:
        raise EnvironmentProblem(
            f"{path} was written by a newer localproc (format {found}, known is {FORMAT})",
            hint="upgrade localproc, or use another home",
        )


def migrate(db: sqlite3.Connection, path: str) -> None:
    """Bring a store up to date, within a transaction that has just begun."""
    found = known_format(db, path)  # another process may have been quicker
    check_format(found, path)
    if 0 < found < FORMAT:
        _copy(path, f"{path}.format-{found}")
    for step in STEPS[found:]:
        if not isinstance(step, str):
            step(db, path)
            continue
        for statement in step.split(";"):
            db.execute(statement)
    db.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?)", (str(FORMAT),))


def _copy(path: str, copy: str) -> None:
    """Copy a store as it was recorded last."""
    part = f"{copy}.part"
    with contextlib.closing(sqlite3.connect(path)) as source:
        copy_store(source, path, part)
    try:
        os.replace(part, copy)
    except OSError as error:
        os.remove(part)
        raise no_copy(error, copy) from error
