"""What is told of a job that failed: what was run, with which values, where it lies."""

from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, JobFailed
from localproc.machine.steps import STOPPED

TOOL: dict[str, Any] = {
    "class": "CommandLineTool",
    "baseCommand": ["sh", "-c", 'echo "$0 is bad" >&2; [ "$0" != red ]'],
    "inputs": {
        "band": {"type": "string", "inputBinding": {"position": 1}},
        "scene": {"type": "File", "inputBinding": {"position": 2}},
        "bounds": {"type": "float[]", "inputBinding": {"position": 3}},
    },
    "outputs": {},
}
SCATTER: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "bands",
    "requirements": {"ScatterFeatureRequirement": {}},
    "inputs": {"bands": "string[]", "scene": "File", "bounds": "float[]"},
    "outputs": {},
    "steps": {
        "crop": {
            "run": TOOL,
            "scatter": "band",
            "in": {"band": "bands", "scene": "scene", "bounds": "bounds"},
            "out": [],
        }
    },
}


def failed(engine: Engine, package: object, inputs: Any) -> JobFailed:
    with pytest.raises(JobFailed) as error:
        engine.run(package, inputs).raise_for_status()
    return error.value


def test_an_instance_of_a_scatter_is_told_by_its_values(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    scene = tmp_path / "S2A.tif"
    scene.touch()
    inputs = {"bands": ["green", "red"], "scene": str(scene), "bounds": [1.5, 2, 3, 4]}
    error = failed(localproc_engine, SCATTER, inputs)
    assert error.inputs == {"band": "red", "scene": "S2A.tif", "bounds": "4 values"}
    assert "  inputs: band=red, scene=S2A.tif, bounds=4 values" in str(error).splitlines()
    assert error.command[3] == "red"
    assert Path(error.folder).is_dir(), "it is kept"
    assert f"  folder: {error.folder}" in str(error).splitlines()


def test_values_of_records_are_told_as_yaml_has_them(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    scene = tmp_path / "S2A.tif"
    scene.touch()
    band: dict[str, Any] = {"class": "File", "path": str(scene)}
    inputs = {"bands": [{"a": True, "b": None, "f": band}], "scene": str(scene), "bounds": [1]}
    tool = {**TOOL, "baseCommand": "false", "inputs": {**TOOL["inputs"], "band": "Any"}}
    crop = {**SCATTER["steps"]["crop"], "run": tool}
    ports = {**SCATTER["inputs"], "bands": {"type": {"type": "array", "items": "Any"}}}
    error = failed(localproc_engine, {**SCATTER, "inputs": ports, "steps": {"crop": crop}}, inputs)
    assert error.inputs["band"] == "{a: true, b: null, f: S2A.tif}"


def test_a_single_step_is_told_by_its_command(localproc_engine: Engine, packages: Path) -> None:
    error = failed(localproc_engine, packages / "three-steps.cwl", {"text": "x", "code": 3})
    assert error.inputs == {}
    assert error.command[:2] == ("sh", "-c")
    assert "  command: sh -c " in str(error)


def test_outputs_that_cannot_be_collected_are_told_with_their_folder(
    localproc_engine: Engine,
) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "sum",
        "baseCommand": "true",
        "inputs": [],
        "outputs": {"out": {"type": "File", "outputBinding": {"glob": "none.txt"}}},
    }
    error = failed(localproc_engine, package, {})
    assert error.message.count("sum") == 1
    assert error.command == ("true",)
    assert Path(error.folder).is_dir()


@pytest.mark.localproc(cores=2, slots=2)
def test_a_sibling_of_a_failed_step_was_stopped_and_not_dismissed(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    on = tmp_path / "on"

    def tool(script: str) -> dict[str, Any]:
        command = ["sh", "-c", script]
        return {"class": "CommandLineTool", "baseCommand": command, "inputs": [], "outputs": []}

    package = {
        "cwlVersion": "v1.2",
        "class": "Workflow",
        "id": "two",
        "inputs": [],
        "outputs": [],
        "steps": {
            "sleeps": {"run": tool(f"touch {on}; exec sleep 300"), "in": [], "out": []},
            "fails": {
                "run": tool(f"until [ -e {on} ]; do sleep 0.02; done; exit 3"),
                "in": [],
                "out": [],
            },
        },
    }
    job = localproc_engine.run(package)
    assert {step.name: (step.status, step.message) for step in job.steps} == {
        "sleeps": ("dismissed", STOPPED),
        "fails": ("failed", "step fails failed with exit code 3"),
    }


def test_a_step_of_a_job_that_was_dismissed_was_dismissed(localproc_engine: Engine) -> None:
    package = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "sleeps",
        "baseCommand": ["sleep", "300"],
        "inputs": [],
        "outputs": [],
    }
    job = localproc_engine.deploy(package).execute()
    next(job.watch())
    (step,) = job.dismiss().steps
    assert (step.status, step.message) == ("dismissed", "")
