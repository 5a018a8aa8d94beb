"""The clients that people use: ogc-api-processes-client 0.6.0, on sockets and without, and OWSLib.

The generated client reads less than the standard allows. What it reads of ours is held here.
"""

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from localproc import Engine
from localproc.http import create_app
from tests.http.packages import BAND_MATH, FAILING, TOOL
from tests.http.service import served, until
from tests.patience import patient

# Its models are made for an older pydantic.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

wrapper = pytest.importorskip("ogc_api_processes_client.api_client_wrapper")
exceptions = pytest.importorskip("ogc_api_processes_client.exceptions")
configuration = pytest.importorskip("ogc_api_processes_client.configuration")
models = pytest.importorskip("ogc_api_processes_client.models")

#: What the seeds send with every request.
HEADERS = {
    "accept": "*/*",
    "Prefer": "respond-async;return=representation",
    "Content-Type": "application/json",
}
ENDED = ("successful", "failed", "dismissed")
MANY_TYPES = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "many-types",
    "baseCommand": "true",
    "inputs": {
        "text": {"type": "string", "default": ""},
        "maybe": "string?",
        "whole": {"type": "int", "default": 0},
        "real": {"type": "double", "default": 0.5},
        "flag": {"type": "boolean", "default": False},
        "choice": {"type": {"type": "enum", "symbols": ["a", "b"]}, "default": "a"},
        "texts": {"type": "string[]", "default": ["a", "b"]},
        "numbers": "double[]?",
        "either": ["null", "string", "int"],
        "file": "File?",
        "folders": "Directory[]?",
        "any": "Any?",
        "record": {"type": ["null", {"type": "record", "fields": {"a": "string", "b": "int?"}}]},
    },
    "outputs": {"texts": {"type": "string[]", "outputBinding": {"outputEval": '$(["a"])'}}},
    "requirements": {"InlineJavascriptRequirement": {}},
}


class Blocked(socket.socket):
    """A socket that cannot be made."""

    def __init__(self, *args: Any, **options: Any) -> NoReturn:
        raise AssertionError("somebody wanted a socket")


@contextlib.contextmanager
def on_a_socket(engine: Engine, **settings: Any) -> Iterator[Any]:
    with served(create_app(engine, **settings)) as address:
        host = f"{address}/{engine.namespace}/ogc-api"
        client = wrapper.ApiClientWrapper(configuration.Configuration(host=host))
        yield client
        client.api_client.rest_client.pool_manager.clear()


@contextlib.contextmanager
def in_process(engine: Engine, **settings: Any) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Blocked)
        yield engine.ogc_client(**settings)


Connect = Callable[..., contextlib.AbstractContextManager[Any]]


@pytest.fixture(params=[on_a_socket, in_process], ids=["socket", "in-process"])
def connect(request: pytest.FixtureRequest) -> Connect:
    found: Connect = request.param
    return found


@pytest.fixture
def client(engine: Engine, connect: Connect) -> Iterator[Any]:
    with connect(engine) as client:
        yield client


def start(client: Any, inputs: dict[str, Any], process: str = "echo", **members: Any) -> Any:
    body = {"inputs": inputs, **members}
    return client.execute_simple(process_id=process, execute=body, _headers=HEADERS)


def finish(client: Any, inputs: dict[str, Any], process: str = "echo", **members: Any) -> str:
    job: str = start(client, inputs, process, **members).job_id
    until(lambda: client.get_status(job_id=job).status.value in ENDED)
    return job


# The service and its processes


def test_landing_page_and_conformance(client: Any) -> None:
    rels = {one.rel for one in client.get_landing_page().links}
    assert {"service-desc", "conformance", "processes"} <= rels
    assert any(one.endswith("/core") for one in client.get_conformance_classes().conforms_to)


def test_processes_of_all_kinds(engine: Engine, client: Any) -> None:
    """Descriptions with every type of CWL, and one that its author wrote."""
    engine.deploy(MANY_TYPES)
    engine.deploy(json.dumps(BAND_MATH).encode())
    listed = {one.id: one for one in client.get_processes().processes}
    assert set(listed) >= {"echo", "many-types", "BandMath"}
    for name in listed:
        process = client.get_process_description(process_id=name)
        assert process.id == name
        assert process.version
    described = client.get_process_description(process_id="many-types")
    assert set(described.inputs) == set(MANY_TYPES["inputs"])
    assert {one.value for one in described.job_control_options} == {
        "sync-execute",
        "async-execute",
        "dismiss",
    }


def test_a_process_that_is_not_there(client: Any) -> None:
    with pytest.raises(exceptions.NotFoundException) as caught:
        client.get_process_description(process_id="none")
    assert caught.value.data.type.endswith("/no-such-process")
    assert caught.value.data.status == 404


# Jobs


def test_a_job_from_start_to_end(client: Any) -> None:
    """The calls of the seeds, one after the other; get_jobs() is not commented out."""
    accepted = start(client, {"array": ["a"]})
    assert isinstance(accepted, models.StatusInfo)
    assert (accepted.type, accepted.process_id) == ("process", "echo")
    monitor = next(one.href for one in accepted.links if one.rel == "monitor")
    assert monitor.endswith(f"/jobs/{accepted.job_id}")
    until(lambda: client.get_status(job_id=accepted.job_id).status.value == "successful")
    assert accepted.job_id in {job.job_id for job in client.get_jobs().jobs}
    status = client.get_status(job_id=accepted.job_id)
    assert status.progress == 100
    assert status.created <= status.started <= status.finished
    assert status.properties["runAs"] == "anonymous"
    result = client.get_result(job_id=accepted.job_id)
    assert result["array"].actual_instance.actual_instance == ["a"]


def test_dismissed_then_gone(client: Any) -> None:
    job = start(client, {"pause": 3600}).job_id
    until(lambda: client.get_status(job_id=job).status.value == "running")
    dismissed = client.dismiss(job_id=job)
    assert (dismissed.job_id, dismissed.status.value) == (job, "dismissed")
    assert [one.rel for one in dismissed.links] == ["parent"]
    assert job not in {one.job_id for one in client.get_jobs().jobs}
    for call in (client.get_status, client.get_result, client.dismiss):
        with pytest.raises(exceptions.NotFoundException) as caught:
            call(job_id=job)
        assert caught.value.data.title == "NoSuchJob"
        assert "does not match any of the Jobs" in caught.value.data.detail


@pytest.mark.parametrize("profile", ["localproc", "zoo"])
@pytest.mark.parametrize("dismiss", ["seed", "ogc2", "gone"])
def test_jobs_in_every_state_can_be_read(
    engine: Engine, connect: Connect, profile: str, dismiss: str
) -> None:
    engine.deploy(FAILING)
    with connect(engine, profile=profile, dismiss=dismiss) as client:
        states = set()
        for job in (
            start(client, {"pause": 3600}).job_id,
            finish(client, {"array": []}),
            finish(client, {}, "failing"),
        ):
            states.add(client.get_status(job_id=job).status.value)
            client.get_jobs()
            states.add(client.dismiss(job_id=job).status.value)
            client.get_jobs()
        assert states >= {"successful", "failed", "dismissed"}
        assert states & {"accepted", "running"}


def test_a_failed_job_says_why(engine: Engine, client: Any) -> None:
    engine.deploy(FAILING)
    job = finish(client, {}, "failing")
    with pytest.raises(exceptions.ServiceException) as caught:
        client.get_result(job_id=job)
    problem = caught.value.data
    assert problem.type.endswith("/job-failed")
    assert problem.additional_properties["stderrTail"] == ["one line", "this is why"]
    assert problem.additional_properties["step"] == "break"


def test_results_that_are_not_ready(client: Any) -> None:
    job = start(client, {"pause": 3600}).job_id
    with pytest.raises(exceptions.NotFoundException) as caught:
        client.get_result(job_id=job)
    assert caught.value.data.type.endswith("/result-not-ready")
    client.dismiss(job_id=job)


def test_inputs_that_are_wrong(client: Any) -> None:
    """It knows no answer 400, so that comes as text; all of what is wrong is in there."""
    with pytest.raises((exceptions.ApiException, ValueError)):
        start(client, {"integer": "five", "unknown": 1})


# Results


FEATURES = {"value": {"type": "FeatureCollection", "features": [], "id": "a"}}


@pytest.mark.parametrize(
    ("inputs", "read"),
    [
        ({"number": 0.5}, 0.5),
        ({"boolean": True}, True),
        ({"boolean": False}, False),
        ({"array": ["a", "b"]}, ["a", "b"]),
    ],
    ids=str,
)
def test_values_that_it_reads(client: Any, inputs: dict[str, Any], read: Any) -> None:
    job = finish(client, inputs)
    (value,) = client.get_result(job_id=job).values()
    assert value.actual_instance.actual_instance == read


def test_a_box(client: Any) -> None:
    job = finish(client, {"bbox": {"bbox": [1, 2, 3, 4]}})
    value = client.get_result(job_id=job)["bbox"]
    assert value.to_dict()["bbox"] == [1, 2, 3, 4]


def test_a_feature_collection(client: Any) -> None:
    """The seeds take the dict of a qualified value out of the model in this way."""
    job = finish(client, {"object": FEATURES})
    value = client.get_result(job_id=job)["object"]
    found = value.actual_instance.value.oneof_schema_2_validator
    assert found == FEATURES["value"]


def test_a_file(client: Any) -> None:
    job = finish(client, {"binary": {"value": "aGVsbG8=", "encoding": "base64"}})
    link = client.get_result(job_id=job)["binary"].actual_instance
    assert link.href.endswith(f"/jobs/{job}/files/input")


@pytest.mark.parametrize("inputs", [{"string": "a"}, {"integer": 5}, {"choice": "first"}], ids=str)
def test_what_it_cannot_read_it_gets_as_a_link(client: Any, inputs: dict[str, Any]) -> None:
    """A text and an integer are two of its types at once; a reference to them is not."""
    with pytest.raises(ValueError, match="match"):
        client.get_result(job_id=finish(client, inputs))
    outputs = {name: {"transmissionMode": "reference"} for name in inputs}
    (value,) = client.get_result(job_id=finish(client, inputs, outputs=outputs)).values()
    assert "/results/" in value.actual_instance.href


def test_the_same_documents_everywhere(engine: Engine) -> None:
    """What Python gives is what the client was sent, but for the base of the links."""
    engine.deploy(TOOL)
    with in_process(engine) as client:
        job = finish(client, {"message": "a"}, "tool")
        status = client.get_status(job_id=job)
    said = engine.job(job).status_info("http://localproc/default/ogc-api")
    assert status.message == said["message"]
    assert [one.href for one in status.links] == [one["href"] for one in said["links"]]


# OWSLib


@pytest.fixture
def processes(engine: Engine) -> Iterator[Any]:
    owslib = pytest.importorskip("owslib.ogcapi.processes")
    with served(create_app(engine)) as address:
        yield owslib.Processes(f"{address}/{engine.namespace}/ogc-api")


def test_owslib_lists_and_describes(engine: Engine, processes: Any) -> None:
    engine.deploy(TOOL)
    assert {"echo", "tool"} <= {one["id"] for one in processes.processes()}
    assert "message" in processes.process("tool")["inputs"]


def test_owslib_executes(processes: Any) -> None:
    assert processes.execute("echo", {"string": "a"}) == {"string": "a"}
    outputs = {"integer": {"transmissionMode": "value"}}
    given = {"string": "a", "integer": 1}
    assert processes.execute("echo", given, outputs=outputs) == {"integer": 1}


def test_owslib_executes_asynchronously(engine: Engine, processes: Any) -> None:
    said = processes.execute("echo", {"string": "a"}, async_=True)
    job = said["jobID"] if isinstance(said, dict) else said.rpartition("/")[2]
    assert engine.job(job).wait(patient(30)).results()["string"] == "a"
