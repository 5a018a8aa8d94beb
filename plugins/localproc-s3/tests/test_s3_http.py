"""Results that lie in S3, as clients on the network and the command line have them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import localproc_s3
import pytest
from s3_fixtures import bucket, server
from s3_packages import SCENE
from s3_server import Server, keys
from tests.http.forms import COUNTS, FORMS, fetched
from tests.patience import patient

from localproc import Engine

__all__ = ["bucket", "server"]

ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine(tmp_path: Path, server: Server, bucket: str) -> Iterator[Engine]:
    settings: dict[str, Any] = {
        "plugins": [localproc_s3],
        "results": f"s3://{bucket}/results",
        "storage_options": {"s3": server.options},
    }
    with Engine(tmp_path / "home", **settings) as engine:
        engine.deploy(SCENE)
        yield engine


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with engine.client() as client:
        yield client


def execute(client: httpx.Client, **wanted: Any) -> httpx.Response:
    answer = client.post("processes/scene/execution", json={"inputs": {}, **wanted})
    assert answer.status_code == 200, answer.text
    return answer


def job_of(client: httpx.Client) -> str:
    return str(client.get("jobs").json()["jobs"][0]["jobID"])


def test_results_are_given_raw_by_value_and_as_files(client: httpx.Client) -> None:
    assert execute(client, outputs={"note": {}}).text == "a note"
    inline = {"outputs": {"note": {"transmissionMode": "value"}}, "response": "document"}
    assert execute(client, **inline).json()["note"]["value"] == "a note"
    place = f"jobs/{job_of(client)}"
    assert client.get(f"{place}/results/note").text == "a note"
    first = client.get(f"{place}/files/note%20%C3%BC.txt")
    assert first.text == "a note"
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"{place}/files/note%20%C3%BC.txt", headers=tag).status_code == 304


def test_a_reference_is_an_address_that_a_client_can_fetch(client: httpx.Client) -> None:
    wanted = {name: {"transmissionMode": "reference"} for name in ("note", "catalog")}
    document = execute(client, outputs=wanted, response="document").json()
    assert client.get(document["note"]["href"]).text == "a note"
    assert client.get(document["catalog"]["href"]).json()["type"] == "Catalog"


def test_clients_are_sent_to_the_bucket_where_that_is_set(
    engine: Engine, server: Server, bucket: str
) -> None:
    with engine.client(presign=60) as client:
        wanted = {"note": {"transmissionMode": "reference"}}
        document = execute(client, outputs=wanted, response="document").json()
        href = document["note"]["href"]
        assert href.startswith(f"{server.endpoint}/{bucket}/results/")
        assert server.secret not in href
        assert httpx.get(href, timeout=patient(20)).text == "a note"
        place = f"jobs/{job_of(client)}"
        for path in ("results/note", "files/note%20%C3%BC.txt"):
            answer = client.get(f"{place}/{path}", follow_redirects=False)
            assert answer.status_code == 307
            assert httpx.get(answer.headers["Location"], timeout=patient(20)).text == "a note"
        assert client.get(f"{place}/files/../../other").status_code == 404


MANY: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "many",
    "baseCommand": [
        "sh",
        "-c",
        'for n in "a b" "ü" "a+b" "a#b" "100%" "q?"; do echo x > "$n.txt"; done',
    ],
    "inputs": [],
    "outputs": [{"id": "files", "type": "File[]", "outputBinding": {"glob": "*.txt"}}],
}


@pytest.mark.parametrize("presign", [0, 60])
def test_each_file_of_an_array_can_be_fetched_by_its_reference(
    engine: Engine, presign: int
) -> None:
    engine.deploy(MANY)
    with engine.client(presign=presign) as client:
        wanted = {"files": {"transmissionMode": "reference"}}
        asked = {"inputs": {}, "outputs": wanted, "response": "document"}
        answer = client.post("processes/many/execution", json=asked).json()
        links = client.get(answer["files"]["href"]).json()
        assert len(links) == 6
        for link in links:
            found = (
                httpx.get(link["href"], timeout=patient(20))
                if presign
                else client.get(link["href"])
            )
            assert found.text == "x\n", link


@pytest.mark.parametrize("mode", ["", "value", "reference"])
@pytest.mark.parametrize("presign", [0, 60])
def test_every_file_that_a_result_leads_to_can_be_fetched(
    engine: Engine, server: Server, presign: int, mode: str
) -> None:
    """In records, arrays, folders and beside others; without a key of the bucket."""
    engine.deploy(FORMS)
    asked: list[str] = []
    with engine.client(presign=presign) as client:

        def get(address: str) -> httpx.Response:
            asked.append(address)
            assert not address.startswith("s3:"), address
            own = address.startswith(str(client.base_url))
            found = (
                client.get(address, follow_redirects=False)
                if own
                else httpx.get(address, timeout=patient(20))
            )
            return get(found.headers["Location"]) if found.status_code == 307 else found

        wanted = dict.fromkeys(COUNTS, {"transmissionMode": mode} if mode else {})
        request = {"inputs": {}, "outputs": wanted, "response": "document"}
        document = client.post("processes/forms/execution", json=request).json()
        for name, count in COUNTS.items():
            assert fetched(document[name], get) == ["x"] * count, name
        place = f"jobs/{job_of(client)}"
        for name, count in COUNTS.items():
            if name != "one":
                single = get(str(client.base_url.join(f"{place}/results/{name}")))
                assert fetched(single.json(), get) == ["x"] * count, name
    assert any(one.startswith(server.endpoint) for one in asked) == bool(presign)


def test_results_that_somebody_has_removed_are_gone(
    client: httpx.Client, server: Server, bucket: str
) -> None:
    execute(client, outputs={"note": {}, "catalog": {}}, response="document")
    place = f"jobs/{job_of(client)}"
    for key in keys(server, bucket):
        server.client().delete_object(Bucket=bucket, Key=key)
    for path in ("results", "results/note", "files/note%20%C3%BC.txt", "files/catalog.json"):
        answer = client.get(f"{place}/{path}")
        assert answer.status_code == 410, path
        assert answer.json()["type"] == "https://localproc.dev/problems/results-gone"
        assert "is not there any more" in answer.json()["detail"]
    assert client.get(f"{place}/files/nothing.txt").status_code == 404


def test_from_the_command_line(tmp_path: Path, server: Server, bucket: str) -> None:
    """The plugin is found by its entry point, the server by AWS's variables."""
    site = tmp_path / "site" / "localproc_s3-0.1.0.dist-info"
    site.mkdir(parents=True)
    (site / "entry_points.txt").write_text("[localproc]\ns3 = localproc_s3\n")
    (site / "METADATA").write_text("Metadata-Version: 2.1\nName: localproc-s3\nVersion: 0.1.0\n")
    (tmp_path / "scene.cwl").write_text(json.dumps(SCENE))
    folders = [site.parent, ROOT / "plugins" / "localproc-s3" / "src"]
    environment = {
        **os.environ,
        **server.environment,
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
    }

    def localproc(*arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "localproc", "--home", str(tmp_path / "home"), *arguments]
        ended = subprocess.run(
            command, check=False, capture_output=True, text=True, env=environment, cwd=tmp_path
        )
        assert ended.returncode == code, ended.stderr
        assert server.secret not in ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    assert "s3" in localproc("plugins")
    assert f"s3://{bucket}/a" in localproc("run", "scene.cwl", "--results", f"s3://{bucket}/a")
    said = localproc("results", "last", "--download", "here", "--outputs", "note")
    (path,) = said.splitlines()
    assert Path(tmp_path, path).read_text() == "a note"
    (url,) = localproc("results", "last", "note", "--presign", "60").splitlines()
    assert httpx.get(url, timeout=patient(20)).text == "a note"
    for key in keys(server, bucket):
        server.client().delete_object(Bucket=bucket, Key=key)
    assert "is not there any more" in localproc(
        "results", "last", "note", "--download", "there", code=2
    )
    said = localproc("run", "scene.cwl", "--results", "s3://localproc-nowhere/a", code=2)
    assert "nothing is at s3://localproc-nowhere" in said
