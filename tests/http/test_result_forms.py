"""Whatever the form of a result: a client can fetch every file that it leads to."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from localproc import Engine
from localproc.views.ogc import FOLDER
from tests.engine.folder_storage import Boxes
from tests.http.forms import COUNTS, FORMS, fetched, links


@pytest.fixture(params=["here", "elsewhere"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    settings: dict[str, Any] = {}
    if request.param == "elsewhere":
        settings = {"plugins": [Boxes(tmp_path / "box")], "results": "box://there/results"}
    with Engine(tmp_path / "home", **settings) as engine:
        engine.deploy(FORMS)
        yield engine


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with engine.client() as client:
        yield client


def execute(client: httpx.Client, **wanted: Any) -> httpx.Response:
    return client.post("processes/forms/execution", json={"inputs": {}, **wanted})


def job_of(client: httpx.Client) -> str:
    return f"jobs/{client.get('jobs').json()['jobs'][0]['jobID']}"


@pytest.mark.parametrize("mode", ["", "value", "reference"])
def test_every_link_of_a_document_can_be_followed(client: httpx.Client, mode: str) -> None:
    asked = {"transmissionMode": mode} if mode else {}
    answer = execute(client, outputs=dict.fromkeys(COUNTS, asked), response="document").json()
    for name, count in COUNTS.items():
        assert fetched(answer[name], client.get) == ["x"] * count, name
    again = client.get(f"{job_of(client)}/results").json()
    assert again == answer


@pytest.mark.parametrize("mode", ["", "value", "reference"])
@pytest.mark.parametrize("name", [name for name in COUNTS if name != "one"])
def test_every_link_of_a_raw_answer_can_be_followed(
    client: httpx.Client, name: str, mode: str
) -> None:
    asked = {"transmissionMode": mode} if mode else {}
    answer = execute(client, outputs={name: asked}, response="raw")
    if mode == "reference":
        address = answer.headers["link"].partition(">")[0].removeprefix("<")
        answer = client.get(address)
    assert fetched(answer.json(), client.get) == ["x"] * COUNTS[name]


def test_every_link_of_a_single_result_can_be_followed(client: httpx.Client) -> None:
    execute(client)
    for name, count in COUNTS.items():
        answer = client.get(f"{job_of(client)}/results/{name}")
        if name == "one":
            assert answer.text == "x"
        else:
            assert fetched(answer.json(), client.get) == ["x"] * count, name


def test_parts_have_links_that_can_be_followed(client: httpx.Client) -> None:
    wanted = {"outputs": {"record": {}, "folder": {}}, "response": "raw"}
    answer = execute(client, **wanted)
    assert answer.headers["content-type"].startswith("multipart/related")
    assert answer.text.count(str(client.base_url.join(job_of(client))) + "/files/") == 3


def test_a_file_is_a_link_wherever_it_stands(client: httpx.Client) -> None:
    document = execute(client, response="document").json()
    record = document["record"]["value"]
    assert (record["number"], record["file"]["title"], record["file"]["length"]) == (3, "r", 1)
    assert record["folder"]["type"] == FOLDER
    (beside,) = document["one"]["secondaryFiles"]
    assert beside["title"] == "main?.txt.idx"


def test_a_folder_tells_what_is_in_it(client: httpx.Client) -> None:
    document = execute(client, response="document").json()
    said = client.get(document["folder"]["href"]).json()
    found = [(one["title"], one.get("type"), one.get("length")) for one in said["links"]]
    assert said["title"] == "d"
    assert found == [("a#b.txt", "text/plain;charset=UTF-8", 1), ("in ner", FOLDER, None)]


def test_the_page_of_results_leads_to_the_same_files(client: httpx.Client) -> None:
    execute(client)
    document = client.get(f"{job_of(client)}/results").json()
    page = client.get(f"{job_of(client)}/results", headers={"Accept": "text/html"}).text
    assert "box://" not in page
    assert "file://" not in page
    for name in ("one", "folder", "files"):
        assert all(str(link["href"]) in page for link in links(document[name])), name


def test_python_has_the_own_names_of_files(engine: Engine) -> None:
    job = engine.execute("forms").wait()
    results = job.results()
    there = partial(str.startswith, str(results["one"]))
    assert there(("box://there/results/", "/"))
    assert results["record"]["number"] == 3
    assert job.results_document()["one"]["href"] == job.outcome().outputs["one"]["location"]


def test_folders_that_somebody_has_removed_are_gone(
    engine: Engine, client: httpx.Client, tmp_path: Path
) -> None:
    document = execute(client, outputs={"folder": {}}, response="document").json()
    job = engine.jobs()[0]
    is_here = job.location.startswith("file:")
    there = tmp_path / "home" / "results" if is_here else tmp_path / "box" / "results"
    shutil.rmtree(there / job.id / "d")
    places = (f"jobs/{job.id}/results", f"jobs/{job.id}/results/folder")
    for address in (document["folder"]["href"], *places):
        answer = client.get(address)
        assert answer.status_code == 410, address
        assert str(tmp_path) not in answer.text
