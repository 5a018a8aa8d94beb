"""The contract of executors.

Inherit from ``ExecutorContract`` and give it an ``open_executor`` fixture; every test then runs
against your executor. Owns what the engine relies on. Must not know any executor.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from localproc.model import Report, Resources, Task, TaskState
from localproc.plugins.executor import Executor

#: Opens an executor for an engine of that id; all of one test share their folder.
OpenExecutor = Callable[[str], Executor]


class ExecutorContract:
    """What every executor does.

    Override ``open_executor``, and ``patience`` (seconds) for an executor that takes its time.
    Tasks are POSIX shell commands in folders below ``tmp_path``.
    """

    patience: float = 20.0

    @pytest.fixture
    def open_executor(self, tmp_path: Path) -> Iterator[OpenExecutor]:
        """Give what opens an executor; close what was opened afterwards."""
        raise NotImplementedError("give your executor's open_executor fixture")

    @pytest.fixture
    def executor(self, open_executor: OpenExecutor) -> Executor:
        """Give one executor."""
        return open_executor("first")

    def task(self, tmp_path: Path, key: str, script: str, **fields: object) -> Task:
        """Make a task that runs a shell script."""
        outdir = tmp_path / key.replace(":", "-")
        outdir.mkdir(parents=True, exist_ok=True)
        return Task(
            key=key,
            argv=("sh", "-c", script),
            env={"PATH": os.environ["PATH"], "HOME": str(outdir), "TMPDIR": str(outdir)},
            outdir=str(outdir),
            tmpdir=str(outdir),
            stdin=None,
            stdout=str(outdir / "stdout.txt"),
            stderr=str(outdir / "stderr.txt"),
            **fields,  # type: ignore[arg-type]
        )

    def reports(self, executor: Executor, keys: Sequence[str]) -> Mapping[str, Report]:
        """Poll until every key has a final report."""
        found: dict[str, Report] = {}
        deadline = time.monotonic() + self.patience
        while not set(keys) <= found.keys():
            assert time.monotonic() < deadline, f"no end of {set(keys) - found.keys()}"
            for report in executor.poll():
                if report.state not in (TaskState.QUEUED, TaskState.RUNNING):
                    found[report.key] = report
            time.sleep(0.01)
        return found

    def running(self, executor: Executor, path: Path) -> None:
        """Poll until a task has made a file."""
        deadline = time.monotonic() + self.patience
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} never appeared"
            executor.poll()
            time.sleep(0.01)

    def test_an_exit_code_is_reported_as_it_was(self, executor: Executor, tmp_path: Path) -> None:
        tasks = [self.task(tmp_path, f"j:s{code}:1", f"exit {code}") for code in (0, 3, 143)]
        executor.submit(tasks)
        found = self.reports(executor, [task.key for task in tasks])
        assert [found[task.key].exit_code for task in tasks] == [0, 3, 143]
        assert {report.state for report in found.values()} == {TaskState.ENDED}

    def test_a_task_starts_before_it_ends(self, executor: Executor, tmp_path: Path) -> None:
        executor.submit([task := self.task(tmp_path, "j:s:1", "true")])
        report = self.reports(executor, [task.key])[task.key]
        assert report.started is not None
        assert report.ended is not None
        assert report.started <= report.ended

    def test_streams_environment_and_folder(self, executor: Executor, tmp_path: Path) -> None:
        source = tmp_path / "in.txt"
        source.write_text("from stdin\n")
        task = self.task(tmp_path, "j:s:1", 'cat; pwd; echo "$HOME" >&2; echo "[$UNSET]" >&2')
        task = Task(
            **{name: getattr(task, name) for name in task.__slots__} | {"stdin": str(source)}
        )
        executor.submit([task])
        self.reports(executor, [task.key])
        out = Path(task.stdout).read_text().splitlines()
        assert out == ["from stdin", task.outdir]
        assert Path(task.stderr).read_text().splitlines() == [task.outdir, "[]"]

    def test_a_command_that_is_not_there_ends_with_127(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "j:s:1", "")
        task = Task(
            **{name: getattr(task, name) for name in task.__slots__}
            | {"argv": ("no-such-command-anywhere",)}
        )
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 127
        assert "no-such-command-anywhere" in Path(task.stderr).read_text()

    def test_submitting_twice_runs_once(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "j:s:1", "sleep 0.3; echo ran >> ran.txt")
        executor.submit([task])
        executor.submit([task])
        self.reports(executor, [task.key])
        time.sleep(0.5)
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_more_tasks_than_there_is_room_for_all_run(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        assert executor.room() > 0
        tasks = [self.task(tmp_path, f"j:s_{n}:1", f"echo {n}") for n in range(30)]
        executor.submit(tasks)
        self.reports(executor, [task.key for task in tasks])
        assert [Path(task.stdout).read_text() for task in tasks] == [f"{n}\n" for n in range(30)]

    def test_a_time_limit_ends_a_task(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "j:s:1", "sleep 60", resources=Resources(time=0.5))
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].state is TaskState.TIMED_OUT

    def test_cancelling_leaves_nothing_running(self, executor: Executor, tmp_path: Path) -> None:
        script = (
            "trap '' TERM; sleep 300 & echo $! > pids; echo $$ >> pids; touch on; wait; sleep 300"
        )
        task = self.task(tmp_path, "j:s:1", script)
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        executor.cancel([task.key], 0.2)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED
        pids = [int(pid) for pid in (Path(task.outdir) / "pids").read_text().split()]
        assert [pid for pid in pids if _lives(pid)] == []

    def test_cancelling_what_waits_or_is_unknown(self, executor: Executor, tmp_path: Path) -> None:
        filler = [self.task(tmp_path, f"j:fill_{n}:1", "sleep 300") for n in range(executor.room())]
        waiting = self.task(tmp_path, "j:waits:1", "touch started")
        executor.submit([*filler, waiting])
        executor.cancel([waiting.key, "j:never:1"], 0.2)
        found = self.reports(executor, [waiting.key, "j:never:1"])
        assert {report.state for report in found.values()} == {TaskState.CANCELLED}
        executor.cancel([task.key for task in filler], 0.1)
        self.reports(executor, [task.key for task in filler])
        assert not (Path(waiting.outdir) / "started").exists()

    def test_another_engine_reattaches_to_what_runs_and_what_has_ended(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        ended = self.task(tmp_path, "j:ended:1", "exit 7")
        running = self.task(tmp_path, "j:running:1", "touch on; sleep 2; exit 5")
        first.submit([ended, running])
        self.reports(first, [ended.key])
        self.running(first, Path(running.outdir) / "on")
        first.close()
        second = open_executor("second")
        never = self.task(tmp_path, "j:never:1", "true")
        found = second.reattach([ended, running, never])
        assert found[ended.key].exit_code == 7
        assert found[running.key].state is TaskState.RUNNING
        assert never.key not in found
        assert self.reports(second, [running.key])[running.key].exit_code == 5

    def test_a_reattached_task_can_be_cancelled(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.task(tmp_path, "j:s:1", "echo $$ > pids; touch on; sleep 300")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        second = open_executor("second")
        second.reattach([task])
        second.cancel([task.key], 0.2)
        assert self.reports(second, [task.key])[task.key].state is TaskState.CANCELLED
        assert not _lives(int((Path(task.outdir) / "pids").read_text()))


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended but was not waited for does not."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
