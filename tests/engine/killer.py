"""Runs a package and kills its own process at a chosen commit: ``killer.py HOME PACKAGE INPUTS N``.

N is the number of the commit; negative: before it is made, positive: after, before anything is done
about it. Prints ``survived`` if there are not so many.
"""

import json
import os
import signal
import sys
from typing import Any

import localproc
from localproc.store import SqliteStore


def main(home: str, package: str, inputs: str, number: int) -> None:
    """Run, and die on the way."""
    commit = SqliteStore.commit
    count = 0

    def deadly(self: SqliteStore, *args: Any) -> Any:
        nonlocal count
        count += 1
        if count == -number:
            os.kill(os.getpid(), signal.SIGKILL)
        lost = commit(self, *args)
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return lost

    SqliteStore.commit = deadly  # type: ignore[method-assign, assignment]
    engine = localproc.Engine(home, slots=2)
    engine.deploy(package).execute(json.loads(inputs)).wait()
    print("survived")
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
