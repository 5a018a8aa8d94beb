"""Jobs of many steps and large logs: what is told of them stays small, and is not read again."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from localproc import Engine
from localproc.engine.handles import Job
from localproc.model import Event, StepStatus
from tests.http.histories import failed, finished, job_of_steps, went_on
from tests.http.page import Page
from tests.http.service import link

COUNT = 250


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that runs nothing: jobs are what is written down of them."""
    with Engine(tmp_path_factory.mktemp("home"), run_jobs=False) as engine:
        yield engine


@pytest.fixture(scope="module")
def many(engine: Engine, client: httpx.Client) -> Job:
    assert client.get("processes/echo").status_code == 200  # which deploys it
    return job_of_steps(engine, COUNT, running=2)


def names(status: dict[str, list[dict[str, str]]]) -> list[str]:
    return [step["name"] for step in status["steps"]]


def test_a_status_has_the_last_steps_and_counts_all(client: httpx.Client, many: Job) -> None:
    status = client.get(f"jobs/{many.id}").json()
    assert names(status) == [f"step_{number}" for number in range(150, COUNT)]
    assert status["stepCounts"] == {"total": COUNT, "successful": COUNT - 2, "running": 2}
    logs = [one["href"] for one in status["links"] if one["rel"] == "related"]
    place = link(status, "monitor")
    assert logs == [f"{place}/node_step_{number}.log" for number in range(150, COUNT - 2)]


@pytest.mark.parametrize("limit", [1, 7, 100, COUNT])
def test_pages_have_every_step_once(client: httpx.Client, many: Job, limit: int) -> None:
    everything = [f"step_{number}" for number in range(COUNT)]
    status = client.get(f"jobs/{many.id}", params={"limit": limit}).json()
    found = names(status)
    while any(one["rel"] == "prev" for one in status["links"]):
        status = client.get(link(status, "prev")).json()
        found = names(status) + found
    assert found == everything
    forth = names(status)
    while any(one["rel"] == "next" for one in status["links"]):
        status = client.get(link(status, "next")).json()
        forth += names(status)
    assert forth == everything


def test_a_small_job_has_all_its_steps(client: httpx.Client, engine: Engine) -> None:
    status = client.get(f"jobs/{job_of_steps(engine, 3).id}").json()
    assert len(status["steps"]) == status["stepCounts"]["total"] == 3
    assert not {"prev", "next"} & {one["rel"] for one in status["links"]}


def test_a_page_that_begins_nowhere(client: httpx.Client, many: Job) -> None:
    for query in ("after=nothing", "before=nothing", "limit=0", "limit=x"):
        answer = client.get(f"jobs/{many.id}?{query}")
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("invalid-query-parameter-value")


def test_the_page_shows_a_page(client: httpx.Client, many: Job) -> None:
    page = Page(client.get(f"jobs/{many.id}?f=html"))
    assert len(page.all("details")) == 100
    assert "151 to 250 of 250" in " ".join(page.text.split())
    assert page.faults() == []
    (earlier,) = (href for href in page.links() if "before=step_150" in href)
    page = Page(client.get(earlier, headers={"Accept": "text/html"}))
    assert "51 to 150 of 250" in " ".join(page.text.split())


# What has not changed is not sent again


def test_a_status_that_is_known_is_not_sent(engine: Engine, client: httpx.Client) -> None:
    job = job_of_steps(engine, 3, running=1)
    first = client.get(f"jobs/{job.id}")
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(f"jobs/{job.id}", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get(f"jobs/{job.id}?f=html", headers=known).status_code == 200
    went_on(engine, job, finished("step_2", StepStatus.FAILED))
    fresh = client.get(f"jobs/{job.id}", headers=known)
    assert fresh.status_code == 200
    assert fresh.json()["steps"][-1]["status"] == "failed"


@pytest.mark.parametrize("path", ["", "processes", "processes/echo", "jobs", "conformance", "api"])
def test_everything_that_is_read_has_a_tag(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    tag = answer.headers["etag"]
    assert client.get(path, headers={"If-None-Match": f'"other", W/{tag}'}).status_code == 304
    assert client.head(path, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_history_is_read_once(
    engine: Engine, client: httpx.Client, many: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    events = engine._namespace.runtime.store.events

    def counted(job_id: str, after: int = 0) -> list[Event]:
        found = events(job_id, after)
        read.append(len(found))
        return found

    client.get(f"jobs/{many.id}")
    monkeypatch.setattr(engine._namespace.runtime.histories.of(many.id), "_events", counted)
    for _ in range(3):
        client.get(f"jobs/{many.id}")
        assert many.steps
    went_on(engine, many, finished(f"step_{COUNT - 1}"))
    assert client.get(f"jobs/{many.id}").json()["stepCounts"]["running"] == 1
    assert sum(read) == 1


# Events


def test_whoever_comes_back_is_told_what_has_changed(engine: Engine, client: httpx.Client) -> None:
    job = job_of_steps(engine, 3, running=3)
    seen = len(job.events())
    for number in range(2):
        went_on(engine, job, finished(f"step_{number}"))
    went_on(engine, job, failed())
    place = f"jobs/{job.id}/events"
    for answer in (
        client.get(place, headers={"Last-Event-ID": str(seen)}),
        client.get(place, params={"after": seen}),
    ):
        told = answer.text
        assert [one for one in told.splitlines() if one.startswith("event: step")] == [
            "event: step"
        ] * 3
        assert told.count('"status":"successful"') == 2
        assert told.count('"status":"dismissed"') == 1
        assert '"status":"failed"' in told.split("event: status")[1]
    assert client.get(place, params={"after": seen + 3}).text == ""


# Logs


def log_of(engine: Engine, job: Job, name: str, err: bytes, out: bytes = b"") -> None:
    folder = Path(engine._namespace.logs_folder(job.id))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"node_{name}.log").write_bytes(err)
    if out:
        (folder / f"node_{name}.out.log").write_bytes(out)


def test_a_large_log_comes_whole_and_in_pieces(engine: Engine, client: httpx.Client) -> None:
    job = job_of_steps(engine, 1)
    line = b"x" * 63 + b"\n"
    log_of(engine, job, "step_0", line * (3 << 14), b"first\nlast")
    answer = client.get(f"jobs/{job.id}/node_step_0.log")
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
    assert answer.text == job.logs("step_0").text
    assert answer.text.startswith("==> stdout <==\nfirst\nlast\n==> stderr <==\nxxx")
    assert client.head(f"jobs/{job.id}/node_step_0.log").status_code == 200


def test_a_log_is_found_without_its_job(
    engine: Engine, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of_steps(engine, 5)
    log_of(engine, job, "step_3", b"here\n")

    def never(*_: object) -> list[Event]:
        raise AssertionError("the history is read")

    monkeypatch.setattr(engine._namespace.runtime.histories, "_events", never)
    assert client.get(f"jobs/{job.id}/node_step_3.log").text == "here\n"
    assert client.get(f"jobs/{job.id}/node_step_3.log?tail=1").text == "here\n"


def test_a_log_that_is_none(engine: Engine, client: httpx.Client) -> None:
    job = job_of_steps(engine, 1)
    log_of(engine, job, "step_0", b"err\n", b"out\n")
    for name in ("node_other.log", "node_step_0.out.log", "..%2Flogs%2Fnode_step_0.log"):
        assert client.get(f"jobs/{job.id}/{name}").status_code == 404


@pytest.mark.parametrize("name", ["50% done", "a#b", "a?b", "a;b=c", "é"])
def test_links_of_logs_can_be_followed(engine: Engine, client: httpx.Client, name: str) -> None:
    job = job_of_steps(engine, 0)
    went_on(engine, job, finished(name, log=f"node_{name}.log"))
    log_of(engine, job, name, name.encode())
    status = client.get(f"jobs/{job.id}").json()
    assert client.get(link(status, "related")).text == name
    page = Page(client.get(f"jobs/{job.id}?f=html"))
    (place,) = (href for href in page.links() if href.endswith(".log"))
    assert client.get(place).text == name
    (details,) = page.all("details")
    assert client.get(details["data-log"]).text == name
