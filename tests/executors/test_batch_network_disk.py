"""Batches on a disk of a network: what a node has written is seen late by others, or in part."""

import builtins
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from localproc.executors.batch import Request, Seen, queue, telling
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Batch, Mode
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.node_scripts import NodeSetup
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.spool import Spool
from localproc.executors.batch.telling import Telling
from localproc.executors.journals import Journal
from localproc.model import Report, TaskState
from tests.executors.scheduler_of_tests import Scheduler, task

TIMES = "0m0.0s 0m0.0s\n0m0.1s 0m0.1s\n"
FILES = """
cd "$0" && printf 12345 >made.txt && : >empty && printf 1 >'odd name' && mkdir folder &&
printf 12 >folder/inner && ln -s made.txt link && ln -s nowhere dangling && mkfifo pipe &&
printf 1 >-dash
"""


class Here:
    """An engine's side of a batch of which a test writes the node's, and its clock."""

    def __init__(self, folder: Path, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (queue, telling):
            monkeypatch.setattr(module, "monotonic", lambda: self.now)
        self.scheduler = Scheduler()
        self.spool = Spool(str(folder), NodeSetup("JOB", "INDEX"))
        self.queue = Queue(self.scheduler)
        self.ends = Ends(self.spool)
        self.telling = Telling(self.scheduler, self.spool, self.queue, self.ends)
        self.task = task(folder, "a")
        self.batch = self.spool.add(Batch(mode, (self.task,), Request(1, 1)))
        self.spool.took(self.batch, "7")
        self.ends.look_at([self.batch])
        self.node, self.done = Path(self.batch.folder), folder / "done"

    def report(self, seconds: float = 0.0) -> Report:
        """Return the report of so many seconds later."""
        self.now += seconds
        self.ends.read()
        return self.telling.report(self.batch, 0)

    def end(self, *lines: str) -> None:
        """Have the node leave a record."""
        text = "".join(f"{line}\n" for line in lines)
        (self.done / f"{self.batch.name}.0").write_text(f"{text}code 0\nhost n1\njob 7\n{TIMES}")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    return Here(tmp_path, Mode.SINGLE, monkeypatch)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names that are asked for."""
    names: list[str] = []
    right = builtins.open

    def noted(file: Any, *args: Any, **named: Any) -> Any:
        names.append(os.path.basename(str(file)))
        return right(file, *args, **named)

    monkeypatch.setattr(builtins, "open", noted)
    return names


def test_nothing_of_a_node_is_asked_for_before_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    """What is asked for too early may stay unknown for a minute."""
    bundle = Here(tmp_path, Mode.BUNDLE, monkeypatch)
    bundle.scheduler.queue["7"] = Seen(TaskState.RUNNING, host="n1", name=bundle.batch.name)
    bundle.queue.ask()
    del opened[:]
    assert bundle.report().reason == "its script is about to begin"
    assert opened == []
    (bundle.node / "begun.bundle").write_text("7 n1\n")
    (bundle.node / "alive").touch()
    (bundle.node / "journal").write_text(
        '{"key": "j:a:1", "state": "running", "at": 1, "pid": 2}\n'
    )
    assert bundle.report(1).state is TaskState.RUNNING
    assert {"begun.bundle", "journal", "alive"} <= set(opened)


def test_a_journal_that_cannot_be_read_holds_up_no_other_end(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(_: Journal) -> list[dict[str, Any]]:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(Journal, "read", stale)
    bundle = here.spool.add(Batch(Mode.BUNDLE, (task(tmp_path, "b"),), Request(1, 1)))
    (Path(bundle.folder) / "journal").touch()
    here.ends.look_at([bundle])
    here.end()
    assert here.report().state is TaskState.ENDED


def test_an_end_is_told_once_its_files_are_seen(here: Here) -> None:
    folder = Path(here.task.outdir)
    here.end("file 5 made.txt", "file 0 empty")
    said = "it has ended, and its files are not to be seen here yet"
    assert (here.report().state, here.report().reason) == (TaskState.RUNNING, said)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty").touch()
    (folder / "made.txt").write_text("123")
    assert here.report(10).reason == said
    (folder / "made.txt").write_text("12345")
    assert here.report().state is TaskState.ENDED


def test_files_that_never_come_are_not_waited_for_for_ever(here: Here) -> None:
    here.end("file 5 made.txt")
    assert here.report().state is TaskState.RUNNING
    assert here.report(89).state is TaskState.RUNNING
    assert here.report(1).state is TaskState.ENDED


def test_a_record_of_a_job_that_went_to_its_end_is_waited_for(here: Here) -> None:
    (here.node / "begun.0").write_text("7 n1\n")
    here.queue.ask()
    here.scheduler.queue.clear()
    here.queue.ask()
    here.scheduler.ends["7"] = Seen(TaskState.ENDED, name=here.batch.name)
    assert here.report(1).state is TaskState.RUNNING
    here.queue.ask()
    assert here.report(60).state is TaskState.RUNNING
    here.end()
    assert here.report().state is TaskState.ENDED


def test_a_record_that_never_comes_is_not_waited_for_for_ever(here: Here) -> None:
    (here.node / "begun.0").write_text("7 n1\n")
    here.queue.ask()
    here.scheduler.ends["7"] = Seen(TaskState.ENDED, name=here.batch.name)
    assert here.report().state is TaskState.RUNNING
    here.queue.ask()
    assert here.report(89).state is TaskState.RUNNING
    lost = here.report(2)
    assert lost.state is TaskState.LOST
    assert lost.reason == "its job has ended, and it left no exit record"


@pytest.mark.parametrize("mode", [Mode.SINGLE, Mode.BUNDLE])
def test_a_node_tells_which_files_a_task_has_left(mode: Mode, tmp_path: Path) -> None:
    one = task(tmp_path, "a", "sh", "-c", FILES, str(tmp_path / "a"))
    Path(one.outdir).mkdir(parents=True, exist_ok=True)
    spool = Spool(str(tmp_path), NodeSetup("JOB", "INDEX", own=sys.executable))
    handed: Handed = spool.add(Batch(mode, (one,), Request(1, 100)))
    env = {"JOB": "17", "PATH": os.environ["PATH"]}
    subprocess.run(["sh", f"{handed.folder}/script"], check=True, env=env)
    [(_, record)] = spool.ends([handed], ())
    own = {Path(one.stdout).name, Path(one.stderr).name}
    files = {name: size for name, size in record.files.items() if name not in own}
    odd = {"odd name": 1} if mode is Mode.BUNDLE else {}  # the shell cannot tell it for sure
    assert files == {"made.txt": 5, "empty": 0, "-dash": 1, **odd}
    assert spool.shows(handed, 0, record.files)
