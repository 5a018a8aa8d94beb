"""How jobs go on: retries of steps, after a failure, within a time, once; and honest reuse."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc import Engine, JobFailed
from localproc.engine.home import clock
from localproc.errors import Conflict, InvalidInputs
from localproc.model import JobStatus, StepStatus
from localproc.model.events import StepRetrying, StepSubmitted
from tests.children import child
from tests.patience import patient, until

#: Fails with an exit code until there are so many lines in a file of notes.
FLAKY: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "flaky",
    "baseCommand": [
        "sh",
        "-c",
        'echo try >> "$0"; echo trying >&2; test "$(wc -l < "$0")" -gt "$1" || exit "$2"',
    ],
    "inputs": {
        "notes": {"type": "string", "inputBinding": {"position": 1}},
        "failures": {"type": "int", "inputBinding": {"position": 2}},
        "code": {"type": "int", "default": 75, "inputBinding": {"position": 3}},
    },
    "outputs": {},
}
SLEEPER: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "sleeper",
    "baseCommand": ["sleep", "600"],
    "inputs": {},
    "outputs": {},
}
ECHO: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "say",
    "baseCommand": ["sh", "-c", 'echo "$0"; echo said >&2'],
    "inputs": {"word": {"type": "string", "inputBinding": {}}},
    "stdout": "out.txt",
    "outputs": {"out": {"type": "stdout"}},
}


def lines(notes: Path) -> int:
    return len(notes.read_text().splitlines()) if notes.exists() else 0


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


# Retries


def test_a_step_is_tried_again_and_keeps_its_log(tmp_path: Path, notes: Path) -> None:
    rule = {"attempts": 3, "delay": 0.01, "on": [75]}
    with Engine(tmp_path / "home") as engine:
        job = engine.run(FLAKY, {"notes": str(notes), "failures": 2}, retries=rule)
        assert job.raise_for_status().logs("flaky").stderr == "trying\n" * 3
        (step,) = job.steps
        assert (step.status, step.attempt) == (StepStatus.SUCCESSFUL, 3)
        assert [one.attempt for one in job.events() if isinstance(one, StepRetrying)] == [1, 2]


def test_rules_of_the_home_hold_for_its_jobs(tmp_path: Path, notes: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.yml").write_text("retries: {flaky: {attempts: 2, delay: 0}}\n")
    with Engine(tmp_path / "home") as engine:
        engine.run(FLAKY, {"notes": str(notes), "failures": 1}).raise_for_status()
        assert lines(notes) == 2
        own = engine.run(FLAKY, {"notes": str(notes), "failures": 9}, retries={"flaky": 0})
        assert own.status is JobStatus.FAILED
        assert lines(notes) == 3, "the job's own rules come first"


@pytest.mark.parametrize("wrong", [{"crop": {"tries": 1}}, {"on": "now and then"}, -3])
def test_rules_that_make_no_sense_are_refused(tmp_path: Path, notes: Path, wrong: Any) -> None:
    with Engine(tmp_path / "home") as engine:
        with pytest.raises(InvalidInputs):
            engine.run(FLAKY, {"notes": str(notes), "failures": 0}, retries=wrong)
        assert engine.jobs() == []
    with pytest.raises(InvalidInputs):
        Engine(tmp_path / "home", retries=wrong)


WAITER = """
import sys, localproc
from localproc.errors import LocalprocError
engine = localproc.Engine(sys.argv[1])
rule = {"attempts": 2, "delay": float(sys.argv[4])}
inputs = {"notes": sys.argv[3], "failures": 1}
job = engine.deploy(sys.argv[2]).execute(inputs, retries=rule)
print(job.id, flush=True)
job.wait()
"""


class AnHourLater(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "AnHourLater":
        return cls.fromtimestamp(datetime.now(tz).timestamp() + 3600, tz)


def test_a_waiting_retry_is_told_of_and_survives_its_engine(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "flaky.cwl"
    package.write_text(json.dumps(FLAKY))
    words = [str(tmp_path / "home"), str(package), str(notes), "3600"]
    command = [sys.executable, "-c", WAITER, *words]
    with child(command, stdout=subprocess.PIPE, text=True) as engine:
        assert engine.stdout is not None
        job_id = engine.stdout.readline().strip()
        with Engine(tmp_path / "home", run_jobs=False) as looking:
            job = looking.job(job_id)
            until(lambda: any(one.due for one in job.steps))
            (step,) = job.steps
            assert step.status is StepStatus.ACCEPTED
            assert step.reason == "attempt 1 failed with exit code 75"
            told = job.status_info()["steps"][0]
            assert told["due"]
            assert told["reason"] == step.reason
        os.kill(engine.pid, signal.SIGKILL)
    monkeypatch.setattr(clock, "datetime", AnHourLater)
    with Engine(tmp_path / "home") as again:
        job = again.job(job_id)
        assert job.wait(patient(60)).status is JobStatus.SUCCESSFUL
        tries = [one for one in job.events() if isinstance(one, StepSubmitted)]
        (waited,) = [one for one in job.events() if isinstance(one, StepRetrying)]
        assert [one.attempt for one in tries] == [1, 2]
        assert tries[1].at >= waited.due, "not before its time"
        assert lines(notes) == 2


def test_many_attempts_have_folders_of_their_own(tmp_path: Path, notes: Path) -> None:
    with Engine(tmp_path / "home", keep=True) as engine:
        job = engine.run(
            FLAKY, {"notes": str(notes), "failures": 4}, retries={"attempts": 5, "delay": 0}
        )
        job.raise_for_status()
        work = Path(job.folder) / "work"
        assert {one.name for one in work.iterdir()} >= {"flaky", "flaky.2", "flaky.5"}


# Going on after a failure


def test_all_failures_of_a_scatter_are_told(tmp_path: Path) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "wide",
        "requirements": {"ScatterFeatureRequirement": {}},
        "inputs": {"codes": "int[]"},
        "outputs": {},
        "steps": {
            "one": {
                "run": {
                    "class": "CommandLineTool",
                    "id": "end",
                    "baseCommand": ["sh", "-c", 'exit "$0"'],
                    "inputs": {"code": {"type": "int", "inputBinding": {}}},
                    "outputs": {},
                },
                "scatter": "code",
                "in": {"code": "codes"},
                "out": [],
            }
        },
    }
    with Engine(tmp_path / "home", slots=1) as engine:
        job = engine.run(package, {"codes": [3, 0, 4, 0]}, keep_going=True)
        assert job.status is JobStatus.FAILED
        assert sorted(str(one.status) for one in job.steps) == ["failed"] * 2 + ["successful"] * 2
        assert {one["exitCode"] for one in job.problem["failures"]} == {3, 4}
        with pytest.raises(JobFailed) as failed:
            job.results()
        assert "2 steps failed" in str(failed.value)
        assert "exit code 4" in str(failed.value)


# Within a time


def test_a_job_is_stopped_at_its_time_limit(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.run(SLEEPER, {}, time_limit=0.2)
        assert job.status is JobStatus.FAILED
        assert job.problem["cause"] == "time-limit"
        assert job.problem["detail"] == (
            "the job was stopped: it took longer than its time limit of 0.2 s"
        )
        assert {str(one.status) for one in job.steps} <= {"dismissed"}


@pytest.mark.parametrize("wrong", [0, -1, "soon", float("inf"), "5 weeks"])
def test_a_time_limit_that_makes_no_sense_is_refused(tmp_path: Path, wrong: Any) -> None:
    with Engine(tmp_path / "home") as engine, pytest.raises(InvalidInputs, match="time limit"):
        engine.run(SLEEPER, {}, time_limit=wrong)


def test_a_job_of_a_higher_priority_is_taken_up_first(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", active=1, slots=1) as engine:
        process = engine.deploy(ECHO)
        waiting = engine.deploy(SLEEPER).execute({})
        until(lambda: waiting.status is JobStatus.RUNNING)
        low, high = (process.execute({"word": "a"}, priority=number) for number in (-1, 5))
        waiting.dismiss()
        for job in (low, high):
            job.wait(patient(60))
        first, second = high.record.started, low.record.started
        assert first is not None
        assert second is not None
        assert first <= second


# Once


def test_what_was_done_once_is_given_back(tmp_path: Path, notes: Path) -> None:
    inputs = {"notes": str(notes), "failures": 0}
    with Engine(tmp_path / "home") as engine:
        job = engine.run(FLAKY, inputs, once="k")
        assert engine.run(FLAKY, inputs, once="k").id == job.id
        assert lines(notes) == 1
        assert engine.run(FLAKY, inputs, once="other").id != job.id
        with pytest.raises(Conflict, match=job.id):
            engine.run(ECHO, {"word": "a"}, once="k")
    with Engine(tmp_path / "home") as engine:
        assert engine.run(FLAKY, inputs, once="k").id == job.id


def test_what_has_failed_is_done_again(tmp_path: Path, notes: Path) -> None:
    inputs = {"notes": str(notes), "failures": 1, "code": 1}
    with Engine(tmp_path / "home") as engine:
        failed = engine.run(FLAKY, inputs, once="k")
        assert failed.status is JobStatus.FAILED
        again = engine.run(FLAKY, inputs, once="k")
        assert again.id != failed.id
        assert again.status is JobStatus.SUCCESSFUL


def test_of_many_who_ask_at_once_one_makes_the_job(tmp_path: Path, notes: Path) -> None:
    inputs = {"notes": str(notes), "failures": 0}
    found: set[str] = set()
    with Engine(tmp_path / "home") as engine, Engine(tmp_path / "home") as other:
        processes = [one.deploy(FLAKY) for one in (engine, other)]
        begin = threading.Barrier(8)

        def ask(number: int) -> None:
            begin.wait()
            found.add(processes[number % 2].execute(inputs, once="k").wait(patient(60)).id)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 1
    assert lines(notes) == 1


# Honest reuse


def test_reuse_is_a_setting_of_the_home_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"

    def is_reused(**settings: Any) -> bool:
        with Engine(home, **settings) as engine:
            job = engine.run(ECHO, {"word": "a"}).raise_for_status()
            return any(step.status is StepStatus.REUSED for step in job.steps)

    assert not is_reused()
    monkeypatch.setenv("LOCALPROC_REUSE", "yes")
    assert not is_reused(), "nothing was kept until now"
    assert is_reused()
    assert not is_reused(reuse=False)
    monkeypatch.delenv("LOCALPROC_REUSE")
    assert not is_reused()
    (home / "settings.yml").write_text("reuse: true\n")
    assert is_reused()
    monkeypatch.setenv("LOCALPROC_REUSE", "no")
    assert not is_reused(), "the environment counts more than the file"
    monkeypatch.setenv("LOCALPROC_REUSE", "perhaps")
    with pytest.raises(InvalidInputs, match="LOCALPROC_REUSE"):
        Engine(home)


def test_a_reused_step_has_the_log_of_the_step_that_ran(tmp_path: Path) -> None:
    with localproc.Engine(tmp_path / "home", reuse=True) as engine:
        first = engine.run(ECHO, {"word": "a"})
        second = engine.run(ECHO, {"word": "a"})
        (step,) = [one for one in second.steps if one.key == "say"]
        assert (step.status, step.reused_from, step.reused_step) == ("reused", first.id, "say")
        assert second.logs("say").stderr == "said\n"
        engine.delete(first.id)
        assert second.logs("say").stderr == "said\n", "though the other job is gone"
        assert engine.run(ECHO, {"word": "a"}).logs("say").stderr == "said\n"


# What is left


DIES = """
import os, signal, sys, localproc
from localproc.engine.loop.background import Background
Background.clean_up = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
engine = localproc.Engine(sys.argv[1], keep=sys.argv[3] == "keep")
engine.run(sys.argv[2], {"word": "a"})
engine.close()
"""


@pytest.mark.parametrize("keep", ["", "keep"])
def test_what_an_engine_could_not_remove_is_removed_by_the_next(tmp_path: Path, keep: str) -> None:
    package = tmp_path / "say.cwl"
    package.write_text(json.dumps(ECHO))
    home = tmp_path / "home"
    command = [sys.executable, "-c", DIES, str(home), str(package), keep]
    subprocess.run(command, check=False, timeout=patient(60))
    with Engine(home) as engine:
        (job,) = engine.jobs()
        assert job.status is JobStatus.SUCCESSFUL
        work = Path(job.folder) / "work"
        assert work.exists()
        engine.run(ECHO, {"word": "b"})
        if not keep:
            until(lambda: not work.exists())
    assert work.exists() is bool(keep), "what somebody wanted to keep is kept"
    assert job.logs("say").stderr == "said\n"
