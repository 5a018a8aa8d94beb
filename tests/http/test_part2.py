"""OGC API - Processes Part 2 (deploy, replace, undeploy), as the official suite asks for it.

The tests are named after those of ets-ogcapi-processes10-part2.
"""

from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.http.packages import BAND_MATH, CWL

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/"
CONF = "http://www.opengis.net/spec/ogcapi-processes-2/1.0/conf/"
JSON = {"Accept": "application/json"}
AS_CWL = {**JSON, "Content-Type": "application/cwl+yaml"}
AS_PACKAGE = {**JSON, "Content-Type": "application/ogcapppkg+json"}
TEXT = {**JSON, "Content-Type": "text/plain"}


# general


def test_http(client: httpx.Client) -> None:
    for method, path in (("POST", "processes"), ("PUT", "processes/x"), ("DELETE", "processes/x")):
        assert client.request(method, path, headers=JSON).status_code != 405


def test_validate_conformance_operation_and_response(client: httpx.Client) -> None:
    assert CONF + "deploy-replace-undeploy" in client.get("conformance").json()["conformsTo"]


# dru


def test_processes_immutable(client: httpx.Client) -> None:
    """The static indicator: each process says whether it can be replaced."""
    found = client.get("processes", headers=JSON).json()["processes"]
    assert len(found) > 0
    assert all(isinstance(one["mutable"], bool) for one in found)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "processes"), ("PUT", "processes/echo"), ("PUT", "processes/null")],
)
def test_unsupported_content_type(client: httpx.Client, method: str, path: str) -> None:
    """415 comes before 404: the suite replaces a process that may be none."""
    answer = client.request(method, path, headers=TEXT)
    assert answer.status_code == 415
    assert answer.json()["type"] == EXCEPTIONS + "unsupported-media-type"
    assert "application/cwl+yaml" in answer.headers["accept-post"]


def first(client: httpx.Client, *, mutable: bool) -> str:
    listed = client.get("processes", headers=JSON).json()["processes"]
    found: str = next(one["id"] for one in listed if one["mutable"] is mutable)
    return found


def test_undeploy_response(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(CWL)
    name = first(client, mutable=True)
    answer = client.delete(f"processes/{name}", headers=JSON)
    assert answer.status_code == 204
    assert answer.content == b""
    assert client.get(f"processes/{name}").status_code == 404


def test_undeploy_response_immutable(client: httpx.Client) -> None:
    answer = client.delete(f"processes/{first(client, mutable=False)}", headers=JSON)
    assert answer.status_code == 403
    assert answer.json()["type"] == EXCEPTIONS + "immutable-process"


# ogcapppkg


def test_ogcapppkg_deploy_and_replace(client: httpx.Client) -> None:
    answer = client.post("processes", json=BAND_MATH, headers=AS_PACKAGE)
    assert answer.status_code == 201
    assert answer.json()["id"] == "BandMath"
    name = location(answer)
    assert described(client, name)["il"]["maxOccurs"] == 1024
    again = client.put(f"processes/{name}", json=BAND_MATH, headers=AS_PACKAGE)
    assert again.status_code == 204
    package = client.get(f"processes/{name}/package")
    assert package.headers["content-type"] == "application/ogcapppkg+json"
    assert package.json() == BAND_MATH
    assert client.delete(f"processes/{name}").status_code == 204


def location(answer: httpx.Response) -> str:
    """Take the id out of the one Location header, as the suite does."""
    (place,) = answer.headers.get_list("location")
    found: str = place.split("/processes/")[1]
    return found


def described(client: httpx.Client, name: str) -> Any:
    return client.get(f"processes/{name}").json()["inputs"]


# cwl


def test_cwl_deploy_and_replace(client: httpx.Client) -> None:
    answer = client.post("processes", content=CWL, headers=AS_CWL)
    assert answer.status_code == 201
    name = location(answer)
    assert name == "first"
    twice = client.post("processes", content=CWL, headers=AS_CWL)
    assert twice.status_code == 409
    assert twice.json()["type"] == EXCEPTIONS + "duplicated-process"
    again = client.put(f"processes/{name}", content=CWL, headers=AS_CWL)
    assert again.status_code == 204
    assert client.delete(f"processes/{name}").status_code == 204
