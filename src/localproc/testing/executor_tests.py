"""What tests of executors are written with.

Owns making tasks of keys that no task has ever had, and waiting for news. Must not know what
executors have to do, nor any of them.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from localproc.errors import ExecutorUnavailable
from localproc.executors.opening import open_executor as _open
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings

#: Opens an executor for an engine of that id; all of one test share their folder.
OpenExecutor = Callable[[str], Executor]

#: Writes to a file for ever: it shows whether a task lives, wherever it runs.
HEARTBEAT: Final = "while :; do echo beat >> {file}; sleep 0.05; done"
OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)


def opened(plugin: ExecutorPlugin, settings: ExecutorSettings) -> Executor:
    """Open a plugin's executor as an engine does, which makes one of a backend."""
    return _open(plugin, settings)


class ExecutorTests:
    """Override ``open_executor``, and ``patience`` (seconds) for one that takes its time."""

    patience: float = 20.0

    @pytest.fixture
    def open_executor(self, tmp_path: Path) -> Iterator[OpenExecutor]:
        """Return what opens an executor; close what was opened afterwards."""
        raise NotImplementedError("give your executor's open_executor fixture")

    @pytest.fixture
    def executor(self, open_executor: OpenExecutor) -> Executor:
        """Return one executor."""
        return open_executor("first")

    def task(self, tmp_path: Path, name: str, script: str, **fields: object) -> Task:
        """Make a task that runs a shell script."""
        return self.command(tmp_path, name, ("sh", "-c", script), **fields)

    def command(self, tmp_path: Path, name: str, argv: Sequence[str], **fields: object) -> Task:
        """Make a task of a key that no other task has ever had."""
        outdir = tmp_path / f"{name}-{uuid.uuid4().hex[:8]}"
        outdir.mkdir(parents=True)
        task = Task(
            key=f"{uuid.uuid4()}:{name}:1",
            argv=tuple(argv),
            env={"PATH": os.environ["PATH"], "HOME": str(outdir), "TMPDIR": str(outdir)},
            outdir=str(outdir),
            tmpdir=str(outdir),
            stdin=None,
            stdout=str(outdir / "stdout.txt"),
            stderr=str(outdir / "stderr.txt"),
            step=name,
        )
        return replace(task, **fields)  # type: ignore[arg-type]

    def reports(self, executor: Executor, keys: Iterable[str]) -> Mapping[str, Report]:
        """Poll until every key has a final report."""
        return self.until(executor, keys, lambda report: report.state not in OPEN)

    def until(
        self, executor: Executor, keys: Iterable[str], wanted: Callable[[Report], bool]
    ) -> Mapping[str, Report]:
        """Poll until every key has such a report."""
        keys = set(keys)
        found: dict[str, Report] = {}
        deadline = time.monotonic() + self.patience
        while not keys <= found.keys():
            assert time.monotonic() < deadline, f"no such news of {keys - found.keys()}"
            found.update((one.key, one) for one in self.poll(executor) if wanted(one))
            time.sleep(0.01)
        return found

    def poll(self, executor: Executor) -> Sequence[Report]:
        """Ask for news; that there is none may be told by ``ExecutorUnavailable``."""
        try:
            return executor.poll()
        except ExecutorUnavailable:
            return ()

    def running(self, executor: Executor, path: Path) -> None:
        """Poll until a task has made a file."""
        deadline = time.monotonic() + self.patience
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} never appeared"
            self.poll(executor)
            time.sleep(0.01)

    def still(self, path: Path) -> None:
        """See that nobody writes to a file any more; wait no longer than a few heartbeats."""
        before = _size(path)
        time.sleep(0.5)
        assert _size(path) == before, f"something still writes to {path}"


def _size(path: Path) -> int:
    """Return how long a file is; what has written nothing yet may have been stopped before."""
    return path.stat().st_size if path.exists() else 0
