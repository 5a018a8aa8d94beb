"""Every document against the standard's own schemas: 1.0, and the draft of 2.0 where they agree."""

import json
from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.http.packages import BAND_MATH, CWL, FAILING, package
from tests.http.schemas import COMMON, DEPLOY, VERSION_1, VERSION_2, valid, where
from tests.http.service import execute, finish, start, until
from tests.http.test_part1 import INPUTS, REFERENCE, VALUE

BOTH = (VERSION_1, VERSION_2)
both = pytest.mark.parametrize("version", BOTH, ids=["1.0", "2.0-draft"])


@pytest.fixture(autouse=True)
def _schemas() -> None:
    """Before anything is started."""
    where()


def common(version: str) -> str:
    """Give where a version has what all OGC APIs share."""
    return COMMON if version == VERSION_2 else version


def in_words_of(version: str, status: dict[str, Any]) -> dict[str, Any]:
    """Give a statusInfo as a version has it.

    The draft makes ``processID`` a URI, which no client of 1.0 could use as an id: the id stays.
    """
    if version == VERSION_2:
        return {**status, "processID": f"urn:{status['processID']}"}
    return status


@both
def test_landing_page(client: httpx.Client, version: str) -> None:
    valid(client.get("").json(), common(version), "landingPage")


@both
def test_conformance(client: httpx.Client, version: str) -> None:
    valid(client.get("conformance").json(), common(version), "confClasses")


@both
def test_processes(engine: Engine, client: httpx.Client, version: str) -> None:
    engine.deploy(CWL)
    engine.deploy(json.dumps(BAND_MATH).encode())
    listed = client.get("processes").json()
    valid(listed, version, "processList")
    assert len(listed["processes"]) == 3
    for one in listed["processes"]:
        valid(one, version, "processSummary")
        valid(client.get(f"processes/{one['id']}").json(), version, "process")


def test_the_summary_says_whether_it_can_be_replaced(client: httpx.Client) -> None:
    valid(client.get("processes/echo").json(), DEPLOY, "staticIndicator")


@both
def test_what_deploying_answers(client: httpx.Client, version: str) -> None:
    content = package({"value": CWL, "mediaType": "application/cwl+yaml"}, id=f"p{len(version)}")
    kind = {"Content-Type": "application/ogcapppkg+json"}
    answer = client.post("processes", content=content, headers=kind)
    assert answer.status_code == 201
    valid(answer.json(), version, "processSummary")


@both
def test_status_of_jobs_in_every_state(engine: Engine, client: httpx.Client, version: str) -> None:
    engine.deploy(FAILING)
    running = start(client, {"pause": 3600})
    until(lambda: client.get(running).json()["status"] == "running")
    others = [finish(client, {"string": "a"}), finish(client, {}, "failing")]
    states = set()
    for job in (running, *others):
        said = client.get(job).json()
        states.add(said["status"])
        valid(in_words_of(version, said), version, "statusInfo")
    gone = client.delete(running).json()
    states.add(gone["status"])
    valid(in_words_of(version, gone), version, "statusInfo")
    assert states == {"running", "successful", "failed", "dismissed"}


@both
def test_the_status_of_a_job_just_made(client: httpx.Client, version: str) -> None:
    body = {"inputs": {"pause": 1}}
    headers = {"Prefer": "respond-async"}
    answer = client.post("processes/echo/execution", json=body, headers=headers)
    valid(in_words_of(version, answer.json()), version, "statusInfo")


@both
def test_job_list(client: httpx.Client, version: str) -> None:
    for text in "ab":
        finish(client, {"string": text})
    listed = client.get("jobs", params={"limit": 1}).json()
    listed["jobs"] = [in_words_of(version, one) for one in listed["jobs"]]
    assert {"next"} <= {one["rel"] for one in listed["links"]}
    valid(listed, version, "jobList")


@both
@pytest.mark.parametrize("mode", [None, VALUE, REFERENCE], ids=["default", "value", "reference"])
def test_results(client: httpx.Client, version: str, mode: Any) -> None:
    """Of every kind of output, in every way they can be transmitted."""
    outputs = dict.fromkeys(INPUTS, mode) if mode else None
    members: dict[str, Any] = {"outputs": outputs} if outputs else {}
    waited = execute(client, INPUTS, response="document", **members)
    assert waited.json().keys() == INPUTS.keys()
    valid(waited.json(), version, "results")
    job = finish(client, INPUTS, **members)
    valid(client.get(f"{job}/results").json(), version, "results")


@both
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "processes/none", 404),
        ("GET", "jobs/none", 404),
        ("GET", "jobs/none/results", 404),
        ("GET", "nothing", 404),
        ("POST", "conformance", 405),
        ("GET", "jobs?limit=x", 400),
        ("POST", "processes/echo/execution", 400),
        ("POST", "processes", 415),
        ("DELETE", "processes/echo", 403),
    ],
)
def test_problems(client: httpx.Client, version: str, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["status"] == status
    valid(answer.json(), common(version), "exception")


@both
def test_the_problem_of_a_failed_job(engine: Engine, client: httpx.Client, version: str) -> None:
    engine.deploy(FAILING)
    job = finish(client, {}, "failing")
    valid(client.get(f"{job}/results").json(), common(version), "exception")


def test_the_requests_of_these_tests_are_the_standards(client: httpx.Client) -> None:
    """What is sent to ``echo`` is valid itself, so that what it gives back says something."""
    valid({"inputs": INPUTS, "outputs": {"string": VALUE}}, VERSION_2, "execute")


def test_packages_are_the_standards() -> None:
    valid(json.loads(package({"value": {}}, id="a", version="1")), DEPLOY, "ogcapppkg")
