"""The contract of executors.

Inherit from ``ExecutorContract`` and give it an ``open_executor`` fixture; every test then runs
against your executor. Owns what the engine relies on. Must not know any executor.

Nothing here looks at processes, for a task may run on another machine: a task that is to live
writes to a file again and again, and one that is gone has stopped doing so. No key is ever used
twice, for a daemon may remember them all.
"""

import select
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from localproc.model import Resources, Task, TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executor_secrets import SecretsContract
from localproc.testing.executor_takeover import TakeoverContract
from localproc.testing.executor_tests import HEARTBEAT, OPEN, OpenExecutor, opened

__all__ = ["ExecutorContract", "OpenExecutor", "opened"]

_QUICK: Final = 0.05  #: seconds that a call may take
_BEATS: Final = HEARTBEAT.format(file="beat")  #: in its own folder, the only one that it may see


class ExecutorContract(SecretsContract, TakeoverContract):
    """What every executor does.

    Override ``open_executor``; ``patience`` (seconds) for an executor that takes its time; and,
    where yours can do that, the attributes and methods below that say so. Tasks are POSIX shell
    commands in folders below ``tmp_path``.
    """

    fillers: int = 8  #: tasks that keep it busy; some that wait are enough
    enforces_memory: bool = False  #: a task that uses more than ``ram_max`` is stopped for that

    def unreachable(self, executor: Executor) -> Callable[[], None] | None:
        """Make what runs the tasks unreachable; return what undoes that. ``None``: it cannot be."""
        return None

    def lose(self, executor: Executor, task: Task) -> bool:
        """Have a task vanish without an exit record; whether that can be done."""
        return False

    def cancel_elsewhere(self, executor: Executor, task: Task) -> bool:
        """Cancel a task as somebody else would; whether that can be done."""
        return False

    # Running

    def test_an_exit_code_is_reported_as_it_was(self, executor: Executor, tmp_path: Path) -> None:
        tasks = [self.task(tmp_path, f"s{code}", f"exit {code}") for code in (0, 3, 143)]
        executor.submit(tasks)
        found = self.reports(executor, [task.key for task in tasks])
        assert [found[task.key].exit_code for task in tasks] == [0, 3, 143]
        assert {report.state for report in found.values()} == {TaskState.ENDED}

    def test_a_task_starts_before_it_ends(self, executor: Executor, tmp_path: Path) -> None:
        executor.submit([task := self.task(tmp_path, "s", "true")])
        report = self.reports(executor, [task.key])[task.key]
        assert report.started is not None
        assert report.ended is not None
        assert report.started <= report.ended

    def test_streams_environment_and_folder(self, executor: Executor, tmp_path: Path) -> None:
        source = tmp_path / "in.txt"
        source.write_text("from stdin\n")
        script = 'cat; pwd; echo "$HOME" >&2; echo "[$UNSET]" >&2'
        task = self.task(tmp_path, "s", script, stdin=str(source), reads=(str(source),))
        executor.submit([task])
        self.reports(executor, [task.key])
        out = Path(task.stdout).read_text().splitlines()
        assert out == ["from stdin", task.outdir]
        assert Path(task.stderr).read_text().splitlines() == [task.outdir, "[]"]

    def test_files_that_a_task_reads_and_writes_are_there(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "a.txt").write_text("in a folder\n")
        (tmp_path / "own.txt").write_text("mine\n")
        script = f"cat {tmp_path}/data/a.txt; echo more >> {tmp_path}/own.txt"
        task = self.task(
            tmp_path,
            "s",
            script,
            reads=(str(tmp_path / "data"),),
            writes=(str(tmp_path / "own.txt"),),
        )
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert Path(task.stdout).read_text() == "in a folder\n"
        assert (tmp_path / "own.txt").read_text() == "mine\nmore\n"

    def test_odd_characters_stay_as_they_are(self, executor: Executor, tmp_path: Path) -> None:
        odd = ["a b", "'", '"', "$HOME", "`id`", "\\", "é日本🙂", "a\nb", "*", "", "#x", "!", "-n"]
        script = 'for one in "$@"; do printf "%s|" "$one"; done; printf "%s" "$ODD" >&2'
        task = self.command(tmp_path, "it's a $step; #1", ("sh", "-c", script, "sh", *odd))
        task = replace(task, env={**task.env, "ODD": "\n".join(odd)})
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0
        assert Path(task.stdout).read_text() == "".join(f"{one}|" for one in odd)
        assert Path(task.stderr).read_text() == "\n".join(odd)

    def test_a_command_that_is_not_there_ends_with_127(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.command(tmp_path, "s", ("no-such-command-anywhere",))
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 127
        assert "no-such-command-anywhere" in Path(task.stderr).read_text()

    def test_submitting_twice_runs_once(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "s", "echo ran >> ran.txt; until [ -e go ]; do sleep 0.05; done")
        after = self.task(tmp_path, "after", "true")
        executor.submit([task])
        executor.submit([task], more=True)
        self.running(executor, Path(task.outdir) / "ran.txt")
        executor.submit([task])
        (Path(task.outdir) / "go").touch()
        self.reports(executor, [task.key])
        executor.submit([after])
        self.reports(executor, [after.key])
        assert (Path(task.outdir) / "ran.txt").read_text() == "ran\n"

    def test_more_tasks_than_there_is_room_for_all_run(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        assert executor.room() > 0
        tasks = [self.task(tmp_path, f"s_{n}", f"echo {n}") for n in range(30)]
        executor.submit(tasks[:10], more=True)
        executor.submit(tasks[10:])
        self.reports(executor, [task.key for task in tasks])
        assert [Path(task.stdout).read_text() for task in tasks] == [f"{n}\n" for n in range(30)]

    def test_no_call_takes_long(self, executor: Executor, tmp_path: Path) -> None:
        """A verb that waits for anybody holds up the jobs of all executors."""
        tasks = [self.task(tmp_path, f"s_{n}", "sleep 0.2") for n in range(self.fillers)]
        never = [self.task(tmp_path, f"never_{n}", "true") for n in range(self.fillers)]
        verbs: dict[str, Callable[[int], object]] = {
            "check": lambda n: executor.check([tasks[n]]),
            "submit": lambda n: executor.submit([tasks[n]]),
            "room": lambda _: executor.room(),
            "interval": lambda _: executor.interval(),
            "poll": lambda _: executor.poll(),
            "cancel": lambda n: executor.cancel([tasks[n].key], 1),
            "reattach": lambda n: executor.reattach([never[n]]),
            "release": lambda n: executor.release([never[n].key]),
        }
        took = dict.fromkeys(verbs, self.patience)
        for verb, call in verbs.items():
            for number in range(self.fillers):
                before = time.monotonic()
                call(number)
                took[verb] = min(took[verb], time.monotonic() - before)  # others use the machine
        assert {verb: seconds for verb, seconds in took.items() if seconds > _QUICK} == {}

    def test_a_descriptor_wakes_whoever_waits(self, executor: Executor, tmp_path: Path) -> None:
        """Either there is a descriptor, or an interval while there is something to tell."""
        executor.submit([task := self.task(tmp_path, "s", "sleep 0.1")])
        deadline = time.monotonic() + self.patience
        ended = False
        while not ended:
            assert time.monotonic() < deadline, "it never said that there is news"
            file, interval = executor.fileno(), executor.interval()
            assert file is not None or interval is not None
            wait = self.patience if interval is None else interval
            select.select([] if file is None else [file], [], [], wait)
            ended = any(one.key == task.key and one.state not in OPEN for one in executor.poll())

    # Limits and refusals

    def test_a_time_limit_ends_a_task(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "s", _BEATS, resources=Resources(time=0.5))
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].state is TaskState.TIMED_OUT
        self.still(Path(task.outdir) / "beat")

    def test_memory_beyond_the_limit_is_told_as_that(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """An executor that enforces memory says so; for the others it is a number to count with.

        It may look now and then only: a task that keeps what it has taken is seen.
        """
        hungry = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo ${#x}"
        if self.enforces_memory:
            hungry += "; sleep 300"
        needs = Resources(ram=64, ram_max=64)
        task = self.task(tmp_path, "s", hungry, resources=needs)
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        expected = TaskState.OUT_OF_MEMORY if self.enforces_memory else TaskState.ENDED
        assert report.state is expected
        assert report.exit_code == 0 or self.enforces_memory

    def test_what_can_never_run_is_known_before_and_refused_alone(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        good = self.task(tmp_path, "good", "exit 4")
        bad = self.task(tmp_path, "bad", "true", resources=Resources(gpus=4096, nodes=4096))
        reasons = executor.check([good, bad])
        assert set(reasons) == {bad.key}
        assert reasons[bad.key]
        executor.submit([one for one in (good, bad) if one.key not in reasons])
        assert self.reports(executor, [good.key])[good.key].exit_code == 4

    def test_a_task_that_cannot_be_started_harms_no_other(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        bad = replace(self.task(tmp_path, "bad", "true"), outdir=str(tmp_path / "nowhere"))
        good = self.task(tmp_path, "good", "exit 4")
        executor.submit([bad, good])
        found = self.reports(executor, [bad.key, good.key])
        assert found[good.key].exit_code == 4
        report = found[bad.key]
        refused = report.state is TaskState.REFUSED
        assert refused or report.exit_code not in (0, None), report
        assert report.reason or Path(bad.stderr).read_text(), "why is told"

    # Stopping

    def test_cancelling_leaves_nothing_running(self, executor: Executor, tmp_path: Path) -> None:
        script = f"trap '' TERM; ({_BEATS}) & ({_BEATS}) & touch on; wait; sleep 300"
        task = self.task(tmp_path, "s", script)
        beat = Path(task.outdir) / "beat"
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        self.running(executor, beat)
        executor.cancel([task.key], 0.2)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.CANCELLED
        self.still(beat)

    def test_cancelling_what_waits_or_is_unknown(self, executor: Executor, tmp_path: Path) -> None:
        busy = [self.task(tmp_path, f"busy_{n}", "sleep 300") for n in range(self.fillers)]
        waiting = self.task(tmp_path, "waits", "touch started; sleep 300")
        never = f"{uuid.uuid4()}:never:1"
        executor.submit([*busy, waiting])
        executor.cancel([waiting.key, never], 0.2)
        found = self.reports(executor, [waiting.key, never])
        assert {report.state for report in found.values()} == {TaskState.CANCELLED}
        executor.cancel([task.key for task in busy], 0.1)
        self.reports(executor, [task.key for task in busy])

    def test_what_is_cancelled_as_it_is_submitted_does_not_go_on(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", _BEATS)
        beat = Path(task.outdir) / "beat"
        beat.touch()
        executor.submit([task], more=True)
        executor.cancel([task.key], 0)
        self.reports(executor, [task.key])
        self.still(beat)

    def test_a_task_that_somebody_else_has_cancelled_has_ended(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """Its end is told, with a reason or a signal: nobody waits for it for ever."""
        task = self.task(tmp_path, "s", "touch on; sleep 300")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        if not self.cancel_elsewhere(executor, task):
            executor.cancel([task.key], 0)
        report = self.reports(executor, [task.key])[task.key]
        assert report.state in (TaskState.CANCELLED, TaskState.ENDED)
        assert report.exit_code != 0

    # What goes wrong elsewhere

    def test_what_cannot_be_reached_is_neither_success_nor_failure(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        back = self.unreachable(executor)
        task = self.task(tmp_path, "s", "exit 6")
        executor.submit([task])
        if back is not None:
            for _ in range(20):
                news = self.poll(executor)
                assert all(one.state in OPEN for one in news if one.key == task.key)
                time.sleep(0.01)
            back()
        assert self.reports(executor, [task.key])[task.key].exit_code == 6

    def test_a_task_that_vanishes_is_lost(self, executor: Executor, tmp_path: Path) -> None:
        task = self.task(tmp_path, "s", _BEATS)
        beat = Path(task.outdir) / "beat"
        executor.submit([task])
        self.running(executor, beat)
        if self.lose(executor, task):
            report = self.reports(executor, [task.key])[task.key]
            assert report.state in (TaskState.LOST, TaskState.NODE_LOST)
            assert report.reason
        else:
            executor.cancel([task.key], 0)
            self.reports(executor, [task.key])
        self.still(beat)
