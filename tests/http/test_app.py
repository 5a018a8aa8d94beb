"""The app as a part of another one."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from localproc import Engine
from localproc.http import create_app
from localproc.http.inprocess import InProcessTransport
from tests.http.service import served, until
from tests.patience import patient


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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dismiss": "zoo"}, "dismiss cannot be 'zoo'; there is: seed, ogc2, gone"),
        ({"profile": "weaver"}, "profile cannot be 'weaver'; there is: localproc, zoo"),
        ({"origins": "https://app.example"}, "origins are several texts"),
        ({"hosts": "app.example"}, "hosts are several texts"),
        ({"namespaces": "acme"}, "namespaces are several texts"),
        ({"prefix": "/{name}"}, "may have {namespace} in it"),
    ],
)
def test_a_value_that_a_setting_cannot_have_is_refused(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with Engine(tmp_path / "home") as engine:
        with pytest.raises(ValueError, match=re.escape(said)):
            create_app(engine, **options)
        with pytest.raises(ValueError, match=re.escape(said)):
            engine.client(**options)


def test_without_a_prefix_the_root_is_the_landing_page(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine, engine.client(prefix="") as client:
        assert client.get("/").json()["title"] == "localproc: default"
        assert client.get("/processes/echo").json()["id"] == "echo"


def test_the_definition_is_valid(tmp_path: Path) -> None:
    schemathesis: Any = pytest.importorskip("schemathesis")
    with Engine(tmp_path / "home") as engine, engine.client() as client:
        definition = client.get("api").json()
    schemathesis.openapi.from_dict(definition).validate()
    operations = [
        one["operationId"]
        for members in definition["paths"].values()
        for name, one in members.items()
        if name != "parameters"
    ]
    assert len(operations) == len(set(operations))


def test_the_definition_has_every_route(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        app = create_app(engine, prefix="/x")
        served = {
            (re.sub(r"{\w+(:\w+)?}", "{}", route.path.removeprefix("/x")) or "/", method.lower())
            for route in app.routes
            if isinstance(route, Route) and route.path.startswith("/x")
            for method in route.methods or ()
            if method != "HEAD"
        }
        definition = engine.client().get("api").json()
    declared = {
        (re.sub(r"{\w+}", "{}", path), method)
        for path, members in definition["paths"].items()
        for method in members
        if method != "parameters"
    }
    assert declared == served


@pytest.mark.parametrize("base_url", ["", "https://outer.example"])
def test_a_slash_at_the_end_changes_nothing(tmp_path: Path, base_url: str) -> None:
    """Nobody is sent on: bodies and tokens would go along, to whatever place that is."""
    with Engine(tmp_path / "home") as engine, engine.client(base_url=base_url) as client:
        for path in ("", "conformance", "api", "processes", "processes/echo", "jobs"):
            plain = client.get(path, follow_redirects=False)
            assert plain.status_code == 200
            slashed = client.get(f"{path}/", follow_redirects=False)
            assert (slashed.status_code, slashed.json()) == (200, plain.json())
        asked = {"inputs": {"string": "a"}, "outputs": {"string": {}}}
        done = client.post("processes/echo/execution/", json=asked, follow_redirects=False)
        assert (done.status_code, done.text) == (200, "a")
        assert client.get("processes//echo").status_code == 404


def test_nothing_is_changed_for_other_libraries(tmp_path: Path) -> None:
    program = (
        "import starlette.convertors as convertors, threading;"
        "before = dict(convertors.CONVERTOR_TYPES);"
        "import localproc.http.app;"
        "assert convertors.CONVERTOR_TYPES == before;"
        "assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_app_lets_its_threads_go(tmp_path: Path) -> None:
    with Engine(tmp_path / "home") as engine:
        app = create_app(engine)
        with served(app) as address:
            assert httpx.get(f"{address}/default/ogc-api", timeout=patient(20)).status_code == 200
        app.state.threads.close()
        until(lambda: not [one for one in threading.enumerate() if "localproc-http" in one.name])
        with served(app) as address:  # and may be served again
            assert httpx.get(f"{address}/default/ogc-api", timeout=patient(20)).status_code == 200
        app.state.threads.close()
