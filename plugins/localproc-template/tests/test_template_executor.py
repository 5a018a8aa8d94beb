"""The sequential executor keeps the contract of executors."""

from collections.abc import Iterator
from pathlib import Path

import localproc_template
import pytest
from localproc_template import SequentialExecutor

from localproc.model import TaskState
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.plugins.manager import PluginManager
from localproc.testing.executors import ExecutorContract, OpenExecutor


class TestSequentialExecutor(ExecutorContract):
    """Inherits all tests; the fixture says how the executor is opened."""

    @pytest.fixture
    def open_executor(self, tmp_path: Path) -> Iterator[OpenExecutor]:
        opened: list[SequentialExecutor] = []

        def open_executor(engine: str) -> SequentialExecutor:
            settings = ExecutorSettings(str(tmp_path / "sequential"), engine, 1, 1024, 1)
            opened.append(SequentialExecutor(settings))
            return opened[-1]

        yield open_executor
        for executor in opened:
            executor.close()

    # What is special about this one:

    def test_tasks_run_one_after_the_other(self, executor: Executor, tmp_path: Path) -> None:
        script = "touch on.$$; sleep 0.05; ls ../*/on.* | wc -l; rm on.$$"
        tasks = [self.task(tmp_path, f"j:s_{n}:1", script) for n in range(5)]
        executor.submit(tasks)
        self.reports(executor, [task.key for task in tasks])
        assert [Path(task.stdout).read_text().strip() for task in tasks] == ["1"] * 5

    def test_a_task_without_an_exit_record_is_lost(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        executor = open_executor("first")
        executor.submit([task := self.task(tmp_path, "j:s:1", "kill -9 $PPID; exit 0")])
        assert self.reports(executor, [task.key])[task.key].state is TaskState.LOST
        found = open_executor("second").reattach([task])
        assert found[task.key].state is TaskState.LOST

    def test_what_waits_when_the_engine_goes_is_not_started(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        running = self.task(tmp_path, "j:running:1", "touch on; sleep 0.3")
        waiting = self.task(tmp_path, "j:waiting:1", "touch started")
        first.submit([running, waiting])
        self.running(first, Path(running.outdir) / "on")
        first.close()
        second = open_executor("second")
        assert waiting.key not in second.reattach([running, waiting])
        self.reports(second, [running.key])
        assert not (Path(waiting.outdir) / "started").exists()

    def test_a_folder_that_is_gone_does_not_break_the_executor(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        broken = self.task(tmp_path, "j:broken:1", "true")
        Path(broken.outdir).rmdir()
        executor.submit([broken, after := self.task(tmp_path, "j:after:1", "true")])
        found = self.reports(executor, [broken.key, after.key])
        assert (found[broken.key].exit_code, found[after.key].exit_code) == (126, 0)

    def test_tidying_leaves_nothing(self, executor: Executor, tmp_path: Path) -> None:
        executor.submit([task := self.task(tmp_path, "j:s:1", "true")])
        self.reports(executor, [task.key])
        executor.tidy()
        assert not (tmp_path / "sequential").exists()


def test_the_plugin_offers_it() -> None:
    box = PluginManager([localproc_template], entry_points=False)
    assert box.executor("sequential").open is SequentialExecutor
