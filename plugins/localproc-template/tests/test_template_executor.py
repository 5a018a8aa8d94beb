"""The sequential executor keeps the contract of executors."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import localproc_template
import pytest
from localproc_template.executor import SequentialBackend

from localproc.model import Task, TaskState
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.plugins.manager import PluginManager
from localproc.testing.executors import ExecutorContract, OpenExecutor, opened


class TestSequentialExecutor(ExecutorContract):
    """Inherits all tests; the fixture says how the executor is opened."""

    @pytest.fixture
    def open_executor(self, tmp_path: Path) -> Iterator[OpenExecutor]:
        executors: list[Executor] = []

        def open_executor(engine: str) -> Executor:
            settings = ExecutorSettings(str(tmp_path / "sequential"), engine, 1, 1024, 1)
            (plugin,) = localproc_template.localproc_executors()
            executors.append(opened(plugin, settings))
            return executors[-1]

        yield open_executor
        for executor in executors:
            executor.close()

    def lose(self, executor: Executor, task: Task) -> bool:
        """End its shell, which would have written the exit record."""
        for pid in (Path(task.outdir).parent / "sequential").glob("*/pid"):
            os.kill(int(pid.read_text()), signal.SIGKILL)
        return True

    # What is special about this one:

    def test_tasks_run_one_after_the_other(self, executor: Executor, tmp_path: Path) -> None:
        script = "touch on.$$; sleep 0.05; ls ../*/on.* | wc -l; rm on.$$"
        tasks = [self.task(tmp_path, f"s_{n}", script) for n in range(5)]
        executor.submit(tasks)
        self.reports(executor, [task.key for task in tasks])
        assert [Path(task.stdout).read_text().strip() for task in tasks] == ["1"] * 5

    def test_what_waits_when_the_engine_goes_is_not_started(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        running = self.task(tmp_path, "running", "touch on; until [ -e go ]; do sleep 0.05; done")
        waiting = self.task(tmp_path, "waiting", "touch started")
        first.submit([running, waiting])
        self.running(first, Path(running.outdir) / "on")
        first.close()
        (Path(running.outdir) / "go").touch()
        second = open_executor("second")
        second.reattach([running, waiting])
        found = self.reports(second, [running.key, waiting.key])
        assert found[waiting.key].state is TaskState.NEVER_STARTED
        assert not (Path(waiting.outdir) / "started").exists()

    def test_a_folder_that_is_gone_does_not_break_the_executor(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        broken = self.task(tmp_path, "broken", "true")
        shutil.rmtree(broken.outdir)
        executor.submit([broken, after := self.task(tmp_path, "after", "true")])
        found = self.reports(executor, [broken.key, after.key])
        assert found[broken.key].state is TaskState.REFUSED
        assert found[after.key].exit_code == 0

    def test_a_record_goes_when_its_end_is_recorded(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        executor.submit([task := self.task(tmp_path, "s", "true")])
        self.reports(executor, [task.key])
        assert len(list((tmp_path / "sequential").iterdir())) == 1
        executor.release([task.key])
        executor.close()
        assert list((tmp_path / "sequential").iterdir()) == []

    def test_tidying_leaves_nothing(self, executor: Executor, tmp_path: Path) -> None:
        executor.submit([task := self.task(tmp_path, "s", "true")])
        self.reports(executor, [task.key])
        executor.tidy()
        executor.close()
        assert not (tmp_path / "sequential").exists()


def test_the_plugin_offers_it() -> None:
    box = PluginManager([localproc_template], entry_points=False)
    assert box.executor("sequential").open is SequentialBackend


def test_a_task_that_begins_while_it_is_looked_at_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = SequentialBackend(ExecutorSettings(str(tmp_path), "engine", 1, 1024, 1))
    lives = backend._lives

    def begins_then(key: str) -> bool:
        found = lives(key)
        (tmp_path / key).mkdir()
        (tmp_path / key / "pid").write_text("2\n")
        return found

    monkeypatch.setattr(backend, "_lives", begins_then)
    assert backend.look({"task": ""})["task"].state is TaskState.QUEUED
    backend.close()
