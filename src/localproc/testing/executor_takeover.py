"""What executors do for engines that go and come: a part of the contract of executors.

Owns re-attaching to what another engine has submitted, engines that share a folder, and forgetting
what is recorded. Must not know any executor.
"""

import time
import uuid
from pathlib import Path
from typing import Final

from localproc.model import TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executor_tests import HEARTBEAT, OPEN, ExecutorTests, OpenExecutor

_BEATS: Final = HEARTBEAT.format(file="beat")


class TakeoverContract(ExecutorTests):
    """What every executor does when one engine follows another, or runs beside it."""

    def test_another_engine_reattaches_to_what_runs_and_what_has_ended(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        ended = self.task(tmp_path, "ended", "exit 7")
        go_on = "touch on; until [ -e go ]; do sleep 0.05; done; exit 5"
        running = self.task(tmp_path, "running", go_on)
        first.submit([ended, running])
        self.reports(first, [ended.key])
        self.running(first, Path(running.outdir) / "on")
        first.close()
        second = open_executor("second")
        never = self.task(tmp_path, "never", "true")
        second.reattach([ended, running, never])
        known = self.until(second, [ended.key, running.key, never.key], lambda _: True)
        assert (known[ended.key].state, known[ended.key].exit_code) == (TaskState.ENDED, 7)
        assert known[running.key].state is TaskState.RUNNING
        assert known[never.key].state is TaskState.NEVER_STARTED
        (Path(running.outdir) / "go").touch()
        assert self.reports(second, [running.key])[running.key].exit_code == 5

    def test_what_is_reattached_is_told_once(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        ended = self.task(tmp_path, "ended", "exit 7")
        first.submit([ended])
        self.reports(first, [ended.key])
        first.close()
        second = open_executor("second")
        never, other = (self.task(tmp_path, name, "sleep 0.2") for name in ("never", "other"))
        second.reattach([ended, never])
        told = list(self.reports(second, [ended.key, never.key]))
        second.submit([other])
        deadline = time.monotonic() + self.patience
        while other.key not in told:
            assert time.monotonic() < deadline
            told += [one.key for one in second.poll() if one.state not in OPEN]
            time.sleep(0.01)
        assert sorted(told) == sorted([ended.key, never.key, other.key])

    def test_a_reattached_task_can_be_cancelled(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.task(tmp_path, "s", _BEATS)
        beat = Path(task.outdir) / "beat"
        first.submit([task])
        self.running(first, beat)
        first.close()
        second = open_executor("second")
        second.reattach([task])
        second.cancel([task.key], 0.2)
        assert self.reports(second, [task.key])[task.key].state is TaskState.CANCELLED
        self.still(beat)

    def test_two_engines_on_a_folder_leave_each_other_alone(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first, second = open_executor("first"), open_executor("second")
        go_on = "touch on; until [ -e go ]; do sleep 0.05; done; exit "
        one, other = (
            self.task(tmp_path, "one", f"{go_on} 1"),
            self.task(tmp_path, "two", f"{go_on} 2"),
        )
        first.submit([one])
        second.submit([other])
        self.running(first, Path(one.outdir) / "on")
        self.running(second, Path(other.outdir) / "on")
        second.cancel([other.key], 0)
        assert self.reports(second, [other.key])[other.key].state is TaskState.CANCELLED
        second.close()
        (Path(one.outdir) / "go").touch()
        assert self.reports(first, [one.key])[one.key].exit_code == 1

    def test_what_is_released_is_forgotten_and_never_runs_again(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "echo ran >> ran.txt")
        after = self.task(tmp_path, "after", "true")
        executor.submit([task])
        self.reports(executor, [task.key])
        executor.release([task.key])
        executor.release([task.key, f"{uuid.uuid4()}:never:1"])
        executor.submit([after])
        found = self.reports(executor, [after.key])
        assert task.key not in found
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"
