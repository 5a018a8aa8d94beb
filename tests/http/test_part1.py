"""OGC API - Processes Part 1 against the built-in ``echo``, as the official suite asks it.

The tests are named after those of ets-ogcapi-processes10, class by class.
"""

import json
from base64 import b64encode
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest

from localproc import Engine
from localproc.http.service import definition
from localproc.model import InputPolicy
from tests.http.definition import declared
from tests.http.schemas import VERSION_1, valid
from tests.http.service import ASYNC, ended, execute, finish, link, receiving, start

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
CONF = "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/"
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
JSON = {"Accept": "application/json"}
TEXT = "teststring"
IMAGE = b"II*\0 an image, more or less"
OBJECT = {"value": {"property": "value", "list": [1, 2.5, None]}}
BBOX = {"bbox": [51.9, 7.0, 52.0, 7.1], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
ENCODED = b64encode(IMAGE).decode()
INPUTS: dict[str, Any] = {
    "string": TEXT,
    "number": 3.14,
    "integer": 7,
    "boolean": False,
    "choice": "second",
    "array": ["one", "two"],
    "object": OBJECT,
    "mixed": {"value": TEXT, "mediaType": "text/plain"},
    "bbox": BBOX,
    "binary": {"value": ENCODED, "encoding": "base64", "mediaType": "image/tiff"},
}
VALUE = {"transmissionMode": "value"}
REFERENCE = {"transmissionMode": "reference"}


def parts(answer: httpx.Response) -> dict[str, tuple[str, bytes, str]]:
    """Take a multipart answer apart: content type, data and location by Content-ID."""
    assert answer.headers["content-type"].startswith("multipart/related")
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    found = {}
    for part in message_from_bytes(head + answer.content).get_payload():
        assert not isinstance(part, str)
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        name = part["Content-ID"].strip("<>")
        found[name] = (part.get_content_type(), data, part.get("Content-Location", ""))
    return found


# The suite makes its requests from the description of the process. These are they.


def suite_inputs(client: httpx.Client) -> dict[str, Any]:
    """Give what it sends for each input, by the types that it finds in the input's schema."""
    ports = client.get("processes/echo").json()["inputs"]
    return {name: value for name, port in ports.items() if (value := suite_value(port["schema"]))}


def suite_value(schema: dict[str, Any]) -> Any:
    value: Any = None
    for one in [schema] if "type" in schema else schema.get("oneOf", []):
        if one["type"] == "object":
            value = {"value": TEXT}
        elif one["type"] == "array":
            value = suite_value(one["items"])
        elif one["type"] == "string" and not {"format", "contentMediaType"} & set(one):
            value = TEXT
    return value


def suite_request(client: httpx.Client, **members: Any) -> dict[str, Any]:
    outputs = client.get("processes/echo").json()["outputs"]
    inputs = suite_inputs(client)
    return {"inputs": inputs, "outputs": dict.fromkeys(outputs, VALUE), **members}


def suite_post(client: httpx.Client, body: Any, **headers: str) -> httpx.Response:
    return client.post("processes/echo/execution", json=body, headers={**JSON, **headers})


def test_what_the_suite_sends(client: httpx.Client) -> None:
    """The string is the first input, and each value is one that its name says little about."""
    assert next(iter(client.get("processes/echo").json()["inputs"])) == "string"
    assert suite_inputs(client) == {
        "string": TEXT,
        "array": TEXT,
        "object": {"value": TEXT},
        "mixed": {"value": TEXT},
    }


@pytest.mark.parametrize("response", [None, "raw", "document"])
def test_the_request_of_most_of_its_tests(client: httpx.Client, response: str | None) -> None:
    """It stands behind most of the 33 tests: 200, and the text is somewhere in the answer."""
    members = {"response": response} if response else {}
    answer = suite_post(client, suite_request(client, **members))
    assert answer.status_code == 200
    declared(client, "execute", answer)  # it says that it takes JSON alone, and so it gets it
    assert answer.json()["string"] == TEXT
    # Its search for the header is one for these very letters.
    assert "rel=monitor" in answer.headers["link"]


@pytest.mark.parametrize("response", ["raw", "document"])
def test_the_same_asynchronously(client: httpx.Client, response: str) -> None:
    body = suite_request(client, response=response)
    answer = suite_post(client, body, Prefer="respond-async ")
    assert answer.status_code == 201
    job = answer.headers["location"]
    ended(client, job)
    said = client.get(job, headers=JSON)
    declared(client, "getStatus", said)
    assert TEXT in client.get(link(said.json(), RESULTS)).text


def test_an_empty_request(client: httpx.Client) -> None:
    """InputInlineBinary really sends this, where no input is what it takes for binary."""
    assert suite_post(client, {}).status_code == 200


def test_the_requests_that_must_fail(client: httpx.Client) -> None:
    """InputValidation and ResultsFailed: plain JSON, of the exception schema, as is declared."""
    body = suite_request(client)
    wrong = {"type": "wrong/type_2f0c"}
    for inputs in ({"binary": wrong, "mixed": wrong}, {"binary": wrong}):
        body["inputs"] |= inputs
        answer = suite_post(client, body)
        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("application/json;")
        valid(answer.json(), VERSION_1, "exception")
        declared(client, "execute", answer)
    answer = suite_post(client, {"invalid-execute-request": "true)"})
    assert answer.status_code == 400
    declared(client, "execute", answer)


def test_results_not_ready_as_the_suite_asks(client: httpx.Client) -> None:
    body = {
        "inputs": {"string": TEXT, "pause": 3600},
        "outputs": {"string": VALUE},
        "response": "raw",
    }
    job = suite_post(client, body, Prefer="respond-async").headers["location"]
    answer = client.get(f"{job}/results", headers=JSON)
    assert answer.status_code == 404
    assert answer.json()["type"] == EXCEPTIONS + "result-not-ready"
    assert client.delete(job).status_code == 200


# general


def test_http(client: httpx.Client) -> None:
    assert client.get("").status_code == 200
    assert client.get("nothing/here").status_code == 404
    answer = client.post("conformance")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert client.head("processes").status_code == 200
    assert client.get("processes", headers={"Accept": "image/png"}).status_code == 406


# landingpage


def test_landing_page_retrieval(client: httpx.Client) -> None:
    answer = client.get("")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")


def test_landing_page_validation(client: httpx.Client) -> None:
    page = client.get("").json()
    rels = {one["rel"] for one in page["links"]}
    assert "service-desc" in rels
    assert {"conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance"} <= rels
    assert {"processes", "http://www.opengis.net/def/rel/ogc/1.0/processes"} <= rels
    for one in page["links"]:
        if one["type"] == "application/json":
            assert client.get(one["href"]).status_code == 200, one
    assert client.get(link(page, "service-desc")).json()["openapi"].startswith("3.0")


# conformance


def test_validate_conformance_operation_and_response(client: httpx.Client) -> None:
    assert CONF + "core" in client.get("conformance").json()["conformsTo"]


# The API definition that the suite finds everything by


def test_the_operations_are_found_by_their_ids(client: httpx.Client) -> None:
    paths = client.get("api").json()["paths"]
    ids = {one["operationId"]: at for at, methods in paths.items() for one in operations(methods)}
    assert {
        "getProcesses": "/processes",
        "getProcessDescription": "/processes/{processId}",
        "execute": "/processes/{processId}/execution",
        "getJobs": "/jobs",
        "getStatus": "/jobs/{jobId}",
        "getResult": "/jobs/{jobId}/results",
    }.items() <= ids.items()


def operations(methods: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for name, one in methods.items() if name != "parameters"]


def test_the_definition_is_openapi_3_0(client: httpx.Client) -> None:
    answer = client.get("api")
    assert answer.headers["content-type"].startswith("application/vnd.oai.openapi+json;version=3.0")
    document = answer.json()
    assert document["openapi"] == "3.0.3"
    assert document["servers"] == [{"url": str(client.base_url).rstrip("/")}]
    served = definition("http://example.org", "any")
    assert served["paths"].keys() == document["paths"].keys()


# processlist


def test_pl_limit_definition(client: httpx.Client) -> None:
    parameter = client.get("api").json()["components"]["parameters"]["limit"]
    assert parameter["schema"] == {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10}
    assert client.get("processes", params={"limit": 10}).status_code == 200
    for wrong in ("0", "-1", "many", "", "1.5"):
        answer = client.get("processes", params={"limit": wrong})
        assert answer.status_code == 400
        assert answer.json()["type"] == EXCEPTIONS + "invalid-query-parameter-value"
    assert client.get("processes", params={"limit": 10_001}).status_code == 200


def test_pl_limit_response(client: httpx.Client) -> None:
    assert len(client.get("processes", params={"limit": 1}).json()["processes"]) == 1


def test_pl_links(client: httpx.Client) -> None:
    links = client.get("processes").json()["links"]
    assert {one["rel"] for one in links} >= {"self", "alternate"}


def test_process_list(client: httpx.Client) -> None:
    assert len(client.get("processes").json()["processes"]) > 0


def test_process_list_success(client: httpx.Client) -> None:
    document = client.get("processes").json()
    valid(document, VERSION_1, "processList")
    for one in document["processes"]:
        assert client.get(link(one, "self")).json()["id"] == one["id"]


# process


def test_process_exception_no_such_process(client: httpx.Client) -> None:
    answers = [
        client.get("processes/nothing"),
        client.post("processes/nothing/execution", json={"inputs": {}}),
        client.get("processes/nothing/package"),
        client.delete("processes/nothing"),
    ]
    for answer in answers:
        assert answer.status_code == 404
        valid(answer.json(), VERSION_1, "exception")
        assert answer.json()["type"] == EXCEPTIONS + "no-such-process"


def test_process(client: httpx.Client) -> None:
    assert client.get("processes/echo").status_code == 200


def test_process_success(client: httpx.Client) -> None:
    document = client.get("processes/echo").json()
    valid(document, VERSION_1, "process")
    assert document["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]
    assert document["outputTransmission"] == ["value", "reference"]


# jobs


def test_job_creation_op(client: httpx.Client) -> None:
    answer = execute(client, {"string": TEXT})
    assert answer.status_code == 200


def test_job_creation_request(client: httpx.Client) -> None:
    """A request of the standard's shape is taken; another is refused, with every reason."""
    wrong = {"inputs": [], "outputs": {"string": {"transmissionMode": "x"}}, "response": "none"}
    answer = client.post("processes/echo/execution", json=wrong)
    assert answer.status_code == 400
    places = {one["where"] for one in answer.json()["problems"]}
    assert places == {"inputs", "outputs.string.transmissionMode", "response"}
    for body in (b"", b"{", b"[]", b'"text"'):
        answer = client.post("processes/echo/execution", content=body)
        assert answer.status_code == 400
        valid(answer.json(), VERSION_1, "exception")
    answer = client.post(
        "processes/echo/execution", content=b"a=1", headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("prefer", ["respond-async", "respond-async ", "wait=9, respond-async"])
def test_job_creation_auto_execution_mode(client: httpx.Client, prefer: str) -> None:
    """The process has both modes, so ``Prefer`` decides, however it is written."""
    body = {"inputs": {"string": TEXT}, "outputs": {"string": VALUE}}
    answer = client.post("processes/echo/execution", json=body, headers={"Prefer": prefer})
    assert answer.status_code == 201
    assert "respond-async" in answer.headers["preference-applied"]


@pytest.mark.parametrize("prefer", ["", "respond-sync", "return=representation", "wait=20"])
def test_job_creation_default_execution_mode(client: httpx.Client, prefer: str) -> None:
    body = {"inputs": {"string": TEXT}}
    answer = client.post("processes/echo/execution", json=body, headers={"Prefer": prefer})
    assert answer.status_code == 200
    assert answer.json() == {"string": TEXT}


def test_job_creation_default_outputs(client: httpx.Client) -> None:
    """Without a choice, all outputs come."""
    assert execute(client, INPUTS).json().keys() == INPUTS.keys()


@pytest.mark.parametrize("value", ["one", ["one"], ["one", "two"], []])
def test_job_creation_input_array(client: httpx.Client, value: Any) -> None:
    """An array is an array even of one, and one stands for an array of one."""
    wanted = [value] if isinstance(value, str) else value
    assert execute(client, {"array": value}).json()["array"] == wanted


def test_job_creation_input_inline_bbox(client: httpx.Client) -> None:
    assert execute(client, {"bbox": BBOX}).json()["bbox"] == BBOX
    without = execute(client, {"bbox": {"bbox": [1, 2, 3, 4, 5, 6]}}).json()
    assert without["bbox"]["bbox"] == [1, 2, 3, 4, 5, 6]
    for wrong in ({"bbox": "1,2,3,4"}, {"bbox": [1, 2]}, {"crs": "x"}, {"bbox": ["a"] * 4}):
        assert execute(client, {"bbox": wrong}).status_code == 400


def test_job_creation_inline_binary(client: httpx.Client) -> None:
    """A binary value is base64; the suite sends it both bare and qualified."""
    qualified = INPUTS["binary"]
    answer = execute(client, {"binary": qualified}, outputs={"binary": VALUE}, response="document")
    assert answer.json()["binary"]["value"] == ENCODED
    assert answer.json()["binary"]["encoding"] == "base64"
    bare = execute(client, {"binary": ENCODED}, outputs={"binary": {}}, response="raw")
    assert bare.content == IMAGE
    older = {"value": ENCODED, "format": {"mediaType": "image/tiff", "encoding": "base64"}}
    found = execute(client, {"binary": older}, outputs={"binary": {}}, response="raw")
    assert found.content == IMAGE
    wrong = execute(client, {"binary": {"value": "not base64!", "encoding": "base64"}})
    assert wrong.status_code == 400


def test_job_creation_inline_mixed(client: httpx.Client) -> None:
    """An input of several types takes each of them, qualified."""
    text = {"value": TEXT, "mediaType": "text/plain"}
    assert execute(client, {"mixed": text}).json()["mixed"] == TEXT
    assert execute(client, {"mixed": OBJECT}).json()["mixed"] == OBJECT
    assert execute(client, {"mixed": 5}).status_code == 400


def test_job_creation_inline_object(client: httpx.Client) -> None:
    """An object comes as a qualified value; what only looks like one is taken as it is."""
    assert execute(client, {"object": OBJECT}).json()["object"] == OBJECT
    assert execute(client, {"object": {"a": 1}}).json()["object"] == {"value": {"a": 1}}
    assert execute(client, {"object": {"value": TEXT}}).json()["object"] == {
        "value": {"value": TEXT}
    }
    assert execute(client, {"object": TEXT}).status_code == 400


def test_job_creation_input_inline(client: httpx.Client) -> None:
    answer = execute(client, {"string": TEXT, "number": 1.5, "integer": -3, "boolean": False})
    assert answer.json() == {"string": TEXT, "number": 1.5, "integer": -3, "boolean": False}
    qualified = execute(client, {"string": {"value": TEXT}, "integer": {"value": 0}})
    assert qualified.json() == {"string": TEXT, "integer": 0}


@pytest.mark.parametrize(
    ("inputs", "where"),
    [
        ({"string": 5}, "inputs.string"),
        ({"integer": "five"}, "inputs.integer"),
        ({"integer": 1.5}, "inputs.integer"),
        ({"boolean": "yes"}, "inputs.boolean"),
        ({"choice": "fourth"}, "inputs.choice"),
        ({"array": [1]}, "inputs.array[0]"),
        ({"strong": TEXT}, "inputs.strong"),
        ({"pause": -1}, "inputs.pause"),
    ],
    ids=str,
)
def test_job_creation_input_validation(
    client: httpx.Client, inputs: dict[str, Any], where: str
) -> None:
    answer = execute(client, inputs)
    assert answer.status_code == 400
    valid(answer.json(), VERSION_1, "exception")
    assert answer.json()["type"] == EXCEPTIONS + "invalid-parameter"
    assert [one["where"] for one in answer.json()["problems"]] == [where]


def test_job_creation_inputs(client: httpx.Client) -> None:
    """All kinds of inputs at once."""
    answer = execute(client, INPUTS, outputs=dict.fromkeys(INPUTS, VALUE), response="document")
    given = answer.json()
    assert given.pop("binary")["value"] == ENCODED
    expected = {**INPUTS, "mixed": TEXT}
    del expected["binary"]
    assert given == expected


def test_job_creation_success_async(client: httpx.Client) -> None:
    answer = client.post(
        "processes/echo/execution", json={"inputs": {"string": TEXT}}, headers=ASYNC
    )
    assert answer.status_code == 201
    said = answer.json()
    valid(said, VERSION_1, "statusInfo")
    assert answer.headers["location"] == link(said, "monitor")
    assert client.get(answer.headers["location"]).json()["jobID"] == said["jobID"]


@pytest.mark.parametrize("response", ["document", "raw"])
def test_a_sync_value(client: httpx.Client, response: str) -> None:
    """SyncDocument and SyncRawValueOne."""
    answer = execute(client, {"string": TEXT}, outputs={"string": VALUE}, response=response)
    assert answer.status_code == 200
    if response == "document":
        valid(answer.json(), VERSION_1, "results")
        assert answer.json() == {"string": TEXT}
    else:
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == TEXT


def test_a_raw_value_in_the_media_type_that_is_wished_for(client: httpx.Client) -> None:
    body = {"inputs": {"string": TEXT}, "outputs": {"string": VALUE}, "response": "raw"}
    answer = client.post("processes/echo/execution", json=body, headers=JSON)
    assert answer.json() == TEXT
    answer = client.post(
        "processes/echo/execution", json=body, headers={"Accept": "text/plain, */*;q=0.1"}
    )
    assert answer.text == TEXT
    answer = client.post("processes/echo/execution", json=body, headers={"Accept": "image/png"})
    assert answer.status_code == 406


def test_job_creation_sync_raw_value_multi(client: httpx.Client) -> None:
    outputs = {"string": VALUE, "array": VALUE, "binary": VALUE}
    found = parts(execute(client, INPUTS, outputs=outputs, response="raw"))
    assert found["string"] == ("text/plain", TEXT.encode(), "")
    assert json.loads(found["array"][1]) == INPUTS["array"]
    assert found["binary"][:2] == ("image/tiff", IMAGE)


def test_job_creation_sync_raw_ref(client: httpx.Client) -> None:
    """One output by reference: no body, but a link to it."""
    answer = execute(client, {"string": TEXT}, outputs={"string": REFERENCE}, response="raw")
    assert answer.status_code == 204
    assert answer.content == b""
    place = answer.links[RESULTS]["url"]
    assert client.get(place).text == TEXT


def test_job_creation_sync_raw_mixed_multi(client: httpx.Client) -> None:
    outputs = {"string": VALUE, "array": REFERENCE, "binary": REFERENCE}
    found = parts(execute(client, INPUTS, outputs=outputs, response="raw"))
    assert found["string"][1] == TEXT.encode()
    assert found["array"][1].strip() == b""
    assert client.get(found["array"][2]).json() == INPUTS["array"]
    assert client.get(found["binary"][2]).content == IMAGE


def test_job_exception_no_such_job(client: httpx.Client) -> None:
    for method in ("GET", "DELETE"):
        answer = client.request(method, "jobs/nothing")
        assert answer.status_code == 404
        valid(answer.json(), VERSION_1, "exception")
        assert answer.json()["type"] == EXCEPTIONS + "no-such-job"


def test_job_op(client: httpx.Client) -> None:
    assert client.get(start(client, {"string": TEXT})).status_code == 200


def test_job_success(client: httpx.Client) -> None:
    job = start(client, {"string": TEXT})
    said = ended(client, job)
    valid(said, VERSION_1, "statusInfo")
    assert said["status"] == "successful"
    assert said["progress"] == 100
    assert said["created"] <= said["started"] <= said["finished"]


def test_job_results_no_such_job(client: httpx.Client) -> None:
    for path in ("results", "results/string", "inputs", "prov", "node_pause.log", "events"):
        answer = client.get(f"jobs/nothing/{path}")
        assert answer.status_code == 404
        assert answer.json()["type"] == EXCEPTIONS + "no-such-job"


def test_job_results_exception_results_not_ready(client: httpx.Client) -> None:
    job = start(client, {"string": TEXT, "pause": 3600})
    for path in ("results", "results/string"):
        answer = client.get(f"{job}/{path}")
        assert answer.status_code == 404
        valid(answer.json(), VERSION_1, "exception")
        assert answer.json()["type"] == EXCEPTIONS + "result-not-ready"
    assert client.delete(job).status_code == 200


def test_job_results(client: httpx.Client) -> None:
    job = start(client, {"string": TEXT})
    answer = client.get(link(ended(client, job), RESULTS))
    assert answer.status_code == 200
    assert answer.json() == {"string": TEXT}


def test_job_results_async_document(client: httpx.Client) -> None:
    outputs = {"string": VALUE, "binary": REFERENCE}
    job = finish(client, INPUTS, outputs=outputs, response="document")
    answer = client.get(f"{job}/results", headers=JSON)
    valid(answer.json(), VERSION_1, "results")
    assert answer.json()["string"] == TEXT
    assert client.get(answer.json()["binary"]["href"]).content == IMAGE


def test_job_results_async_raw_value_one(client: httpx.Client) -> None:
    job = finish(client, INPUTS, outputs={"string": VALUE}, response="raw")
    assert client.get(f"{job}/results").text == TEXT
    assert client.get(f"{job}/results/string").text == TEXT


def test_job_results_async_raw_value_multi(client: httpx.Client) -> None:
    job = finish(client, INPUTS, outputs={"string": VALUE, "array": VALUE}, response="raw")
    found = parts(client.get(f"{job}/results"))
    assert found["string"][1] == TEXT.encode()
    assert json.loads(found["array"][1]) == INPUTS["array"]


def test_job_results_async_raw_ref(client: httpx.Client) -> None:
    job = finish(client, INPUTS, outputs={"string": REFERENCE}, response="raw")
    answer = client.get(f"{job}/results")
    assert answer.status_code == 204
    assert client.get(answer.links[RESULTS]["url"]).text == TEXT


def test_job_results_async_raw_mixed_multi(client: httpx.Client) -> None:
    job = finish(client, INPUTS, outputs={"string": VALUE, "array": REFERENCE}, response="raw")
    found = parts(client.get(f"{job}/results"))
    assert found["string"][1] == TEXT.encode()
    assert client.get(found["array"][2]).json() == INPUTS["array"]


def test_job_results_sync(client: httpx.Client) -> None:
    """A synchronous execution is a job too, and says which."""
    answer = execute(client, {"string": TEXT})
    said = client.get(answer.links["monitor"]["url"]).json()
    assert said["status"] == "successful"
    assert client.get(link(said, RESULTS)).json() == {"string": TEXT}


def test_job_creation_input_ref(tmp_path: Path) -> None:
    """A value by reference is fetched; see also the tests of what may be fetched."""
    with receiving() as web, Engine(tmp_path) as engine:
        web.files["/scene.tif"] = IMAGE
        with engine.client(policy=InputPolicy(roots=())) as client:
            given = {"href": f"{web.address}/scene.tif", "type": "image/tiff"}
            answer = execute(client, {"binary": given}, outputs={"binary": {}}, response="raw")
            assert answer.status_code == 200
            assert answer.content == IMAGE
            as_the_suite_writes_it = {"href": f"{web.address}/scene.tif", "format": {}}
            assert execute(client, {"binary": as_the_suite_writes_it}).status_code == 200
            missing = {"href": f"{web.address}/missing.tif"}
            answer = execute(client, {"binary": missing})
            assert answer.status_code == 400


# ogcprocessdescription


def described(client: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("processes/echo").json()
    return document


def test_description_json(client: httpx.Client) -> None:
    answer = client.get("processes/echo", headers=JSON)
    assert answer.headers["content-type"].startswith("application/json")
    valid(answer.json(), VERSION_1, "process")


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_ports_def(client: httpx.Client, part: str) -> None:
    """InputsDef, InputDef, OutputsDef and OutputDef: each port has a schema that is one."""
    ports = described(client)[part]
    assert set(ports) >= set(INPUTS)
    schema_of_port = {"inputs": "inputDescription", "outputs": "outputDescription"}[part]
    for port in ports.values():
        valid(port, VERSION_1, schema_of_port)
        jsonschema_rs.meta.validate(port["schema"])


@pytest.mark.parametrize("part", ["inputs", "outputs"])
def test_ports_mixed_type(client: httpx.Client, part: str) -> None:
    """InputMixedType and OutputMixedType."""
    assert len(described(client)[part]["mixed"]["schema"]["oneOf"]) == 2


def test_input_binary(client: httpx.Client) -> None:
    schema = described(client)["inputs"]["binary"]["schema"]
    assert (schema["type"], schema["contentEncoding"]) == ("string", "base64")


def test_input_bbox(client: httpx.Client) -> None:
    schema = described(client)["inputs"]["bbox"]["schema"]
    assert {"format": "ogc-bbox"} in schema["allOf"]


# joblist


def test_job_list(client: httpx.Client) -> None:
    start(client, {"string": TEXT})
    assert len(client.get("jobs").json()["jobs"]) > 0


def test_job_list_success(client: httpx.Client) -> None:
    start(client, {"string": TEXT})
    answer = client.get("jobs")
    assert answer.status_code == 200
    valid(answer.json(), VERSION_1, "jobList")
    assert {one["rel"] for one in answer.json()["links"]} >= {"self", "alternate"}
    assert {one["processID"] for one in answer.json()["jobs"]} == {"echo"}
