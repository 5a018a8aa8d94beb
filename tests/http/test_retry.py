"""Going on after a failure over HTTP, and what else a request says of how its job goes on."""

import json
from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.http.service import ASYNC, ended, execute, finish, start

#: Two steps; the second one fails unless it is told not to.
PAIR: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "pair",
    "inputs": {"word": "string", "code": {"type": "int", "default": 3}},
    "outputs": {"out": {"type": "File", "outputSource": "second/out"}},
    "steps": {
        "first": {
            "run": {
                "class": "CommandLineTool",
                "id": "say",
                "baseCommand": "echo",
                "inputs": {"word": {"type": "string", "inputBinding": {}}},
                "stdout": "a.txt",
                "outputs": {"out": {"type": "stdout"}},
            },
            "in": {"word": "word"},
            "out": ["out"],
        },
        "second": {
            "run": {
                "class": "CommandLineTool",
                "id": "end",
                "baseCommand": ["sh", "-c", 'cat "$1"; exit "$0"'],
                "inputs": {
                    "code": {"type": "int", "inputBinding": {"position": 1}},
                    "file": {"type": "File", "inputBinding": {"position": 2}},
                },
                "stdout": "b.txt",
                "outputs": {"out": {"type": "stdout"}},
            },
            "in": {"code": "code", "file": "first/out"},
            "out": ["out"],
        },
    },
}


@pytest.fixture
def failed(client: httpx.Client, engine: Engine) -> str:
    """Give the URL of a job whose second step has failed."""
    engine.deploy(json.dumps(PAIR, indent=1))
    return finish(client, {"word": "hi"}, "pair")


def steps(client: httpx.Client, job: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in ended(client, job)["steps"]}


def test_a_failed_job_is_gone_on_with(client: httpx.Client, failed: str) -> None:
    answer = client.post(f"{failed}/retry")
    assert answer.status_code == 201, answer.text
    again = answer.headers["location"]
    assert again != failed
    found = steps(client, again)
    assert found["first"]["status"] == "reused"
    assert found["first"]["reusedFrom"] == failed.rpartition("/")[2]
    assert found["first"]["reusedStep"] == "first"
    assert found["second"]["because"] == "it failed before: failed with exit code 3"


def test_with_changed_inputs_it_may_succeed(client: httpx.Client, failed: str) -> None:
    answer = client.post(f"{failed}/retry", json={"inputs": {"code": 0}, "title": "again"})
    again = answer.headers["location"]
    said = ended(client, again)
    assert (said["status"], said["title"]) == ("successful", "again")
    assert steps(client, again)["first"]["status"] == "reused"
    assert client.get(f"{again}/inputs").json()["inputs"] == {"word": "hi", "code": 0}


def test_what_cannot_be_retried_is_told(client: httpx.Client, failed: str) -> None:
    assert client.post("jobs/nothing/retry").status_code == 404
    assert client.post(f"{failed}/retry", json={"inputs": {"nothing": 1}}).status_code == 400
    assert client.post(f"{failed}/retry", json=[1]).status_code == 400
    sleeping = start(client, {"seconds": 600}, "sleeper") if _sleeper(client) else ""
    answer = client.post(f"{sleeping}/retry")
    assert answer.status_code == 409
    assert "cannot be retried yet" in answer.json()["detail"]
    client.delete(sleeping)


def _sleeper(client: httpx.Client) -> bool:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "sleeper",
        "baseCommand": "sleep",
        "inputs": {"seconds": {"type": "int", "inputBinding": {}}},
        "outputs": {},
    }
    answer = client.post("processes", json=tool, headers={"Content-Type": "application/cwl+json"})
    return answer.status_code == 201


def test_the_page_of_a_failed_job_has_a_button(client: httpx.Client, failed: str) -> None:
    html = {"Accept": "text/html"}
    page = client.get(failed, headers=html).text
    path = httpx.URL(failed).path
    assert f'action="{path}/retry"' in page or f'action="{failed}/retry"' in page
    boundary = {"Content-Type": "multipart/form-data; boundary=b", **html}
    answer = client.post(f"{failed}/retry", content=b"--b--\r\n", headers=boundary)
    assert answer.status_code == 303
    again = answer.headers["location"]
    ended(client, again)
    page = client.get(again, headers=html).text
    assert "run again: it failed before" in page
    assert "taken over from" in page


def test_a_request_says_how_its_job_goes_on(client: httpx.Client, failed: str) -> None:
    job = start(
        client,
        {"word": "hi"},
        "pair",
        keepGoing=True,
        retries={"second": {"attempts": 2, "delay": 0}},
        timeLimit=600,
        priority=2,
        once="k",
    )
    said = ended(client, job)
    assert said["properties"]["priority"] == 2
    assert said["properties"]["once"] == "k"
    assert steps(client, job)["second"]["attempt"] == 2
    answer = client.post(
        "processes/pair/execution",
        json={"inputs": {"word": "hi", "code": 0}, "once": "k"},
        headers=ASYNC,
    )
    again = answer.headers["location"]
    assert again != job, "that one has failed"
    ended(client, again)
    answer = client.post(
        "processes/pair/execution", json={"inputs": {"word": "other"}, "once": "k"}, headers=ASYNC
    )
    assert answer.headers["location"] == again


@pytest.mark.parametrize(
    "members",
    [{"retries": "often"}, {"timeLimit": -1}, {"priority": "high"}, {"once": 3}, {"keepGoing": 1}],
)
def test_what_makes_no_sense_is_refused(
    client: httpx.Client, failed: str, members: dict[str, Any]
) -> None:
    answer = execute(client, {"word": "hi"}, "pair", **members)
    assert answer.status_code == 400, answer.text


def test_failures_tell_nothing_of_this_machine(client: httpx.Client, engine: Engine) -> None:
    wide = json.loads(json.dumps(PAIR))
    wide["id"] = "wide"
    wide["steps"]["third"] = wide["steps"]["second"]
    engine.deploy(json.dumps(wide, indent=1))
    job = finish(client, {"word": "hi"}, "wide", keepGoing=True)
    problem = ended(client, job)["exception"]
    assert len(problem["failures"]) == 2
    assert str(engine.home) not in json.dumps(problem)
    page = client.get(job, headers={"Accept": "text/html"}).text
    assert page.count("failed with exit code 3") >= 2
