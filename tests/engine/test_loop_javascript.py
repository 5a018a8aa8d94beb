"""JavaScript that never ends: other jobs go on, and dismissing the job ends it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from localproc import Engine, Job
from localproc.engine.admission.foresight import JobPlan
from localproc.errors import LocalprocError
from tests.patience import until

ENDLESS = "${ while (true) {} }"
JS: dict[str, Any] = {"InlineJavascriptRequirement": {}}


def tool(**fields: Any) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "endless",
        "baseCommand": "true",
        "requirements": JS,
        "inputs": {},
        "outputs": {},
        **fields,
    }


def step(**fields: Any) -> dict[str, Any]:
    run = {**tool(inputs={"n": "int?"}), "id": "inner"}
    del run["cwlVersion"]
    return {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "endless",
        "requirements": {
            **JS,
            "StepInputExpressionRequirement": {},
            "ScatterFeatureRequirement": {},
        },
        "inputs": {},
        "outputs": {},
        "steps": {"one": {"run": run, "in": {}, "out": [], **fields}},
    }


WRITE = ["sh", "-c", "echo x > a.txt"]
FILE = {"class": "File", "contents": "x", "basename": "a.txt"}

#: Everywhere that the interpreter evaluates expressions.
PACKAGES: Mapping[str, Mapping[str, Any]] = {
    "argument": tool(arguments=[ENDLESS]),
    "environment": tool(requirements={**JS, "EnvVarRequirement": {"envDef": {"A": ENDLESS}}}),
    "resources": tool(requirements={**JS, "ResourceRequirement": {"coresMin": ENDLESS}}),
    "time limit": tool(requirements={**JS, "ToolTimeLimit": {"timelimit": ENDLESS}}),
    "working directory": tool(
        requirements={**JS, "InitialWorkDirRequirement": {"listing": ENDLESS}}
    ),
    "stdin": tool(stdin=ENDLESS),
    "stdout": tool(stdout=ENDLESS),
    "reuse": tool(requirements={**JS, "WorkReuse": {"enableReuse": ENDLESS}}),
    "outputEval": tool(outputs={"out": {"type": "int", "outputBinding": {"outputEval": ENDLESS}}}),
    "glob": tool(outputs={"out": {"type": "File", "outputBinding": {"glob": ENDLESS}}}),
    "secondaryFiles of an output": tool(
        baseCommand=WRITE,
        outputs={
            "out": {
                "type": "File",
                "outputBinding": {"glob": "a.txt"},
                "secondaryFiles": [{"pattern": ENDLESS}],
            }
        },
    ),
    "format of an output": tool(
        baseCommand=WRITE,
        outputs={"out": {"type": "File", "outputBinding": {"glob": "a.txt"}, "format": ENDLESS}},
    ),
    "secondaryFiles of an input": tool(
        inputs={"file": {"type": "File", "default": FILE, "secondaryFiles": [ENDLESS]}}
    ),
    "ExpressionTool": {
        "cwlVersion": "v1.2",
        "class": "ExpressionTool",
        "id": "endless",
        "requirements": JS,
        "inputs": {},
        "outputs": {},
        "expression": ENDLESS,
    },
    "library": tool(
        requirements={
            "InlineJavascriptRequirement": {"expressionLib": ["while (true) {}"]},
        },
        arguments=["$(1 + 1)"],
    ),
    "when": step(when=ENDLESS),
    "valueFrom": step(**{"in": {"n": {"valueFrom": ENDLESS}}}),
    "valueFrom of a scatter": step(
        **{"scatter": "n", "in": {"n": {"default": [1, 2], "valueFrom": ENDLESS}}}
    ),
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "home", reuse=True) as engine:
        yield engine


def echo(engine: Engine, packages: Path) -> str:
    return engine.run(packages / "echo.cwl", {"message": "hello"}, reuse=False).status


@pytest.mark.parametrize("where", PACKAGES)
def test_an_expression_that_never_ends_is_its_own_jobs_trouble(
    engine: Engine, packages: Path, where: str
) -> None:
    job = engine.deploy(PACKAGES[where]).execute({})
    until(lambda: job.status == "running")
    assert echo(engine.within("other"), packages) == "successful"
    assert job.status == "running"
    assert job.dismiss().status == "dismissed", job.problem


def test_three_of_them_leave_short_expressions_alone(engine: Engine, packages: Path) -> None:
    where = ("argument", "when", "ExpressionTool")
    processes = [
        engine.deploy({**PACKAGES[one], "id": f"endless{n}"}) for n, one in enumerate(where)
    ]
    jobs = [process.execute({}) for process in processes]
    until(lambda: all(job.status == "running" for job in jobs))
    short = tool(id="short", baseCommand="echo", arguments=["$(1 + 1)"], stdout="out.txt")
    short["outputs"] = {"out": "stdout"}
    job = engine.within("other").run(short, {})
    assert job.result("out").read_text() == "2\n"
    assert [one.status for one in jobs] == ["running"] * 3
    assert [one.dismiss().status for one in jobs] == ["dismissed"] * 3


def test_closing_the_engine_ends_it_and_the_job_is_still_there(tmp_path: Path) -> None:
    package = tool(arguments=["${ while (inputs.n > 1) {} return 'x'; }"], inputs={"n": "int"})
    engine = Engine(tmp_path / "home")
    job = engine.deploy(package).execute({"n": 2})
    until(lambda: job.status == "running")
    engine.close()
    with Engine(tmp_path / "home") as engine:
        again = engine.job(job.id)
        assert again.status == "running"
        assert again.dismiss().status == "dismissed"


def steps_of(job: Job) -> list[tuple[str, str]]:
    return [(step.name, str(step.status)) for step in job.steps]


def test_a_step_that_ends_while_the_plan_is_away_counts(engine: Engine, tmp_path: Path) -> None:
    """A ``when`` that never ends is being worked out; the end of another step is recorded."""
    go = tmp_path / "go"
    wait = f"until [ -e {go} ]; do sleep 0.01; done"
    package = step(when=ENDLESS, **{"in": {"n": "first/n"}})
    inner = package["steps"]["one"]["run"]
    first = {
        "class": "ExpressionTool",
        "id": "number",
        "inputs": {},
        "outputs": {"n": "int"},
        "expression": "${ return {n: 1}; }",
    }
    package["steps"]["first"] = {"run": first, "in": {}, "out": ["n"]}
    waiting = {**inner, "id": "waiting", "baseCommand": ["sh", "-c", wait]}
    package["steps"]["other"] = {"run": waiting, "in": {}, "out": []}
    job = engine.deploy(package).execute({})
    until(lambda: ("first", "successful") in steps_of(job) and len(job.steps) == 2)
    go.touch()
    until(lambda: ("other", "successful") in steps_of(job))
    assert job.status == "running"
    assert job.dismiss().status == "dismissed"


@pytest.mark.parametrize("where", ["when", "secondaryFiles of an input", "ExpressionTool"])
def test_what_a_plan_works_out_ends_with_the_engine(tmp_path: Path, where: str) -> None:
    """Not in this process: there no signal, not even an interrupt, would stop it."""
    engine = Engine(tmp_path / "home")
    process = engine.deploy(PACKAGES[where])
    plans: list[JobPlan] = []
    thread = threading.Thread(target=lambda: plans.append(process.plan({})))
    thread.start()
    until(evaluating)
    engine.close()
    thread.join()
    assert "it was stopped" in plans[0].steps[0].why
    assert not evaluating()


def test_so_does_what_an_acceptance_works_out(tmp_path: Path) -> None:
    mpi = {"MPIRequirement": {"processes": ENDLESS}}
    package = tool(
        requirements={**JS, **{f"cwltool:{name}": one for name, one in mpi.items()}},
        **{"$namespaces": {"cwltool": "http://commonwl.org/cwltool#"}},
    )
    engine = Engine(tmp_path / "home")
    process = engine.deploy(package)
    told: list[LocalprocError] = []

    def execute() -> None:
        with pytest.raises(LocalprocError) as error:
            process.execute({})
        told.append(error.value)

    thread = threading.Thread(target=execute)
    thread.start()
    until(evaluating)
    engine.close()
    thread.join()
    assert "it was stopped" in str(told[0])


def evaluating() -> bool:
    """Whether a process of this one's has begun with JavaScript."""

    def is_busy(process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return any("script_main" in part for part in process.cmdline())
        return False

    return any(map(is_busy, psutil.Process().children()))
