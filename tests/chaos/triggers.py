"""``python -m tests.chaos.triggers``: schedules and subscriptions, and servers that are killed.

A schedule of every second goes on for a minute, under one server and under two; then a folder is
watched into which 200 files are written.
"""

import tempfile
from pathlib import Path

from tests.triggers.killing import fire_under_kills, watch_under_kills

if __name__ == "__main__":
    for servers in (1, 2):
        with tempfile.TemporaryDirectory(prefix="localproc-chaos-") as folder:
            jobs = fire_under_kills(Path(folder), servers=servers, kills=8, ticks=7)
        print(
            f"{servers} servers, 8 of them killed: {jobs} seconds set off {jobs} jobs", flush=True
        )
    with tempfile.TemporaryDirectory(prefix="localproc-chaos-") as folder:
        jobs = watch_under_kills(Path(folder), rounds=8, each=25)
    print(f"8 watchers of a folder killed: {jobs} versions of files set off {jobs} jobs")
