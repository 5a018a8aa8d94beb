"""What tests of Charliecloud share: an image of busybox, and executors that run tasks in it."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from localproc.executors.composed import Composed
from localproc.executors.containers.charliecloud import Charliecloud
from localproc.executors.local import LocalExecutor
from localproc.model import Container, Task
from localproc.plugins.containers import ContainerSettings
from localproc.plugins.executor import ExecutorSettings
from localproc.testing.executor_tests import ExecutorTests, OpenExecutor
from tests import container_image
from tests.conftest import absent
from tests.patience import patient

IMAGE = "localproc-tests/busybox:1"


def check_charliecloud() -> None:
    """Skip a test where there is no Charliecloud, or fail it."""
    if shutil.which("ch-run") is None:
        absent("Charliecloud is not installed")


@pytest.fixture(scope="session")
def charliecloud(tmp_path_factory: pytest.TempPathFactory) -> Charliecloud:
    """Give the runtime, with an image of busybox."""
    check_charliecloud()
    folder = tmp_path_factory.mktemp("images")
    found = Charliecloud(ContainerSettings(str(folder)))
    (root := folder / "root").mkdir()
    tar = container_image.archive(container_image.busybox(root), folder / "busybox.tar", IMAGE)
    found.load(str(tar), "")
    return found


class CharliecloudTests(ExecutorTests):
    """Opens local executors whose tasks run in containers."""

    patience = patient(20)
    runtime: Charliecloud

    @pytest.fixture
    def open_executor(self, tmp_path: Path, charliecloud: Charliecloud) -> Iterator[OpenExecutor]:
        self.runtime = charliecloud
        opened: list[Composed] = []

        def open_one(engine: str) -> Composed:
            settings = ExecutorSettings(str(tmp_path / "keepers"), engine, 2, 4096, 2)
            opened.append(Composed(LocalExecutor(settings), lambda _: charliecloud))
            return opened[-1]

        yield open_one
        for executor in opened:
            if executor._selector.get_map() is not None:
                executor.close()

    def command(self, tmp_path: Path, name: str, argv: Sequence[str], **fields: object) -> Task:
        """Make a task that runs in the tests' image."""
        task = super().command(tmp_path, name, argv, **fields)
        box = Container(IMAGE, task.outdir, runtime="charliecloud")
        return replace(task, container=box)


def files_of(folder: str) -> list[str]:
    """Return all that lies below a folder."""
    return sorted(
        os.path.relpath(os.path.join(inner, name), folder)
        for inner, folders, names in os.walk(folder)
        for name in (*folders, *names)
    )
