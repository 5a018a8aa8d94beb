"""What may happen to a keeper, and what becomes of its tasks."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from localproc.executors import conversation, process_trees
from localproc.executors.journals import Journal
from localproc.executors.local import LocalExecutor
from localproc.model import Resources, TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executor_tests import HEARTBEAT, OPEN, OpenExecutor
from tests.children import child
from tests.executors.local_tests import LocalTests, keeper_of
from tests.patience import patient, until


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process for a while."""
    os.kill(pid, signal.SIGSTOP)
    until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


#: What a program puts before being a keeper: so many starts of tasks fail for want of processes.
#: Writes into a file as ever new processes, each of a session of its own, none with a mark.
UNMARKED = """
import os, resource, sys, time
if os.fork():
    sys.exit(0)
resource.setrlimit(10, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while True:
    os.setsid()
    with open(sys.argv[1], "a") as file:
        file.write("beat")
    time.sleep(0.005)
    if os.fork():
        os._exit(0)
"""
NO_ROOM = """
import errno, os, sys
sys.path.append(sys.argv[1])
import keeper.starter as starter
spawn, left = starter.spawn, [int(os.environ["KEEPER_FAILS"])]
def fails(*arguments):
    left[0] -= 1
    if left[0] >= 0:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return spawn(*arguments)
starter.spawn = fails
from keeper.keeper import main
main(*sys.argv[2:])
"""
DIES = "import sys; sys.exit(3)"


class TestKeeper(LocalTests):
    # Killed

    def test_what_it_had_not_started_is_started_by_the_next_one(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        scripts = ["touch on; sleep 300", "touch on; sleep 300", "echo ran >> ran.txt; exit 3"]
        tasks = [self.task(tmp_path, f"s{n}", script) for n, script in enumerate(scripts)]
        executor.submit(tasks)
        for task in tasks[:2]:
            self.running(executor, Path(task.outdir) / "on")
        os.kill(keeper_of(executor), signal.SIGKILL)
        found = self.reports(executor, [task.key for task in tasks])
        assert [found[task.key].state for task in tasks] == [
            TaskState.LOST,
            TaskState.LOST,
            TaskState.ENDED,
        ]
        assert (Path(tasks[2].outdir) / "ran.txt").read_text() == "ran\n"

    def test_what_it_had_recorded_and_not_told_is_known(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        tasks = [self.task(tmp_path, f"s{n}", f"touch done; exit {n}") for n in range(5)]
        executor.submit(tasks)
        journal = tmp_path / "keepers" / "first" / "journal"
        until(lambda: journal.exists() and journal.read_text().count('"ended"') == 5)
        os.kill(keeper_of(executor), signal.SIGKILL)
        found = self.reports(executor, [task.key for task in tasks])
        assert [found[task.key].exit_code for task in tasks] == list(range(5))

    def test_what_it_left_is_searched_for_once_and_not_by_the_loop(
        self, executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        beats = [tmp_path / f"beat{n}" for n in range(2)]
        waits = [self.task(tmp_path, f"w{n}", "exit 1") for n in range(40)]
        tasks = [
            self.task(tmp_path, f"s{n}", HEARTBEAT.format(file=beat))
            for n, beat in enumerate(beats)
        ]
        executor.submit([*tasks, *waits])
        for beat in beats:
            self.running(executor, beat)
        searches: list[str] = []
        search = process_trees.processes

        def noted() -> dict[int, process_trees.OsProcess]:
            searches.append(threading.current_thread().name)
            return search()

        monkeypatch.setattr(process_trees, "processes", noted)
        os.kill(keeper_of(executor), signal.SIGKILL)
        self.reports(executor, [task.key for task in (*tasks, *waits)])
        assert set(searches) == {"localproc-stop"}
        assert len(searches) < 40, "not one for each task"
        for beat in beats:
            self.still(beat)

    @pytest.mark.parametrize("reaped", ["ignored", "by another thread"])
    def test_it_may_die_where_its_end_is_told_to_somebody_else(
        self, open_executor: OpenExecutor, tmp_path: Path, reaped: str
    ) -> None:
        """The process that uses localproc may ignore SIGCHLD, or wait for all children."""
        before = signal.getsignal(signal.SIGCHLD)
        if reaped == "ignored":
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            executor = open_executor("first")
            task = self.task(tmp_path, "s", "touch on; sleep 300")
            executor.submit([task])
            self.running(executor, Path(task.outdir) / "on")
            keeper = keeper_of(executor)
            os.kill(keeper, signal.SIGKILL)
            if reaped == "by another thread":
                os.waitpid(keeper, 0)
            assert self.reports(executor, [task.key])[task.key].state is TaskState.LOST
            executor.submit([again := self.task(tmp_path, "again", "exit 3")])
            assert self.reports(executor, [again.key])[again.key].exit_code == 3
            executor.close()
        finally:
            signal.signal(signal.SIGCHLD, before)

    def test_one_that_dies_at_once_refuses_tasks_in_the_end(
        self, open_executor: OpenExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversation, "_PROGRAM", DIES)
        executor = open_executor("first")
        executor.submit([task := self.task(tmp_path, "s", "true")])
        report = self.reports(executor, [task.key])[task.key]
        assert report.state is TaskState.REFUSED
        assert "dies as soon as it is started" in report.reason

    # Stopped

    def test_one_that_is_stopped_holds_up_nobody(self, executor: Executor, tmp_path: Path) -> None:
        large = {"LARGE": "x" * 100_000}
        tasks = [self.task(tmp_path, f"s{n}", f"exit {n}") for n in range(10)]
        with stopped(keeper_of(executor)):
            for task in tasks:  # more than the pipe takes
                executor.submit([replace(task, env={**task.env, **large})])
            executor.poll()
            executor.cancel([tasks[9].key], 0)
        found = self.reports(executor, [task.key for task in tasks])
        assert [found[task.key].exit_code for task in tasks[:9]] == list(range(9))
        assert found[tasks[9].key].state is TaskState.CANCELLED

    def test_what_runs_under_one_that_is_stopped_can_be_cancelled(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        beat = tmp_path / "beat"
        task = self.task(tmp_path, "s", HEARTBEAT.format(file=beat))
        executor.submit([task])
        self.running(executor, beat)
        with stopped(keeper_of(executor)):
            executor.cancel([task.key], 0.1)
            assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED
            self.still(beat)

    def test_what_one_that_is_stopped_has_not_read_runs_once(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        """Its engine goes, another one submits the task again, and then it wakes up."""
        first = open_executor("first")
        other = self.task(tmp_path, "other", "touch on; sleep 300")
        first.submit([other])
        self.running(first, Path(other.outdir) / "on")
        task = self.task(tmp_path, "s", "echo ran >> ran.txt")
        journal = tmp_path / "keepers" / "first" / "journal"
        until(lambda: other.key in journal.read_text())
        with stopped(keeper_of(first)):
            first.submit([task])
            first.close()
            second = open_executor("second")
            second.reattach([task, other])
            news = self.until(second, [task.key, other.key], lambda _: True)
            assert news[task.key].state is TaskState.NEVER_STARTED
            assert news[other.key].state is TaskState.RUNNING
            second.submit([task])
            self.reports(second, [task.key])
        second.cancel([other.key], 0)
        self.reports(second, [other.key])
        until(lambda: not Journal(str(tmp_path / "keepers" / "first")).keeper_lives())
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_once_it_is_fenced_it_starts_nothing(self, executor: Executor, tmp_path: Path) -> None:
        journal = tmp_path / "keepers" / "first" / "journal"
        until(journal.exists)
        assert Journal(str(journal.parent)).fence()
        executor.submit([self.task(tmp_path, "s", "touch on")])
        until(lambda: "detached" in journal.read_text())
        assert entries(journal) == [{"state": "detached"}]

    # Its journal

    @pytest.mark.parametrize("damage", [b"\0\0\0\0", b"{", b'{"key": 3}', b"[]", b'"x"', b"\xff"])
    def test_a_damaged_line_costs_nothing_but_what_it_said(
        self, open_executor: OpenExecutor, tmp_path: Path, damage: bytes
    ) -> None:
        first = open_executor("first")
        ended = [self.task(tmp_path, f"ended{n}", f"exit {n}") for n in range(3)]
        runs = self.task(tmp_path, "runs", "touch on; until [ -e go ]; do sleep 0.02; done; exit 9")
        first.submit([*ended, runs])
        self.reports(first, [task.key for task in ended])
        self.running(first, Path(runs.outdir) / "on")
        first.close()
        journal = tmp_path / "keepers" / "first" / "journal"
        lines = journal.read_bytes().splitlines()
        lines = [damage if self.is_end(line, ended[1].key) else line for line in lines]
        with open(journal, "r+b") as file:  # the keeper goes on with it
            file.truncate()
            file.write(b"\n".join(lines) + b"\n")
        second = open_executor("second")
        second.reattach([*ended, runs])
        found = self.reports(second, [task.key for task in ended])
        assert (found[ended[0].key].exit_code, found[ended[2].key].exit_code) == (0, 2)
        assert found[ended[1].key].state is TaskState.LOST
        assert "damaged" in found[ended[1].key].reason
        (Path(runs.outdir) / "go").touch()
        assert self.reports(second, [runs.key])[runs.key].exit_code == 9

    @pytest.mark.parametrize(
        "wrong",
        [
            {"at": 1e30},
            {"started": float("nan")},
            {"at": -1},
            {"code": 0.5},
            {"code": True},
            {"cpu": "much"},
            {"rss": None},
            {"why": ["stop"]},
            {"state": ["ended"]},
        ],
        ids=str,
    )
    def test_an_end_that_cannot_be_is_none(
        self, open_executor: OpenExecutor, tmp_path: Path, wrong: dict[str, Any]
    ) -> None:
        first = open_executor("first")
        tasks = [self.task(tmp_path, f"s{n}", f"exit {n}") for n in range(2)]
        first.submit(tasks)
        self.reports(first, [task.key for task in tasks])
        first.close()
        folder = tmp_path / "keepers" / "left"  # the other one went with its engine
        folder.mkdir()
        line = {"key": tasks[0].key, "state": "ended", "at": 5.0, "started": 4.0, "code": 0}
        good = {**line, "key": tasks[1].key, "code": 1}
        lines = [json.dumps(one) for one in ({**line, **wrong}, good)]
        (folder / "journal").write_text("\n".join(lines) + "\n")
        second = open_executor("second")
        second.reattach(tasks)
        found = self.reports(second, [task.key for task in tasks])
        assert found[tasks[0].key].state is TaskState.NEVER_STARTED
        assert found[tasks[1].key].exit_code == 1

    @pytest.mark.parametrize("pid", [-1, 0, 1, 2**40, 7.0, True, "7", None])
    def test_a_process_that_cannot_be_is_not_read(self, tmp_path: Path, pid: Any) -> None:
        line = {"key": "k:s:1", "state": "running", "at": 5.0, "pid": pid}
        (tmp_path / "journal").write_text(json.dumps(line) + "\n")
        journal = Journal(str(tmp_path))
        assert journal.read() == []
        assert journal.damaged

    def test_a_process_that_leads_nothing_is_no_tasks(self, tmp_path: Path) -> None:
        with subprocess.Popen(["sleep", "300"]) as other:
            living = process_trees.processes()
            for pid in (other.pid, 1, os.getpid()):
                assert process_trees.members({str(tmp_path): pid}, living) == set()
            other.kill()

    def is_end(self, line: bytes, key: str) -> bool:
        entry = json.loads(line)
        return bool(entry.get("key") == key and entry["state"] == "ended")

    def test_folders_of_keepers_that_are_going_are_removed_too(
        self, open_executor: OpenExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("localproc.executors.journals._GOING", patient(1))
        first = open_executor("first")
        assert isinstance(first, LocalExecutor)
        assert first._keeper is not None
        with stopped(keeper_of(first)):
            first._keeper.hang_up()
            os.close(first._hold)  # as when its engine is killed
            first._hold = os.open(os.devnull, os.O_RDONLY)
            os.kill(keeper_of(first), signal.SIGCONT)
            open_executor("second").tidy()
        assert not (tmp_path / "keepers" / "first").exists()
        first._keeper = None

    def test_a_keeper_of_an_engine_that_lives_is_left_alone(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first, second = open_executor("first"), open_executor("second")
        second.reattach([self.task(tmp_path, "never", "true")])
        second.poll()
        second.tidy()
        first.submit([task := self.task(tmp_path, "s", "exit 3")])
        assert self.reports(first, [task.key])[task.key].exit_code == 3

    # The system

    def test_a_task_waits_until_there_is_room_for_its_process(
        self, open_executor: OpenExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversation, "_PROGRAM", NO_ROOM)
        monkeypatch.setenv("KEEPER_FAILS", "3")
        executor = open_executor("first")
        tasks = [self.task(tmp_path, f"s{n}", f"exit {n}") for n in range(3)]
        executor.submit(tasks)
        queued = self.until(executor, [tasks[0].key], lambda one: one.state in OPEN)
        assert queued[tasks[0].key].reason.startswith("it cannot be started yet: Resource")
        found = self.reports(executor, [task.key for task in tasks])
        assert [found[task.key].exit_code for task in tasks] == [0, 1, 2]

    def test_a_task_that_waits_for_room_can_be_cancelled(
        self, open_executor: OpenExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversation, "_PROGRAM", NO_ROOM)
        monkeypatch.setenv("KEEPER_FAILS", "1000000")
        executor = open_executor("first")
        executor.submit([task := self.task(tmp_path, "s", "true")])
        self.until(executor, [task.key], lambda one: one.state is TaskState.QUEUED)
        executor.cancel([task.key], 0)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED

    @pytest.mark.parametrize("tries", [3, 10**9])
    def test_a_stop_needs_no_room_for_a_thread(
        self, executor: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: int
    ) -> None:
        beat = tmp_path / "beat"
        task = self.task(tmp_path, "s", HEARTBEAT.format(file=beat))
        executor.submit([task])
        self.running(executor, beat)
        start, left = threading.Thread.start, [tries]

        def fails(thread: threading.Thread) -> None:
            left[0] -= 1
            if left[0] >= 0:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", fails)
        executor.cancel([task.key], 0.1)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED
        self.still(beat)

    def test_a_keeper_that_cannot_be_started_now_is_started_later(
        self, open_executor: OpenExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        spawn, left = os.posix_spawn, [2]

        def fails(*arguments: Any, **options: Any) -> int:
            left[0] -= 1
            if left[0] >= 0:
                raise BlockingIOError(11, "Resource temporarily unavailable")
            return spawn(*arguments, **options)

        monkeypatch.setattr(os, "posix_spawn", fails)
        executor = open_executor("first")
        executor.submit([task := self.task(tmp_path, "s", "exit 3")])
        queued = self.until(executor, [task.key], lambda _: True)[task.key]
        assert (queued.state, "cannot be started yet" in queued.reason) == (TaskState.QUEUED, True)
        assert self.reports(executor, [task.key])[task.key].exit_code == 3

    # What tasks leave

    @pytest.mark.parametrize("way", ["cancelled", "timed out", "ended"])
    @pytest.mark.parametrize(
        "daemon", ["env -i PATH=$PATH setsid", "env HOME=/ setsid", "setsid"], ids=repr
    )
    def test_a_daemon_outlives_no_end_of_its_task(
        self, executor: Executor, tmp_path: Path, way: str, daemon: str
    ) -> None:
        beat = tmp_path / "beat"
        loop = HEARTBEAT.format(file=beat)
        script = f"{daemon} sh -c 'cd /; ({loop}) & ({loop}) &' >/dev/null 2>&1 </dev/null & "
        script += f"until [ -s {beat} ]; do sleep 0.02; done; "
        script += "exit 0" if way == "ended" else "sleep 300"
        limit = Resources(time=1.0 if way == "timed out" else 0)
        task = self.task(tmp_path, "s", script, resources=limit)
        beside = self.task(tmp_path, "beside", "sleep 300")
        executor.submit([beside, task])
        if way == "cancelled":
            self.running(executor, beat)
            executor.cancel([task.key], 0.1)
        self.reports(executor, [task.key])
        self.still(beat)

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps daemons with a keeper")
    def test_a_daemon_that_takes_its_mark_off_and_becomes_another_again_and_again_ends_too(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        beat = tmp_path / "beat"
        script = f"{sys.executable} -c '{UNMARKED}' {beat}"
        task = self.task(tmp_path, "s", f"{script}; until [ -s {beat} ]; do sleep 0.02; done")
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        self.still(beat)

    @pytest.mark.parametrize("how", ["lost", "cancelled"])
    def test_a_daemon_that_shows_nothing_of_its_task_does_not_outlive_a_keeper_that_was_killed(
        self, open_executor: OpenExecutor, tmp_path: Path, how: str
    ) -> None:
        executor = open_executor("first")
        beat = tmp_path / "beat"
        loop = HEARTBEAT.format(file=beat)
        script = f"env -i PATH=$PATH setsid sh -c 'cd /; ({loop}) & ({loop}) &' & sleep 300"
        task = self.task(tmp_path, "s", script)
        executor.submit([task])
        self.running(executor, beat)
        with stopped(keeper_of(executor)):
            if how == "cancelled":
                executor.cancel([task.key], 0)
            os.kill(keeper_of(executor), signal.SIGKILL)
        self.reports(executor, [task.key])
        self.still(beat)

    def test_a_daemon_of_a_killed_engine_and_keeper_is_ended_with_its_task_by_the_next_engine(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        """It is found by the folder's real path, whatever the next engine calls it."""
        first = open_executor("first")
        beat, other = tmp_path / "beat", tmp_path / "other"
        daemon = "env -i PATH=$PATH setsid sh -c 'cd /; ({loop}) &' & sleep 300"
        task, beside = (
            self.task(tmp_path, "s", daemon.format(loop=HEARTBEAT.format(file=file)))
            for file in (beat, other)
        )
        first.submit([task, beside])
        self.running(first, beat)
        self.running(first, other)
        keeper = keeper_of(first)
        assert isinstance(first, LocalExecutor)
        os.close(first._hold)  # as when its engine is killed
        first._hold = os.open(os.devnull, os.O_RDONLY)
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not Journal(str(tmp_path / "keepers" / "first")).keeper_lives())
        (tmp_path / "alias").symlink_to(tmp_path)
        second = open_executor("second")
        second.reattach(
            [replace(task, outdir=task.outdir.replace(str(tmp_path), f"{tmp_path}/alias"))]
        )
        assert self.reports(second, [task.key])[task.key].state is TaskState.LOST
        self.still(beat)
        size = other.stat().st_size
        until(lambda: other.stat().st_size > size)  # nobody has asked for the other one
        self.reports(first, [beside.key])
        self.still(other)

    def test_what_runs_ends_when_the_home_is_removed_and_nobody_is_left(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        beat = tmp_path / "beat"
        task = self.task(tmp_path, "s", HEARTBEAT.format(file=beat))
        first.submit([task])
        self.running(first, beat)
        keeper = keeper_of(first)
        first.close()
        shutil.rmtree(tmp_path / "keepers")
        until(lambda: not psutil.pid_exists(keeper) or psutil.Process(keeper).status() == "zombie")
        self.still(beat)


ROUND = """
import sys
from localproc.executors.local import LocalExecutor
from localproc.model import Task
from localproc.plugins.executor import ExecutorSettings
folder, work = sys.argv[1:]
executor = LocalExecutor(ExecutorSettings(folder, "killed", 2, 4096, 2))
executor.submit([
    Task(f"k:{n}:1", ("sh", "-c", f"echo ran >> {work}/{n}; exit {n}"), {"PATH": "/usr/bin:/bin"},
         work, work, None, f"{work}/out", f"{work}/err")
    for n in range(20)
])
print("submitted", flush=True)
sys.stdin.read()
"""


class TestKilledTogether(LocalTests):
    @pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.04])
    def test_no_task_runs_twice_or_is_missed_when_engine_and_keeper_are_killed(
        self, open_executor: OpenExecutor, tmp_path: Path, after: float
    ) -> None:
        work = tmp_path / "work"
        work.mkdir()
        command = [sys.executable, "-c", ROUND, str(tmp_path / "keepers"), str(work)]
        with child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as engine:
            assert engine.stdout is not None
            engine.stdout.readline()
            keepers = psutil.Process(engine.pid).children()
            threading.Event().wait(after)  # kills fall into different moments
            engine.kill()
            for keeper in keepers:
                keeper.kill()
        executor = open_executor("next")
        template = self.task(tmp_path, "t", "true")
        tasks = [
            replace(template, key=f"k:{n}:1", outdir=str(work), step=str(n)) for n in range(20)
        ]
        executor.reattach(tasks)
        found = self.reports(executor, [task.key for task in tasks])
        for number, task in enumerate(tasks):
            report = found[task.key]
            if report.state is TaskState.ENDED:
                assert report.exit_code == number
                assert (work / str(number)).read_text() == "ran\n"
            elif report.state is TaskState.NEVER_STARTED:
                assert not (work / str(number)).exists()
            else:
                assert report.state is TaskState.LOST
