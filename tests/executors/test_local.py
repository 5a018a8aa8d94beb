"""The local executor keeps the contract, and its keeper outlives everybody."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from localproc.executors.local import LocalExecutor
from localproc.model import Resources, TaskState
from localproc.plugins.executor import ExecutorSettings
from localproc.testing.executors import ExecutorContract, OpenExecutor


class TestLocalExecutor(ExecutorContract):
    @pytest.fixture
    def open_executor(self, tmp_path: Path) -> Iterator[OpenExecutor]:
        opened: list[LocalExecutor] = []

        def open_executor(engine: str) -> LocalExecutor:
            folder = str(tmp_path / "keepers")
            opened.append(LocalExecutor(ExecutorSettings(folder, engine, 2, 4096, 2)))
            return opened[-1]

        yield open_executor
        for executor in opened:
            if executor._selector.get_map() is not None:
                executor.close()

    def test_slots_cores_and_ram_bound_what_runs_at_a_time(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        script = "touch on.$$; sleep 0.2; ls ../*/on.* | wc -l; rm on.$$"
        needs = Resources(cores=1, ram=3000)
        tasks = [self.task(tmp_path, f"j:s_{n}:1", script, resources=needs) for n in range(4)]
        executor.submit(tasks)
        self.reports(executor, [task.key for task in tasks])
        assert [Path(task.stdout).read_text().strip() for task in tasks] == ["1"] * 4

    def test_a_task_that_wants_more_than_there_is_runs_alone(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "j:s:1", "true", resources=Resources(cores=64, ram=1 << 20))
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0

    def test_tasks_are_lost_when_their_keeper_is_killed(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "j:s:1", "echo $$ > pid; touch on; sleep 300")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        os.kill(executor._pid, signal.SIGKILL)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.LOST
        pid = int((Path(task.outdir) / "pid").read_text())
        deadline = time.monotonic() + 5
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_a_dead_keeper_is_found_dead_when_reattaching(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        assert isinstance(first, LocalExecutor)
        task = self.task(tmp_path, "j:s:1", "touch on; sleep 300")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        os.kill(first._pid, signal.SIGKILL)
        os.waitpid(first._pid, 0)
        found = open_executor("second").reattach([task])
        assert found[task.key].state is TaskState.LOST

    def test_what_a_task_leaves_in_the_background_ends_with_it(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "j:s:1", "sleep 300 & echo $! > pid")
        executor.submit([task])
        self.reports(executor, [task.key])
        pid = int((Path(task.outdir) / "pid").read_text())
        deadline = time.monotonic() + 5
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not Path(f"/proc/{pid}").exists()

    def test_a_keeper_without_tasks_goes_with_its_engine(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        executor = open_executor("first")
        assert isinstance(executor, LocalExecutor)
        executor.submit([task := self.task(tmp_path, "j:s:1", "true")])
        self.reports(executor, [task.key])
        pid = executor._pid
        executor.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not (tmp_path / "keepers" / "first").exists()

    def test_tidying_removes_the_journals_of_the_dead(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.task(tmp_path, "j:s:1", "touch on; sleep 0.3")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        second = open_executor("second")
        second.reattach([task])
        self.reports(second, [task.key])
        deadline = time.monotonic() + 5
        while (tmp_path / "keepers" / "first").exists() and time.monotonic() < deadline:
            second.tidy()
            time.sleep(0.05)
        assert not (tmp_path / "keepers" / "first").exists()
