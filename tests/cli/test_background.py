"""Jobs that outlive the command that started them, and commands that are cut short."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from localproc import Engine, Job
from localproc.engine.detached import announced
from localproc.engine.engine import namespace_of
from tests.cli.terminal import Said, elsewhere, end_of, localproc, started
from tests.patience import patient, until


def job_of(home: Path) -> Job:
    """Wait for the one job of a home to run; give it, to look at."""
    until(lambda: (home / "localproc.db").exists())
    engine = Engine(home, run_jobs=False)
    job: Job = until(lambda: engine.jobs(status="running"))[0]
    until(lambda: job.steps and any(step.start for step in job.steps))
    return job


def text_of(job: Job, step: str, text: str) -> None:
    """Wait until a step has written something."""
    until(lambda: any(one.name == step for one in job.steps) and text in job.logs(step).text)


# localproc execute


def test_execute_prints_the_id_and_returns_at_once(sleeper: Path, home: Path) -> None:
    said = elsewhere("execute", sleeper)  # which sleeps for longer than a command may take here
    assert said.code == 0
    job = job_of(home)
    assert said.out == f"{job.id}\n"
    assert said.err == ""
    pid = int(until(lambda: job.logs("sleeper").stderr))
    assert psutil.pid_exists(pid)
    assert localproc("dismiss", job.id).out == f"{job.id}: dismissed\n"
    until(lambda: not psutil.pid_exists(pid))


def test_execute_runs_the_job_to_its_end_in_the_background(packages: Path, home: Path) -> None:
    said = elsewhere("execute", packages / "echo.cwl", "message=hello", "--tag", "a", "--json")
    assert said.document["status"] == "accepted"
    assert said.document["properties"]["tags"] == ["a"]
    with Engine(home, run_jobs=False) as engine:
        job = engine.job(said.document["jobID"]).wait(patient(15))
        assert job.result("said").read_text() == "hello\n"
        until(lambda: list(namespace_of(engine).alive()) == [])


@pytest.mark.parametrize(("code", "exit_code"), [(0, 0), (3, 1)])
def test_execute_waits_if_so_wished(packages: Path, code: int, exit_code: int) -> None:
    package = packages / "three-steps.cwl"
    said = elsewhere("execute", "--wait", package, "text=hello", f"code={code}")
    assert said.code == exit_code
    if code:
        assert "failed: step second failed with exit code 3" in said.err
    else:
        assert Path(said.out.strip().partition(": ")[2]).read_text() == "hello\n"


def test_two_jobs_share_one_process_in_the_background(sleeper: Path, home: Path) -> None:
    ids = [elsewhere("execute", sleeper).out.strip() for _ in range(2)]
    with Engine(home, run_jobs=False) as engine:

        def settled() -> bool:
            owners = {engine.job(job_id).record.owner for job_id in ids}
            alive = list(namespace_of(engine).alive())
            return len(alive) == 1 and owners == {alive[0][0]}

        until(settled)
        for job_id in ids:
            until(lambda job_id=job_id: engine.job(job_id).status == "running")  # type: ignore[misc]
        until(settled)  # the second process may just have come, to see that there is one


def test_a_process_that_is_on_its_way_to_a_job_counts_as_running_it(
    packages: Path, home: Path
) -> None:
    with Engine(home, run_jobs=False) as engine:
        job = engine.deploy(packages / "echo.cwl").execute({"message": "x"})
        seen = [job.abandoned]
        with announced(str(home)) as arrival:
            handed_on = os.dup(arrival)
        seen.append(job.abandoned)
        os.close(handed_on)
        seen.append(job.abandoned)
    assert seen == [True, False, True], "until whoever was started has arrived, or died"


def test_execute_refuses_what_run_refuses(packages: Path, home: Path) -> None:
    said = elsewhere("execute", packages / "echo.cwl", "massage=x")
    assert said.code == 2
    assert "did you mean 'message'?" in said.err
    with Engine(home, run_jobs=False) as engine:
        assert engine.jobs() == []
        assert list(namespace_of(engine).alive()) == []


def test_tasks_work_in_the_background_where_they_were_told_to(
    packages: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("execute", "--wait", "--keep", "--work", "work", packages / "echo.cwl", "message=x")
    said = elsewhere(*words)
    assert said.code == 0, said.err
    assert [one.name for one in (tmp_path / "work").glob("*/jobs/*/work/*")] == ["echo"]


# localproc logs --follow

COUNTS = """\
cwlVersion: v1.2
class: CommandLineTool
id: counts
baseCommand:
  - sh
  - -c
  - >-
    for n in 1 2 3; do
    echo out $n; echo err $n >&2; while [ -e "$0" ]; do sleep 0.05; done;
    done
inputs: {while_there_is: {type: string, inputBinding: {}}}
outputs: {}
"""


def test_a_log_is_followed_while_it_is_written(here: Path, home: Path) -> None:
    (here / "counts.cwl").write_text(COUNTS)
    (here / "gate").touch()
    elsewhere("execute", "counts.cwl", f"while_there_is={here / 'gate'}")
    job = job_of(home)
    with started("logs", "last", "counts", "--follow") as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert not job.status.final, "the first line came before the end"
        (here / "gate").unlink()
        rest = end_of(process)
    assert (rest.code, rest.err) == (0, "")
    assert sorted([first, *rest.out.splitlines(keepends=True)]) == [
        f"{stream} {number}\n" for stream in ("err", "out") for number in (1, 2, 3)
    ], "what tools say of themselves can be searched through a pipe"


def test_all_steps_are_followed_as_they_start(here: Path, home: Path) -> None:
    (here / "counts.cwl").write_text(COUNTS)
    elsewhere("execute", "counts.cwl", "while_there_is=nothing")
    said = elsewhere("logs", "--follow", "--stream", "stdout")
    assert said == Said(0, "[counts] out 1\n[counts] out 2\n[counts] out 3\n", "")


# Ends that nobody wished for

TWO = """\
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: two
    requirements: {StepInputExpressionRequirement: {}}
    inputs: {notes: string}
    outputs: {said: {type: File, outputSource: second/out}}
    steps:
      first: {run: "#note", in: {notes: notes}, out: [out]}
      second: {run: "#note", in: {notes: notes, waits: {default: 1}, after: first/out}, out: [out]}
  - class: CommandLineTool
    id: note
    baseCommand:
      - sh
      - -c
      - >-
        echo begun >&2; echo x >> "$1";
        while [ $0 = 1 ] && [ -e "$1.wait" ]; do sleep 0.05; done;
        echo done
    inputs:
      waits: {type: int, default: 0, inputBinding: {position: 1}}
      notes: {type: string, inputBinding: {position: 2}}
      after: File?
    stdout: out.txt
    outputs: {out: stdout}
"""


def killed(here: Path, home: Path, *words: object) -> Job:
    """Run the two steps, and kill the command while the second one waits; give the job."""
    (here / "two.cwl").write_text(TWO)
    (here / "notes.wait").touch()
    with started("run", "two.cwl", f"notes={here / 'notes'}", *words) as process:
        job = job_of(home)
        text_of(job, "second", "begun")
        process.send_signal(signal.SIGKILL)
        assert process.wait(patient(10)) == -signal.SIGKILL
    assert not job.status.final
    return job


def test_a_job_is_resumed_after_its_command_was_killed(here: Path, home: Path) -> None:
    job = killed(here, home)
    (here / "notes.wait").unlink()
    log = (Path(job.folder) / "logs" / "node_first.log").stat().st_mtime_ns
    said = elsewhere("resume")
    assert (said.code, said.out) == (0, f"{job.id}: successful\n")
    assert (here / "notes").read_text() == "x\nx\n", "each step ran once"
    assert (Path(job.folder) / "logs" / "node_first.log").stat().st_mtime_ns == log
    assert {step.name: step.attempt for step in job.steps}["second"] == 1
    assert job.result("said").read_text() == "done\n"


def test_jobs_of_every_namespace_are_resumed(packages: Path, home: Path) -> None:
    with Engine(home) as engine:
        process = engine.within("acme").deploy(packages / "echo.cwl")
        job = process.execute({"message": "hello"}, detached=True)
    said = elsewhere("resume")
    assert (said.code, said.out) == (0, f"{job.id}: successful\n")
    with Engine(home, run_jobs=False) as engine:
        assert engine.within("acme").job(job.id).result("said").read_text() == "hello\n"


def test_a_resumed_job_puts_its_results_where_they_were_wanted(
    here: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = killed(here, home, "--results", "wanted")
    (here / "notes.wait").unlink()
    monkeypatch.chdir(tmp_path)
    document = elsewhere("resume", "--json").document
    assert [one["status"] for one in document["jobs"]] == ["successful"]
    assert (here / "wanted" / job.id / "out.txt").read_text() == "done\n"


def processes_of(job: Job) -> list[psutil.Process]:
    """Give the processes that know a folder of the job from their environment."""
    found = psutil.process_iter(["environ"])
    return [one for one in found if job.folder in str(one.info["environ"])]


def test_a_killed_job_is_dismissed_by_anybody(here: Path, home: Path) -> None:
    job = killed(here, home)
    assert processes_of(job) != []
    assert elsewhere("dismiss", "last").out == f"{job.id}: dismissed\n"
    assert processes_of(job) == []


# Ctrl-C


def interrupted(process: Any) -> str:
    """Press Ctrl-C; give the line that is said to it."""
    process.send_signal(signal.SIGINT)
    line = ""
    while "dismissing" not in line:
        line = process.stderr.readline()
        assert line, "it ended without a word"
    return line


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_ctrl_c_dismisses_the_job(sleeper: Path, home: Path, form: list[str]) -> None:
    with started("run", *form, sleeper) as process:
        job = job_of(home)
        pid = int(until(lambda: job.logs("sleeper").stderr))
        line = interrupted(process)
        assert line == f"dismissing {job.id} (Ctrl-C again to leave at once)\n"
        said = end_of(process)
    assert said.code == 3
    assert job.status == "dismissed"
    assert not psutil.pid_exists(pid)
    if form:
        assert said.document["status"] == "dismissed"


@contextmanager
def held(process: psutil.Process | None) -> Iterator[None]:
    """Keep a process from doing anything."""
    assert process is not None
    process.suspend()
    try:
        yield
    finally:
        process.resume()


STUBBORN = """\
cwlVersion: v1.2
class: CommandLineTool
id: stubborn
baseCommand: [sh, -c, 'trap "" TERM; echo $$ >&2; exec sleep 300']
inputs: {}
outputs: {}
"""


def test_ctrl_c_twice_leaves_at_once(here: Path, home: Path) -> None:
    (here / "stubborn.cwl").write_text(STUBBORN)
    with started("run", "stubborn.cwl") as process:
        job = job_of(home)
        tool = psutil.Process(int(until(lambda: job.logs("stubborn").stderr)))
        with held(tool.parent()):  # whoever would stop it
            interrupted(process)
            until(lambda: job.record.dismiss_requested)
            process.send_signal(signal.SIGINT)
            said = end_of(process)
    assert said.code == 130
    assert f"left: see it to its end with 'localproc dismiss {job.id}'" in said.err
    assert "Traceback" not in said.err
    assert elsewhere("dismiss", job.id).out == f"{job.id}: dismissed\n"


def test_ctrl_c_leaves_what_is_resumed(here: Path, home: Path) -> None:
    job = killed(here, home)
    with started("resume") as process:
        until(lambda: process.stderr and "second: running" in process.stderr.readline())
        process.send_signal(signal.SIGINT)
        said = end_of(process)
    assert said.code == 130
    *told, last = said.err.splitlines()
    assert set(told) <= {"second: running"}, "a step that is seen to run later is told again"
    assert last == "left: go on with 'localproc resume'"
    (here / "notes.wait").unlink()
    assert elsewhere("resume").out == f"{job.id}: successful\n"


def test_an_owner_that_is_stopped_is_named_by_who_waits_for_it(sleeper: Path, home: Path) -> None:
    with started("run", sleeper) as owner:
        job_of(home)
        owner.send_signal(signal.SIGSTOP)
        with started("dismiss", "last") as dismissal:
            assert dismissal.stderr is not None
            said = dismissal.stderr.readline()
            assert f"process {owner.pid}, which runs it, is stopped" in said
            assert f"kill -CONT {owner.pid}" in said
            owner.send_signal(signal.SIGCONT)
            assert end_of(dismissal).code == 0
        assert end_of(owner).code == 3


def test_who_resumes_is_told_of_an_owner_that_is_stopped(sleeper: Path, home: Path) -> None:
    with started("run", sleeper) as owner:
        job = job_of(home)
        owner.send_signal(signal.SIGSTOP)
        with started("resume") as resumed:
            assert resumed.stderr is not None
            said = resumed.stderr.readline()
            assert f"{job.id}: process {owner.pid}, which runs it, is stopped" in said
            resumed.send_signal(signal.SIGINT)
            assert end_of(resumed).code == 130
        owner.send_signal(signal.SIGCONT)
        owner.send_signal(signal.SIGINT)
        assert end_of(owner).code == 3
