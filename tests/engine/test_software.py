"""SoftwareRequirement: met, refused before the job is accepted, or done without."""

import json
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import InvalidInputs, PluginMissing, UnsupportedPackage


def tool(field: str, *packages: dict[str, Any]) -> dict[str, Any]:
    return {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "show",
        "baseCommand": ["sh", "-c", "echo data=$GDAL_DATA; echo said >&2"],
        field: {"SoftwareRequirement": {"packages": list(packages)}},
        "inputs": {},
        "stdout": "out.txt",
        "outputs": {"out": "stdout"},
    }


GDAL = {"package": "gdal", "version": ["3.8"]}
MAPPING = [{"type": "mapping", "packages": {"gdal": {"3.8": {"env": {"GDAL_DATA": "/share"}}}}}]


@pytest.mark.parametrize("field", ["requirements", "hints"])
def test_what_is_found_is_available_and_recorded(tmp_path: Path, field: str) -> None:
    with Engine(tmp_path / "home", software=MAPPING) as engine:
        job = engine.run(tool(field, GDAL), {})
        assert job.result("out").read_text() == "data=/share\n", job.problem
        (step,) = (one for one in job.steps if one.name == "show")
        assert step.software == ("gdal 3.8 (mapping: 3.8)",)
        assert "gdal 3.8 (mapping: 3.8)" in json.dumps(job.provenance())


def test_a_file_or_the_settings_of_the_home_name_the_resolvers(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "settings.yml").write_text(json.dumps({"software": MAPPING}))
    with Engine(tmp_path / "home") as engine:
        job = engine.run(tool("requirements", GDAL), {})
        assert job.result("out").read_text() == "data=/share\n"
    file = tmp_path / "software.yml"
    file.write_text("gdal: {'3.8': {env: {GDAL_DATA: /other}}}\n")
    with Engine(tmp_path / "home", software=str(file)) as engine:
        job = engine.run(tool("requirements", GDAL), {})
        assert job.result("out").read_text() == "data=/other\n"


def test_what_nothing_provides_is_refused_before_the_job_is_accepted(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", software=MAPPING) as engine:
        process = engine.deploy(tool("requirements", GDAL, {"package": "bwa", "version": ["1"]}))
        with pytest.raises(UnsupportedPackage) as error:
            process.execute({})
        (problem,) = error.value.problems
        assert problem.message == "nothing here provides bwa 1"
        assert "--software" in problem.hint
        assert error.value.hint == "", "another executor would not have it either"
        assert list(engine.jobs()) == []


def test_a_hint_that_nothing_provides_is_told_in_the_steps_log(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.run(tool("hints", GDAL), {})
        assert job.result("out").read_text() == "data=\n"
        first, *rest = job.logs("show").text.splitlines()
        assert first.startswith("the hint SoftwareRequirement cannot be met: nothing here provides")
        assert rest == ["said"]


def test_another_version_is_another_step(tmp_path: Path) -> None:
    home = tmp_path / "home"
    package = tool("hints", {"package": "gdal"})
    other = [{"type": "mapping", "packages": {"gdal": {"3.9": {"env": {"GDAL_DATA": "/new"}}}}}]
    said = []
    for resolvers in (MAPPING, MAPPING, other):
        with Engine(home, software=resolvers, reuse=True) as engine:
            job = engine.run(package, {})
            said.append((job.result("out").read_text(), str(job.steps[-2].status)))
    assert [text for text, _ in said] == ["data=/share\n", "data=/share\n", "data=/new\n"]


def test_a_step_that_was_not_run_tells_the_software_of_its_outputs(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", software=MAPPING, reuse=True) as engine:
        first = engine.run(tool("hints", GDAL), {})
        for job in (engine.run(tool("hints", GDAL), {}), first.retry().wait()):
            (step,) = (one for one in job.steps if one.name == "show")
            assert step.status == "reused"
            assert step.software == ("gdal 3.8 (mapping: 3.8)",)
            (told,) = (one for one in job.status_info()["steps"] if one["name"] == "show")
            assert told["software"] == list(step.software)
            assert "gdal 3.8 (mapping: 3.8)" in json.dumps(job.provenance())


def test_what_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(PluginMissing, match="no software resolver 'brew'"):
        Engine(tmp_path / "a", software=[{"type": "brew"}])
    with pytest.raises(InvalidInputs, match="no base_path"):
        Engine(tmp_path / "b", software=[{"type": "galaxy_packages"}])
