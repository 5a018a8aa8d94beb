"""The main job on real scenes, as it is typed."""

import signal
from pathlib import Path

import pytest

from localproc import Engine
from tests.cli.terminal import elsewhere, started
from tests.patience import patient, until

rasterio = pytest.importorskip("rasterio")

EXAMPLE = Path(__file__).parents[2] / "examples" / "water_bodies"
WORDS = ("run", EXAMPLE / "water-bodies.cwl", EXAMPLE / "inputs.yml")


def test_one_document_tells_it_all(here: Path) -> None:
    said = elsewhere(*WORDS, "--results", "out", "--json")
    assert (said.code, said.err) == (0, "")
    document = said.document
    job_id = document["jobID"]
    assert {name: document[name] for name in ("processID", "type", "status", "progress")} == {
        "processID": "water-bodies",
        "type": "process",
        "status": "successful",
        "progress": 100,
    }
    assert document["message"]
    assert document["created"] <= document["started"] <= document["finished"] == document["updated"]
    assert {link["rel"] for link in document["links"]} >= {"monitor", "related"}
    steps = {step["name"]: step for step in document["steps"]}
    assert {f"node_crop{n}" for n in ("", "_2", "_3", "_4")} <= set(steps)
    assert {"node_otsu", "node_otsu_2", "node_stac", "stage_out"} <= set(steps)
    for step in steps.values():
        assert step["status"] == "successful"
        assert document["started"] <= step["start"] <= step["end"] <= document["finished"]
        assert step.get("exitCode", 0) == 0
    collection = document["results"]["stac_catalog"]["value"]
    assert collection["type"] == "FeatureCollection"
    items = {item["id"] for item in collection["features"]}
    assert items == {"LE07_OLINDA_N", "LE07_OLINDA_S"}
    root = here / "out" / job_id
    assert (root / "catalog.json").exists()
    assert (root / job_id / "collection.json").exists()
    for item in items:
        assert (root / job_id / item / f"{item}.json").exists()
        with rasterio.open(root / job_id / item / "otsu.tif") as mask:
            assert mask.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_killed_in_the_middle_it_goes_on_where_it_was(home: Path) -> None:
    with started(*WORDS) as process:
        until(lambda: (home / "localproc.db").exists())
        engine = Engine(home, run_jobs=False)
        job = until(lambda: engine.jobs(status="running"))[0]
        until(lambda: sum(step.status == "successful" for step in job.steps) >= 2, 60)
        process.send_signal(signal.SIGKILL)
        process.wait(patient(10))
    logs = Path(job.folder) / "logs"
    ended = {step.log for step in job.steps if step.status == "successful"}
    times = {log: (logs / log).stat().st_mtime_ns for log in ended if (logs / log).exists()}
    assert not job.status.final
    said = elsewhere("resume")
    assert (said.code, said.out) == (0, f"{job.id}: successful\n")
    assert {log: (logs / log).stat().st_mtime_ns for log in times} == times
    assert len(job.result("stac_catalog").items) == 2
    engine.close()
