"""Jobs without a network: with what was mirrored where there is one."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localproc import Engine
from localproc.errors import InvalidInputs, JobFailed, NoSuchObject, StagingError
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
