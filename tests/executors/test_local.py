"""The local executor keeps the contract, and its keeper outlives everybody."""

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from localproc.executors.keeper.logs import Logs
from localproc.executors.local import LocalExecutor
from localproc.model import Resources, Task, TaskState
from localproc.plugins.executor import Executor
from localproc.testing.executor_tests import HEARTBEAT
from localproc.testing.executors import ExecutorContract, OpenExecutor
from tests.executors.local_tests import LocalTests, keeper_of
from tests.patience import patient, until


class TestLocalExecutor(LocalTests, ExecutorContract):
    def lose(self, executor: Executor, task: Task) -> bool:
        """Kill the keeper: nobody sees the task's end."""
        os.kill(keeper_of(executor), signal.SIGKILL)
        return True

    def cancel_elsewhere(self, executor: Executor, task: Task) -> bool:
        """Kill the task's process."""
        for process in psutil.Process(keeper_of(executor)).children():
            process.kill()
        return True

    def test_a_task_that_was_killed_from_outside_ends_with_the_signal(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "touch on; exec sleep 300")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        self.cancel_elsewhere(executor, task)
        report = self.reports(executor, [task.key])[task.key]
        assert (report.state, report.exit_code) == (TaskState.ENDED, -signal.SIGKILL)

    def test_slots_cores_and_ram_bound_what_runs_at_a_time(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        script = "touch on.$$; sleep 0.2; ls ../*/on.* | wc -l; rm on.$$"
        needs = Resources(cores=1, ram=3000)
        tasks = [self.task(tmp_path, f"s_{n}", script, resources=needs) for n in range(4)]
        executor.submit(tasks)
        self.reports(executor, [task.key for task in tasks])
        assert [Path(task.stdout).read_text().strip() for task in tasks] == ["1"] * 4

    def test_a_task_that_wants_more_than_there_is_runs_alone(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "true", resources=Resources(cores=64, ram=1 << 20))
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 0

    def test_tasks_are_lost_when_their_keeper_is_killed(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "echo $$ > pid; touch on; sleep 300")
        executor.submit([task])
        self.running(executor, Path(task.outdir) / "on")
        os.kill(keeper_of(executor), signal.SIGKILL)
        assert self.reports(executor, [task.key])[task.key].state is TaskState.LOST
        pid = int((Path(task.outdir) / "pid").read_text())
        until(lambda: not Path(f"/proc/{pid}").exists())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_a_dead_keeper_is_found_dead_when_reattaching(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        assert isinstance(first, LocalExecutor)
        task = self.task(tmp_path, "s", "touch on; sleep 300")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        os.kill(keeper_of(first), signal.SIGKILL)
        first.close()
        second = open_executor("second")
        second.reattach([task])
        assert self.reports(second, [task.key])[task.key].state is TaskState.LOST

    @pytest.mark.parametrize(
        "wrong",
        [
            {"argv": ()},
            {"argv": ("",)},
            {"argv": ("echo", "a\0b")},
            {"argv": ("echo", "\ud800")},
            {"argv": ("\ud800",)},
            {"env": {"PATH": os.environ["PATH"], "": "x"}},
            {"env": {"PATH": os.environ["PATH"], "A=B": "x"}},
            {"env": {"PATH": os.environ["PATH"], "A": "\0"}},
            {"outdir": "/no\0where"},
            {"stdin": "in\0put"},
            {"stdout": "/tmp/out\0put"},
            {"stderr": "/tmp/err\0or"},
        ],
        ids=repr,
    )
    def test_a_task_that_no_system_could_start_harms_no_other(
        self, executor: LocalExecutor, tmp_path: Path, wrong: dict[str, Any]
    ) -> None:
        other = self.task(tmp_path, "other", "touch on; sleep 0.1")
        executor.submit([other])
        self.running(executor, Path(other.outdir) / "on")
        bad = replace(self.task(tmp_path, "bad", "true"), **wrong)
        executor.submit([bad])
        found = self.reports(executor, [bad.key, other.key])
        assert found[bad.key].exit_code in (126, 127)
        assert found[bad.key].reason.startswith("localproc: cannot start ")
        assert found[other.key].exit_code == 0

    @pytest.mark.parametrize(
        ("wrong", "code", "said"),
        [
            ({"stdin": "/no/such/input"}, 126, "'sh': /no/such/input: No such file"),
            ({"stdout": "/no/such/out.txt"}, 126, "'sh': /no/such/out.txt: No such file"),
            ({"outdir": "/no/such/folder"}, 126, "'sh': /no/such/folder: No such file"),
            ({"argv": ("/no/such/tool",)}, 127, "'/no/such/tool': command not found"),
            ({"argv": ("/dev/null",)}, 126, "'/dev/null': Permission denied"),
        ],
    )
    def test_what_kept_a_task_from_starting_is_named(
        self,
        executor: LocalExecutor,
        tmp_path: Path,
        wrong: dict[str, Any],
        code: int,
        said: str,
    ) -> None:
        task = replace(self.task(tmp_path, "s", "true"), **wrong)
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert (report.exit_code, said in report.reason) == (code, True), report.reason

    def test_a_script_whose_interpreter_is_missing_is_not_missing_itself(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        script = tmp_path / "script"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        task = replace(self.task(tmp_path, "s", ""), argv=(str(script),))
        executor.submit([task])
        report = self.reports(executor, [task.key])[task.key]
        assert report.exit_code == 126
        assert "interpreter was not found" in report.reason

    def test_a_script_that_names_no_interpreter_can_be_stopped_alone(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        script = tmp_path / "script"
        script.write_text("touch on; sleep 300\n")
        script.chmod(0o755)
        tasks = [
            replace(self.task(tmp_path, f"{name}", ""), argv=(str(script),))
            for name in ("stopped", "other")
        ]
        executor.submit(tasks)
        for task in tasks:
            self.running(executor, Path(task.outdir) / "on")
        executor.cancel([tasks[0].key], 0.1)
        self.reports(executor, [tasks[0].key])
        os.kill(keeper_of(executor), 0)
        executor.cancel([tasks[1].key], 0.1)
        assert self.reports(executor, [tasks[1].key])[tasks[1].key].state is TaskState.CANCELLED

    def test_an_engine_in_which_signals_are_blocked_learns_of_ends(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        try:
            executor = open_executor("first")
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        executor.submit([task := self.task(tmp_path, "s", "exit 3")])
        assert self.reports(executor, [task.key])[task.key].exit_code == 3

    def test_signals_mean_to_a_task_what_they_mean_to_any_program(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        executor.submit([task := self.task(tmp_path, "s", "grep SigIgn /proc/self/status")])
        self.reports(executor, [task.key])
        ignored = int(Path(task.stdout).read_text().split()[1], 16)
        assert ignored & (1 << 31) - 1 == 0  # those above are the C library's own

    def test_a_time_limit_ends_what_has_left_the_session(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.late(tmp_path)
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].state is TaskState.TIMED_OUT
        self.ended(int((Path(task.outdir) / "pid").read_text()))

    def test_a_time_limit_that_came_while_there_was_no_engine_ends_all_as_well(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.late(tmp_path)
        first.submit([task])
        self.running(first, Path(task.outdir) / "pid")
        first.close()
        journal = tmp_path / "keepers" / "first" / "journal"
        until(lambda: "timed-out" in journal.read_text())
        second = open_executor("second")
        second.reattach([task])
        assert self.reports(second, [task.key])[task.key].state is TaskState.TIMED_OUT
        self.ended(int((Path(task.outdir) / "pid").read_text()))

    def late(self, tmp_path: Path) -> Task:
        """Make a task that leaves a process in a session of its own, and takes too long."""
        script = "setsid sleep 300 & echo $! > pid.new; mv pid.new pid; sleep 300"
        return self.task(tmp_path, "late", script, resources=Resources(time=patient(0.2)))

    def test_a_home_may_be_opened_by_another_name_to_cancel_in_it(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real")
        script = "setsid sh -c 'sleep 300 & echo $! > pid'; touch on; sleep 300"
        task = self.task(tmp_path / "link", "s", script)
        first = open_executor("first")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        other = os.path.realpath(task.outdir)
        second = open_executor("second")
        second.reattach([replace(task, outdir=other)])
        second.cancel([task.key], 0.1)
        self.reports(second, [task.key])
        self.ended(int((Path(other) / "pid").read_text()))

    def test_what_a_task_leaves_in_the_background_ends_with_it(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.task(tmp_path, "s", "sleep 300 & echo $! > pid")
        executor.submit([task])
        self.reports(executor, [task.key])
        pid = int((Path(task.outdir) / "pid").read_text())
        until(lambda: not Path(f"/proc/{pid}").exists())

    def test_a_keeper_without_tasks_goes_with_its_engine(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        executor = open_executor("first")
        assert isinstance(executor, LocalExecutor)
        executor.submit([task := self.task(tmp_path, "s", "true")])
        self.reports(executor, [task.key])
        pid = keeper_of(executor)
        executor.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert not (tmp_path / "keepers" / "first").exists()

    def test_tidying_removes_the_journals_of_the_dead(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        first = open_executor("first")
        task = self.task(tmp_path, "s", "touch on; sleep 0.3")
        first.submit([task])
        self.running(first, Path(task.outdir) / "on")
        first.close()
        second = open_executor("second")
        second.reattach([task])
        self.reports(second, [task.key])

        def is_tidy() -> bool:
            second.tidy()
            return not (tmp_path / "keepers" / "first").exists()

        until(is_tidy)

    def test_logs_are_there_whether_a_task_writes_or_not(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        logs = tmp_path / "logs"
        logs.mkdir()
        scripts = {f"says_{n}": f"echo {n} >&2" for n in range(20)}
        scripts |= {f"silent_{n}": "true" for n in range(20)}
        tasks = [self.logging(tmp_path, logs, name, script) for name, script in scripts.items()]
        executor.submit(tasks)
        self.reports(executor, [task.key for task in tasks])
        written = {name: (logs / f"{name}.log").read_text() for name in scripts}
        assert written == {
            name: f"{name[5:]}\n" if name.startswith("says_") else "" for name in scripts
        }
        more = [one.read_text() for one in logs.iterdir() if one.name.endswith(".out.log")]
        assert not any(more), "nothing was printed: they are there if their tasks took a while"
        assert len(list(logs.iterdir())) == len(scripts) + len(more)

    def test_a_log_can_be_read_while_its_task_runs(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        task = self.logging(tmp_path, tmp_path, "live", "echo out; echo err >&2; sleep 300")
        executor.submit([task])
        self.running(executor, tmp_path / "live.log")
        until(lambda: (tmp_path / "live.log").read_text() == "err\n")
        assert (tmp_path / "live.out.log").read_text() == "out\n"
        executor.cancel([task.key], 0)
        self.reports(executor, [task.key])

    def test_a_daemon_that_a_task_leaves_behind_ends_with_it(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        """Whatever it has done to get away: a session, an environment and a folder of its own."""
        beat = tmp_path / "beat"
        daemon = HEARTBEAT.format(file=beat)
        away = f"env -i PATH=$PATH setsid sh -c 'cd /; ({daemon}) & ({daemon}) &' >/dev/null 2>&1"
        until = f"until [ -s {beat} ]; do sleep 0.02; done"
        leaves = self.logging(tmp_path, tmp_path, "leaves", f"{away}; {until}; exit 3")
        executor.submit([leaves])
        assert self.reports(executor, [leaves.key])[leaves.key].exit_code == 3
        self.still(beat)

    def test_a_daemon_lives_as_long_as_the_task_that_started_it(
        self, executor: LocalExecutor, tmp_path: Path
    ) -> None:
        away = "env -i PATH=$PATH setsid sh -c '(sleep 300) & echo $! > pid'"
        serves = self.task(tmp_path, "serves", f"{away}; until [ -e go ]; do sleep 0.02; done")
        other = self.task(tmp_path, "other", f"{away}; exit 0")
        executor.submit([serves])
        self.running(executor, Path(serves.outdir) / "pid")
        executor.submit([other])
        self.reports(executor, [other.key])
        self.ended(int((Path(other.outdir) / "pid").read_text()))
        pid = int((Path(serves.outdir) / "pid").read_text())
        assert psutil.pid_exists(pid)
        (Path(serves.outdir) / "go").touch()
        self.reports(executor, [serves.key])
        self.ended(pid)

    def logging(self, tmp_path: Path, logs: Path, name: str, script: str) -> Task:
        """Make a task whose streams are logs."""
        task = self.task(tmp_path, f"{name}", script)
        return replace(task, stdout=str(logs / f"{name}.out.log"), stderr=str(logs / f"{name}.log"))


def test_empty_logs_are_as_many_as_there_have_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may not have more names than its file system allows."""
    link, most = os.link, 3

    def limited(source: str, target: str) -> None:
        if os.stat(source).st_nlink > most:
            raise OSError(errno.EMLINK, "too many links", target)
        link(source, target)

    monkeypatch.setattr("os.link", limited)
    (tmp_path / "keeper").mkdir()
    lender = Logs(str(tmp_path / "keeper"))
    paths = [tmp_path / f"{n}.log" for n in range(10)]
    for path in paths:
        lender.take_back({str(path): lender.lend(str(path))}, blank=str(path))
    assert [path.read_bytes() for path in paths] == [b""] * 10
    assert len({path.stat().st_ino for path in paths}) == 4


def test_logs_outlive_a_disk_on_which_no_file_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keeper").mkdir()
    lender, log = Logs(str(tmp_path / "keeper")), str(tmp_path / "node_x.log")
    lent = {log: lender.lend(log)}

    def none_left(path: str, *_: Any) -> int:
        raise OSError(errno.ENOSPC, "no inodes left", path)

    monkeypatch.setattr("os.open", none_left)
    lender.leave_empty(log)
    lender.take_back(lent, blank=log)
    assert Path(log).stat().st_size == 0


def test_a_log_that_an_earlier_attempt_has_begun_goes_on(tmp_path: Path) -> None:
    (tmp_path / "keeper").mkdir()
    lender, log = Logs(str(tmp_path / "keeper")), tmp_path / "node_x.log"
    log.write_text("first attempt\n")
    assert lender.lend(str(log)) == str(log)


def test_an_empty_log_that_is_begun_again_does_not_fill_those_of_others(tmp_path: Path) -> None:
    (tmp_path / "keeper").mkdir()
    lender = Logs(str(tmp_path / "keeper"))
    one, other = str(tmp_path / "one.log"), str(tmp_path / "other.log")
    for path in (one, other):
        lender.take_back({path: lender.lend(path)}, blank=path)
    lent = {one: lender.lend(one)}
    Path(lent[one]).write_text("again\n")
    lender.take_back(lent, blank=one)
    assert (Path(one).read_text(), Path(other).read_text()) == ("again\n", "")
