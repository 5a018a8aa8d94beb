"""What tests of the local executor share."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from localproc.executors.local import LocalExecutor
from localproc.plugins.executor import ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor
from tests.patience import patient


class LocalTests(ExecutorTests):
    """Opens local executors, of two slots unless a class says otherwise."""

    slots = 2
    patience = patient(20)

    @pytest.fixture
    def open_executor(self, tmp_path: Path) -> Iterator[OpenExecutor]:
        opened: list[LocalExecutor] = []

        def open_executor(engine: str) -> LocalExecutor:
            folder = str(tmp_path / "keepers")
            opened.append(
                LocalExecutor(ExecutorSettings(folder, engine, self.slots, 4096, self.slots))
            )
            return opened[-1]

        yield open_executor
        for executor in opened:
            if executor._selector.get_map() is not None:
                executor.close()

    def ended(self, pid: int) -> None:
        """See that a process is gone, or has ended and is about to be."""
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def keeper_of(executor: object) -> int:
    """Give the process of an executor's keeper."""
    assert isinstance(executor, LocalExecutor)
    assert executor._keeper is not None
    return executor._keeper.pid
