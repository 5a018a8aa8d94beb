"""The execution log: the same jobs as entries with phases, as process services give it."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.http.packages import FAILING
from tests.http.service import ended, finish, start, until

FIELDS = {
    "_id",
    "service",
    "name",
    "environment",
    "trigger",
    "reason",
    "start",
    "end",
    "runAs",
    "status",
    "message",
    "phases",
    "loaderMessage",
    "data",
}


UPDATING: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "updating",
    "baseCommand": ["sh", "-c", 'echo "$0" > updated.json'],
    "inputs": {"said": {"type": "string", "inputBinding": {}}},
    "outputs": {"updated": {"type": "File", "outputBinding": {"glob": "updated.json"}}},
}
MAKES = """echo '{"message": "Updated 32 series for 2021-07-01",
"series": {"2021-07-01": ["EUR"]}}' > updated.json"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, list[str]]]:
    """Give a client and the ids of three executions, the oldest first: good, failed, dismissed."""
    with Engine(tmp_path_factory.mktemp("home"), cores=8, slots=8) as engine:
        engine.deploy(FAILING)
        with engine.client() as client:
            jobs = [finish(client, {"string": "a"}), finish(client, {}, "failing")]
            jobs.append(start(client, {"pause": 3600}))
            ids = [job.rpartition("/")[2] for job in jobs]
            engine.dismiss(ids[-1])
            ended(client, jobs[-1])
            yield client, ids


Log = tuple[httpx.Client, list[str]]


def listed(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("executions/v1", params=query)
    assert answer.status_code == 200, answer.text
    return [one["_id"] for one in answer.json()]


def test_build_information(log: Log) -> None:
    said = log[0].get("executions").json()
    assert said["name"] == "localproc"
    assert said["version"]


def test_one_execution_has_the_members_of_the_log(log: Log) -> None:
    client, ids = log
    one = client.get(f"executions/v1/private/{ids[0]}").json()
    assert set(one) == FIELDS
    assert (one["_id"], one["name"], one["status"]) == (ids[0], "echo", "success")
    assert (one["trigger"], one["runAs"]) == ("manual", "anonymous")
    assert one["start"] <= one["end"]
    assert one["start"].endswith("Z")
    assert set(one["data"]) == {"name", "curves", "series"}
    pause, give_back = one["phases"]
    assert set(give_back) == {"name", "start", "end", "status", "message", "log"}
    assert (pause["name"], give_back["name"]) == ("pause", "give_back")
    assert give_back["message"] == "Completed give_back"


def test_a_failure_has_the_log_of_its_phases(log: Log) -> None:
    client, ids = log
    one = client.get(f"executions/v1/private/{ids[1]}").json()
    assert one["status"] == "failed"
    (phase,) = one["phases"]
    assert (phase["name"], phase["status"]) == ("break", "failed")
    assert phase["log"][-2:] == ["one line", "this is why"]


def test_one_that_runs_has_no_end(log: Log) -> None:
    client, _ = log
    job = start(client, {"pause": 3600})
    name = job.rpartition("/")[2]
    until(lambda: client.get(job).json()["status"] == "running")
    one = client.get(f"executions/v1/private/{name}").json()
    assert one["status"] == "running"
    page = client.get(f"executions/v1/private/{one['_id']}?f=html")
    assert page.status_code == 200
    assert "<dt>End</dt>" not in page.text
    assert "end" not in one
    client.delete(job)
    assert client.get(f"executions/v1/private/{name}").status_code == 404


def test_the_list(log: Log) -> None:
    """Of a process, of days, and of those that failed; what was dismissed counts as failed."""
    client, ids = log
    assert listed(client) == ids[::-1]
    assert listed(client, name="echo") == [ids[2], ids[0]]
    assert listed(client, name="none") == []
    assert listed(client, status="failed") == [ids[2], ids[1]]
    assert listed(client, name="failing", status="failed") == [ids[1]]
    day = timedelta(days=1)
    yesterday, tomorrow = ((datetime.now(UTC) + by).isoformat() for by in (-day, day))
    assert listed(client, datetime=f"{yesterday}/{tomorrow}") == ids[::-1]
    assert listed(client, datetime=f"../{yesterday}", status="failed") == []
    assert listed(client, name="failing", datetime=f"{yesterday}/..") == [ids[1]]
    assert listed(client, limit=1) == [ids[2]]


def test_the_pages_of_the_list(log: Log) -> None:
    """They are linked in a header, as the list itself has no room for links; filters stay."""
    client, ids = log
    first = client.get("executions/v1", params={"limit": 1, "status": "failed"})
    assert [one["_id"] for one in first.json()] == [ids[2]]
    assert "prev" not in first.links
    second = client.get(first.links["next"]["url"])
    assert [one["_id"] for one in second.json()] == [ids[1]]
    assert "next" not in second.links
    back = client.get(second.links["prev"]["url"])
    assert [one["_id"] for one in back.json()] == [ids[2]]


@pytest.mark.parametrize(
    "query",
    [
        "status=nothing",
        "datetime=x",
        "limit=0",
        "after=none",
        "start=range(x,y)",
        "start=range(2026-02-01,2026-01-01)",
        "_limit=0",
        "_distinct=phases",
        "trigger=chance",
    ],
)
def test_filters_that_cannot_be_read(log: Log, query: str) -> None:
    assert log[0].get(f"executions/v1?{query}").status_code == 400


def test_one_that_is_not_there(log: Log) -> None:
    assert log[0].get("executions/v1/private/none").status_code == 404


def test_starting_one(client: httpx.Client) -> None:
    body = {"name": "echo", "body": {"string": "a"}}
    answer = client.post("executions/v1", json=body)
    assert answer.status_code == 201
    one = answer.json()
    assert (one["name"], one["trigger"]) == ("echo", "manual")
    assert one["status"] in ("triggered", "running", "success")
    assert client.get(answer.headers["location"]).json()["_id"] == one["_id"]
    job = f"jobs/{one['_id']}"
    assert ended(client, job)["status"] == "successful"
    assert client.get(f"{job}/results").json() == {"string": "a"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "none"}, 404),
        ({"body": {}}, 400),
        ({"name": 5}, 400),
        ({"name": "echo", "body": []}, 400),
        ({"name": "echo", "body": {"integer": "x"}}, 400),
        ([], 400),
    ],
    ids=str,
)
def test_what_cannot_be_started(client: httpx.Client, body: Any, status: int) -> None:
    answer = client.post("executions/v1", json=body)
    assert answer.status_code == status


def test_the_same_in_python(engine: Engine, client: httpx.Client) -> None:
    job = finish(client, {"string": "a"}).rpartition("/")[2]
    assert engine.job(job).execution() == client.get(f"executions/v1/private/{job}").json()
    assert [one["_id"] for one in engine.executions(process="echo", limit=1)] == [job]


def test_the_queries_of_the_log(log: Log) -> None:
    """Those that its users write: of a process, of days, of those that failed then."""
    client, ids = log
    now = datetime.now(UTC)
    today, tomorrow = (f"{now + by:%Y-%m-%d}" for by in (timedelta(0), timedelta(days=1)))
    yesterday, before = (f"{now - by:%Y-%m-%d}" for by in (timedelta(days=1), timedelta(days=2)))
    assert listed(client, name="echo", start=f"range({yesterday},{tomorrow})") == [ids[2], ids[0]]
    assert listed(client, name="echo", start=f"range({before},{before})") == []
    assert listed(client, status="failed", start=f"range({yesterday},{tomorrow})") == ids[:0:-1]
    assert listed(client, status="success", start=f"range({yesterday},{today})") == [ids[0]]
    assert listed(client, status="success", _limit=-1) == [ids[0]]
    assert listed(client, _limit=-1) == ids[::-1]
    assert listed(client, _limit=2) == ids[:0:-1]
    assert listed(client, status="warning") == []
    assert listed(client, trigger="manual") == ids[::-1]
    assert listed(client, trigger="scheduled") == []
    names = client.get("executions/v1", params={"_distinct": "name", "_limit": -1})
    assert names.json() == ["echo", "failing"]
    states = client.get("executions/v1", params={"_distinct": "status"})
    assert states.json() == ["failed", "success"]


def test_the_calls_of_the_guide_of_such_services(client: httpx.Client, engine: Engine) -> None:
    """As they are written there: addresses that nobody has quoted, and a bare name."""
    package = {**UPDATING, "id": "ECB_FX", "inputs": {}, "baseCommand": ["sh", "-c", MAKES]}
    engine.deploy(package)
    started = client.post("executions/v1?_reason=by hand", json={"name": "ECB_FX"})
    assert started.status_code == 201, started.text
    key = started.json()["_id"]
    engine.job(key).wait()
    assert client.get("executions").json()["name"] == "localproc"
    one = client.get(f"executions/v1/private/{key}").json()
    assert (one["reason"], one["status"], one["trigger"]) == ("by hand", "success", "manual")
    assert one["loaderMessage"] == "Updated 32 series for 2021-07-01"
    assert one["data"] == {"name": "ECB_FX", "curves": {}, "series": {"2021-07-01": ["EUR"]}}
    day = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%d},{datetime.now(UTC):%Y-%m-%d}"
    for query, expected in (
        ("name=ECB_FX", [key]),
        (f"name=ECB_FX&start=range({day})", [key]),
        ("name=ECB_FX&start=range(2021-07-19,2021-07-23)", []),
        (f"name=ECB_FX&status=failed&start=range({day})", []),
        ("name=ECB_FX&_limit=-1", [key]),
    ):
        assert [one["_id"] for one in client.get(f"executions/v1?{query}").json()] == expected
    assert "ECB_FX" in client.get("executions/v1?_distinct=name&_limit=-1").json()
    engine.undeploy("ECB_FX")


@pytest.mark.parametrize("member", ["body", "input"])
def test_one_is_started_for_a_reason(client: httpx.Client, member: str) -> None:
    asked = {"name": "echo", member: {"string": "a"}}
    answer = client.post("executions/v1", json=asked, params={"_reason": "to see"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["reason"] == "to see"
    assert answer.json()["trigger"] == "manual"


def test_a_process_says_what_it_has_updated(client: httpx.Client, engine: Engine) -> None:
    engine.deploy(UPDATING)
    said = (
        '{"message": "Updated 32 series for 2021-07-01", "warning": true,'
        ' "series": {"2021-07-01": ["EUR", "USD"]}, "curves": {"2021-07-01": "C"}}'
    )
    job = engine.run(UPDATING, {"said": said})
    one = client.get(f"executions/v1/private/{job.id}").json()
    assert one["loaderMessage"] == "Updated 32 series for 2021-07-01"
    assert one["status"] == "warning"
    assert one["data"] == {
        "name": "updating",
        "curves": {"2021-07-01": ["C"]},
        "series": {"2021-07-01": ["EUR", "USD"]},
    }
    assert listed(client, name="updating", status="warning") == [job.id]
    assert listed(client, name="updating", status="success") == []
    unreadable = engine.run(UPDATING, {"said": "no JSON"})
    assert unreadable.execution()["status"] == "success"
    assert unreadable.execution()["loaderMessage"] == "published 1 file"


def test_the_page_of_executions_is_filtered(log: Log) -> None:
    client, ids = log
    page = client.get("executions/v1?f=html&last=12h&trigger=manual&status=failed").text
    assert ids[1][-12:] in page
    assert ids[0][-12:] not in page
    assert (
        "There is no such execution." in client.get("executions/v1?f=html&trigger=scheduled").text
    )
    assert client.get("executions/v1?last=year").status_code == 400
    assert listed(client, last="week") == ids[::-1]


def test_an_execution_is_run_again_with_other_inputs(client: httpx.Client, engine: Engine) -> None:
    job = engine.execute("echo", {"string": "before"}).wait()
    page = client.get(f"executions/v1/private/{job.id}?f=html").text
    assert "&#34;before&#34;" in page
    again = client.post(
        "executions/v1?_reason=run+again",
        data={"name": "echo", "body": '{"string": "after"}'},
        headers={"accept": "text/html"},
    )
    assert again.status_code == 303
    other = engine.job(again.headers["location"].rpartition("/")[2])
    assert other.inputs["string"] == "after"
    assert other.record.reason == "run again"
    wrong = client.post("executions/v1", data={"name": "echo", "body": "{"})
    assert wrong.status_code == 400


@pytest.mark.parametrize("body", ["{", "[1]", '{"unknown": "<b>"}'])
def test_inputs_that_do_not_fit_stay_in_the_form(
    client: httpx.Client, engine: Engine, body: str
) -> None:
    job = engine.execute("echo", {"string": "before"}).wait()
    answer = client.post(
        "executions/v1?_reason=run+again",
        data={"name": "echo", "of": job.id, "body": body},
        headers={"accept": "text/html"},
    )
    assert answer.status_code == 400
    field = re.search(r"<textarea ([^>]*)>(.*?)</textarea>", answer.text, re.DOTALL)
    assert field is not None
    assert html.unescape(field[2]).strip() == body
    assert 'aria-invalid="true"' in field[1]
    assert 'role="alert"' in answer.text
    assert len(engine.jobs(process="echo", limit=1)) == 1
    assert engine.jobs(process="echo", limit=1)[0].id == job.id


@pytest.mark.parametrize("status", ["success", "failed"])
def test_pages_of_every_filtered_list_lead_on_and_back(
    log: tuple[httpx.Client, list[str]], status: str
) -> None:
    client, ids = log
    wanted = [one for one in reversed(ids) if (one == ids[0]) == (status == "success")]
    forward, query = [], {"status": status, "limit": "1"}
    answer = client.get("/executions/v1", params=query)
    forward += [one["_id"] for one in answer.json()]
    while "next" in answer.links:
        answer = client.get(answer.links["next"]["url"])
        forward += [one["_id"] for one in answer.json()]
    assert forward == wanted
    back = [answer.json()[0]["_id"]]
    while "prev" in answer.links:
        answer = client.get(answer.links["prev"]["url"])
        back = [one["_id"] for one in answer.json()] + back
    assert back == wanted


def test_what_is_due_soon_is_on_the_page(client: httpx.Client, engine: Engine) -> None:
    engine.schedules.add("echo", "* * * * *", {"string": "a"}, name="soon")
    page = client.get("executions/v1?f=html").text
    assert "In the next 12 hours" in page
    listed = page[page.index('<h2 id="coming">') :]
    assert listed.count("schedules/soon") == 20
    assert re.search(r'aria-label="[^"]*40 to come, the next is soon: ', page)
    engine.schedules.remove("soon")
    assert "In the next 12 hours" not in client.get("executions/v1?f=html").text


# Logs


def test_logs_of_all_jobs_are_searched(log: tuple[httpx.Client, list[str]]) -> None:
    client, ids = log
    found = client.get("/logs", params={"search": "this why"}).raise_for_status().json()
    assert found["unreadJobs"] == 0
    (match,) = found["matches"]
    assert (match["jobID"], match["processID"], match["status"]) == (ids[1], "failing", "failed")
    links = {one["rel"]: one["href"] for one in match["links"]}
    assert match["lines"][0] in client.get(links["item"]).text
    assert client.get(links["up"]).json()["jobID"] == ids[1]
    assert client.get("/logs", params={"search": "nothingofthekind"}).json()["matches"] == []


@pytest.mark.parametrize("query", [{"search": " "}, {"search": "--"}, {"limit": "0"}])
def test_a_search_without_words_is_refused(
    log: tuple[httpx.Client, list[str]], query: dict[str, str]
) -> None:
    assert log[0].get("/logs", params=query).status_code == 400
