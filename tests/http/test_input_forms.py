"""Inputs over HTTP in the forms of OGC API - Processes, and what would harm everybody else."""

import gzip
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.http.service import execute

IANA = "https://www.iana.org/assignments/media-types/"
DATA = b"II*\0 an image, more or less"
ENCODED = b64encode(DATA).decode()
TIFF = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "tiff",
    "requirements": {"InlineJavascriptRequirement": {}},
    "baseCommand": "echo",
    "arguments": ["$(inputs.scene.format)"],
    "inputs": {"scene": {"type": "File", "format": f"{IANA}image/tiff"}},
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}
RECORDS = {
    "cwlVersion": "v1.2",
    "class": "ExpressionTool",
    "id": "records",
    "requirements": {"InlineJavascriptRequirement": {}},
    "inputs": {"x": "Any"},
    "outputs": {
        "all": {
            "type": {
                "type": "array",
                "items": {"type": "record", "name": "R", "fields": {"a": "int"}},
            }
        }
    },
    "expression": "$({all: [{a: 1}, {a: 2}]})",
}


@pytest.fixture(autouse=True)
def deployed(client: httpx.Client) -> Iterator[None]:
    for package in (TIFF, RECORDS):
        answer = client.post("processes", json=package, headers={"Content-Type": "application/cwl"})
        assert answer.status_code == 201, answer.text
    yield
    for package in (TIFF, RECORDS):
        client.delete(f"processes/{package['id']}", params={"force": "true"})


@pytest.mark.parametrize(
    "scene",
    [
        {"value": ENCODED, "encoding": "base64", "mediaType": "image/tiff; application=geotiff"},
        {"value": ENCODED, "encoding": "base64"},
        {"value": ENCODED, "mediaType": "image/tiff"},
        {"class": "File", "contents": "II", "format": f"{IANA}image/tiff"},
    ],
)
def test_the_media_type_of_an_input_is_its_format(client: httpx.Client, scene: Any) -> None:
    answer = execute(client, {"scene": scene}, "tiff", outputs={"said": {}}, response="raw")
    assert answer.text == f"{IANA}image/tiff\n"


@pytest.mark.parametrize("kind", ["image/tiff", "application/octet-stream"])
def test_a_file_of_the_page_s_form_has_a_format(client: httpx.Client, kind: str) -> None:
    files = {"scene": ("scene.tif", DATA, kind)}
    answer = client.post("processes/tiff/execution", files=files, follow_redirects=False)
    assert answer.status_code == 303, answer.text


def job_ids(client: httpx.Client) -> list[str]:
    listed = client.get("jobs", params={"processID": "tiff"}).json()["jobs"]
    return [one["jobID"] for one in listed]


@pytest.mark.parametrize(
    "scene",
    [
        {"value": "{}", "mediaType": "application/json"},
        {"href": "https://example.org/scene.json", "type": "application/json"},
    ],
)
def test_another_media_type_is_refused_before_acceptance(client: httpx.Client, scene: Any) -> None:
    before = job_ids(client)
    answer = client.post("processes/tiff/execution", json={"inputs": {"scene": scene}})
    assert answer.status_code == 400
    said = f"is {IANA}application/json, expected {IANA}image/tiff"
    assert said in answer.text
    assert job_ids(client) == before


@pytest.mark.parametrize(
    ("scene", "where"),
    [
        ({"value": ENCODED, "mediaType": "tiff", "encoding": "base64"}, "scene.mediaType"),
        ({"value": ENCODED, "mediaType": 5, "encoding": "base64"}, "scene.mediaType"),
        ({"value": ENCODED, "format": {"mediaType": "image/"}}, "scene.mediaType"),
        ({"href": "https://example.org/a.tif", "type": "geo tiff"}, "scene.type"),
    ],
)
def test_what_is_no_media_type_is_refused(client: httpx.Client, scene: Any, where: str) -> None:
    answer = execute(client, {"scene": scene}, "tiff")
    assert answer.status_code == 400
    (problem,) = answer.json()["problems"]
    assert problem["where"] == f"inputs.{where}"
    assert "is not a media type" in problem["message"]


def test_a_raw_array_of_records_is_as_its_schema_says(client: httpx.Client) -> None:
    answer = execute(client, {"x": 1}, "records", outputs={"all": {}}, response="raw")
    assert answer.json() == [{"a": 1}, {"a": 2}]


def test_a_basename_with_a_slash_is_refused(client: httpx.Client) -> None:
    scene = {"class": "File", "contents": "", "basename": "a/b", "format": f"{IANA}image/tiff"}
    answer = client.post("processes/tiff/execution", json={"inputs": {"scene": scene}})
    assert answer.status_code == 400
    assert "cannot be the name of a file" in answer.text


def test_what_its_author_does_not_let_anybody_wait_for_is_not_waited_for(
    client: httpx.Client,
) -> None:
    package = {
        "processDescription": {"id": "later", "jobControlOptions": ["async-execute"]},
        "executionUnit": {"value": RECORDS},
    }
    kind = {"Content-Type": "application/ogcapppkg+json"}
    assert client.post("processes", json=package, headers=kind).status_code == 201
    described = client.get("processes/later").json()
    assert described["jobControlOptions"] == ["async-execute"]
    answer = client.post("processes/later/execution", json={"inputs": {"x": 1}})
    assert answer.status_code == 201
    client.delete("processes/later", params={"force": "true"})


BOMB = "\n".join(
    ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
)


@pytest.mark.parametrize("kind", ["application/cwl", "application/cwl+yaml", "text/yaml"])
def test_aliases_of_aliases_are_refused(client: httpx.Client, kind: str) -> None:
    for method, place in (("POST", "processes"), ("PUT", "processes/tiff")):
        answer = client.request(method, place, content=BOMB, headers={"Content-Type": kind})
        assert (answer.status_code, "repeat too much" in answer.text) == (400, True)


def test_aliases_of_aliases_in_an_execution_unit_are_refused(client: httpx.Client) -> None:
    answer = client.post(
        "processes",
        json={"executionUnit": {"value": BOMB}},
        headers={"Content-Type": "application/ogcapppkg+json"},
    )
    assert (answer.status_code, "repeat too much" in answer.text) == (400, True)


def test_a_reversed_interval_is_told_as_such(client: httpx.Client) -> None:
    answer = client.get("jobs", params={"datetime": "2026-02-01/2026-01-01"})
    assert answer.status_code == 400
    assert "the parameter datetime: 2026-02-01/2026-01-01 ends before it begins" in answer.text


def test_a_body_that_is_compressed_is_not_taken_for_another(client: httpx.Client) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    body = gzip.compress(b'{"inputs": {}}')
    answer = client.post("processes/tiff/execution", content=body, headers=headers)
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert answer.json()["detail"] == "a body cannot be coded as gzip here"
    headers["Content-Encoding"] = "identity"
    body = b'{"inputs": {"scene": 5}}'
    answer = client.post("processes/tiff/execution", content=body, headers=headers)
    assert answer.status_code == 400
    assert client.get("jobs", headers={"Content-Encoding": "gzip"}).status_code == 200
