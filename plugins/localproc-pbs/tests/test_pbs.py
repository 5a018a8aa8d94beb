"""The dialect of PBS: its commands, its answers, and the contract on commands that answer so."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import localproc_pbs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from localproc_pbs import pbs
from localproc_pbs.pbs import Pbs

from localproc.errors import EnvironmentProblem, ExecutorUnavailable
from localproc.executors.batch import (
    Allocation,
    Failed,
    Request,
    TooMany,
    commands,
    queue,
    telling,
)
from localproc.model import Task, TaskState
from localproc.plugins.executor import Executor, ExecutorSettings
from localproc.testing.executor_secrets import PASSWORD, TOKEN, found_in, texts_below
from localproc.testing.executor_tests import OpenExecutor, opened
from localproc.testing.executors import ExecutorContract

NEEDS = Request(4, 2000, 5400, gpus=1, options=(("account", "eo"), ("queue", "long")))
JOB = Allocation("lp-0123456789ab", "/b/script", "/b/log", "/b", NEEDS)


def test_a_job_is_asked_for_in_the_form_of_pbs_pro() -> None:
    assert " ".join(pbs.qsub(JOB, torque=False)) == (
        "qsub -N lp-0123456789ab -S /bin/sh -V -r n -j oe -o /b/log "
        "-l select=1:ncpus=4:mem=2000mb:ngpus=1 -l walltime=01:30:00 -q long -A eo /b/script"
    )


def test_an_array_is_asked_for_in_the_form_of_torque() -> None:
    array = Allocation("lp-a", "/b/script", "/b/log", "/b", Request(1, 256), count=8)
    assert " ".join(pbs.qsub(array, torque=True)) == (
        "qsub -N lp-a -S /bin/sh -V -r n -j oe -o /b/log "
        "-l nodes=1:ppn=1 -l mem=256mb -t 0-7 /b/script"
    )


def test_processes_are_spread_over_nodes() -> None:
    spread = Allocation("lp-a", "/b/s", "/b/l", "/b", Request(2, 512, processes=8, nodes=2))
    assert "select=2:ncpus=8:mpiprocs=4:mem=512mb" in pbs.qsub(spread, torque=False)


PRO = """Job Id: 1234.pbs-server
    Job_Name = lp-0123456789ab
    Job_Owner = me@login1.site
    job_state = Q
    queue = long
    comment = Not Running: Insufficient amount of resource: ncpus (R: 64 A: 3
\t2 T: 48)

Job Id: 1235[3].pbs-server
    Job_Name = lp-ba9876543210
    Job_Owner = me@login1.site
    job_state = R
    exec_host = node07/0*4
"""


def test_what_qstat_lists_is_read() -> None:
    found = {job: pbs.seen(one) for job, one in pbs.jobs_of(PRO).items()}
    assert found["1234.pbs-server"].state is TaskState.QUEUED
    assert found["1234.pbs-server"].reason == (
        "Not Running: Insufficient amount of resource: ncpus (R: 64 A: 32 T: 48)"
    )
    running = found["1235[3].pbs-server"]
    assert (running.state, running.host) == (TaskState.RUNNING, "node07")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("0", TaskState.ENDED),
        ("3", TaskState.ENDED),
        ("271", TaskState.CANCELLED),
        ("-29", TaskState.TIMED_OUT),
        ("-27", TaskState.OUT_OF_MEMORY),
    ],
)
def test_how_a_job_ended_is_read(status: str, state: TaskState) -> None:
    for letter in ("F", "C", "X"):  # PBS Pro, Torque, an element of an array of PBS Pro
        assert pbs.seen({"job_state": letter, "Exit_status": status}).state is state


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("0", TaskState.ENDED),
        ("-29", TaskState.ENDED),
        ("271", TaskState.CANCELLED),
        ("-10", TaskState.OUT_OF_MEMORY),
        ("-11", TaskState.TIMED_OUT),
    ],
)
def test_how_a_job_of_torque_ended_is_read(status: str, state: TaskState) -> None:
    found = pbs.seen({"job_state": "C", "exit_status": status}, torque=True)
    assert found.state is state


@pytest.mark.parametrize(
    ("attributes", "state", "reason"),
    [
        (
            {"job_state": "Q", "comment": "Can Never Run: Insufficient amount of resource: ncpus"},
            TaskState.REFUSED,
            "Can Never Run: Insufficient amount of resource: ncpus",
        ),
        ({"job_state": "H", "comment": "Job held by me"}, TaskState.QUEUED, "Job held by me"),
        ({"job_state": "Z"}, TaskState.QUEUED, ""),  # of a version that is not known
        (
            {"job_state": "F", "substate": "91", "comment": "Not Running"},
            TaskState.CANCELLED,
            "somebody cancelled it by way of PBS",
        ),
        (
            {
                "job_state": "F",
                "substate": "91",
                "Exit_status": "271",
                "resources_used.walltime": "00:01:12",
                "Resource_List.walltime": "00:01:00",
            },
            TaskState.TIMED_OUT,
            "PBS's time limit",
        ),
        (
            {
                "job_state": "F",
                "Exit_status": "271",
                "resources_used.walltime": "00:00:12",
                "Resource_List.walltime": "00:01:00",
            },
            TaskState.CANCELLED,
            "somebody cancelled it by way of PBS",
        ),
    ],
)
def test_what_pbs_pro_says_besides_the_state_counts(
    attributes: Mapping[str, str], state: TaskState, reason: str
) -> None:
    found = pbs.seen(attributes)
    assert (found.state, found.reason) == (state, reason)


def test_a_job_that_can_never_run_is_in_the_queue_till_it_is_removed() -> None:
    said = "Job Id: 7.server\n    job_state = Q\n    comment = Can Never Run: too much\n"
    [found] = Pbs(form="pro", call=lambda _: said).jobs().values()
    assert found.state is TaskState.REFUSED


@pytest.mark.parametrize(
    "said",
    [
        "qsub: would exceed queue generic's per-user limit of jobs in 'Q' state",
        "qsub: Array job exceeds server or queue size limit",
        "qsub: submit error (Maximum number of jobs already in queue for user MSG=total number)",
        "qsub: submit error (requested array size too large, limit is 100)",
    ],
)
def test_fewer_are_handed_in_where_it_takes_no_more(said: str) -> None:
    def call(argv: Sequence[str]) -> str:
        raise Failed(argv, 1, said)

    with pytest.raises(TooMany):
        Pbs(form="pro", call=call).submit(JOB)


def test_one_more_argument_of_qsub_may_be_a_text() -> None:
    needs = Request(cores=1, ram=1, options=(("extra", "-lplace=excl"),))
    words = pbs.qsub(replace(JOB, request=needs), torque=False)
    assert words[-2:] == ["-lplace=excl", "/b/script"]


def test_variables_of_a_job_are_not_taken_for_what_it_is() -> None:
    """They have line breaks where a shell has exported functions."""
    said = """Job Id: 7.server
    Job_Name = a
    job_state = R
    Variable_List = BASH_FUNC_ml%%=() {  local x = 1
    job_state = F
}
"""
    assert pbs.jobs_of(said)["7.server"]["job_state"] == "R"


def test_jobs_that_the_server_has_forgotten_hide_no_others() -> None:
    def call(argv: Sequence[str]) -> str:
        known = "Job Id: 7.server\n    Job_Name = lp-a\n    job_state = F\n    Exit_status = -29\n"
        raise Failed(argv, 153, "qstat: Unknown Job Id 8.server", known)

    found = Pbs(form="pro", call=call).ended(["7.server", "8.server"])
    assert {job: (one.state, one.name) for job, one in found.items()} == {
        "7.server": (TaskState.TIMED_OUT, "lp-a")
    }


PIECES = [
    "Job Id: ",
    "7",
    "[3].",
    "server",
    "\n",
    "\n\t",
    "    job_state = ",
    "R",
    "F",
    "\n    Job_Name = ",
]
PIECES += ["\n    exit_status = ", "-", "²", "9" * 5000, "<html>", "lp-0123456789ab"]


@given(said=st.text() | st.lists(st.sampled_from(PIECES)).map("".join), torque=st.booleans())
def test_no_answer_is_more_than_one_that_makes_no_sense(said: str, torque: bool) -> None:
    def call(argv: Sequence[str]) -> str:
        return said

    asked = Pbs(form="torque" if torque else "pro", call=call)
    for question in (
        asked.jobs,
        partial(asked.named, ["lp-a"]),
        partial(asked.ended, ["7.server"]),
    ):
        with suppress(ExecutorUnavailable):
            question()
    with suppress(ExecutorUnavailable):
        assert str(asked.submit(JOB)) in said


@pytest.mark.parametrize(
    ("version", "index"),
    [
        ("pbs_version = 23.06.06\n", "PBS_ARRAY_INDEX"),
        ("PBSPro_19.2.3\n", "PBS_ARRAY_INDEX"),
        ("", "PBS_ARRAYID"),
    ],
)
def test_which_form_it_is_is_told_by_its_version(version: str, index: str) -> None:
    assert Pbs(call=lambda argv: version).index_variable == index


def test_an_element_of_an_array_of_torque_has_the_name_of_the_array() -> None:
    assert pbs.name_of({"Job_Name": "lp-0123456789ab-17"}) == "lp-0123456789ab"
    assert pbs.name_of({"Job_Name": "lp-123456789012"}) == "lp-123456789012"


def test_an_answer_that_makes_no_sense_is_none() -> None:
    with pytest.raises(ValueError, match="jobs were expected"):
        pbs.jobs_of("<html>503</html>")


@pytest.fixture
def fakes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put commands on the PATH; return the folder of their jobs. They may be asked often."""
    for module in (commands, queue, telling):
        monkeypatch.setattr(module, "QUERY", 0.1)
    state, programs = tmp_path / "pbs", tmp_path / "bin"
    for folder in (state, programs):
        folder.mkdir()
    for name in ("qsub", "qstat", "qsig", "qdel"):
        program = programs / name
        fake = Path(__file__).with_name("fake_pbs.py")
        call = f'exec "{sys.executable}" "{fake}" {name} "$@"'
        program.write_text(f'#!/bin/sh\nexport PBS_FAKE="{state}"\n{call}\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return state


class PbsContract(ExecutorContract):
    patience = 200.0
    fillers = 2
    options: ClassVar[Mapping[str, Any]] = {}
    state: Path

    @pytest.fixture
    def open_executor(self, tmp_path: Path, fakes: Path) -> Iterator[OpenExecutor]:
        self.state = fakes
        executors: list[Executor] = []

        def open_one(engine: str) -> Executor:
            executors.append(open_pbs(tmp_path / "home", engine, self.options))
            return executors[-1]

        yield open_one
        for one in executors:
            one.close()

    def unreachable(self, executor: Executor) -> Callable[[], None]:
        (self.state / "away").touch()
        return (self.state / "away").unlink

    def test_what_can_never_run_is_known_before_and_refused_alone(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """Only the server knows: it refuses what it is asked for."""
        bad = self.task(tmp_path, "bad", "true")
        strict = open_pbs(tmp_path / "home", "second", {"queue": "nowhere"})
        strict.submit([bad])
        report = self.reports(strict, [bad.key])[bad.key]
        strict.close()
        assert report.state is TaskState.REFUSED
        assert report.reason == "qsub: Unknown queue"


class TestArrays(PbsContract):
    pass


class TestBundlesWithoutPython(PbsContract):
    options: ClassVar[Mapping[str, Any]] = {"mode": "bundle", "python": "no-such-python"}

    def test_one_that_runs_is_stopped_and_the_others_go_on(
        self, executor: Executor, tmp_path: Path
    ) -> None:
        """PBS signals all processes of a job: those that begin a task must bear that as well."""
        script = "touch on; until [ -e go ]; do sleep 0.05; done; exit 5"
        tasks = [self.task(tmp_path, f"s{n}", script) for n in range(6)]
        executor.submit(tasks)
        first, *others = tasks
        self.running(executor, Path(first.outdir) / "on")
        executor.cancel([first.key], 0.2)
        assert self.reports(executor, [first.key])[first.key].state is TaskState.CANCELLED
        for one in others:
            (Path(one.outdir) / "go").touch()
        found = self.reports(executor, [one.key for one in others])
        assert {one.exit_code for one in found.values()} == {5}
        assert (next((tmp_path / "home").glob("batches/lp-*/alive"))).exists()

    def test_a_secret_is_known_to_its_task_alone(
        self, open_executor: OpenExecutor, tmp_path: Path
    ) -> None:
        """It is not even known to that, as nothing would keep it out of its logs."""
        executor, task = open_executor("first"), self.with_secrets(tmp_path)
        executor.submit([task])
        assert self.reports(executor, [task.key])[task.key].exit_code == 126
        assert "needs Python" in Path(task.stderr).read_text()
        left = {name: text for name, text in texts_below(tmp_path).items() if "login" not in name}
        assert found_in(left, (TOKEN, PASSWORD)) == []


def open_pbs(folder: Path, engine: str, options: Mapping[str, Any]) -> Executor:
    """Open an executor as an engine does."""
    [plugin] = localproc_pbs.localproc_executors()
    folder.mkdir(exist_ok=True)
    settings = ExecutorSettings(str(folder), engine, cores=0, ram=0, slots=0, options=options)
    return opened(plugin, settings)


def test_one_query_asks_for_all(tmp_path: Path, fakes: Path) -> None:
    executor = open_pbs(tmp_path / "home", "first", {})
    case = TestArrays()
    tasks: list[Task] = [case.task(tmp_path, f"s{n}", "sleep 1") for n in range(20)]
    executor.submit(tasks)
    case.reports(executor, [one.key for one in tasks])
    executor.close()
    calls = (fakes / "calls").read_text().splitlines()
    assert sum(call.startswith("qsub") for call in calls) == 1
    assert all(call == "qstat -f -t" for call in calls if call.startswith("qstat -f"))


def test_an_option_that_does_not_exist_is_refused(tmp_path: Path, fakes: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="the executor pbs has no option 'partition'"):
        open_pbs(tmp_path / "home", "first", {"partition": "x"})
