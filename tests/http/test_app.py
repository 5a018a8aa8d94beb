"""The app as a part of another one."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from localproc import Engine
from localproc.http import create_app
from localproc.http.inprocess import InProcessTransport


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with Engine(tmp_path / "home") as engine:
        app = Starlette(routes=[Mount("/sub/app", create_app(engine))])
        yield httpx.Client(transport=InProcessTransport(app), base_url="http://host/sub/app")


def test_links_lead_where_it_is_mounted(client: httpx.Client) -> None:
    (namespace,) = client.get("/").json()["links"]
    assert namespace["href"] == "http://host/sub/app/default/ogc-api"
    landing = client.get(namespace["href"]).json()
    for link in landing["links"]:
        assert link["href"].startswith(namespace["href"])
        assert client.get(link["href"]).status_code == 200


def test_jobs_are_found_where_it_is_mounted(client: httpx.Client) -> None:
    made = client.post(
        "default/ogc-api/processes/echo/execution",
        json={"inputs": {"string": "a"}},
        headers={"Prefer": "respond-async"},
    )
    place = made.headers["location"]
    assert place.startswith("http://host/sub/app/default/ogc-api/jobs/")
    assert client.get(place).json()["links"][0]["href"] == place


def test_pages_find_their_style(client: httpx.Client) -> None:
    page = client.get("default/ogc-api", headers={"Accept": "text/html"})
    assert "/sub/app/static/style.css" in page.text
    assert client.get("/static/style.css").status_code == 200


def test_namespaces_need_room_in_the_prefix(tmp_path: Path) -> None:
    with (
        Engine(tmp_path / "home") as engine,
        pytest.raises(ValueError, match=r"\{namespace\}"),
    ):
        create_app(engine, prefix="/ogc-api", namespaces=("a", "b"))


def test_without_a_prefix_the_root_is_the_landing_page(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine, engine.client(prefix="") as client:
        assert client.get("/").json()["title"] == "localproc: default"
        assert client.get("/processes/echo").json()["id"] == "echo"
