"""An engine may be killed at any moment; the job ends as it would have."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import localproc
from localproc import hookimpl
from localproc.engine.engine import namespace_of
from localproc.errors import ExecutorUnavailable
from localproc.executors.local import LocalExecutor
from localproc.model import Kind, StepStatus, Task
from localproc.model.events import TakenOver
from localproc.plugins.executor import ExecutorPlugin, ExecutorSettings
from tests.patience import patient, until

WORDS = ["one", "two", "three"]


def run_and_die(home: Path, packages: Path, notes: Path, moment: int | str) -> bool:
    """Run the package in a process that kills itself, as killer.py says; whether it did."""
    notes.mkdir(exist_ok=True)
    seed = notes.parent / "seed.txt"
    seed.write_text("seed\n")
    inputs = {"words": WORDS, "notes": str(notes), "seed": str(seed)}
    killer = Path(__file__).with_name("killer.py")
    package = packages / "resume.cwl"
    command = [sys.executable, str(killer), str(home), str(package), json.dumps(inputs)]
    command.append(str(moment))
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=patient(60)
    )
    assert ended.returncode in (0, -9), ended.stderr
    return ended.returncode == -9


def test_a_kill_at_every_commit_changes_nothing(tmp_path: Path, packages: Path) -> None:
    """Before and after every commit of the job's life."""
    number = 0
    while True:
        number += 1
        for moment in (-number, number):
            folder = tmp_path / str(moment)
            folder.mkdir()
            if not run_and_die(folder / "home", packages, folder / "notes", moment):
                assert number > 4, "the job has more boundaries than that"
                return
            resume_and_check(folder / "home", folder / "notes")


def resume_and_check(home: Path, notes: Path) -> None:
    with localproc.Engine(home, run_jobs=False) as engine:
        jobs = engine.jobs()
        ended = {
            step.name for job in jobs for step in job.steps if step.status is StepStatus.SUCCESSFUL
        }
        logs = {path: path.stat().st_mtime_ns for job in jobs for path in ended_logs(job, ended)}
        noted_before = {path.name: path.read_text() for path in notes.iterdir()}
    with localproc.Engine(home) as engine:
        if not jobs:
            return  # killed before the job was accepted: nothing was promised
        job = engine.job(jobs[0].id).wait(patient(30))
        assert job.status == "successful", job.problem
        assert job.result("all").read_text() == "seed\none\nseed\ntwo\nseed\nthree\n3 words\n"
        names = [step.name for step in job.steps]
        assert sorted(names) == sorted(
            ["stage_in", "say", "say_2", "say_3", "count", "join", "stage_out"]
        )
        for path, changed in logs.items():
            assert path.stat().st_mtime_ns == changed, f"{path.name} was written again"
        for name, words in (("say", WORDS[0]), ("say_2", WORDS[1]), ("say_3", WORDS[2])):
            if name in ended:
                assert (notes / words).read_text() == noted_before[words], f"{name} ran again"


def ended_logs(job: localproc.Job, ended: set[str]) -> list[Path]:
    return [
        Path(job.folder) / "logs" / step.log
        for step in job.steps
        if step.name in ended and (Path(job.folder) / "logs" / step.log).exists()
    ]


def test_tasks_that_outlive_the_engine_are_not_run_again(tmp_path: Path, packages: Path) -> None:
    """What runs while the engine is dead is taken over, not started anew."""
    assert run_and_die(tmp_path / "home", packages, tmp_path / "notes", 3)
    with localproc.Engine(tmp_path / "home") as engine:
        job = engine.jobs()[0].wait(patient(30))
        taken = [event.engine for event in job.events() if isinstance(event, TakenOver)]
        assert taken == [job.record.owner]
        attempts = {step.name: step.attempt for step in job.steps if step.name.startswith("say")}
        noted = sorted(path.name for path in (tmp_path / "notes").iterdir())
    assert job.status == "successful"
    assert noted == sorted([*WORDS, "join"])
    for word in WORDS:
        runs = (tmp_path / "notes" / word).read_text().count("x")
        assert runs == 1, f"{word} ran {runs} times; attempts: {attempts}"


def test_an_engine_without_jobs_removes_what_those_that_were_killed_have_left(
    tmp_path: Path, packages: Path
) -> None:
    """The last one was killed when its job had ended, so there is nothing to go on with."""
    home = tmp_path / "home"
    with localproc.Engine(home) as engine:
        engine.deploy(packages / "echo.cwl").execute({"message": "hello"}).wait(patient(30))
        kept = Path(shutil.copytree(home / "keepers", tmp_path / "kept"))
    shutil.copytree(kept, home / "keepers", dirs_exist_ok=True)
    assert list((home / "keepers").iterdir())
    with localproc.Engine(home) as engine:
        assert engine.resume() == []
    assert not list((home / "keepers").iterdir())


def test_a_dismissal_asked_for_while_nobody_runs_the_job(tmp_path: Path, packages: Path) -> None:
    assert run_and_die(tmp_path / "home", packages, tmp_path / "notes", 3)
    with localproc.Engine(tmp_path / "home", adopt=False) as engine:
        job = engine.jobs()[0]
        namespace_of(engine).runtime.store.request_dismiss(job.id)
    with localproc.Engine(tmp_path / "home") as engine:
        job = engine.jobs()[0].wait(patient(30))
    assert job.status == "dismissed"


def test_a_failure_recorded_before_the_kill_stays_a_failure(tmp_path: Path, packages: Path) -> None:
    killer = Path(__file__).with_name("killer.py")
    package = packages / "three-steps.cwl"
    for number in range(1, 12):
        home = tmp_path / str(number)
        inputs = json.dumps({"text": "hello", "code": 3})
        command = [sys.executable, str(killer), str(home), str(package), inputs, str(number)]
        ended = subprocess.run(command, capture_output=True, check=False, timeout=patient(60))
        with localproc.Engine(home) as engine:
            job = engine.jobs()[0].wait(patient(30))
            kinds = [event.kind for event in job.events()]
        assert job.status == "failed"
        assert kinds.count(Kind.FAILED) == 1
        assert job.problem["step"] == "second"
        assert job.problem["exitCode"] == 3
        if ended.returncode == 0:
            return
    pytest.fail("the job never ended by itself")


def test_opening_the_home_to_look_takes_nothing_over(tmp_path: Path, packages: Path) -> None:
    assert run_and_die(tmp_path / "home", packages, tmp_path / "notes", 2)
    with localproc.Engine(tmp_path / "home", run_jobs=False) as engine:
        job = engine.jobs()[0]
        assert job.status in ("accepted", "running")
    with localproc.Engine(tmp_path / "home", run_jobs=False) as engine:
        assert engine.jobs()[0].status == job.status


def test_a_job_whose_engine_has_gone_since_it_was_read_is_looked_at_again(
    tmp_path: Path, packages: Path
) -> None:
    """Another one may have taken it over, or it has ended: that nobody runs it is not so."""
    assert run_and_die(tmp_path / "home", packages, tmp_path / "notes", 3)
    with localproc.Engine(tmp_path / "home", run_jobs=False) as looking:
        seen, read = namespace_of(looking), looking.jobs()[0].record
        assert not seen.is_attended(read)
        with localproc.Engine(tmp_path / "home") as engine:
            engine.job(read.id).wait(patient(30))
        assert seen.is_attended(read)


class Unreachable:
    """A plugin with the local executor as one that cannot be reached at first."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    @hookimpl
    def localproc_executors(self) -> list[ExecutorPlugin]:
        return [ExecutorPlugin("far", self.open)]

    def open(self, settings: ExecutorSettings) -> LocalExecutor:
        executor = LocalExecutor(settings)
        reattach = executor.reattach

        def reluctantly(tasks: Sequence[Task]) -> None:
            self.refusals -= 1
            if self.refusals >= 0:
                raise ExecutorUnavailable("nobody answers")
            reattach(tasks)

        executor.reattach = reluctantly  # type: ignore[method-assign]
        return executor


def test_a_job_waits_while_its_executor_cannot_be_reached(tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/ran; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "slow",
        "baseCommand": ["sh", "-c", script],
        "inputs": [],
        "outputs": [],
    }
    engine = localproc.Engine(tmp_path / "home", plugins=[Unreachable(0)])
    job = engine.deploy(package).execute({}, executor="far")
    until((tmp_path / "ran").exists)
    engine.close()
    (tmp_path / "go").touch()
    with localproc.Engine(tmp_path / "home", plugins=[Unreachable(1)]) as engine:
        job = engine.job(job.id).wait(patient(30))
    assert job.status == "successful", job.problem
    assert (tmp_path / "ran").read_text() == "x\n", "it was taken over, not run again"


@pytest.mark.parametrize("left", [("work", "inputs"), ("inputs",)])
def test_what_a_killed_engine_was_about_to_remove_is_removed(
    tmp_path: Path, left: Sequence[str]
) -> None:
    tool = {"cwlVersion": "v1.2", "class": "CommandLineTool", "id": "nothing"}
    package: dict[str, object] = {**tool, "baseCommand": "true", "inputs": [], "outputs": []}
    with localproc.Engine(tmp_path) as engine:
        job = engine.run(package).raise_for_status()
    folder = Path(job.folder)
    for name in left:
        (folder / name / "scene_1").mkdir(parents=True)
    with localproc.Engine(tmp_path) as engine:
        engine.run(package)  # whoever runs nothing tidies nothing
    assert [one.name for one in folder.iterdir()] == ["logs"]
