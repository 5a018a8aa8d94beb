"""The documents about jobs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from localproc.model import JobRecord, JobStatus, Step, StepStatus, Trigger
from localproc.views.ogc import RESULTS_REL, file_link, results_document, status_info, timestamp

NOON = datetime(2026, 5, 31, 12, 0, 0, 123456, UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


JOB = JobRecord(
    id="job-1",
    namespace="default",
    process_id="echo",
    revision="abc",
    status=JobStatus.RUNNING,
    created=NOON,
    updated=after(2),
    started=after(1),
    progress=42,
    message="running crop",
)
DONE = replace(
    JOB, status=JobStatus.SUCCESSFUL, finished=after(9), progress=100, message="successful"
)


def step(name: str, status: StepStatus = StepStatus.SUCCESSFUL, **fields: Any) -> Step:
    return Step(name, name, status, f"node_{name}.log", **fields)


# Times


def test_times_are_in_utc_with_milliseconds_and_a_z() -> None:
    assert timestamp(NOON) == "2026-05-31T12:00:00.123Z"
    assert timestamp(datetime(2026, 5, 31, tzinfo=UTC)) == "2026-05-31T00:00:00.000Z"
    brazil = timezone(timedelta(hours=-3))
    assert timestamp(datetime(2026, 5, 31, 12, tzinfo=brazil)) == "2026-05-31T15:00:00.000Z"


# statusInfo


def test_the_status_of_a_job_that_runs() -> None:
    assert status_info(JOB) == {
        "jobID": "job-1",
        "id": "job-1",
        "type": "process",
        "processingEntityType": "ogc-api-processes",
        "processID": "echo",
        "status": "running",
        "message": "running crop",
        "progress": 42,
        "created": "2026-05-31T12:00:00.123Z",
        "updated": "2026-05-31T12:00:02.123Z",
        "started": "2026-05-31T12:00:01.123Z",
        "properties": {"trigger": "manual", "revision": "abc"},
        "links": [
            {
                "title": "Status location",
                "rel": "monitor",
                "type": "application/json",
                "href": "/jobs/job-1",
            }
        ],
    }


def test_it_is_json_and_has_the_fields_of_both_versions_of_the_standard() -> None:
    info = json.loads(json.dumps(status_info(DONE, [step("crop", end=NOON)])))
    first = {"jobID", "type", "processID", "status", "message", "progress", "created", "started"}
    second = {"id", "processingEntityType", "updated", "finished", "links"}
    assert first | second <= info.keys()
    assert info["type"] == "process"
    assert type(info["progress"]) is int


def test_what_has_not_happened_yet_is_left_out() -> None:
    info = status_info(replace(JOB, status=JobStatus.ACCEPTED, started=None))
    assert not {"started", "finished", "title", "steps"} & info.keys()
    assert status_info(DONE)["finished"] == "2026-05-31T12:00:09.123Z"


@pytest.mark.parametrize("status", list(JobStatus))
def test_there_is_a_link_to_results_once_there_are_any(status: JobStatus) -> None:
    info = status_info(replace(JOB, status=status), base="https://example.com/ogc")
    assert info["status"] == status.value
    results = [link["href"] for link in info["links"] if link["rel"] == RESULTS_REL]
    there = ["https://example.com/ogc/jobs/job-1/results"]
    assert results == (there if status is JobStatus.SUCCESSFUL else [])


def test_what_was_said_of_a_job_is_in_its_properties() -> None:
    info = status_info(
        replace(
            JOB,
            title="Täst",
            trigger=Trigger.SCHEDULED,
            reason="why",
            run_as="jane",
            environment="prod",
            service="eo",
            tags=("a", "b"),
        )
    )
    assert info["title"] == "Täst"
    assert info["properties"] == {
        "trigger": "scheduled",
        "reason": "why",
        "runAs": "jane",
        "environment": "prod",
        "service": "eo",
        "revision": "abc",
        "tags": ["a", "b"],
    }


def test_a_step_tells_where_it_runs_and_what_it_took() -> None:
    waits = step("crop", StepStatus.ACCEPTED, executor="slurm", native_id="4711", reason="Priority")
    ended = step("otsu", host="node-7", queued=0.0, cpu=1.5, rss=2048)
    first, second = status_info(JOB, [waits, ended])["steps"]
    assert (first["executor"], first["nativeID"], first["reason"]) == ("slurm", "4711", "Priority")
    assert second["host"] == "node-7"
    assert (second["queuedSeconds"], second["cpuSeconds"], second["peakMemoryKiB"]) == (
        0,
        1.5,
        2048,
    )
    assert not {"executor", "nativeID", "reason"} & set(second)


def test_a_step_that_failed_tells_what_it_was() -> None:
    failed = step("crop_2", StepStatus.FAILED, command=("crop", "b"), inputs={"name": "b"})
    well = step("crop", StepStatus.SUCCESSFUL, command=("crop", "a"))
    first, second = status_info(JOB, [failed, well])["steps"]
    assert (first["command"], first["inputs"]) == (["crop", "b"], {"name": "b"})
    assert not {"command", "inputs"} & set(second)


def test_a_step_tells_how_many_bytes_have_come_and_what_was_made_available() -> None:
    stages = step("stage_in", StepStatus.RUNNING, bytes_done=0, bytes_total=30)
    runs = step("otsu", StepStatus.RUNNING, software=("gdal 3.8 (modules: GDAL/3.8)",))
    first, second = status_info(JOB, [stages, runs])["steps"]
    assert (first["bytesDone"], first["bytesTotal"]) == (0, 30)
    assert second["software"] == ["gdal 3.8 (modules: GDAL/3.8)"]
    assert not {"bytesDone", "bytesTotal"} & set(second)


def test_steps_are_told_in_the_order_they_started() -> None:
    steps = [
        step("crop", start=after(1), end=after(5), exit_code=0),
        step("crop_2", StepStatus.FAILED, start=after(1), end=after(3), exit_code=3, message="bad"),
        step("otsu", StepStatus.RUNNING, start=after(4), attempt=2),
        step("stac", StepStatus.REUSED, reused_from="job-0"),
    ]
    assert status_info(JOB, steps)["steps"] == [
        {
            "name": "crop",
            "status": "successful",
            "start": "2026-05-31T12:00:01.123Z",
            "end": "2026-05-31T12:00:05.123Z",
            "exitCode": 0,
            "log": "node_crop.log",
        },
        {
            "name": "crop_2",
            "status": "failed",
            "start": "2026-05-31T12:00:01.123Z",
            "end": "2026-05-31T12:00:03.123Z",
            "exitCode": 3,
            "message": "bad",
            "log": "node_crop_2.log",
        },
        {
            "name": "otsu",
            "status": "running",
            "start": "2026-05-31T12:00:04.123Z",
            "attempt": 2,
            "log": "node_otsu.log",
        },
        {"name": "stac", "status": "reused", "reusedFrom": "job-0", "log": "node_stac.log"},
    ]


def test_logs_are_linked_in_the_order_in_which_steps_ended() -> None:
    steps = [
        step("slow", end=after(9)),
        step("quick", end=after(2)),
        step("runs", StepStatus.RUNNING, start=after(1)),
        step("last", end=after(9)),
    ]
    links = status_info(DONE, steps, "https://example.com")["links"]
    assert [link["rel"] for link in links] == ["monitor", RESULTS_REL, *["related"] * 3]
    assert [link["title"] for link in links[2:]] == [
        "Tool log node_quick.log",
        "Tool log node_slow.log",
        "Tool log node_last.log",
    ]
    assert links[2]["href"] == "https://example.com/jobs/job-1/node_quick.log"
    assert links[2]["type"] == "text/plain"


# results


def test_values_are_values_and_objects_are_qualified() -> None:
    outputs = {
        "number": 3,
        "text": "hello",
        "flag": False,
        "zero": 0,
        "empty": [],
        "texts": ["a", "b"],
        "object": {"a": 1},
        "objects": [{"a": 1}, {"value": 2}],
        "nothing": None,
    }
    assert results_document(outputs, {}) == {
        "number": 3,
        "text": "hello",
        "flag": False,
        "zero": 0,
        "empty": [],
        "texts": ["a", "b"],
        "object": {"value": {"a": 1}},
        "objects": [{"value": {"a": 1}}, {"value": {"value": 2}}],
    }


def test_files_are_links() -> None:
    tif = {"class": "File", "location": "s3://b/a.tif", "basename": "a.tif", "size": 12}
    folder = {"class": "Directory", "location": "file:///r/out", "basename": "out", "listing": []}
    document = results_document({"file": tif, "files": [tif, [tif]], "folder": folder}, {})
    link = {
        "href": "s3://b/a.tif",
        "rel": "item",
        "title": "a.tif",
        "type": "image/tiff; application=geotiff",
        "length": 12,
    }
    assert document["file"] == link
    assert document["files"] == [link, [link]]
    assert document["folder"] == {
        "href": "file:///r/out",
        "rel": "item",
        "title": "out",
        "type": "application/vnd.localproc.directory",
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.json", "application/json"),
        ("a.png", "image/png"),
        ("a.txt", "text/plain"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_type_of_a_file_is_told_by_its_name(name: str, kind: str) -> None:
    assert file_link({"class": "File", "location": f"x:{name}", "basename": name})["type"] == kind


def test_the_media_type_that_a_package_states_goes_first() -> None:
    """As it is, or by its IRI at IANA. A format of another vocabulary is no media type."""
    for stated, kind in (
        ("image/png", "image/png"),
        ("image/tiff; application=geotiff", "image/tiff; application=geotiff"),
        ("https://www.iana.org/assignments/media-types/image/png", "image/png"),
        ("http://edamontology.org/format_2330", "text/plain"),
        ("edam:1915", "text/plain"),
        ("image/png\r\nX: y", "text/plain"),
    ):
        file = {"class": "File", "location": "x:a.txt", "basename": "a.txt", "format": stated}
        assert file_link(file)["type"] == kind


def test_catalogs_are_feature_collections() -> None:
    features = {"type": "FeatureCollection", "features": [], "id": "job-1"}
    folder = {"class": "Directory", "location": "file:///r/job-1", "basename": "job-1"}
    assert results_document({"out": folder}, {"out": features}) == {"out": {"value": features}}
