"""Runs a package and kills its own process at a chosen commit: ``killer.py HOME PACKAGE INPUTS N``.

N is the number of the commit; negative: before it is made, positive: after, before anything is done
about it. What is recorded together depends on how fast the machine is, so N may be a kind of event
instead (``step-finished``): before the first commit of one. Prints ``survived`` if there is no such
commit.
"""

import json
import os
import signal
import sys
from collections.abc import Collection, Sequence

import localproc
from localproc.plugins.store import Change
from localproc.store import SqliteStore


def main(home: str, package: str, inputs: str, moment: str) -> None:
    """Run, and die on the way."""
    commit = SqliteStore.commit
    count = 0

    def deadly(self: SqliteStore, owner: str, changes: Sequence[Change]) -> Collection[str]:
        nonlocal count
        count += 1
        kinds = {str(event.kind) for change in changes for event in change.events}
        if moment in {str(-count), *kinds}:
            os.kill(os.getpid(), signal.SIGKILL)
        lost = commit(self, owner, changes)
        if moment == str(count):
            os.kill(os.getpid(), signal.SIGKILL)
        return lost

    SqliteStore.commit = deadly  # type: ignore[method-assign, assignment]
    engine = localproc.Engine(home, slots=2)
    engine.deploy(package).execute(json.loads(inputs)).wait()
    print("survived")
    engine.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4])
