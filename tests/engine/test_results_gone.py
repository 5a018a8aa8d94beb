"""Results that somebody has removed, or a part of them: whoever asks for them is told."""

import json
from pathlib import Path
from typing import Any

import pytest

import localproc
from localproc.cli import main
from localproc.engine.handles import Job
from localproc.errors import NoSuchOutput, ResultsGone
from localproc.uris import uri_path

ITEM: dict[str, Any] = {
    "type": "Feature",
    "stac_version": "1.0.0",
    "id": "scene",
    "geometry": None,
    "properties": {"datetime": "2026-01-01T00:00:00Z"},
    "links": [],
    "assets": {"data": {"href": "data.bin"}},
}
CATALOG: dict[str, Any] = {
    "type": "Catalog",
    "stac_version": "1.0.0",
    "id": "made",
    "description": "made",
    "links": [{"rel": "item", "href": "scene.json"}],
}


def written(name: str, content: str) -> dict[str, str]:
    return {"entryname": name, "entry": content.replace("$(", "\\$(")}


MAKES: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "makes",
    "baseCommand": "true",
    "requirements": {
        "InitialWorkDirRequirement": {
            "listing": [
                written("out/catalog.json", json.dumps(CATALOG)),
                written("out/scene.json", json.dumps(ITEM)),
                written("out/data.bin", "data"),
            ]
        }
    },
    "inputs": {},
    "outputs": {"catalog": {"type": "Directory", "outputBinding": {"glob": "out"}}},
}


@pytest.fixture
def job(localproc_engine: localproc.Engine) -> Job:
    return localproc_engine.run(MAKES, {}).raise_for_status()


def files(job: Job) -> list[Path]:
    return [path for path in Path(uri_path(job.location)).rglob("*") if path.is_file()]


def test_what_is_there_is_no_error(job: Job, tmp_path: Path) -> None:
    job.check_there()
    assert len(job.download(tmp_path / "all")) == len(files(job)) == 4


def test_folders_with_nothing_in_them_are_brought(
    localproc_engine: localproc.Engine, tmp_path: Path
) -> None:
    tool = {
        **MAKES,
        "id": "folders",
        "baseCommand": ["mkdir", "-p", "d/e/f"],
        "requirements": {},
        "outputs": {"folder": {"type": "Directory", "outputBinding": {"glob": "d"}}},
    }
    job = localproc_engine.run(tool, {}).raise_for_status()
    assert job.download(tmp_path / "all") == []
    assert (tmp_path / "all" / "d" / "e" / "f").is_dir()
    with pytest.raises(NoSuchOutput):
        job.download(tmp_path / "none", "other")


def test_a_catalog_that_is_gone_is_not_an_empty_one(job: Job, tmp_path: Path) -> None:
    for path in files(job):
        path.unlink()
    for call in (job.check_there, lambda: job.download(tmp_path / "all"), lambda: job.presigned(9)):
        with pytest.raises(ResultsGone, match="is not there any more"):
            call()
    with pytest.raises(ResultsGone):
        job.check_there("catalog")


def test_one_asset_that_is_gone_is_told(job: Job, tmp_path: Path) -> None:
    next(path for path in files(job) if path.name == "data.bin").unlink()
    with pytest.raises(ResultsGone, match=r"data\.bin was published"):
        job.download(tmp_path / "all")


def test_clients_are_told(job: Job, localproc_engine: localproc.Engine) -> None:
    for path in files(job):
        path.unlink()
    with localproc_engine.client() as client:
        for place in ("results", "results/catalog"):
            answer = client.get(f"jobs/{job.id}/{place}")
            assert (place, answer.status_code) == (place, 410)


def test_the_command_line_tells(
    job: Job, localproc_engine: localproc.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in files(job):
        path.unlink()
    with pytest.raises(SystemExit) as ended:
        main(["--home", str(localproc_engine.home), "results", job.id])
    assert ended.value.code == 2
    assert "catalog.json was published, and is not there any more" in capsys.readouterr().err
