"""Who may do what over HTTP, how much of it, and what is never told."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from localproc import Engine
from localproc.http import create_app
from localproc.http.inprocess import InProcessTransport
from localproc.model import InputPolicy
from tests.http.packages import FAILING, TOOL
from tests.http.service import ended, execute, finish, start, until

ELSEWHERE = {"Origin": "https://elsewhere.example"}


def client_of(engine: Engine, **settings: Any) -> httpx.Client:
    """Give a client whose paths begin at the root of the service."""
    transport = InProcessTransport(create_app(engine, **settings))
    return httpx.Client(transport=transport, base_url="http://localproc")


# Tokens


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


PATHS = [
    ("GET", ""),
    ("GET", "processes"),
    ("GET", "processes/echo"),
    ("POST", "processes"),
    ("POST", "processes/echo/execution"),
    ("GET", "jobs"),
    ("GET", "jobs/any"),
    ("DELETE", "jobs/any"),
    ("GET", "jobs/any/results"),
    ("GET", "jobs/any/files/x"),
    ("GET", "jobs/any/events"),
    ("GET", "jobs/any/step.log"),
    ("GET", "api"),
    ("GET", "conformance"),
    ("GET", "executions"),
    ("GET", "executions/v1"),
    ("POST", "executions/v1"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_without_a_token_there_is_nothing(engine: Engine, method: str, path: str) -> None:
    secret = engine.tokens.make("somebody")
    with engine.client(require_token=True) as client:
        for headers in ({}, bearer("wrong"), bearer(""), {"Authorization": "Basic !!"}):
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == 'Bearer realm="localproc"'
            assert answer.headers["content-type"].startswith("application/problem+json")
        assert client.request(method, path, headers=bearer(secret)).status_code != 401


def test_a_job_tells_whose_token_started_it(engine: Engine) -> None:
    with engine.client(require_token=True) as client:
        client.headers.update(bearer(engine.tokens.make("ada")))
        job = finish(client, {"string": "a"})
        assert client.get(job).json()["properties"]["runAs"] == "ada"


def test_a_token_can_be_a_password(engine: Engine) -> None:
    """Browsers ask for passwords, so those who want pages may send one."""
    secret = engine.tokens.make("grace")
    with engine.client(require_token=True) as client:
        asked = client.get("jobs", headers={"Accept": "text/html"})
        assert asked.headers["www-authenticate"].startswith("Basic ")
        assert client.get("jobs", auth=("anyone", secret)).status_code == 200
        assert client.get("jobs", auth=("anyone", "wrong")).status_code == 401


def test_a_token_that_was_removed(engine: Engine) -> None:
    secret = engine.tokens.make("gone")
    with engine.client(require_token=True) as client:
        assert client.get("jobs", headers=bearer(secret)).status_code == 200
        engine.tokens.remove("gone")
        assert client.get("jobs", headers=bearer(secret)).status_code == 401


def test_a_wrong_token_is_refused_even_where_none_is_needed(client: httpx.Client) -> None:
    assert client.get("jobs", headers=bearer("wrong")).status_code == 401


def test_secrets_are_not_kept(engine: Engine) -> None:
    secret = engine.tokens.make("hidden")
    for path in engine.home.rglob("localproc.db*"):
        assert secret.encode() not in path.read_bytes()


# Namespaces


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Engine, httpx.Client]]:
    with (
        Engine(tmp_path, namespace="ada") as engine,
        client_of(engine, namespaces=("ada", "grace")) as client,
    ):
        yield engine, client


def test_namespaces_do_not_mix(two: tuple[Engine, httpx.Client]) -> None:
    """Processes and jobs of one are not there in the other, under any path."""
    _, client = two
    deployed = client.post("/ada/ogc-api/processes", json=TOOL)
    assert deployed.headers["location"] == "http://localproc/ada/ogc-api/processes/tool"
    assert client.get("/grace/ogc-api/processes/tool").status_code == 404
    body = {"inputs": {"message": "secret"}}
    client.post("/ada/ogc-api/processes/tool/execution", json=body)
    assert client.post("/grace/ogc-api/processes/tool/execution", json=body).status_code == 404
    (job,) = client.get("/ada/ogc-api/jobs").json()["jobs"]
    assert client.get("/grace/ogc-api/jobs").json()["jobs"] == []
    log = job_of(client, "ada", job["jobID"]).json()["steps"][0]["log"]
    for path in ("", "/results", "/results/said", "/files/said.txt", "/inputs", "/prov", "/events"):
        place = f"ogc-api/jobs/{job['jobID']}{path}"
        assert client.get(f"/ada/{place}").status_code == 200, path
        assert client.get(f"/grace/{place}").status_code == 404, path
    assert client.get(f"/ada/ogc-api/jobs/{job['jobID']}/{log}").status_code == 200
    assert client.get(f"/grace/ogc-api/jobs/{job['jobID']}/{log}").status_code == 404
    assert client.delete(f"/grace/ogc-api/jobs/{job['jobID']}").status_code == 404
    assert client.get(f"/grace/ogc-api/jobs?after={job['jobID']}").status_code == 400
    assert job_of(client, "ada", job["jobID"]).json()["status"] == "successful"
    # The same name may stand for another process there.
    client.post("/grace/ogc-api/processes", json={**TOOL, "label": "Another"})
    assert client.get("/ada/ogc-api/processes/tool").json()["title"] != "Another"


def job_of(client: httpx.Client, namespace: str, job: str) -> httpx.Response:
    return client.get(f"/{namespace}/ogc-api/jobs/{job}")


def test_namespaces_that_are_not_served(two: tuple[Engine, httpx.Client]) -> None:
    _, client = two
    assert client.get("/other/ogc-api/processes").status_code == 404
    places = [one["href"] for one in client.get("/").json()["links"]]
    assert places == ["http://localproc/ada/ogc-api", "http://localproc/grace/ogc-api"]


def test_tokens_belong_to_a_namespace(tmp_path: Path) -> None:
    settings: Any = {"namespaces": ("ada", "grace"), "require_token": True}
    with Engine(tmp_path, namespace="ada") as engine, client_of(engine, **settings) as client:
        secret = engine.tokens.make("ada")
        other = engine.within("grace").tokens.make("grace")
        for namespace, token, status in (
            ("ada", secret, 200),
            ("ada", other, 401),
            ("grace", secret, 401),
            ("grace", other, 200),
        ):
            answer = client.get(f"/{namespace}/ogc-api/jobs", headers=bearer(token))
            assert answer.status_code == status


def test_without_a_token_no_namespace_can_be_told_from_none(tmp_path: Path) -> None:
    settings: Any = {"namespaces": ("ada",), "require_token": True}
    with Engine(tmp_path, namespace="ada") as engine, client_of(engine, **settings) as client:
        for headers in ({}, bearer("wrong"), bearer(engine.within("grace").tokens.make("grace"))):
            there, none = (
                client.get(f"/{name}/ogc-api/jobs", headers=headers) for name in ("ada", "none")
            )
            assert (there.status_code, there.content) == (none.status_code, none.content)
            assert none.status_code == 401


def test_the_root_names_the_namespaces_that_a_token_opens(tmp_path: Path) -> None:
    settings: Any = {"namespaces": ("ada", "grace"), "require_token": True}
    with Engine(tmp_path, namespace="ada") as engine, client_of(engine, **settings) as client:
        assert client.get("/").status_code == 401
        secret = engine.within("grace").tokens.make("grace")
        links = client.get("/", headers=bearer(secret)).json()["links"]
        assert [link["title"] for link in links] == ["grace"]


def test_the_prefix_of_a_catalog(tmp_path: Path) -> None:
    """The path that everything hangs from can be any, with the namespace somewhere in it."""
    prefix = "/api/catalogs/user/catalogs/{workspace}"
    settings: Any = {"prefix": prefix, "base_url": "https://hub.example/"}
    with Engine(tmp_path, namespace="ada") as engine, client_of(engine, **settings) as client:
        page = client.get("/api/catalogs/user/catalogs/ada").json()
        hrefs = {one["href"] for one in page["links"]}
        base = "https://hub.example/api/catalogs/user/catalogs/ada"
        assert f"{base}/processes" in hrefs
        answer = client.post(
            "/api/catalogs/user/catalogs/ada/processes/echo/execution",
            json={"inputs": {}},
            headers={"Prefer": "respond-async"},
        )
        assert answer.headers["location"].startswith(f"{base}/jobs/")


# Pages elsewhere, and names of this server


def test_pages_elsewhere_change_nothing(engine: Engine, client: httpx.Client) -> None:
    for headers in (ELSEWHERE, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        for method, path in (
            ("POST", "processes/echo/execution"),
            ("POST", "processes"),
            ("DELETE", "jobs/any"),
            ("PUT", "processes/echo"),
        ):
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, headers)
    own = {"Origin": "http://localproc", "Sec-Fetch-Site": "same-origin"}
    assert client.post("processes/echo/execution", json={}, headers=own).status_code == 200
    with engine.client(origins=("https://elsewhere.example",)) as allowed:
        answer = allowed.post("processes/echo/execution", json={}, headers=ELSEWHERE)
        assert answer.status_code == 200


def test_pages_behind_a_proxy_are_own(engine: Engine) -> None:
    """Whatever name the proxy calls this server by, clients know the one in ``base_url``."""
    place = "processes/echo/execution"
    with engine.client(base_url="https://Outer.example:443/hub/") as client:
        for origin, status in (
            ("https://outer.example", 200),
            ("http://outer.example", 403),
            ("https://outer.example.evil.example", 403),
        ):
            own = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
            assert client.post(place, json={}, headers=own).status_code == status, origin


def test_headers_that_cannot_be_read(engine: Engine, client: httpx.Client) -> None:
    with engine.client(require_token=True) as closed:
        answer = closed.get("jobs", headers={b"Authorization": b"Basic \xc3\xa9"})
        assert answer.status_code == 401
    answer = client.post("processes/echo/execution", json={}, headers={"Origin": "http://[::1"})
    assert answer.status_code == 403
    assert answer.json()["title"] == "ForeignOrigin"
    for host in ("[::1", "a:b:c", "a@b", "a/b"):
        for path in ("jobs", "none", "/"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 400, (host, path)
            assert answer.json()["title"] == "InvalidHost"


def test_cors_is_off_by_default(engine: Engine, client: httpx.Client) -> None:
    def allowed(answer: httpx.Response) -> list[str]:
        return [name for name in answer.headers if name.startswith("access-control")]

    preflight = {**ELSEWHERE, "Access-Control-Request-Method": "POST"}
    assert allowed(client.get("processes", headers=ELSEWHERE)) == []
    assert allowed(client.options("processes", headers=preflight)) == []
    with engine.client(origins=("https://elsewhere.example",)) as open_client:
        answer = open_client.get("processes", headers=ELSEWHERE)
        assert answer.headers["access-control-allow-origin"] == "https://elsewhere.example"
        assert "Location" in answer.headers["access-control-expose-headers"]
        assert open_client.options("processes", headers=preflight).status_code == 200
        stranger = {"Origin": "https://other.example"}
        answer = open_client.get("processes", headers=stranger)
        assert "access-control-allow-origin" not in answer.headers
        refused = open_client.options("processes", headers={**preflight, **stranger})
        assert refused.status_code == 400
        assert refused.headers["content-type"] == "application/problem+json;charset=UTF-8"
        assert "https://other.example" in refused.json()["detail"]
        assert "--cors" in refused.json()["hint"]


def test_cors_for_all_lets_all_in(engine: Engine) -> None:
    """What the browser is told beforehand holds for the request itself."""
    preflight = {
        **ELSEWHERE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type, prefer, if-none-match",
    }
    with engine.client(origins=("*",)) as client:
        assert client.options("processes", headers=preflight).status_code == 200
        headers = {**ELSEWHERE, "Sec-Fetch-Site": "cross-site"}
        asked = {"inputs": {"string": "a"}, "outputs": {"string": {}}}
        done = client.post("processes/echo/execution", json=asked, headers=headers)
        assert (done.status_code, done.text) == (200, "a")
        assert done.headers["access-control-allow-origin"] == "*"
        assert client.delete("jobs/none", headers=headers).status_code == 404


def test_names_that_the_server_may_be_called_by(engine: Engine) -> None:
    """Without this, a name that somebody else's DNS points here would do (DNS rebinding)."""
    with engine.client(hosts=("localproc",)) as client:
        assert client.get("processes").status_code == 200
        answer = client.get("processes", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert client.get("processes", headers={"Host": "LOCALPROC:8080"}).status_code == 200


# Limits


def test_large_bodies_are_refused(engine: Engine) -> None:
    with engine.client(most_bytes=1000) as client:
        large = b"x" * 1001
        for method, path, kind in (
            ("POST", "processes", "application/cwl"),
            ("PUT", "processes/echo", "application/cwl"),
            ("POST", "processes/echo/execution", "application/json"),
        ):
            answer = client.request(method, path, content=large, headers={"Content-Type": kind})
            assert answer.status_code == 413


def test_many_inputs_are_refused(engine: Engine) -> None:
    with engine.client(most_inputs=10) as client:
        assert execute(client, {"array": ["x"] * 10}).status_code == 200
        assert execute(client, {"array": ["x"] * 11}).status_code == 413
        assert execute(client, {"object": {"value": {"a": [[1] * 20]}}}).status_code == 413


def test_deep_inputs_are_refused(client: httpx.Client) -> None:
    for content in (b"[" * 100_000, b'{"inputs": {"object": ' + b'{"a": ' * 100_000):
        answer = client.post("processes/echo/execution", content=content)
        assert answer.status_code == 400
    deep: Any = 1
    for _ in range(500):
        deep = {"value": deep}
    answer = execute(client, {"object": deep})
    assert answer.status_code in (200, 400)


def test_there_is_a_most_of_jobs(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine, engine.client(most_jobs=2) as client:
        jobs = [start(client, {"pause": 3600}) for _ in range(2)]
        answer = execute(client, {})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        for job in jobs:
            client.delete(job)
        assert execute(client, {}).status_code == 200


# Files of this machine


SECRET = "what nobody else may read"


@pytest.fixture
def rooms(tmp_path: Path) -> tuple[Path, Path]:
    """Give a folder that may be read and one that may not, each with a file."""
    folders = tmp_path / "open", tmp_path / "closed"
    for folder in folders:
        folder.mkdir()
        (folder / "file.txt").write_text(SECRET)
    (folders[0] / "link.txt").symlink_to(folders[1] / "file.txt")
    return folders


def asked(client: httpx.Client, given: Any) -> httpx.Response:
    return execute(client, {"binary": given}, outputs={"binary": {}}, response="raw")


def test_files_are_not_read_by_default(client: httpx.Client, rooms: tuple[Path, Path]) -> None:
    path = rooms[0] / "file.txt"
    for given in (
        {"href": path.as_uri()},
        {"href": str(path)},
        path.as_uri(),
        str(path),
        {"class": "File", "location": path.as_uri()},
        {"class": "File", "path": str(path)},
        {"href": "file://localhost" + str(path)},
        {"href": "FILE://" + str(path)},
    ):
        answer = asked(client, given)
        assert answer.status_code == 400, given
        assert SECRET not in answer.text


def test_of_folders_that_may_not_be_used_nothing_is_told(
    engine: Engine, client: httpx.Client, rooms: tuple[Path, Path]
) -> None:
    """Not even whether they are folders, or there at all."""
    folder = {**TOOL, "id": "folder", "inputs": {"folder": "Directory"}, "outputs": {}}
    del folder["stdout"]
    engine.deploy(folder)
    _, closed = rooms
    for path in (closed, closed / "file.txt", closed / "missing"):
        for given in ({"href": path.as_uri()}, {"class": "Directory", "path": str(path)}):
            answer = execute(client, {"folder": given}, "folder")
            assert answer.status_code == 400
            (problem,) = answer.json()["problems"]
            assert problem["message"] == "files of this machine cannot be used as inputs here"


def test_files_below_the_roots_are_read(engine: Engine, rooms: tuple[Path, Path]) -> None:
    inside, outside = rooms
    with engine.client(policy=InputPolicy(roots=(str(inside),), guarded=True)) as client:
        for given in ((inside / "file.txt").as_uri(), {"href": str(inside / "file.txt")}):
            assert asked(client, given).text == SECRET
        for path in (
            outside / "file.txt",
            outside / "missing.txt",
            inside / "link.txt",
            inside / ".." / "closed" / "file.txt",
            Path("/etc/passwd"),
        ):
            answer = asked(client, {"href": f"file://{path}"})
            assert answer.status_code == 400, path
            assert SECRET not in answer.text
            assert "does not exist" not in answer.text


def test_encoded_dots_do_not_lead_out(engine: Engine, rooms: tuple[Path, Path]) -> None:
    inside, _ = rooms
    with engine.client(policy=InputPolicy(roots=(str(inside),), guarded=True)) as client:
        for dots in ("..", "%2e%2e", "%2E.", "..%2f..%2fclosed%2f.."):
            answer = asked(client, {"href": f"file://{inside}/{dots}/closed/file.txt"})
            assert answer.status_code == 400, dots
            assert SECRET not in answer.text


def test_inputs_do_not_change_the_process(client: httpx.Client, rooms: tuple[Path, Path]) -> None:
    """``cwl:requirements`` could have any file put into the folder of a task."""
    content = f'$({{"class": "File", "location": "file://{rooms[1]}/file.txt"}})'
    requirement = {"class": "InitialWorkDirRequirement", "listing": content}
    for name, value in (("cwl:requirements", [requirement]), ("cwl:overrides", {})):
        answer = execute(client, {"string": "a", name: value})
        assert answer.status_code == 400
        (problem,) = answer.json()["problems"]
        assert problem["where"] == f"inputs.{name}"


def test_the_home_is_no_input(engine: Engine) -> None:
    """Even where all else is readable, one job's folder is not another's input."""
    with engine.client() as client:
        database = engine.home / "localproc.db"
        assert asked(client, database.as_uri()).status_code == 400


# Names cannot leave the job's folder


WAYS_OUT = (
    "../other",
    "..%2fother",
    "%2e%2e/other",
    "%2e%2e%2fother",
    "..%5cother",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "x/../../other",
    "%00",
    ".",
    "..",
    "%c0%ae%c0%ae/other",
    "",
)


@pytest.mark.parametrize("way", WAYS_OUT)
def test_files_stay_in_the_folder_of_their_job(
    engine: Engine, client: httpx.Client, way: str
) -> None:
    engine.deploy(TOOL)
    job = finish(client, {"message": "a"}, "tool")
    results = engine.home / "results"
    (results / "other").write_text(SECRET)
    for path in (f"{job}/files/{way}", f"{job}/{way}.log", f"{job}/results/{way}"):
        answer = raw_get(client, path)
        assert SECRET not in answer.text
        assert "root:" not in answer.text
        assert answer.status_code in (400, 404) or way in ("", ".", "..", "%00", "../other"), path
        assert answer.status_code < 500


def raw_get(client: httpx.Client, url: str) -> httpx.Response:
    """Ask for a path as it is written: clients tidy paths up before they send them."""
    request = httpx.Request("GET", "http://localproc/")
    request.url = _Written(url)  # type: ignore[assignment]
    answer = client._transport.handle_request(request)
    answer.read()
    return answer


class _Written:
    def __init__(self, url: str) -> None:
        self._url = url

    def __str__(self) -> str:
        return self._url


def test_links_among_results_do_not_lead_out(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(TOOL)
    job = finish(client, {"message": "a"}, "tool")
    folder = engine.home / "results" / job.rpartition("/")[2]
    (folder / "out.txt").symlink_to("/etc/passwd")
    (folder / "inside.txt").symlink_to(folder / "said.txt")
    assert client.get(f"{job}/files/out.txt").status_code == 404
    assert client.get(f"{job}/files/inside.txt").text == "a\n"


def test_published_pages_run_nothing(engine: Engine, client: httpx.Client) -> None:
    """A result that is HTML is given as it is, and a browser is told to run nothing of it."""
    page = {**TOOL, "id": "page", "stdout": "page.html"}
    engine.deploy(page)
    job = finish(client, {"message": "<script>alert(1)</script>"}, "page")
    answer = client.get(f"{job}/files/page.html")
    assert "<script>" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]


# What is never told


def everything(client: httpx.Client, job: str) -> Iterator[httpx.Response]:
    """Give all answers that there are about a job and its process."""
    said = client.get(job).json()
    yield client.get(job)
    for path in ("results", "inputs", "prov", "events"):
        yield client.get(f"{job}/{path}")
    for step in said["steps"]:
        yield client.get(f"{job}/{step['log']}")
    for name in client.get(f"processes/{said['processID']}").json()["outputs"]:
        yield client.get(f"{job}/results/{name}")
    yield client.get(f"executions/v1/private/{said['jobID']}")
    for path in ("", "api", "conformance", "jobs", "processes", "executions", "executions/v1"):
        yield client.get(path)
    yield client.get(f"processes/{said['processID']}")


@pytest.fixture
def told_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[httpx.Client, Engine, list[str]]]:
    """Give a client, and what it must never be told."""
    monkeypatch.setenv("LOCALPROC_TEST_SECRET", "hunter2-from-the-environment")
    home = tmp_path / "home-of-the-service"
    with Engine(home, callback_secret="hunter2-of-callbacks") as engine:
        never = [str(home), str(tmp_path), "hunter2", os.path.expanduser("~/")]
        with engine.client() as client:
            yield client, engine, never


def test_a_success_tells_no_secrets(told_on: tuple[httpx.Client, Engine, list[str]]) -> None:
    client, engine, never = told_on
    verbose = {
        **TOOL,
        "id": "verbose",
        "baseCommand": ["sh", "-c", 'env >&2; pwd >&2; ls -d "$PWD"/* >&2; echo "$0"'],
    }
    engine.deploy(verbose)
    job = finish(client, {"message": "a"}, "verbose")
    assert client.get(job).json()["status"] == "successful"
    for answer in everything(client, job):
        assert answer.status_code == 200, answer.url
        for word in never[:1] + never[2:3]:
            assert word not in answer.text, (answer.url, word)
            assert word not in str(answer.headers)


def test_a_failure_tells_no_secrets(told_on: tuple[httpx.Client, Engine, list[str]]) -> None:
    client, engine, never = told_on
    breaking = json.loads(json.dumps({**TOOL, "id": "breaking"}))
    breaking["baseCommand"] = ["sh", "-c", 'pwd >&2; cat "$PWD"/none; exit 3']
    engine.deploy(breaking)
    engine.deploy(FAILING)
    for job in (finish(client, {"message": "a"}, "breaking"), finish(client, {}, "failing")):
        assert ended(client, job)["status"] == "failed"
        for answer in everything(client, job):
            assert answer.status_code < 500 or answer.url.path.endswith(("results", "said"))
            for word in never[:1] + never[2:3]:
                assert word not in answer.text, (answer.url, word)


def test_references_lose_their_credentials(tmp_path: Path) -> None:
    """What is signed is used as it is, but not told to others; with a user in it, it is refused."""
    with Engine(tmp_path) as engine, engine.client(policy=InputPolicy(roots=())) as client:
        secret = "127.0.0.1:9/a.tif?X-Amz-Signature=hunter2"
        job = finish(client, {"binary": {"href": f"http://{secret}"}})
        for answer in everything(client, job):
            assert "hunter2" not in answer.text, answer.url
        inputs = {"binary": {"href": f"http://user:hunter2@{secret}"}}
        refused = client.post("processes/echo/execution", json={"inputs": inputs})
        assert refused.status_code == 400
        assert "it has a user or a password in it" in refused.text
        assert "hunter2" not in refused.text


def test_a_bug_is_not_explained(
    engine: Engine, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody thought of is logged here, and its details stay here."""

    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(Engine, "jobs", broken)
    answer = client.get("jobs")
    assert answer.status_code == 500
    assert answer.json()["title"] == "InternalError"
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text


def test_home_is_scrubbed_from_a_log_that_is_followed(
    told_on: tuple[httpx.Client, Engine, list[str]],
) -> None:
    client, engine, never = told_on
    engine.deploy({**TOOL, "id": "where", "baseCommand": ["sh", "-c", "pwd >&2"]})
    job = finish(client, {"message": "a"}, "where")
    name = until(lambda: client.get(job).json()["steps"])[0]["log"]
    followed = client.get(f"{job}/{name}", params={"follow": "true"}).text
    assert "..." in followed
    assert never[0] not in followed


THROWING = """\
cwlVersion: v1.2
class: CommandLineTool
id: throwing
requirements: {InlineJavascriptRequirement: {}}
baseCommand: "true"
inputs: {}
outputs:
  said:
    type: string
    outputBinding:
      outputEval: '${throw new Error("it was in " + runtime.outdir);}'
"""


def test_home_is_scrubbed_from_the_events_of_steps(
    told_on: tuple[httpx.Client, Engine, list[str]],
) -> None:
    client, engine, never = told_on
    engine.deploy(THROWING)
    told = client.get(finish(client, {}, "throwing") + "/events").text
    assert "it was in ..." in told
    assert never[0] not in told


PLACES = """\
cwlVersion: v1.2
class: CommandLineTool
id: places
baseCommand: [sh, -c, 'pwd > place.txt']
inputs: {}
outputs:
  text: {type: string, outputBinding: {outputEval: $(runtime.outdir)}}
  file: {type: File, outputBinding: {glob: place.txt}}
"""


def test_an_output_is_the_same_in_every_form(
    told_on: tuple[httpx.Client, Engine, list[str]],
) -> None:
    """A text loses folders of this machine, in whatever form; a file is given as it is."""
    client, engine, never = told_on
    engine.deploy(PLACES)
    file = {"file": {"transmissionMode": "value"}}
    job = finish(client, {}, "places", outputs={"text": {}, **file})
    document = client.get(f"{job}/results").json()
    raw = finish(client, {}, "places", outputs={"text": {}}, response="raw")
    parts = finish(client, {}, "places", outputs={"text": {}, **file}, response="raw")
    assert document["text"].startswith("...")
    assert client.get(f"{raw}/results").text.startswith("...")
    assert client.get(f"{job}/results/text").text.startswith("...")
    assert b"\r\n\r\n.../" in client.get(f"{parts}/results").content
    content = client.get(f"{job}/results/file").content
    assert content.startswith(never[0].encode())
    assert base64.b64decode(document["file"]["value"]) == content
