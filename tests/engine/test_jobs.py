"""Jobs from acceptance to their end, through the public API."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

import localproc
from localproc import Engine, JobFailed
from localproc.engine.engine import namespace_of
from localproc.engine.job.steplog import StepLog
from localproc.errors import (
    DuplicatedProcess,
    EnvironmentProblem,
    JobDismissed,
    NoSuchJob,
    NoSuchOutput,
    NoSuchProcess,
    NoSuchStep,
    ProcessInUse,
    ResultsNotReady,
    UnsupportedPackage,
)
from localproc.store import SqliteStore
from tests.patience import patient, until

SLEEPER = """
cwlVersion: v1.2
class: CommandLineTool
id: sleeper
baseCommand: [sh, -c, 'sleep $0 & echo "$$ $!" >&2; wait']
inputs: {seconds: {type: float, default: 300, inputBinding: {}}}
outputs: {}
"""


@pytest.fixture
def engine(localproc_engine: Engine) -> Engine:
    return localproc_engine


def sleeping(job: localproc.Job) -> list[int]:
    """Wait until the sleeper sleeps; give its processes."""
    until(lambda: job.steps and len(job.logs().stderr.split()) == 2)
    return [int(pid) for pid in job.logs().stderr.split()]


def test_a_job_from_package_to_result(engine: Engine, packages: Path) -> None:
    job = engine.run(packages / "echo.cwl", {"message": "hello"})
    assert job.status == "successful"
    assert job.results()["said"].read_text() == "hello\n"
    assert job.result("said").parent == engine.home / "results" / job.id
    assert (job.progress, job.message) == (100, "successful")
    assert [step.name for step in job.steps] == ["echo", "stage_out"]
    assert job.record.created <= job.record.started <= job.record.finished  # type: ignore[operator]


def test_an_engine_does_not_wait_for_what_was_deleted(tmp_path: Path, packages: Path) -> None:
    with Engine(tmp_path) as engine:
        job = engine.run(packages / "echo.cwl", {"message": "x"})
        assert engine.delete(job.id)


def test_results_are_there_when_the_engine_is_closed(tmp_path: Path, packages: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.deploy(packages / "echo.cwl").execute({"message": "hello"})
    assert job.results()["said"].read_text() == "hello\n"
    with pytest.raises(EnvironmentProblem, match="the engine is closed"):
        engine.execute("echo", {"message": "again"})


def test_running_in_one_call(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = localproc.run(packages / "echo.cwl", {"message": "hello"})
    assert job.result("said").read_text() == "hello\n"
    with pytest.raises(JobFailed, match="step second failed with exit code 3"):
        localproc.run(packages / "three-steps.cwl", {"text": "x", "code": 3})


def test_a_failure_tells_its_story(engine: Engine, packages: Path) -> None:
    job = engine.run(packages / "three-steps.cwl", {"text": "hello", "code": 3})
    assert job.status == "failed"
    assert job.message == "step second failed with exit code 3"
    with pytest.raises(JobFailed) as error:
        job.results()
    failed = error.value
    assert (failed.step, failed.exit_code, failed.stderr) == (
        "second",
        3,
        ("one line", "this is why"),
    )
    assert Path(failed.log).read_text() == "one line\nthis is why\n"
    assert failed.hint
    assert [(step.name, step.status) for step in job.steps] == [
        ("first", "successful"),
        ("second", "failed"),
    ]
    problem = failed.to_problem()
    assert problem["exitCode"] == 3
    assert problem["stderrTail"] == ["one line", "this is why"]


@pytest.mark.localproc(cores=2, slots=2)
def test_a_failing_step_stops_the_others(engine: Engine, tmp_path: Path) -> None:
    on = tmp_path / "on"
    package = {
        "cwlVersion": "v1.2",
        "$graph": [
            {
                "class": "Workflow",
                "id": "main",
                "inputs": [],
                "outputs": [],
                "steps": [
                    {"id": "fails", "run": "#fails", "in": [], "out": []},
                    {"id": "sleeps", "run": "#sleeps", "in": [], "out": []},
                ],
            },
            tool("fails", f"until [ -e {on} ]; do sleep 0.02; done; exit 1"),
            tool("sleeps", f"touch {on}; exec sleep 300"),
        ],
    }
    job = engine.run(package)
    assert {step.name: step.status for step in job.steps} == {
        "fails": "failed",
        "sleeps": "dismissed",
    }


def tool(name: str, script: str) -> dict[str, object]:
    return {
        "class": "CommandLineTool",
        "id": name,
        "baseCommand": ["sh", "-c", script],
        "inputs": [],
        "outputs": [],
    }


def test_a_step_that_fails_before_it_starts_stops_what_was_started_with_it(engine: Engine) -> None:
    tool = {
        "class": "CommandLineTool",
        "baseCommand": ["sh", "-c", "echo $$ >&2; exec sleep 300"],
        "inputs": {"n": "int", "m": "string"},
        "outputs": {},
    }
    step = {
        "run": tool,
        "scatter": "n",
        "in": {"n": "n", "m": {"valueFrom": "${ if (inputs.n > 1) throw 'no'; return 'x'; }"}},
        "out": [],
    }
    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "both",
        "requirements": {
            "InlineJavascriptRequirement": {},
            "ScatterFeatureRequirement": {},
            "StepInputExpressionRequirement": {},
        },
        "inputs": {"n": "int[]"},
        "outputs": {},
        "steps": {"s": step},
    }
    job = engine.run(package, {"n": [1, 2]})
    assert [step.status for step in job.steps] == ["dismissed", "failed"]
    work = f"{engine.home}/jobs/{job.id}"
    left = [one for one in psutil.process_iter(["environ"]) if work in str(one.info["environ"])]
    assert left == []


def test_dismissing_ends_the_whole_tree(engine: Engine) -> None:
    other = engine.deploy(SLEEPER, process_id="other").execute({"seconds": 1})
    job = engine.deploy(SLEEPER).execute({})
    pids = sleeping(job)
    job.dismiss()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert job.status == "dismissed"
    with pytest.raises(JobDismissed):
        job.results()
    assert other.wait(patient(10)).status == "successful"


def test_dismissing_a_job_that_waits_for_its_turn(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", active=1) as engine:
        process = engine.deploy(SLEEPER)
        first, second = process.execute({"seconds": 1}), process.execute({})
        assert second.dismiss().status == "dismissed"
        assert second.record.started is None or second.record.finished is not None
        assert first.wait(patient(10)).status == "successful"


def test_dismissing_what_has_ended_changes_nothing(engine: Engine, packages: Path) -> None:
    job = engine.run(packages / "echo.cwl", {"message": "x"})
    assert job.dismiss().status == "successful"


def test_another_process_dismisses(engine: Engine) -> None:
    job = engine.deploy(SLEEPER).execute({})
    pids = sleeping(job)
    home = str(engine.home)
    command = [sys.executable, "-m", "localproc", "--home", home, "dismiss", job.id]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=patient(30))
    assert ended.stdout == f"{job.id}: dismissed\n"
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []
    assert job.wait(patient(1)).status == "dismissed"


def test_waiting_has_a_limit(engine: Engine) -> None:
    job = engine.deploy(SLEEPER).execute({})
    with pytest.raises(TimeoutError, match=job.id):
        job.wait(0.2)
    with pytest.raises(ResultsNotReady):
        job.outcome()


def test_steps_are_watched_as_they_change(engine: Engine, packages: Path) -> None:
    job = engine.deploy(packages / "three-steps.cwl").execute({"text": "hello"})
    seen = [(step.name, step.status.value) for step in job.watch()]
    assert [name for name, status in seen if status == "successful"] == [
        "first",
        "second",
        "third",
        "stage_out",
    ]


def test_logs_tell_the_streams_apart(engine: Engine) -> None:
    job = engine.run({"cwlVersion": "v1.2", **tool("both", "echo to stdout; echo to stderr >&2")})
    log = job.logs("both")
    assert (log.stdout, log.stderr) == ("to stdout\n", "to stderr\n")
    assert log.text == "==> stdout <==\nto stdout\n==> stderr <==\nto stderr\n"
    assert job.logs("node_both.log").path == log.path
    with pytest.raises(NoSuchStep, match="no step 'neither'"):
        job.logs("neither")


def test_logs_are_followed_while_they_are_written(engine: Engine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    script = f"echo 1; until [ -e {gate} ]; do sleep 0.01; done; echo 2; echo 3"
    job = engine.deploy({"cwlVersion": "v1.2", **tool("counts", script)}).execute({})
    until(lambda: job.steps)
    seen = []
    for stream, text in job.follow("counts"):
        seen.append((stream, text))
        gate.touch()  # it does not end before its first line has come
    assert seen[0] == ("stdout", "1\n")
    assert "".join(text for _, text in seen) == "1\n2\n3\n"


def test_a_log_is_read_piece_by_piece(engine: Engine, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    script = f"echo one; printf tw; echo oops >&2; until [ -e {gate} ]; do sleep 0.01; done; echo o"
    job = engine.deploy({"cwlVersion": "v1.2", **tool("waits", script)}).execute({})
    until(lambda: job.steps and job.logs().stderr)
    log = job.logs("waits")
    first = log.read_from()
    assert first.parts == (("stdout", "one\n"), ("stderr", "oops\n")), "whole lines only"
    assert not first.complete
    assert log.read_from(first.place).parts == ()
    gate.touch()
    job.wait()
    rest = log.read_from(first.place)
    assert rest.parts == (("stdout", "two\n"),)
    last = log.read_from(rest.place)
    assert (last.parts, last.complete) == ((), True)


def test_pieces_of_a_log_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "node_x.log"
    path.write_text("aa\nbb\n" + "c" * 10 + "\nd")
    log, pieces = StepLog(str(path)), []
    piece = log.read_from(most=5)
    while not piece.complete:
        pieces += [text for _, text in piece.parts]
        piece = log.read_from(piece.place, most=5)
    assert pieces == ["aa\n", "bb\n", "c" * 5, "c" * 5, "\nd"]


def test_only_selected_outputs_are_published(engine: Engine) -> None:
    process = engine.deploy(
        {
            "cwlVersion": "v1.2",
            **tool("two", "echo a > a.txt; echo b > b.txt"),
            "outputs": {
                name: {"type": "File", "outputBinding": {"glob": f"{name}.txt"}} for name in "ab"
            },
        }
    )
    published = {}
    selections: list[dict[str, object] | None] = [None, {"b": {}}, {}]
    for wanted in selections:
        job = process.execute({}, outputs=wanted).wait()
        results = job.results()
        folder = engine.home / "results" / job.id
        published[str(wanted)] = sorted(one.name for one in folder.glob("*.txt"))
        assert sorted(one.name for one in results.values()) == published[str(wanted)]
        assert sorted(job.results_document()) == sorted(results)
    assert published == {"None": ["a.txt", "b.txt"], "{'b': {}}": ["b.txt"], "{}": []}


def test_what_is_not_there_is_said(engine: Engine, packages: Path) -> None:
    with pytest.raises(NoSuchJob):
        engine.job("nothing")
    engine.deploy(packages / "echo.cwl")
    with pytest.raises(NoSuchProcess, match="did you mean 'echo'"):
        engine.execute("ecco", {})
    job = engine.run(packages / "echo.cwl", {"message": "x"})
    with pytest.raises(NoSuchOutput, match="it has: said"):
        job.result("written")


def test_a_package_that_requires_a_container_is_refused_before_it_is_accepted(
    engine: Engine,
) -> None:
    package = {
        "cwlVersion": "v1.2",
        **tool("contained", "true"),
        "requirements": [{"class": "DockerRequirement", "dockerPull": "debian"}],
    }
    with pytest.raises(UnsupportedPackage, match="requires a container"):
        engine.deploy(package).execute({}, containers="none")
    assert engine.jobs() == []


def test_revisions_are_kept_for_the_jobs_that_ran_them(engine: Engine) -> None:
    first = engine.run({"cwlVersion": "v1.2", **tool("same", "true")})
    second = engine.run({"cwlVersion": "v1.2", **tool("same", "false")})
    assert (first.status, second.status) == ("successful", "failed")
    assert first.record.revision != second.record.revision
    assert engine.process("same").revision == second.record.revision


def test_deploying_the_same_texts_changes_nothing(engine: Engine, packages: Path) -> None:
    first = engine.deploy(packages / "echo.cwl")
    assert engine.deploy(packages / "echo.cwl").record == first.record
    assert first.package == (packages / "echo.cwl").read_bytes()
    with pytest.raises(DuplicatedProcess):
        engine.deploy({"cwlVersion": "v1.2", **tool("echo", "true")}, replace=False)


def test_what_another_process_has_deployed_just_now_is_not_replaced(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = engine.deploy({"cwlVersion": "v1.2", **tool("mine", "true")})
    monkeypatch.setattr(SqliteStore, "process", lambda *_: None)  # it was not there when asked for
    with pytest.raises(DuplicatedProcess):
        engine.deploy({"cwlVersion": "v1.2", **tool("mine", "false")}, replace=False)
    monkeypatch.undo()
    assert engine.process("mine").revision == first.revision


def test_a_process_with_open_jobs_is_not_undeployed(engine: Engine) -> None:
    job = engine.deploy(SLEEPER).execute({})
    with pytest.raises(ProcessInUse, match="1 jobs"):
        engine.undeploy("sleeper")
    job.dismiss()
    engine.undeploy("sleeper")
    assert engine.processes() == []
    assert engine.job(job.id).status == "dismissed"


def test_jobs_of_one_engine_share_its_slots_fairly(tmp_path: Path) -> None:
    wide = {
        "cwlVersion": "v1.2",
        "$graph": [
            {
                "class": "Workflow",
                "id": "wide",
                "requirements": [{"class": "ScatterFeatureRequirement"}],
                "inputs": [{"id": "n", "type": "int[]"}],
                "outputs": [],
                "steps": [
                    {
                        "id": "s",
                        "run": "#s",
                        "scatter": "n",
                        "in": [{"id": "n", "source": "n"}],
                        "out": [],
                    }
                ],
            },
            {**tool("s", "sleep 0.05"), "inputs": [{"id": "n", "type": "int"}]},
        ],
    }
    with Engine(tmp_path / "home", slots=2) as engine:
        process = engine.deploy(wide)
        big = process.execute({"n": list(range(100))})
        small = process.execute({"n": list(range(4))})
        small.wait(patient(20))
        assert not big.status.final, "the small job did not wait for the big one"
        big.dismiss()


def test_many_jobs_from_many_processes_on_one_home(tmp_path: Path, packages: Path) -> None:
    home = tmp_path / "home"
    script = (
        "import sys, localproc\n"
        "with localproc.Engine(sys.argv[1]) as engine:\n"
        "    process = engine.deploy(sys.argv[2])\n"
        "    for n in range(50):\n"
        "        process.execute({'message': f'{sys.argv[3]}-{n}'})\n"
    )
    command = [sys.executable, "-c", script, str(home), str(packages / "echo.cwl")]
    submitters = [subprocess.Popen([*command, str(n)]) for n in range(4)]
    assert [one.wait(patient(120)) for one in submitters] == [0, 0, 0, 0]
    with Engine(home, run_jobs=False) as engine:
        jobs = engine.jobs(limit=1000)
        said = sorted(job.result("said").read_text() for job in jobs)
        runs = [sum(step.name == "echo" for step in job.steps) for job in jobs]
    assert {job.status for job in jobs} == {"successful"}
    assert said == sorted(f"{n}-{m}\n" for n in range(4) for m in range(50))
    assert set(runs) == {1}


def test_jobs_are_accepted_from_many_threads(engine: Engine, packages: Path) -> None:
    process = engine.deploy(packages / "echo.cwl")
    jobs: list[localproc.Job] = []

    def submit(thread: int) -> None:
        jobs.extend(process.execute({"message": f"{thread}-{n}"}) for n in range(10))

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job.id for job in jobs}) == 40
    assert {job.wait(patient(60)).status for job in jobs} == {"successful"}


def test_leaving_by_an_exception_leaves_the_jobs(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "home")
    job = engine.deploy(SLEEPER).execute({"seconds": 1})
    sleeping(job)
    engine.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    with Engine(tmp_path / "home") as engine:
        again = engine.job(job.id).wait(patient(10))
        assert (again.status, again.steps[0].attempt) == ("successful", 1)


def test_jobs_are_filtered(engine: Engine, packages: Path) -> None:
    good = engine.run(packages / "echo.cwl", {"message": "x"}, tags=["mine"], title="A title")
    bad = engine.run(packages / "three-steps.cwl", {"text": "x", "code": 1})
    assert [job.id for job in engine.jobs()] == [bad.id, good.id]
    assert [job.id for job in engine.jobs(status="failed")] == [bad.id]
    assert [job.id for job in engine.jobs(process="echo", tag="mine")] == [good.id]
    assert [job.id for job in engine.jobs(before=bad.id)] == [good.id]
    assert good.record.title == "A title"


def test_the_status_document(engine: Engine, packages: Path) -> None:
    job = engine.run(packages / "echo.cwl", {"message": "x"}, reason="a test", run_as="jane")
    info = job.status_info("http://here")
    assert {name: info[name] for name in ("jobID", "type", "processID", "status", "progress")} == {
        "jobID": job.id,
        "type": "process",
        "processID": "echo",
        "status": "successful",
        "progress": 100,
    }
    assert info["properties"]["reason"] == "a test"
    assert info["properties"]["runAs"] == "jane"
    assert [link["title"] for link in info["links"]] == [
        "Status location",
        "Result location",
        "Tool log node_echo.log",
        "Tool log node_stage_out.log",
    ]
    assert json.dumps(info)


def test_a_finished_job_can_be_forgotten(engine: Engine, packages: Path) -> None:
    job = engine.run(packages / "echo.cwl", {"message": "x"})
    result = job.result("said")
    assert engine.delete(job.id)
    with pytest.raises(NoSuchJob):
        engine.job(job.id)
    assert not os.path.exists(job.folder)
    assert result.exists(), "published results stay"


def test_a_bug_in_one_job_fails_that_job_and_no_other(
    engine: Engine, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    process = engine.deploy(packages / "echo.cwl")
    with monkeypatch.context() as patch:
        patch.setattr("localproc.engine.job.step_runs.StepRuns.start", buggy)
        job = process.execute({"message": "x"}).wait(patient(10))
    assert job.status == "failed"
    assert job.message == "internal error: ZeroDivisionError: a bug"
    assert "bug in localproc" in job.problem["hint"]
    assert process.execute({"message": "x"}).wait(patient(10)).status == "successful"


def test_an_engine_that_stops_says_so_and_another_one_goes_on(
    tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    stopped = "the engine has stopped: ZeroDivisionError: a bug"
    engine = Engine(tmp_path)
    process = engine.deploy(packages / "echo.cwl")
    monkeypatch.setattr("localproc.engine.loop.loop.FairShare.fill", buggy)
    job = process.execute({"message": "x"})
    with pytest.raises(EnvironmentProblem, match=stopped):
        job.wait(patient(20))
    with pytest.raises(EnvironmentProblem, match=stopped):
        list(job.watch())
    with pytest.raises(EnvironmentProblem, match=stopped):
        process.execute({"message": "x"})
    with pytest.raises(EnvironmentProblem, match=stopped), engine:
        pass
    monkeypatch.undo()
    with Engine(tmp_path) as engine:
        assert engine.job(job.id).wait(patient(20)).status == "successful"


def test_waiting_again_and_again_leaves_nothing_behind(engine: Engine, packages: Path) -> None:
    job = engine.run(packages / "echo.cwl", {"message": "x"})
    for _ in range(5):
        job.wait()
        job.results()
    assert namespace_of(engine).runtime.loop()._completions._waiting == {}
