"""A job as an RO-Crate."""

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from localproc import Engine, Job, __version__
from localproc.engine.crating import write_crate
from localproc.errors import Conflict, ResultsNotReady

SCATTERED = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "scattered",
    "requirements": {"ScatterFeatureRequirement": {}},
    "inputs": {"words": "string[]", "note": "File?", "odd": {"type": "string", "default": "#?"}},
    "outputs": {
        "said": {"type": "File[]", "outputSource": "say/said"},
        "folder": {"type": "Directory", "outputSource": "fold/folder"},
    },
    "steps": {
        "say": {
            "run": {
                "class": "CommandLineTool",
                "id": "talk",
                "baseCommand": "echo",
                "inputs": {"word": {"type": "string", "inputBinding": {}}},
                "stdout": "a #$(inputs.word).txt",
                "outputs": {"said": "stdout"},
            },
            "scatter": "word",
            "in": {"word": "words"},
            "out": ["said"],
        },
        "fold": {
            "run": {
                "class": "CommandLineTool",
                "baseCommand": ["sh", "-c", "mkdir -p 'a b' && echo x > 'a b/c%d'"],
                "inputs": {},
                "outputs": {"folder": {"type": "Directory", "outputBinding": {"glob": "a b"}}},
            },
            "in": {},
            "out": ["folder"],
        },
    },
}


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from references(one)
    elif isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for one in value.values():
            yield from references(one)


def entities(crate: Path) -> dict[str, dict[str, Any]]:
    """Give the graph of a crate, having looked that it is whole."""
    document = json.loads((crate / "ro-crate-metadata.json").read_text())
    graph = document["@graph"]
    found: dict[str, dict[str, Any]] = {one["@id"]: one for one in graph}
    assert len(found) == len(graph), "each entity is there once"
    for entity in graph:
        assert entity["@type"], entity
    assert {one for one in references(graph) if one not in found} == set()
    inside = {unquote(key) for key in found if "://" not in key and "#" not in key}
    for key in inside:
        assert (crate / key).exists(), key
    there = {
        os.path.relpath(os.path.join(root, name), crate)
        for root, _, names in os.walk(crate)
        for name in names
    }
    told = {one["@id"] for one in found["./"]["hasPart"]}
    data = {one["@id"] for one in (*of(found, "File"), *of(found, "Dataset"))}
    assert told == data - {"./"}
    files = {unquote(one) for one in told if not one.endswith("/")}
    assert there - {"ro-crate-metadata.json"} == files & inside
    return found


def of(found: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in found.values() if kind in (one["@type"], *one["@type"])]


@pytest.fixture
def job(localproc_engine: Engine, tmp_path: Path) -> Job:
    note = tmp_path / "n o#te.txt"
    note.write_text("see")
    values = {"words": ["one", "two"], "note": {"class": "File", "path": str(note)}}
    return localproc_engine.run(SCATTERED, values, run_as="jane")


def test_a_crate_tells_of_the_run_its_steps_and_its_tools(job: Job, tmp_path: Path) -> None:
    found = entities(job.crate(tmp_path / "crate"))
    root = found["./"]
    profiles = {one["@id"] for one in root["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/provenance/0.5" in profiles
    main = found[root["mainEntity"]["@id"]]
    assert "ComputationalWorkflow" in main["@type"]
    run = found[root["mentions"][0]["@id"]]
    assert run["instrument"] == {"@id": main["@id"]}
    assert run["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert found[run["agent"]["@id"]]["name"] == "jane"
    (organized,) = of(found, "OrganizeAction")
    assert organized["result"] == {"@id": run["@id"]}
    assert found[organized["instrument"]["@id"]]["softwareVersion"] == __version__
    steps = {found[one["@id"]]["name"]: found[one["@id"]] for one in main["step"]}
    assert set(steps) == {"say", "fold"}
    controls = {one["instrument"]["@id"]: one for one in of(found, "ControlAction")}
    actions = [found[one["@id"]] for one in controls[steps["say"]["@id"]]["object"]]
    assert sorted(one["name"] for one in actions) == ["Run of say", "Run of say_2"]
    for action in actions:
        assert action["instrument"] == steps["say"]["workExample"]
        assert action["instrument"] in main["hasPart"]


def test_inputs_are_referred_to_and_outputs_are_in_it(job: Job, tmp_path: Path) -> None:
    crate = job.crate(tmp_path / "crate")
    found = entities(crate)
    run = found[found["./"]["mentions"][0]["@id"]]
    given = {found[one["@id"]].get("name"): found[one["@id"]] for one in run["object"]}
    assert given["n o#te.txt"]["@id"] == (tmp_path / "n o#te.txt").as_uri()
    assert json.loads(given["words"]["value"]) == ["one", "two"]
    parameter = given["words"]["exampleOfWork"]
    assert found[parameter["@id"]]["additionalType"] == "Text"
    assert found[parameter["@id"]]["multipleValues"] is True
    results = [found[one["@id"]] for one in run["result"]]
    texts = [crate / unquote(one["@id"]) for one in results if one["@type"] == "File"]
    assert [one.read_text() for one in texts] == ["one\n", "two\n"]
    (folder,) = (one for one in results if one["@type"] == "Dataset")
    part = folder["hasPart"]
    assert (crate / unquote(part["@id"])).read_text() == "x\n"


def test_a_crate_may_be_an_archive_and_replaces_nothing(job: Job, tmp_path: Path) -> None:
    path = job.crate(tmp_path / "crate.zip")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "there")
    assert entities(tmp_path / "there")
    with pytest.raises(Conflict, match="exists already"):
        job.crate(path)
    assert sorted(one.name for one in tmp_path.glob("*crate*")) == ["crate.zip"]


@pytest.mark.parametrize("name", ["crate.zip", "crate"])
def test_what_comes_while_a_crate_is_written_is_not_replaced(tmp_path: Path, name: str) -> None:
    place = tmp_path / name

    def fill(_: str) -> None:
        place.mkdir() if name == "crate" else place.write_text("mine")

    with pytest.raises(Conflict, match="exists already"):
        write_crate(str(place), fill, lambda _: {})
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert not list(place.iterdir()) if name == "crate" else place.read_text() == "mine"


def test_a_failure_is_told_too(localproc_engine: Engine, packages: Path, tmp_path: Path) -> None:
    job = localproc_engine.run(packages / "three-steps.cwl", {"text": "x", "code": 3})
    found = entities(job.crate(tmp_path / "crate"))
    run = found[found["./"]["mentions"][0]["@id"]]
    assert run["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert run["error"] == job.message
    assert found["#run/second"]["actionStatus"] == "http://schema.org/FailedActionStatus"
    assert found["#run/first"]["actionStatus"] == "http://schema.org/CompletedActionStatus"


def test_a_single_tool_is_the_workflow(
    localproc_engine: Engine, packages: Path, tmp_path: Path
) -> None:
    job = localproc_engine.run(packages / "echo.cwl", {"message": "hi"})
    crate = job.crate(tmp_path / "crate")
    found = entities(crate)
    assert (crate / "package" / "echo.cwl").read_bytes() == job.process.package
    assert "echo.cwl" in found["./"]["mainEntity"]["@id"]
    profiles = {one["@id"] for one in found["./"]["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    assert "https://w3id.org/ro/wfrun/provenance/0.5" not in profiles, "it has no steps"
    assert of(found, "OrganizeAction") == []


def test_files_that_belong_to_the_package_are_in_it(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "baseCommand": "sh",
        "inputs": {
            "script": {
                "type": "File",
                "inputBinding": {},
                "default": {"class": "File", "location": "more/say.sh"},
            }
        },
        "outputs": {},
    }
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "say.sh").write_text("echo hi")
    (tmp_path / "own.cwl").write_text(json.dumps(tool))
    crate = localproc_engine.run(tmp_path / "own.cwl", {}).crate(tmp_path / "crate")
    found = entities(crate)
    assert found["package/more/say.sh"]["contentSize"] == "7"
    assert (crate / "package" / "more" / "say.sh").read_text() == "echo hi"


def test_a_job_that_has_not_ended_has_no_crate(packages: Path, tmp_path: Path) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job = engine.execute(engine.deploy(packages / "echo.cwl"), {"message": "x"})
        with pytest.raises(ResultsNotReady):
            job.crate(tmp_path / "crate")
        assert not (tmp_path / "crate").exists()
        assert "Echo: accepted" in job.report()
