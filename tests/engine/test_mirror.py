"""Jobs without a network: with what was mirrored where there is one."""

import dataclasses
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc import Engine, Job
from localproc.errors import (
    EnvironmentProblem,
    ImageError,
    InvalidInputs,
    InvalidPackage,
    JobFailed,
    NoSuchObject,
    StagingError,
)
from localproc.model import Container, Task
from localproc.plugins.containers import ContainerPlugin, Image
from localproc.uris import uri_path
from tests.patience import patient
from tests.storage.desk import item
from tests.storage.website import Site, serving

PACKAGE = """
cwlVersion: v1.2
class: CommandLineTool
id: sums
inputs: {item: Directory, table: File, script: {type: File, default: {class: File, path: sum.sh}}}
outputs: {sums: {type: stdout}}
stdout: sums.txt
arguments: [sh, $(inputs.script.path), $(inputs.item.path), $(inputs.table.path)]
"""
SCRIPT = 'cd "$1" && find . -type f | sort | xargs cksum; cksum < "$2"'


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        site.add("/s/a.tif", b"pixels", headers={"etag": '"1"'})
        site.add("/s/item.json", item({"a": {"href": "a.tif"}}, "N"))
        yield site


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "sum.sh").write_text(SCRIPT)
    (folder / "sums.cwl").write_text(PACKAGE)
    (folder / "table.csv").write_text("a,b")
    return folder


def inputs_of(site: Site, package: Path) -> dict[str, Any]:
    return {
        "item": {"class": "Directory", "location": f"{site.root}/s/item.json"},
        "table": {"class": "File", "path": str(package / "table.csv")},
    }


def sums(job: Any) -> str:
    outputs = job.wait(patient(60)).outcome().outputs
    return Path(uri_path(outputs["sums"]["location"])).read_text()


def test_a_job_runs_where_there_is_no_network(tmp_path: Path, site: Site, package: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        job = engine.run(package / "sums.cwl", inputs_of(site, package))
        online = sums(job)
        assert "pixels" not in online
        engine.mirror.export(tmp_path / "mirror.tar", [job])
        assert [one.uri for one in engine.mirror] == [
            f"{site.root}/s/a.tif",
            f"{site.root}/s/item.json",
        ]
    site.pages.clear()
    site.asked.clear()
    for path in package.iterdir():
        path.unlink()
    with Engine(tmp_path / "elsewhere", offline="always") as engine:
        (found,) = engine.mirror.take_in(tmp_path / "mirror.tar")
        assert found.process_id == "sums"
        assert sums(engine.process("sums").execute(found.inputs)) == online
    assert site.asked == []


IMPORTS = """
cwlVersion: v1.2
class: Workflow
id: imports
requirements: {{SchemaDefRequirement: {{types: [{{$import: {site}/p/types.json}}]}}}}
inputs: {{item: Directory, table: File, kind: {site}/p/types.json#kind?}}
outputs: {{sums: {{type: File, outputSource: all/sums}}}}
steps: {{all: {{run: {sums}, in: {{item: item, table: table, script: table}}, out: [sums]}}}}
"""


@pytest.mark.parametrize("where", ["disk", "web"])
def test_what_of_a_package_lies_on_the_web_goes_along(
    tmp_path: Path, site: Site, package: Path, where: str
) -> None:
    """Its documents name each other as they did."""
    site.add("/p/types.json", {"type": "enum", "name": "kind", "symbols": ["a", "b"]})
    site.add("/p/sums.cwl", PACKAGE.replace("path: sum.sh", "contents: ''").encode())
    sums_at = "sums.cwl" if where == "web" else f"{site.root}/p/sums.cwl"
    text = IMPORTS.format(site=site.root, sums=sums_at)
    entry = site.add("/p/imports.cwl", text.encode())
    if where == "disk":
        entry = str(package / "imports.cwl")
        Path(entry).write_text(text)
    (package / "table.csv").write_text('cat "$1/N/a.tif"')  # it is the script as well
    with Engine(tmp_path / "home", allow_remote=True) as engine:
        job = engine.run(entry, inputs_of(site, package))
        online, revision = sums(job), job.process.record.revision
        assert online == "pixels"
        engine.mirror.export(tmp_path / "mirror.tar", [job])
    site.pages.clear()
    site.asked.clear()
    with Engine(tmp_path / "elsewhere", offline="always") as engine:
        (found,) = engine.mirror.take_in(tmp_path / "mirror.tar")
        process = engine.process(found.process_id)
        assert process.record.revision == revision or where == "disk"
        assert sums(process.execute(found.inputs)) == online
    if where == "web":
        with Engine(tmp_path / "elsewhere", offline="always", allow_remote=True) as engine:
            assert sums(engine.run(entry, found.inputs)) == online
            with pytest.raises(InvalidPackage, match=r"other\.cwl is not kept here"):
                engine.deploy(f"{site.root}/p/other.cwl")
    assert site.asked == []


PASSES = """
cwlVersion: v1.2
class: CommandLineTool
id: passes
inputs: {item: Directory}
outputs: {catalog: {type: Directory, outputBinding: {glob: .}}}
arguments: [cp, -r, $(inputs.item.path)/., .]
"""


def test_results_are_checked_by_schemas_that_were_mirrored(tmp_path: Path, site: Site) -> None:
    schema = {"properties": {"properties": {"required": ["tide:level"]}}}
    tide = site.add("/tide.json", schema)
    scene = site.add("/s/tide.json", item({}, "N", stac_extensions=[tide]))
    given = {"item": {"class": "Directory", "location": scene}}
    with Engine(tmp_path / "home", validate_results="fail") as engine:
        job = engine.run(PASSES, given).raise_for_status()
        log = job.logs("stage_out").text
        assert f"no schema here of {tide} (localproc mirror add {tide})" in log
        engine.mirror.add(tide)
        engine.mirror.add(scene)
        engine.mirror.export(tmp_path / "mirror.tar")
    site.pages.clear()
    with Engine(tmp_path / "elsewhere", offline="always", validate_results="fail") as engine:
        engine.mirror.take_in(tmp_path / "mirror.tar")
        with pytest.raises(JobFailed, match=r"no valid STAC: properties: .*tide:level"):
            engine.run(PASSES, given).raise_for_status()


def test_a_job_says_what_is_missing(tmp_path: Path, site: Site, package: Path) -> None:
    with Engine(tmp_path / "home", offline="always") as engine:
        job = engine.run(package / "sums.cwl", inputs_of(site, package))
        with pytest.raises(JobFailed, match=r"/s/item\.json is not kept here") as error:
            job.raise_for_status()
        assert f"localproc mirror add {site.root}/s/item.json" in str(error.value)
        assert engine.mirror.add(f"{site.root}/s/item.json") == 2  # it was asked to


def test_a_file_is_mirrored_and_forgotten(tmp_path: Path, site: Site) -> None:
    uri = site.add("/table.csv", b"a,b")
    with Engine(tmp_path / "home") as engine:
        assert engine.mirror.add(uri) == 1
        assert engine.mirror.add(uri) == 0
        assert engine.mirror.verify() == {}
        engine.mirror.remove(uri)
        assert list(engine.mirror) == []
        with pytest.raises(NoSuchObject, match="is not mirrored"):
            engine.mirror.remove(uri)
        with pytest.raises(InvalidInputs, match="is not the address of anything"):
            engine.mirror.add("table.csv")


@pytest.mark.parametrize("damage", ["blob", "index", "tar"])
def test_a_damaged_mirror_is_refused(
    tmp_path: Path, site: Site, package: Path, damage: str
) -> None:
    with Engine(tmp_path / "home") as engine:
        engine.mirror.add(f"{site.root}/s/item.json")
        engine.mirror.export(tmp_path / "good.tar")
    with tarfile.open(tmp_path / "good.tar") as archive:
        archive.extractall(tmp_path / "files", filter="data")
    folder = tmp_path / "files"
    if damage == "blob":
        next((folder / "blobs").iterdir()).write_bytes(b"other")
    elif damage == "index":
        index = json.loads((folder / "mirror.json").read_text())
        index["kept"][0]["key"] = "../../../escape"
        (folder / "mirror.json").write_text(json.dumps(index))
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        archive.add(folder, "")
    if damage == "tar":
        (tmp_path / "bad.tar").write_bytes((tmp_path / "bad.tar").read_bytes()[:700])
    with Engine(tmp_path / "elsewhere") as engine:
        with pytest.raises(StagingError, match=r"bad\.tar|its bytes are others"):
            engine.mirror.take_in(tmp_path / "bad.tar")
        assert list(engine.mirror) == []
    assert not list(tmp_path.rglob("escape*"))


class PlainRuntime:
    """A runtime whose images are names, and whose containers are plain processes."""

    def __init__(self, *images: str) -> None:
        self.here = list(images)

    @localproc.hookimpl
    def localproc_containers(self) -> list[ContainerPlugin]:
        return [ContainerPlugin("plain", lambda _: self, lambda _: True)]  # type: ignore[arg-type,return-value]

    def image(self, container: Container) -> Image | None:
        is_here = container.image in self.here
        return Image(container.image, container.image, "sha256:1") if is_here else None

    def brings(self, container: Container) -> str:
        return f"plain pull {container.image}"

    def command(self, task: Task, image: Image) -> Task:
        assert task.container is not None
        return dataclasses.replace(task, container=None)

    def save(self, image: Image, archive: str) -> None:
        Path(archive).write_text(image.name)

    def load(self, archive: str, name: str) -> None:
        assert Path(archive).read_text() == name
        self.here.append(name)


BOXED: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "boxed",
    "requirements": [{"class": "DockerRequirement", "dockerPull": "example.org/echo:1"}],
    "baseCommand": ["echo", "from a box"],
    "inputs": [],
    "stdout": "said.txt",
    "outputs": [{"id": "said", "type": "stdout"}],
}


def test_the_images_that_jobs_ran_in_go_along(tmp_path: Path) -> None:
    here, there = PlainRuntime("example.org/echo:1", "example.org/other:1"), PlainRuntime()
    with Engine(tmp_path / "home", plugins=[here], containers="plain") as engine:
        job = engine.run(BOXED).raise_for_status()
        engine.mirror.export(tmp_path / "mirror.tar", [job])
        engine.mirror.export(tmp_path / "bare.tar", [job], images=False)
    with Engine(tmp_path / "elsewhere", plugins=[there], containers="plain") as engine:
        engine.mirror.take_in(tmp_path / "bare.tar")
        engine.mirror.take_in(tmp_path / "mirror.tar", images=False)
        assert there.here == []
        (found,) = engine.mirror.take_in(tmp_path / "mirror.tar")
        assert there.here == ["example.org/echo:1"]
        again = engine.process(found.process_id).execute(found.inputs).wait().raise_for_status()
        assert again.result("said").read_text() == "from a box\n"
    with (
        Engine(tmp_path / "bare", containers="none") as engine,
        pytest.raises(EnvironmentProblem, match="no container runtime") as error,
    ):
        engine.mirror.take_in(tmp_path / "mirror.tar")
    assert "--no-images" in error.value.hint


def test_an_image_that_was_damaged_is_refused(tmp_path: Path) -> None:
    here = PlainRuntime("example.org/echo:1")
    with Engine(tmp_path / "home", plugins=[here], containers="plain") as engine:
        job = engine.run(BOXED).raise_for_status()
        engine.mirror.export(tmp_path / "good.tar", [job])
        here.here.clear()
        with pytest.raises(ImageError, match="is not here"):
            engine.mirror.export(tmp_path / "bad.tar", [job])
        assert not (tmp_path / "bad.tar").exists()
    with tarfile.open(tmp_path / "good.tar") as archive:
        at = archive.getmember("images/0.tar").offset_data
    whole = (tmp_path / "good.tar").read_bytes()
    (tmp_path / "bad.tar").write_bytes(whole[:at] + b"E" + whole[at + 1 :])
    with (
        Engine(tmp_path / "elsewhere", plugins=[here], containers="plain") as engine,
        pytest.raises(StagingError, match="as it was saved"),
    ):
        engine.mirror.take_in(tmp_path / "bad.tar")
    assert here.here == []


class Meanwhile(list[Job]):
    """Jobs; as they are gone through for the second time, something else happens."""

    def __init__(self, jobs: list[Job], do: Callable[[], None]) -> None:
        super().__init__(jobs)
        self._do, self._times = do, 0

    def __iter__(self) -> Iterator[Job]:
        self._times += 1
        if self._times == 2:
            self._do()
        return super().__iter__()


def test_two_exports_to_one_file_at_once_do_each_other_no_harm(
    tmp_path: Path, site: Site, package: Path
) -> None:
    target = tmp_path / "out" / "mirror.tar"
    target.parent.mkdir()
    with Engine(tmp_path / "home") as engine:
        job = engine.deploy(package / "sums.cwl").execute(inputs_of(site, package))
        job.wait(patient(60)).raise_for_status()
        engine.mirror.export(target, Meanwhile([job], lambda: engine.mirror.export(target)))
    assert [path.name for path in target.parent.iterdir()] == ["mirror.tar"]
    with tarfile.open(target) as archive:
        assert f"jobs/{job.id}/inputs.json" in archive.getnames()
