"""``localproc serve``: who gets in, and what it says."""

import re
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from localproc import Engine
from localproc.cli.serve import is_loopback
from localproc.engine.engine import namespace_of
from tests.cli.terminal import elsewhere, end_of, localproc, started
from tests.patience import patient, until
from tests.storage import website as web


@contextmanager
def serving(*words: object) -> Iterator[list[str]]:
    """Serve on a free port; give the addresses that it names. Ctrl-C ends it, without an error."""
    with started("serve", "--port", 0, *words) as process:
        assert process.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("home "):
            lines.append(process.stdout.readline())
            assert lines[-1], process.stderr and process.stderr.read()
        yield re.findall(r"http://\S+", "".join(lines))
        process.send_signal(signal.SIGINT)
        assert end_of(process).code == 0


def test_it_says_where_it_is_and_answers_there() -> None:
    with serving() as (address,):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/default/ogc-api", address)
        landing = httpx.get(address, timeout=patient(20)).json()
        assert landing["title"] == "localproc: default"
        assert all(link["href"].startswith(address) for link in landing["links"])
        request = {"inputs": {"string": "hello"}, "outputs": {"string": {}}}
        assert (
            httpx.post(
                f"{address}/processes/echo/execution", json=request, timeout=patient(20)
            ).text
            == "hello"
        )


def test_processes_that_were_deployed_before_are_there(sleeper: Path) -> None:
    assert localproc("--namespace", "acme", "deploy", sleeper).code == 0
    with serving("--namespace", "acme", "--namespace", "other", "--no-echo") as (acme, other):
        assert acme.endswith("/acme/ogc-api")
        assert [
            one["id"]
            for one in httpx.get(f"{acme}/processes", timeout=patient(20)).json()["processes"]
        ] == ["sleeper"]
        assert httpx.get(f"{other}/processes", timeout=patient(20)).json()["processes"] == []


def test_the_namespace_may_be_named_before_the_command() -> None:
    with started("--namespace", "acme", "serve", "--port", 0) as process:
        assert process.stdout is not None
        assert process.stdout.readline().endswith("/acme/ogc-api\n")


def test_an_address_that_others_reach_needs_a_token() -> None:
    with serving("--host", "0.0.0.0") as (address, *_):
        address = address.replace("0.0.0.0", "127.0.0.1")
        refused = httpx.get(address, timeout=patient(20))
        assert refused.status_code == 401
        assert "localproc token make" in refused.json()["hint"]
        token = elsewhere("token", "make", "alice").out.strip()
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(address, headers=headers, timeout=patient(20)).status_code == 200
    with serving("--host", "0.0.0.0", "--without-token") as (address, *_):
        assert (
            httpx.get(address.replace("0.0.0.0", "127.0.0.1"), timeout=patient(20)).status_code
            == 200
        )


def test_a_name_that_a_page_elsewhere_gave_this_machine_is_refused() -> None:
    with serving() as (address,):
        answer = httpx.get(address, headers={"Host": "attacker.example"}, timeout=patient(20))
        assert answer.status_code == 400


def test_a_proxy_may_call_it_as_clients_do() -> None:
    with serving("--base-url", "https://outer.example/tools") as (address,):
        outer = {"Host": "outer.example", "Origin": "https://outer.example"}
        answer = httpx.post(
            f"{address}/processes/echo/execution", json={}, headers=outer, timeout=patient(20)
        )
        assert answer.status_code == 200
        for headers in ({"Host": "attacker.example"}, {"Origin": "https://attacker.example"}):
            answer = httpx.post(
                f"{address}/processes/echo/execution", json={}, headers=headers, timeout=patient(20)
            )
            assert answer.status_code in (400, 403), headers


def test_a_server_without_work_takes_over_jobs_that_nobody_runs(sleeper: Path, home: Path) -> None:
    """It is at work from the start: ``doctor`` lists it, and others leave their jobs to it."""
    assert localproc("deploy", sleeper).code == 0
    with started("serve", "--port", 0) as server:
        assert server.stdout is not None
        server.stdout.readline()
        with Engine(home, run_jobs=False) as engine:
            assert [pid for _, pid in namespace_of(engine).alive()] == [server.pid]
            job = engine.execute("sleeper", {"seconds": 0.1})
            assert job.wait(patient(30)).status == "successful"


def test_files_may_be_named_below_the_roots_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("in/a.txt", "b.txt"):
        (tmp_path / name).write_text("hello")
    with serving("--file-root", tmp_path / "in") as (address,):
        execution = f"{address}/processes/echo/execution"
        for name, status in (("in/a.txt", 200), ("b.txt", 400)):
            link = {"href": (tmp_path / name).as_uri()}
            answer = httpx.post(execution, json={"inputs": {"binary": link}}, timeout=patient(20))
            assert answer.status_code == status, answer.text


TWO = """
cwlVersion: v1.2
class: CommandLineTool
id: two
baseCommand: "true"
inputs: {one: File, other: File}
outputs: {}
"""


@pytest.mark.parametrize(("limit", "status"), [("job=1", "failed"), ("host=2", "successful")])
def test_what_clients_have_brought_is_limited(limit: str, status: str, tmp_path: Path) -> None:
    (tmp_path / "two.cwl").write_text(TWO)
    assert localproc("deploy", tmp_path / "two.cwl").code == 0
    with (
        web.serving() as site,
        serving("--no-echo", "--allow-private", "--input-limit", limit) as (address,),
    ):
        files = {name: site.add(f"/{name}", bytes(700_000)) for name in ("one", "other")}
        answer = httpx.post(
            f"{address}/processes/two/execution",
            json={"inputs": {name: {"href": uri} for name, uri in files.items()}},
            headers={"Prefer": "respond-async"},
            timeout=patient(20),
        )
        job = answer.headers["Location"]
        ended = until(lambda: _ended(job))
        assert ended["status"] == status
        assert ("have more than 1048576 bytes" in ended["message"]) == (status == "failed")


def _ended(job: str) -> Any:
    found = httpx.get(job, timeout=patient(20)).json()
    return found if found["status"] in ("failed", "successful") else None


@pytest.mark.parametrize("limit", ["job", "job=", "jobs=1", "job=-1", "job=1.5"])
def test_limits_that_are_none(limit: str) -> None:
    said = localproc("serve", "--port", 0, "--input-limit", limit)
    assert (said.code, "is none of file=MIB, job=MIB, host=MIB" in said.err) == (2, True)


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = localproc("serve", "--port", taken.getsockname()[1])
    assert said.code == 4
    assert "cannot listen on 127.0.0.1 port" in said.err
    assert "--port 0" in said.err


def test_several_namespaces_need_room_in_the_prefix() -> None:
    said = localproc("serve", "--port", 0, "--prefix", "/", "--namespace", "a", "--namespace", "b")
    assert said.code == 2
    assert "{namespace}" in said.err


@pytest.mark.parametrize("prefix", ["foo/{namespace}", "/x/{bogus}", "/{", "/{namespace:path}"])
def test_prefixes_that_are_no_paths(prefix: str) -> None:
    said = localproc("serve", "--port", 0, "--prefix", prefix)
    assert said.code == 2
    assert "Traceback" not in said.err


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_ports_that_are_none(port: int) -> None:
    assert localproc("serve", "--port", port).code == 2


def test_whoever_waits_when_it_is_stopped_is_told_where_the_job_is(
    sleeper: Path, home: Path
) -> None:
    assert localproc("deploy", sleeper).code == 0
    with ThreadPoolExecutor() as pool:
        with started("serve", "--port", 0) as server:
            assert server.stdout is not None
            (address,) = re.findall(r"http://\S+", server.stdout.readline())
            execution = f"{address}/processes/sleeper/execution"
            waiting = pool.submit(httpx.post, execution, json={"inputs": {}}, timeout=patient(60))
            with Engine(home, run_jobs=False) as engine:
                (job,) = until(lambda: engine.jobs(status="running"))
            server.send_signal(signal.SIGINT)
            said = end_of(server)
        answer = waiting.result()
    assert answer.status_code == 503
    assert answer.links["monitor"]["url"] == f"{address}/jobs/{job.id}"
    assert said.code == 0
    assert "Traceback" not in said.err


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"])
def test_addresses_that_only_this_machine_reaches(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", ""])
def test_addresses_that_others_reach(host: str) -> None:
    assert not is_loopback(host)
