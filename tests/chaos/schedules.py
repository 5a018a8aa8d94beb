"""``python -m tests.chaos.schedules``: a schedule of every second, and servers that are killed."""

import tempfile
from pathlib import Path

from tests.triggers.killing import fire_under_kills

if __name__ == "__main__":
    for servers in (1, 2):
        with tempfile.TemporaryDirectory(prefix="localproc-chaos-") as folder:
            jobs = fire_under_kills(Path(folder), servers=servers, kills=8, ticks=7)
        print(
            f"{servers} servers, 8 of them killed: {jobs} seconds set off {jobs} jobs", flush=True
        )
