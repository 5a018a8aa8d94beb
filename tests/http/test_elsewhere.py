"""Results that lie in another storage are read through it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.engine.folder_storage import Boxes

MAKES: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "makes",
    "baseCommand": ["sh", "-c", "mkdir d; printf inner > 'd/x#1.txt'; printf hello > 'a b.txt'"],
    "inputs": [],
    "outputs": [
        {"id": "one", "type": "File", "outputBinding": {"glob": "a*"}},
        {"id": "dir", "type": "Directory", "outputBinding": {"glob": "d"}},
    ],
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    boxes = Boxes(tmp_path / "box")
    home = tmp_path / "home"
    with (
        Engine(home, plugins=[boxes], results="box://there/results") as engine,
        engine.client() as client,
    ):
        engine.deploy(MAKES)
        yield client


def execute(client: httpx.Client, **wanted: Any) -> httpx.Response:
    answer = client.post("processes/makes/execution", json={"inputs": {}, **wanted})
    assert answer.status_code == 200, answer.text
    return answer


def test_a_file_is_given_raw_and_inline(client: httpx.Client) -> None:
    assert execute(client, outputs={"one": {}}).text == "hello"
    inline = {"outputs": {"one": {"transmissionMode": "value"}}, "response": "document"}
    assert execute(client, **inline).json()["one"]["value"] == "hello"


def test_files_and_parts_of_them_are_found_by_their_names(client: httpx.Client) -> None:
    execute(client)
    job = client.get("jobs").json()["jobs"][0]["jobID"]
    assert client.get(f"jobs/{job}/results/one").text == "hello"
    found = client.get(f"jobs/{job}/files/d/x%231.txt", headers={"Range": "bytes=1-2"})
    assert (found.status_code, found.text) == (206, "nn")
    assert found.headers["Content-Type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize("path", ["nothing.txt", "d/%2e%2e/%2e%2e/other", "d/e"])
def test_what_is_not_among_the_results_is_not_found(client: httpx.Client, path: str) -> None:
    execute(client)
    job = client.get("jobs").json()["jobs"][0]["jobID"]
    answer = client.get(f"jobs/{job}/files/{path}")
    assert answer.status_code == 404
    assert "no such file among the results" in answer.text
