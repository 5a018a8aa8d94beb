"""Packages as users hand them over: what they are called, and what is said of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine, Process
from localproc.engine.packages import package_source
from localproc.engine.packages.package_source import validate
from localproc.errors import (
    InvalidInputs,
    InvalidPackage,
    PluginMissing,
    UnsupportedPackage,
)
from localproc.plugins.manager import PluginManager
from localproc.plugins.storage import StoragePlugin
from localproc.uris import uri_path
from tests.patience import patient

TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "baseCommand": "cat",
    "inputs": {"x": {"type": "File", "inputBinding": {}}},
    "outputs": {"said": "stdout"},
}


@pytest.mark.parametrize(
    ("name", "process_id"),
    [("crop", "crop"), ("Zürich", "Zurich"), ("a b", "a-b"), ("--a", "a"), ("-", "process")],
)
def test_the_id_is_made_of_the_name(tmp_path: Path, name: str, process_id: str) -> None:
    with Engine(tmp_path) as engine:
        assert engine.deploy({**TOOL, "id": name}).id == process_id


def test_names_in_other_scripts_have_ids_of_their_own(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        names = ["水体", "水面", "вода", "crop 水"]
        ids = [engine.deploy({**TOOL, "id": name}).id for name in names]
        assert len(set(ids)) == len(names)
        assert [engine.deploy({**TOOL, "id": name}).id for name in names] == ids
        assert ids[3].startswith("crop-")


def test_a_package_at_what_is_no_address_is_told(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine:
        for address in ("http://[::1", "file://[a/b#main", "https://[::1#main"):
            with pytest.raises(InvalidPackage, match="is no address"):
                engine.deploy(address)


def test_an_application_package_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "package.yml"
    unit = json.dumps(TOOL)
    path.write_text(f"processDescription: {{id: shown}}\nexecutionUnit:\n  - unit: {unit}\n")
    with Engine(tmp_path / "home") as engine:
        process = engine.deploy(path)
        assert (process.id, list(process.inputs)) == ("shown", ["x"])


@pytest.mark.parametrize("moves", [True, False], ids=["moved", "copied"])
def test_files_that_a_package_names_are_those_beside_it(tmp_path: Path, *, moves: bool) -> None:
    """The same document in another folder is another package, where it names files there."""
    script = {"class": "File", "location": "script.sh"}
    tool = {**TOOL, "inputs": {"x": {"type": "File", "default": script, "inputBinding": {}}}}
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "package.cwl").write_text(json.dumps(tool))
    (tmp_path / "first" / "script.sh").write_text("one")
    with Engine(tmp_path / "home") as engine:
        first = engine.deploy(tmp_path / "first" / "package.cwl")
        assert said(first) == "one"
        (shutil.move if moves else shutil.copytree)(tmp_path / "first", tmp_path / "second")
        (tmp_path / "second" / "script.sh").write_text("two")
        second = engine.deploy(tmp_path / "second" / "package.cwl")
        assert said(second) == "two"
        assert (first.id, first.revision != second.revision) == (second.id, True)
        if not moves:
            assert said(first) == "one"
            again = engine.deploy(tmp_path / "first" / "package.cwl")
            assert (again.revision, said(again)) == (first.revision, "one")


def test_what_is_only_read_of_a_copy_is_told_apart_too(tmp_path: Path) -> None:
    script = {"class": "File", "location": "script.sh"}
    tool = {**TOOL, "inputs": {"x": {"type": "File", "default": script, "inputBinding": {}}}}
    with Engine(tmp_path / "home") as engine:
        revisions = []
        for name in ("first", "second", "first"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "script.sh").write_text(name)
            (tmp_path / name / "package.cwl").write_text(json.dumps(tool))
            revisions.append(engine.read(tmp_path / name / "package.cwl").revision)
        assert revisions[0] == revisions[2] != revisions[1]


def said(process: Process) -> str:
    outputs = process.execute().wait(patient(30)).outcome().outputs
    return Path(uri_path(outputs["said"]["location"])).read_text()


def test_a_package_that_names_no_files_is_the_same_wherever_it_lies(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        revisions = set()
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "package.cwl").write_text(json.dumps(TOOL))
            revisions.add(engine.deploy(tmp_path / name / "package.cwl").revision)
        assert len(revisions) == 1


def test_a_mapping_that_contains_itself_is_no_package(tmp_path: Path) -> None:
    package = dict(TOOL)
    package["hints"] = [package]
    with Engine(tmp_path) as engine, pytest.raises(InvalidPackage, match="levels"):
        engine.deploy(package)


def test_an_operation_is_described_and_not_run(tmp_path: Path) -> None:
    operation = {**TOOL, "class": "Operation", "outputs": {"said": "File"}}
    del operation["baseCommand"]
    operation["inputs"] = {"x": "string"}
    assert validate(operation).errors == []
    with Engine(tmp_path) as engine:
        process = engine.deploy(operation)
        assert list(process.inputs) == ["x"]
        with pytest.raises(UnsupportedPackage, match="is an Operation"):
            process.execute({"x": "a"})


def test_default_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "there.py").write_text("")
    text = json.dumps(
        {
            **TOOL,
            "inputs": {
                "a": {"type": "File", "default": {"class": "File", "location": "there.py"}},
                "b": {"type": "File", "default": {"class": "File", "location": "gone.py"}},
            },
        },
        indent=1,
    )
    (tmp_path / "tool.cwl").write_text(text)
    found = validate(str(tmp_path / "tool.cwl"))
    (warning,) = map(str, found.warnings)
    assert warning.startswith("tool.cwl:15:")
    assert warning.endswith("gone.py does not exist (check the path)")


def test_a_document_of_the_network_is_told_with_what_to_do(tmp_path: Path) -> None:
    steps = {"s": {"run": "https://example.org/tool.cwl", "in": {}, "out": []}}
    workflow = {"cwlVersion": "v1.2", "class": "Workflow", "inputs": [], "outputs": []}
    with Engine(tmp_path) as engine, pytest.raises(InvalidPackage) as error:
        engine.deploy({**workflow, "steps": steps})
    assert "--allow-remote" in str(error.value.problems[0])


@pytest.mark.parametrize("uri", ["file://%s/a.txt", "file:%s/a.txt"])
def test_a_path_may_be_a_uri(tmp_path: Path, uri: str) -> None:
    (tmp_path / "a.txt").write_text("text")
    with Engine(tmp_path / "home") as engine:
        job = engine.deploy(TOOL).execute({"x": {"class": "File", "path": uri % tmp_path}})
        said = job.results()["said"]
    assert said.read_text() == "text"


def test_a_basename_with_a_slash_is_refused(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine, pytest.raises(InvalidInputs, match="it has a slash in it"):
        engine.deploy(TOOL).execute({"x": {"class": "File", "contents": "", "basename": "a/b"}})


def test_what_is_installed_is_not_gone_through_for_a_package_that_lies_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    class Counted(PluginManager):
        def storage(self, scheme: str) -> StoragePlugin:
            asked.append(scheme)
            return super().storage(scheme)

    monkeypatch.setattr(package_source, "PluginManager", Counted)
    package = Path(__file__).parent.parent / "packages" / "echo.cwl"
    assert validate(str(package)).errors == []
    assert asked == []
    with pytest.raises(PluginMissing, match="'moon'"):
        validate("moon://crater/echo.cwl", allow_remote=True)
    assert asked == ["moon"]
