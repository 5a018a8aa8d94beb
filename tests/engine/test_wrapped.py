"""Packages that came wrapped with steps that stage in and out: with these, or with ours."""

import json
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.cwl.load.wrapped import unwrapped
from localproc.errors import InvalidInputs, InvalidPackage

WRAPPED = Path(__file__).with_name("wrapped.cwl")


@pytest.fixture
def scene(tmp_path: Path) -> str:
    """Give the path of an item with an asset."""
    (tmp_path / "N.tif").write_text("pixels")
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": "N",
        "geometry": None,
        "properties": {"datetime": "2026-05-31T12:00:00Z"},
        "links": [],
        "assets": {"red": {"href": "./N.tif"}},
    }
    path = tmp_path / "N.json"
    path.write_text(json.dumps(item))
    return str(path)


def test_a_wrapped_package_runs_with_its_own_steps(tmp_path: Path, scene: str) -> None:
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(WRAPPED)
        inputs = {"scenes": [scene], "threshold": 0.5, "STAGEOUT_OUTPUT": "b", "process": "p"}
        job = process.execute(inputs).wait().raise_for_status()
        assert process.id == "main"
        assert job.results() == {"StacCatalogUri": "s3://b/p/catalog.json"}


@pytest.mark.parametrize("form", ["{}", '{{"value": {}}}', '{{"href": {}}}'])
def test_what_is_wrapped_is_staged_as_any_other(tmp_path: Path, scene: str, form: str) -> None:
    """An input may be given as wrappers take it: a text, or a record with a URI."""
    given = json.loads(form.format(json.dumps(scene)))
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(WRAPPED, staging="ours")
        assert (process.id, list(process.inputs)) == ("bright", ["scenes", "threshold"])
        job = process.execute({"scenes": [given], "threshold": 0.5}).wait().raise_for_status()
        (item,) = job.result("catalog").items
        assert item.id == "N"
        assert [step.name for step in job.steps] == ["stage_in", "take", "stage_out"]


def test_both_can_be_deployed(tmp_path: Path) -> None:
    with Engine(tmp_path, run_jobs=False) as engine:
        assert engine.deploy(WRAPPED, staging="ours").id == "bright"
        assert engine.deploy(WRAPPED).id == "main"
        assert engine.deploy(WRAPPED, staging="ours").id == "bright"


def test_a_package_that_is_not_wrapped_is_as_it_is(tmp_path: Path) -> None:
    with Engine(tmp_path, run_jobs=False) as engine:
        tool: dict[str, Any] = {"cwlVersion": "v1.2", "class": "CommandLineTool", "id": "plain"}
        tool |= {"baseCommand": "true", "inputs": [], "outputs": []}
        assert engine.deploy(tool, staging="ours").id == "plain"
        with pytest.raises(InvalidInputs, match="staging is 'theirs'; it is own or ours"):
            engine.deploy(tool, staging="theirs")


def wrapper(*steps: dict[str, Any]) -> dict[str, Any]:
    """Give a compiled package with steps, each of which runs ``inner``."""
    whole = [{"run": "p#inner", "scatter": [], "in": [], **step} for step in steps]
    processes = {"p#main": {"id": "main", "steps": whole}, "p#inner": {"id": "inner"}}
    return {"main": "p#main", "processes": processes}


def link(name: str, *sources: str) -> dict[str, Any]:
    return {"id": name, "source": list(sources)}


STAGED = {"id": "directory_stage_in_0", "in": [link("reference", "item")]}
APP = {"id": "app", "in": [link("item", "directory_stage_in_0/staged"), link("bands", "bands")]}


def test_a_wrapper_is_known_by_its_steps() -> None:
    assert unwrapped(wrapper(STAGED, APP, {"id": "directory_stage_out_0"})) == "inner"
    bare = {"id": "on_stage", "in": [link("bands", "bands")]}
    assert unwrapped(wrapper(bare, {"id": "node_stage_out"}, {"id": "node_metrics_out"})) == "inner"
    assert unwrapped(wrapper(bare)) == ""
    assert unwrapped(wrapper(STAGED, APP, {"id": "crop"})) == ""
    assert unwrapped(wrapper({"id": "on_stage"}, {"id": "backstage_income"})) == ""


def test_a_wrapper_is_known_by_what_its_steps_run() -> None:
    package = wrapper(
        {**STAGED, "id": "in", "run": "p#stage-in"},
        {**APP, "in": [link("item", "in/staged")]},
        {"id": "out", "run": "p#my_stage_out"},
    )
    package["processes"] |= {f"p#{name}": {"id": name} for name in ("stage-in", "my_stage_out")}
    assert unwrapped(package) == "inner"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ({**APP, "scatter": ["item"]}, "its step app is scattered"),
        ({**APP, "in": [link("scene", "directory_stage_in_0/staged")]}, "scene of inner is not"),
        ({**APP, "in": [link("colours", "bands")]}, "colours of inner is not called so outside"),
    ],
)
def test_what_could_not_be_run_with_the_inputs_of_the_whole_is_told(
    step: dict[str, Any], why: str
) -> None:
    with pytest.raises(InvalidPackage, match=why):
        unwrapped(wrapper(STAGED, step))
