"""Packages and inputs files that lie in a storage, with all that they name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import localproc
from localproc.engine.packages.packing import pack
from localproc.errors import InvalidInputs, InvalidPackage, NoSuchObject, PluginMissing
from tests.engine.folder_storage import Boxes

WORKFLOW = """
cwlVersion: v1.2
class: Workflow
id: counts
inputs: {scene: File}
outputs: {n: {type: File, outputSource: count/n}}
steps:
  count: {run: "tools/count.cwl#count", in: {scene: scene}, out: [n]}
"""
TOOL = """
cwlVersion: v1.2
class: CommandLineTool
id: count
baseCommand: sh
inputs:
  script:
    type: File
    default: {class: File, location: ../a%20b/count.sh}
    inputBinding: {position: 1}
  scene: {type: File, inputBinding: {position: 2}}
hints: {ResourceRequirement: {$import: needs.yml}}
stdout: n.txt
outputs: {n: stdout}
"""
FILES = {
    "counts.cwl": WORKFLOW,
    "tools/count.cwl": TOOL,
    "tools/needs.yml": "{coresMin: 1}",
    "a b/count.sh": 'wc -c < "$1"\n',
    "scenes/ö.tif": "12345",
    "jobs/one.yml": "scene: {class: File, path: ../scenes/ö.tif}",
    "jobs/local.yml": "scene: {class: File, location: 'file:///etc/passwd'}",
    "jobs/torn.yml": "scene: {",
}
HERE = "box://there"


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    for name, text in FILES.items():
        path = tmp_path / "box" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Boxes(tmp_path / "box")


@pytest.fixture
def engine(tmp_path: Path, boxes: Boxes) -> Iterator[localproc.Engine]:
    with localproc.Engine(tmp_path / "home", plugins=[boxes], allow_remote=True) as engine:
        yield engine


def test_a_package_is_run_with_all_that_it_names(engine: localproc.Engine) -> None:
    job = engine.run(f"{HERE}/counts.cwl", f"{HERE}/jobs/one.yml")
    assert job.result("n").read_text().split() == ["5"]


def test_its_parts_are_not_read_unasked(tmp_path: Path, boxes: Boxes) -> None:
    with (
        localproc.Engine(tmp_path / "home", plugins=[boxes]) as engine,
        pytest.raises(InvalidPackage, match="cannot be run") as raised,
    ):
        engine.deploy(f"{HERE}/counts.cwl")
    assert "allow_remote=True" in str(raised.value)


@pytest.mark.parametrize(
    ("package", "kind", "said"),
    [
        (f"{HERE}/gone.cwl", InvalidPackage, "cannot read box://there/gone.cwl"),
        ("nobodys://there/gone.cwl", PluginMissing, "there is no storage 'nobodys'"),
    ],
)
def test_a_package_that_is_not_there(
    engine: localproc.Engine, package: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        engine.deploy(package)


@pytest.mark.parametrize(
    ("file", "kind", "said"),
    [
        ("local.yml", InvalidInputs, "cannot name a file of this machine"),
        ("torn.yml", InvalidInputs, "box://there/jobs/torn.yml is not valid YAML"),
        ("gone.yml", NoSuchObject, "box://there/jobs/gone.yml"),
    ],
)
def test_inputs_that_cannot_be_taken(
    engine: localproc.Engine, file: str, kind: type[Exception], said: str
) -> None:
    process = engine.deploy(f"{HERE}/counts.cwl")
    with pytest.raises(kind, match=said):
        process.execute(f"{HERE}/jobs/{file}")


def test_a_retry_takes_inputs_from_there(engine: localproc.Engine) -> None:
    job = engine.run(f"{HERE}/counts.cwl", f"{HERE}/jobs/one.yml")
    again = job.retry(f"{HERE}/jobs/one.yml").wait()
    assert again.inputs["scene"] == job.inputs["scene"]


def test_what_an_inputs_file_holds(engine: localproc.Engine) -> None:
    process = engine.deploy(f"{HERE}/counts.cwl")
    values, base = process.read_inputs(f"{HERE}/jobs/one.yml")
    assert base == f"{HERE}/jobs"
    assert process.execute(values, base=base).wait().status == "successful"


def test_a_packed_package_names_files_that_stay_there(
    engine: localproc.Engine, boxes: Boxes
) -> None:
    text = engine.pack(f"{HERE}/counts.cwl")
    assert "box://there/a%20b/count.sh" in text
    assert pack(f"{HERE}/counts.cwl", plugins=engine.plugins, allow_remote=True) == text
    job = engine.run(text, f"{HERE}/jobs/one.yml")
    assert job.result("n").read_text().split() == ["5"]
