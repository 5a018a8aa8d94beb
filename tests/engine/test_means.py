"""CUDARequirement and MPIRequirement: met, refused before the job is accepted, or done without."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import UnsupportedPackage

CUDA = "cwltool:CUDARequirement"
MPI = "cwltool:MPIRequirement"
MPIRUN = """#!/bin/sh
[ "$1" = -n ] && echo "$2 processes" && shift 2 && exec "$@"
"""


def tool(**fields: Any) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "$namespaces": {"cwltool": "http://commonwl.org/cwltool#"},
        "id": "show",
        "baseCommand": ["sh", "-c", "echo devices=$CUDA_VISIBLE_DEVICES; echo said >&2"],
        "inputs": {"n": {"type": "int", "default": 2}},
        "stdout": "out.txt",
        "outputs": {"out": "stdout"},
        **fields,
    }


def workflow(requirements: dict[str, Any]) -> dict[str, Any]:
    """A workflow of the tool: what an expression gives is known when the step begins."""
    run = tool(requirements=requirements)
    names = run.pop("$namespaces")
    step = {"run": run, "in": {"n": "n"}, "out": ["out"]}
    return {
        "cwlVersion": run.pop("cwlVersion"),
        "$namespaces": names,
        "class": "Workflow",
        "id": "shows",
        "inputs": {"n": "int"},
        "steps": {"show": step},
        "outputs": {"out": {"type": "File", "outputSource": "show/out"}},
    }


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine on a machine with two devices, and with an MPI."""
    command = tmp_path / "mpirun"
    command.write_text(MPIRUN)
    command.chmod(0o755)
    options = {"local": {"gpus": "4,7", "mpirun": str(command)}}
    with Engine(tmp_path / "home", executor_options=options) as engine:
        yield engine


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Engine]:
    """One on a machine without devices."""
    with Engine(tmp_path / "bare", executor_options={"local": {"gpus": ""}}) as engine:
        yield engine


@pytest.mark.parametrize("field", ["requirements", "hints"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({CUDA: {"cudaDeviceCountMin": 2}}, "devices=4,7\n"),
        ({CUDA: {"cudaDeviceCountMin": "$(inputs.n)"}}, "devices=4,7\n"),
        ({MPI: {"processes": "$(inputs.n + 1)"}}, "3 processes\ndevices=\n"),
    ],
)
def test_what_there_is_is_given(
    engine: Engine, field: str, asked: dict[str, Any], said: str
) -> None:
    fields: dict[str, Any] = {"requirements": {"InlineJavascriptRequirement": {}}}
    fields[field] = {**fields.get(field, {}), **asked}
    job = engine.run(tool(**fields), {})
    assert job.result("out").read_text() == said, job.problem


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({CUDA: {}}, "it needs 1 GPU, and there are none"),
        ({CUDA: {"cudaDeviceCountMax": 3}}, "it needs 3 GPUs, and there are none"),
    ],
)
def test_a_requirement_that_cannot_be_met_is_refused(
    bare: Engine, asked: dict[str, Any], why: str
) -> None:
    process = bare.deploy(tool(requirements=asked))
    with pytest.raises(UnsupportedPackage) as error:
        process.execute({})
    assert why in error.value.problems[0].message
    assert list(bare.jobs()) == []


def test_an_amount_that_an_expression_gives_is_refused_when_it_is_known(engine: Engine) -> None:
    process = engine.deploy(tool(requirements={CUDA: {"cudaDeviceCountMin": "$(inputs.n)"}}))
    assert process.execute({"n": 2}).wait().status == "successful"
    job = process.execute({"n": 3}).wait()
    assert job.status == "failed"
    assert "it needs 3 GPUs, and there are 2" in str(job.problem)


def test_a_hint_that_cannot_be_met_is_told_in_the_steps_log(bare: Engine) -> None:
    job = bare.run(tool(hints={CUDA: {"cudaVersionMin": "11.0"}}), {})
    assert job.result("out").read_text() == "devices=\n"
    log = job.logs("show").text
    assert log.splitlines()[0].startswith("the hint CUDARequirement cannot be met: it needs 1 GPU")
    assert log.endswith("said\n")


def counted(name: str, requirements: dict[str, Any]) -> dict[str, Any]:
    """A workflow whose number of processes comes of another step."""
    package = workflow(requirements)
    counts = {
        "class": "ExpressionTool",
        "id": "counts",
        "requirements": {"InlineJavascriptRequirement": {}},
        "inputs": {"n": "int"},
        "outputs": {"n": "int"},
        "expression": "${ return {n: inputs.n}; }",
    }
    package["steps"]["count"] = {"run": counts, "in": {"n": "n"}, "out": ["n"]}
    package["steps"]["show"]["in"] = {"n": name}
    return package


def test_an_amount_that_is_none_fails_the_step(engine: Engine) -> None:
    process = engine.deploy(counted("count/n", {MPI: {"processes": "$(inputs.n)"}}))
    for number, why in ((-1, "processes is -1, not a number"), (0, "is 0, not a number from 1")):
        assert why in str(process.execute({"n": number}).wait().problem)


@pytest.mark.parametrize("processes", ["$(inputs.n)", "$(inputs.n - 0)", "$(inputs['n'])"])
def test_an_amount_that_follows_from_the_inputs_of_a_job_is_told_before_it_is_accepted(
    engine: Engine, processes: str
) -> None:
    package = workflow({MPI: {"processes": processes}, "InlineJavascriptRequirement": {}})
    process = engine.deploy(package)
    with pytest.raises(UnsupportedPackage) as error:
        process.execute({"n": 0})
    assert "processes is 0, not a number from 1" in error.value.problems[0].message
    assert process.execute({"n": 2}).wait().result("out").read_text().startswith("2 processes\n")
    assert process.execute({"n": 1}).wait().status == "successful"


@pytest.mark.parametrize(
    ("asked", "given", "why"),
    [
        ({"processes": "$(inputs.n)"}, 3, "it needs 3 MPI processes, and there is no mpirun"),
        ({"processes": "$(inputs.n)"}, 0, "processes is 0, not a number from 1"),
        ({"processes": 0}, 1, "processes is 0, not a number from 1"),
        ({"processes": "many"}, 1, "processes is 'many', not a number"),
        ({}, 1, "processes is None, not a number from 1"),
    ],
)
def test_processes_that_cannot_be_had_are_refused_before_the_job_is_accepted(
    bare: Engine, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any], given: int, why: str
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    process = bare.deploy(tool(requirements={MPI: asked}))
    with pytest.raises(UnsupportedPackage) as error:
        process.execute({"n": given})
    assert why in error.value.problems[0].message
    assert list(bare.jobs()) == []


def test_one_process_that_an_expression_gives_needs_no_mpi(bare: Engine) -> None:
    for package in (tool, workflow):
        process = bare.deploy(package(requirements={MPI: {"processes": "$(inputs.n)"}}))
        assert process.execute({"n": 1}).wait().status == "successful"
