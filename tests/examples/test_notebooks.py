"""The notebooks: their code as it stands, against a server, and in process without any socket.

No kernel is needed: the code cells are executed one after the other in one namespace.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from localproc import Engine
from localproc.http import create_app
from localproc.model import InputPolicy
from tests.http.service import served

pytest.importorskip("ogc_api_processes_client")
pytest.importorskip("rasterio")

# The client's models are made for an older pydantic; rasterio multiplies transforms as affine will
# not let it one day.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = EXAMPLES / "notebooks"
WATER_BODIES = EXAMPLES / "water_bodies" / "water-bodies.cwl"
POLICY = InputPolicy(roots=(str(EXAMPLES / "water_bodies" / "scenes"),), guarded=True)
#: Each client is made in a line, with the one for no server in a comment behind it.
LINES = {
    "001_execute_and_monitor.ipynb": "client = ApiClient(configuration=configuration)",
    "002_results.ipynb": "client = ApiClientWrapper(configuration=configuration)",
    "003_api_walkthrough.ipynb": "import requests",
}


def cells(name: str) -> list[str]:
    """Give the code cells of a notebook."""
    document = json.loads((NOTEBOOKS / name).read_text())
    assert document["nbformat"] == 4
    assert all(not cell.get("outputs") for cell in document["cells"])
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == "code"]


def execute(code: list[str], known: dict[str, Any]) -> dict[str, Any]:
    for number, cell in enumerate(code):
        exec(compile(cell, f"cell {number}", "exec"), known)
    return known


Play = Callable[[str], dict[str, Any]]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Give an engine with the package, in the folder of the notebooks, where nobody waits long."""
    monkeypatch.chdir(NOTEBOOKS)
    sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.2)))
    with Engine(tmp_path / "home", namespace="acme") as engine:
        engine.deploy(WATER_BODIES)
        yield engine


@contextmanager
def with_a_server(engine: Engine) -> Iterator[Play]:
    """Only the host is another."""
    with served(create_app(engine, policy=POLICY)) as address:

        def play(name: str) -> dict[str, Any]:
            code = [cell.replace("http://localhost:8080", address) for cell in cells(name)]
            assert code != cells(name)
            return execute(code, {})

        yield play


class Blocked(socket.socket):
    """A socket that cannot be made."""

    def __init__(self, *args: Any, **options: Any) -> NoReturn:
        raise AssertionError("somebody wanted a socket")


@contextmanager
def without_a_socket(engine: Engine) -> Iterator[Play]:
    """Only one line is another: the one below it, which is a comment otherwise."""

    def play(name: str) -> dict[str, Any]:
        text = "\n#%%\n".join(cells(name))
        assert text.count(LINES[name]) == 1
        changed = text.replace(f"{LINES[name]}\n# ", "")
        assert len(changed.splitlines()) == len(text.splitlines()) - 1
        return execute(changed.split("\n#%%\n"), {"engine": engine, "policy": POLICY})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", Blocked)
        yield play


@pytest.fixture(params=[with_a_server, without_a_socket], ids=["server", "no-socket"])
def play(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Play]:
    manager: Callable[[Engine], AbstractContextManager[Play]] = request.param
    with manager(engine) as found:
        yield found


def test_execute_and_monitor(
    play: Play, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    after = play("001_execute_and_monitor.ipynb")
    said = capsys.readouterr().out
    job = after["job_id"]
    assert f"Job submitted successfully. Job ID: {job}" in said
    assert f"Monitor job status at: {after['status_location']}" in said
    assert after["status_location"].endswith(f"/acme/ogc-api/jobs/{job}")
    assert f"Job: {job} (water-bodies), status:" in said
    assert "ERROR: (404)" in said
    assert "NoSuchJob" in said
    assert job not in {one.job_id for one in after["job_list"].jobs}
    assert engine.job(job).status == "dismissed"


def test_results(play: Play, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    after = play("002_results.ipynb")
    said = capsys.readouterr().out
    assert "Job completed successfully." in said
    job = after["job_id"]
    assert after["stac_feature_collection"]["id"] == job
    assert [item.id for item in after["stac_items"]] == ["LE07_OLINDA_N", "LE07_OLINDA_S"]
    for item in after["stac_items"]:
        href = item.get_assets()["data"].href
        assert href.endswith(f"/acme/ogc-api/jobs/{job}/files/{job}/{item.id}/otsu.tif")
    profile = after["profile"]
    assert (profile["driver"], profile["dtype"], profile["nodata"]) == ("GTiff", "uint8", 0)


def test_api_walkthrough(play: Play, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    after = play("003_api_walkthrough.ipynb")
    said = capsys.readouterr().out
    assert said.startswith("201 ")
    assert "respond-async;return=representation" in said
    assert "Status location" in said
    assert "Result location" in said
    assert "Tool log node_otsu.log" in said
    assert "threshold 0." in said
    assert "LE07_OLINDA_N" in said
    assert said.endswith("dismissed 404\n")
    assert engine.job(after["job_url"].rpartition("/")[2]).record.hidden
