"""Jobs over HTTP, where the official suite does not look: filters, pages, dismissal, callbacks."""

import base64
import hashlib
import hmac
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from localproc import Engine, Job
from localproc.engine.admission.asked_options import _wrong_address
from localproc.errors import InvalidInputs
from localproc.http import create_app
from localproc.model import InputPolicy
from tests.http.packages import FAILING, TOOL
from tests.http.service import (
    ASYNC,
    Receiver,
    ended,
    execute,
    finish,
    link,
    receiving,
    served,
    start,
    until,
)
from tests.patience import patient

PART_1 = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
OPEN = InputPolicy(roots=())

SLEEPER = {
    **TOOL,
    "id": "sleeper",
    "baseCommand": ["sh", "-c", 'echo "$$ begun" >&2; sleep "$0"; echo over >&2'],
}
MAKER = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "maker",
    "baseCommand": [
        "sh",
        "-c",
        "printf one > 1.txt; printf two > 2.txt; printf 0123456789 > n.bin",
    ],
    "inputs": {},
    "outputs": {
        "texts": {"type": "File[]", "outputBinding": {"glob": "*.txt"}},
        "numbers": {"type": "File", "outputBinding": {"glob": "n.bin"}},
        "nothing": {"type": "File?", "outputBinding": {"glob": "none"}},
    },
}


# The list, with its filters and pages


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, list[str]]]:
    """Give a client, and the ids of jobs that will not change: six, the oldest first."""
    with Engine(tmp_path_factory.mktemp("history"), cores=8, slots=8) as engine:
        engine.deploy(FAILING)
        engine.deploy(SLEEPER)
        with engine.client() as client:
            places = [
                finish(client, {"string": "a"}),
                finish(client, {}, "failing"),
                finish(client, {"string": "b"}),
                start(client, {"message": "3600"}, "sleeper"),
                finish(client, {"string": "c"}),
                start(client, {"message": "3600"}, "sleeper"),
            ]
            until(lambda: client.get(places[3]).json()["status"] == "running")
            until(lambda: client.get(places[5]).json()["status"] == "running")
            engine.dismiss(places[5].rpartition("/")[2])
            ended(client, places[5])
            jobs = [place.rpartition("/")[2] for place in places]
            took(engine.home, jobs, [0.1, 0.1, 0.1, None, 2, 0.1])
            yield client, jobs
            engine.dismiss(jobs[3])


def took(home: Path, jobs: list[str], seconds: list[float | None]) -> None:
    """Set how long jobs have taken; one that still runs has done so for a minute."""
    with closing(sqlite3.connect(home / "localproc.db", timeout=patient(10))) as db, db:
        for job, duration in zip(jobs, seconds, strict=True):
            if duration is None:
                db.execute("UPDATE jobs SET started = started - 60000000 WHERE id = ?", (job,))
            else:
                change = "UPDATE jobs SET finished = started + ? WHERE id = ?"
                db.execute(change, (int(duration * 1e6), job))


def listed(client: httpx.Client, **query: Any) -> list[str]:
    answer = client.get("jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [one["jobID"] for one in answer.json()["jobs"]]


History = tuple[httpx.Client, list[str]]


def test_newest_first(history: History) -> None:
    client, jobs = history
    assert listed(client) == jobs[::-1]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"type": "process"}, [0, 1, 2, 3, 4, 5]),
        ({"type": "openeo"}, []),
        ({"type": "openeo,process"}, [0, 1, 2, 3, 4, 5]),
        ({"processID": "echo"}, [0, 2, 4]),
        ({"processID": "echo,failing"}, [0, 1, 2, 4]),
        ({"processID": ["echo", "failing"]}, [0, 1, 2, 4]),
        ({"processID": "unknown"}, []),
        ({"status": "successful"}, [0, 2, 4]),
        ({"status": "failed,dismissed"}, [1, 5]),
        ({"status": ["running", "accepted"]}, [3]),
        ({"minDuration": 1}, [3, 4]),
        ({"minDuration": "1", "status": "successful"}, [4]),
        ({"maxDuration": 3600}, [0, 1, 2, 3, 4, 5]),
        ({"minDuration": 3600}, []),
        ({"minDuration": 1, "maxDuration": 3600, "processID": "echo"}, [4]),
        ({"processID": "sleeper", "status": "dismissed"}, [5]),
        ({"limit": 2}, [4, 5]),
        ({"limit": 1, "status": "successful"}, [4]),
        ({"limit": 99999}, [0, 1, 2, 3, 4, 5]),
        ({"limit": "9" * 5000}, [0, 1, 2, 3, 4, 5]),
        ({"minDuration": "9" * 5000}, []),
        ({"maxDuration": "9" * 20}, [0, 1, 2, 3, 4, 5]),
        ({"unknown": "parameter"}, [0, 1, 2, 3, 4, 5]),
    ],
    ids=lambda given: str(given)[:50],
)
def test_filters(history: History, query: dict[str, Any], wanted: list[int]) -> None:
    client, jobs = history
    assert listed(client, **query) == [jobs[index] for index in reversed(wanted)]


def test_filter_by_time(history: History) -> None:
    """``datetime`` is about when a job was made: an instant, or an interval, open or not."""
    client, jobs = history
    created = [client.get(f"jobs/{job}").json()["created"] for job in jobs]
    assert listed(client, datetime=f"{created[2]}/..") == jobs[:1:-1]
    assert listed(client, datetime=f"{created[2]}/") == jobs[:1:-1]
    assert listed(client, datetime=f"{created[2].lower()}/..") == jobs[:1:-1]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert listed(client, datetime=f"{yesterday}/{tomorrow}") == jobs[::-1]
    assert listed(client, datetime=f"../{tomorrow}", status="failed") == [jobs[1]]
    assert listed(client, datetime=f"../{yesterday}") == []
    assert listed(client, datetime=f"{tomorrow}/..") == []
    assert listed(client, datetime=tomorrow) == []


@pytest.mark.parametrize(
    "query",
    [
        {"status": "done"},
        {"status": "successful,done"},
        {"datetime": "yesterday"},
        {"datetime": "2026-13-01T00:00:00Z"},
        {"datetime": "2026-02-01T00:00:00Z/2026-01-01T00:00:00Z"},
        {"datetime": "../../.."},
        {"datetime": "2026-11-22/2026-11-22/2026"},
        {"datetime": "2026-11-22_10:00:00Z"},
        {"minDuration": "-1"},
        {"minDuration": "long"},
        {"maxDuration": "1.5"},
        {"limit": "0"},
        {"limit": "none"},
        {"after": "nothing"},
        {"before": "nothing"},
        {"f": "xml"},
    ],
    ids=str,
)
def test_filters_that_cannot_be_read(history: History, query: dict[str, Any]) -> None:
    answer = history[0].get("jobs", params=query)
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["type"] == PART_1 + "invalid-query-parameter-value"
    assert next(iter(query)) in json.dumps(problem)


def test_pages_lead_through_the_list_and_back(history: History) -> None:
    client, jobs = history
    pages, place = [], "jobs?limit=2&processID=echo,failing"
    while place:
        page = client.get(place).json()
        pages.append([one["jobID"] for one in page["jobs"]])
        links = {one["rel"]: one["href"] for one in page["links"]}
        place = links.get("next", "")
    assert pages == [[jobs[4], jobs[2]], [jobs[1], jobs[0]]]
    back = client.get(links["prev"]).json()
    assert [one["jobID"] for one in back["jobs"]] == pages[0]
    assert "prev" not in {one["rel"] for one in back["links"]}
    assert client.get(link(back, "next")).json()["jobs"] == page["jobs"]


def test_pages_stay_while_jobs_arrive(client: httpx.Client) -> None:
    """New jobs come before the first page; what was behind a link stays behind it."""
    for text in "abcd":
        finish(client, {"string": text})
    first = client.get("jobs?limit=2").json()
    place = link(first, "next")
    second = client.get(place).json()
    for text in "efg":
        finish(client, {"string": text})
    assert client.get(place).json()["jobs"] == second["jobs"]
    back = client.get(link(second, "prev")).json()
    assert back["jobs"] == first["jobs"]
    newer = client.get(link(back, "prev")).json()["jobs"]
    assert len(newer) == 2
    assert newer[-1]["created"] >= back["jobs"][0]["created"]


# One job


def test_live_status(engine: Engine, client: httpx.Client) -> None:
    """While a job runs its steps can be seen, and their logs read."""
    engine.deploy(SLEEPER)
    job = start(client, {"message": "3600"}, "sleeper")
    until(lambda: [one["status"] for one in client.get(job).json()["steps"]] == ["running"])
    said = client.get(job).json()
    assert said["status"] == "running"
    assert 0 <= said["progress"] < 100
    assert "finished" not in said
    assert [one["rel"] for one in said["links"]] == ["monitor"]
    (step,) = said["steps"]
    until(lambda: "begun" in client.get(f"{job}/{step['log']}").text)
    assert client.delete(job).status_code == 200


def test_links_of_a_job_that_has_ended(engine: Engine, client: httpx.Client) -> None:
    """Titles and relations are those that clients know; logs come in the order steps ended."""
    job = finish(client, {"string": "a", "pause": 1})
    links = client.get(job).json()["links"]
    assert links[:2] == [
        {
            "title": "Status location",
            "rel": "monitor",
            "type": "application/json",
            "href": job,
        },
        {
            "title": "Result location",
            "rel": RESULTS,
            "type": "application/json",
            "href": f"{job}/results",
        },
    ]
    logs = [one for one in links[2:] if one["rel"] == "related"]
    assert [one["title"] for one in logs] == [
        "Tool log node_pause.log",
        "Tool log node_give_back.log",
    ]
    for one in logs:
        assert one["type"] == "text/plain"
        assert client.get(one["href"]).headers["content-type"].startswith("text/plain")


def test_a_failed_job_says_why(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(FAILING)
    job = finish(client, {"code": 9}, "failing")
    said = client.get(job).json()
    assert said["status"] == "failed"
    assert RESULTS not in {one["rel"] for one in said["links"]}
    problem = said["exception"]
    answer = client.get(f"{job}/results")
    assert answer.status_code == problem["status"] == 500
    assert answer.json() == problem
    assert problem["type"].endswith("/job-failed")
    assert (problem["step"], problem["exitCode"]) == ("break", 9)
    assert problem["stderrTail"] == ["one line", "this is why"]
    assert "break" in problem["detail"]
    assert client.get(problem["log"]).text.splitlines()[-2:] == ["one line", "this is why"]
    waited = execute(client, {"code": 9}, "failing")
    assert waited.status_code == 500
    assert waited.json()["stderrTail"] == problem["stderrTail"]


def test_an_input_that_is_not_there_is_the_clients_fault(engine: Engine) -> None:
    with receiving() as web, engine.client(policy=OPEN) as client:
        job = finish(client, {"binary": {"href": f"{web.address}/none.tif"}})
        assert client.get(job).json()["exception"]["step"] == "stage_in"
        assert client.get(f"{job}/results").status_code == 400


def test_waiting_has_an_end(engine: Engine) -> None:
    """A synchronous execution that takes too long goes on as an asynchronous one."""
    body = {"inputs": {"pause": 3600}}
    with engine.client(sync_seconds=0.1) as client:
        answer = client.post("processes/echo/execution", json=body)
        assert answer.status_code == 201
        assert client.delete(answer.headers["location"]).status_code == 200
    with engine.client() as client:
        answer = client.post("processes/echo/execution", json=body, headers={"Prefer": "wait=0"})
        assert answer.status_code == 201
        assert client.delete(answer.headers["location"]).status_code == 200


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("respond-async;return=representation", "respond-async;return=representation"),
        ("respond-async", "respond-async"),
        ("respond-async, wait=10", "respond-async"),
        ("handling=lenient, RESPOND-ASYNC", "respond-async"),
        ("respond-async;return=minimal", "respond-async"),
        ("respond-async;return=nonsense", "respond-async"),
        (
            "respond-async;return=representation;return=minimal",
            "respond-async, return=representation",
        ),
    ],
)
def test_preference_applied(client: httpx.Client, prefer: str, applied: str) -> None:
    """It names what was done, and nothing else: the 201 has the statusInfo, so it represents."""
    answer = client.post(
        "processes/echo/execution", json={"inputs": {}}, headers={"Prefer": prefer}
    )
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == applied


@pytest.mark.parametrize(
    ("prefer", "pause", "applied"),
    [
        ("wait=20", 0, "wait=20"),
        ("wait=20, return=minimal", 0, "wait=20"),
        ("return=representation", 0, None),
        ("wait=0", 60, "wait=0"),
        ("wait=99999", 60, None),
        ("wait=0, wait=20", 60, "wait=0"),
    ],
)
def test_waiting_is_a_preference(
    engine: Engine, prefer: str, pause: int, applied: str | None
) -> None:
    """Whoever has to wait longer than this server does is not told that it was honoured."""
    body = {"inputs": {"pause": pause} if pause else {}}
    with engine.client(sync_seconds=0.1 if pause else 300) as client:
        answer = client.post("processes/echo/execution", json=body, headers={"Prefer": prefer})
        assert answer.status_code == (201 if pause else 200)
        assert answer.headers.get("preference-applied") == applied
        if pause:
            client.delete(answer.headers["location"])


def test_headers_of_several_lines_are_one_list(client: httpx.Client) -> None:
    """RFC 9110, 5.3."""
    prefer = [("Prefer", "handling=lenient"), ("Prefer", "respond-async")]
    answer = client.post("processes/echo/execution", json={"inputs": {}}, headers=prefer)
    assert answer.status_code == 201
    accept = [("Accept", "image/png"), ("Accept", "text/html")]
    assert client.get("jobs", headers=accept).headers["content-type"].startswith("text/html")


def test_results_that_cannot_be_had_as_wished(client: httpx.Client) -> None:
    """The job was run all the same: the problem says where it is."""
    given = {"inputs": {"string": "a"}, "outputs": {"string": {}}}
    answer = client.post("processes/echo/execution", json=given, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    job = answer.links["monitor"]["url"]
    assert client.get(f"{job}/results").json() == {"string": "a"}


def test_raw_results_in_their_own_media_types(client: httpx.Client) -> None:
    given = {"value": base64.b64encode(b"a picture").decode(), "mediaType": "image/png"}
    both: dict[str, Any] = {"binary": {}, "string": {}}
    one = finish(client, {"binary": given}, outputs={"binary": {}}, response="raw")
    two = finish(client, {"binary": given, "string": "a"}, outputs=both, response="raw")
    kind = client.get(f"{one}/results").headers["content-type"]
    answer = client.get(f"{one}/results", headers={"Accept": kind.partition(";")[0]})
    assert (answer.status_code, answer.content) == (200, b"a picture")
    assert answer.headers["vary"] == "Accept"
    for accept in ("multipart/related", "*/*", "application/json;q=0.5, multipart/*"):
        answer = client.get(f"{two}/results", headers={"Accept": accept})
        kind = answer.headers["content-type"]
        assert kind.startswith("multipart/related; boundary=")
        assert kind.endswith('; type="text/plain"')  # of the first part (RFC 2387, 3.1)
        assert b"Content-Type: text/plain;charset=UTF-8\r\n" in answer.content
    answer = client.get(f"{two}/results", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["string"]) == (200, "a")
    answer = client.get(f"{two}/results", headers={"Accept": "image/png"})
    assert answer.status_code == 406
    document = finish(client, {"string": "a"})
    answer = client.get(f"{document}/results", headers={"Accept": "image/tiff"})
    assert answer.status_code == 406


# Results


def test_outputs_are_chosen(client: httpx.Client) -> None:
    given = {"string": "a", "integer": 1, "boolean": True}
    job = finish(client, given, outputs={"string": {}, "integer": {}})
    assert client.get(f"{job}/results").json() == {"string": "a", "integer": 1}
    assert client.get(f"{job}/results?outputs=integer").json() == {"integer": 1}
    assert client.get(f"{job}/results?outputs=integer,string").json() == {
        "integer": 1,
        "string": "a",
    }
    assert client.get(f"{job}/results/string").text == "a"
    not_asked_for = client.get(f"{job}/results/boolean")
    assert not_asked_for.status_code == 404
    assert client.get(f"{job}/results?outputs=string,boolean").status_code == 404
    for path in ("results/unknown", "results?outputs=string,unknown"):
        unknown = client.get(f"{job}/{path}")
        assert unknown.status_code == 400
        assert unknown.json()["type"] == PART_1 + "no-such-output"


def test_no_outputs(client: httpx.Client) -> None:
    """``outputs: {}`` asks for the work and for no results."""
    answer = execute(client, {"string": "a"}, outputs={})
    assert answer.status_code == 204
    assert answer.content == b""
    assert answer.links["monitor"]["url"]


def test_outputs_that_do_not_exist(client: httpx.Client) -> None:
    answer = execute(client, {}, outputs={"strings": {}})
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["where"] == "outputs.strings"


def test_transmission_modes(client: httpx.Client) -> None:
    """Values and references, for what is a file and what is not."""
    content = base64.b64encode(b"\0\1\2").decode()
    given = {"string": "a", "binary": {"value": content, "encoding": "base64"}}

    def results(mode: str) -> Any:
        outputs = {name: {"transmissionMode": mode} for name in given}
        return execute(client, given, outputs=outputs).json()

    value = results("value")
    assert value["string"] == "a"
    assert value["binary"] == {
        "value": content,
        "mediaType": "application/octet-stream",
        "encoding": "base64",
    }
    reference = results("reference")
    assert reference["string"]["type"] == "text/plain"
    assert client.get(reference["string"]["href"]).text == "a"
    assert client.get(reference["binary"]["href"]).content == b"\0\1\2"


def test_single_items(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(MAKER)
    job = finish(client, {}, "maker")
    texts = client.get(f"{job}/results/texts").json()
    assert [client.get(one["href"]).text for one in texts] == ["one", "two"]
    assert client.get(f"{job}/results/texts/0").text == "one"
    assert client.get(f"{job}/results/texts/1").text == "two"
    for wrong in ("2", "-1", "x", "00000000000000000000009", "%D9%A1"):
        assert client.get(f"{job}/results/texts/{wrong}").status_code == 404, wrong
    assert client.get(f"{job}/results/numbers/0").status_code == 404
    assert client.get(f"{job}/results/nothing").status_code == 404


def test_arrays_of_files_as_values(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(MAKER)
    outputs = {"texts": {"transmissionMode": "value"}}
    answer = execute(client, {}, "maker", outputs=outputs, response="document")
    assert answer.json()["texts"] == [
        {"value": text, "mediaType": "text/plain"} for text in ("one", "two")
    ]


#: A folder, and files whose names are odd: with a line break, and no UTF-8.
FOLDERS = {
    **MAKER,
    "id": "folders",
    "baseCommand": [
        "sh",
        "-c",
        """mkdir -p d/e; printf in > 'd/a#b.txt'; printf deep > d/e/f.txt
        printf line > "$(printf 'n\\nl.odd')"; printf raw > "$(printf '\\377.odd')\"""",
    ],
    "outputs": {
        "folder": {"type": "Directory", "outputBinding": {"glob": "d"}},
        "odd": {"type": "File[]", "outputBinding": {"glob": "*.odd"}},
    },
}


def test_folders_tell_what_is_in_them(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(FOLDERS)
    job = finish(client, {}, "folders")
    place = client.get(f"{job}/results").json()["folder"]["href"]
    said = client.get(place).json()
    assert said["title"] == "d"
    assert [one["title"] for one in said["links"]] == ["a#b.txt", "e"]
    file, folder = said["links"]
    assert (file["type"], file["length"]) == ("text/plain;charset=UTF-8", 2)
    assert client.get(file["href"]).text == "in"
    (deep,) = client.get(folder["href"] + "/").json()["links"]
    assert client.get(deep["href"]).text == "deep"
    page = client.get(place, headers={"Accept": "text/html"})
    assert "a#b.txt" in page.text


def test_files_with_odd_names_are_where_the_results_say(engine: Engine) -> None:
    """Names with line breaks, and of bytes that are no UTF-8; in process and on a socket."""
    engine.deploy(FOLDERS)
    with engine.client() as near, served_client(engine) as far:
        for client in (near, far):
            found = client.get(finish(client, {}, "folders") + "/results").json()["odd"]
            assert sorted(client.get(one["href"]).text for one in found) == ["line", "raw"]


def test_ranges(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(MAKER)
    job = finish(client, {}, "maker")
    place = client.get(f"{job}/results").json()["numbers"]["href"]

    def part(wanted: str, **headers: str) -> httpx.Response:
        return client.get(place, headers={"Range": wanted, **headers})

    whole = client.get(place)
    assert (whole.status_code, whole.content) == (200, b"0123456789")
    assert whole.headers["accept-ranges"] == "bytes"
    for wanted, content in (("0-0", b"0"), ("2-4", b"234"), ("7-", b"789"), ("-3", b"789")):
        answer = part(f"bytes={wanted}")
        assert (answer.status_code, answer.content) == (206, content)
    assert part("bytes=2-4").headers["content-range"] == "bytes 2-4/10"
    assert part("bytes=5-99").content == b"56789"
    beyond = part("bytes=10-")
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == "bytes */10"
    for ignored in ("lines=1-2", "bytes=a-b", "bytes=4-2,5-6", "bytes", "bytes=-"):
        assert part(ignored).content == b"0123456789", ignored
    tag = whole.headers["etag"]
    assert part("bytes=0-0", **{"If-Range": tag}).status_code == 206
    assert part("bytes=0-0", **{"If-Range": '"other"'}).status_code == 200
    head = client.head(place)
    assert (head.headers["content-length"], head.content) == ("10", b"")
    assert part("Bytes=2-4").content == b"234"
    assert client.head(place, headers={"Range": "bytes=2-4"}).status_code == 200
    execution = {"inputs": {}, "outputs": {"numbers": {}}, "response": "raw"}
    for wanted in ("bytes=2-4", "bytes=10-"):
        answer = client.post("processes/maker/execution", json=execution, headers={"Range": wanted})
        assert (answer.status_code, answer.content) == (200, b"0123456789")


def test_a_file_that_the_client_has_is_not_sent_again(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(MAKER)
    job = finish(client, {}, "maker")
    place = client.get(f"{job}/results").json()["numbers"]["href"]
    tag = client.get(place).headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(place, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b""), known
        assert answer.headers["etag"] == tag
        assert "content-length" not in answer.headers
    assert client.get(place, headers={"If-None-Match": '"other"'}).status_code == 200


FORMATS = {
    **MAKER,
    "id": "formats",
    "$namespaces": {"edam": "http://edamontology.org/"},
    "outputs": {
        "edam": {
            "type": "File",
            "format": "edam:format_2330",
            "outputBinding": {"glob": "1.txt"},
        },
        "iana": {
            "type": "File",
            "format": "https://www.iana.org/assignments/media-types/image/png",
            "outputBinding": {"glob": "n.bin"},
        },
    },
}


def test_formats_of_other_vocabularies_are_no_media_types(
    engine: Engine, client: httpx.Client
) -> None:
    engine.deploy(FORMATS)
    job = finish(client, {}, "formats")
    for name, kind in (("edam", "text/plain"), ("iana", "image/png")):
        assert client.get(f"{job}/results").json()[name]["type"] == kind
        answer = client.get(f"{job}/results/{name}")
        assert answer.headers["content-type"].partition(";")[0] == kind


COUNTLESS = {
    **TOOL,
    "id": "countless",
    "baseCommand": ["sh", "-c", """echo '{"numbers": [1, 1e400]}' > cwl.output.json"""],
    "inputs": {},
    "outputs": {"numbers": "float[]"},
}
del COUNTLESS["stdout"]


def test_numbers_without_end_are_no_json(engine: Engine, client: httpx.Client) -> None:
    for number in ("1e999", "-1e999", "Infinity", "NaN"):
        content = f'{{"inputs": {{"number": {number}}}}}'
        answer = client.post("processes/echo/execution", content=content)
        assert answer.status_code == 400, number
        assert answer.json()["title"] == "InvalidBody"
    engine.deploy(COUNTLESS)
    assert execute(client, {}, "countless", response="document").json() == {"numbers": [1, None]}


def test_zero_characters_are_refused(client: httpx.Client) -> None:
    """No argument, name or variable of a program can have one."""
    assert execute(client, {"string": "a\\u0000b"}).json() == {"string": "a\\u0000b"}
    for inputs in ({"string": "a\0b"}, {"array": ["\0"]}, {"object": {"value": {"\0": 1}}}):
        answer = execute(client, inputs)
        assert answer.status_code == 400, inputs
        assert "zero character" in answer.json()["detail"]


def test_half_characters_are_refused_however_they_are_written(client: httpx.Client) -> None:
    half = '{"inputs": {"string": "\\ud800"}}'
    for content in (half.encode(), half.encode("utf-16"), half.encode("utf-32")):
        assert client.post("processes/echo/execution", content=content).status_code == 400


def test_inputs(client: httpx.Client) -> None:
    job = finish(client, {"string": "a", "array": ["b"]}, outputs={"string": {}})
    assert client.get(f"{job}/inputs").json() == {
        "inputs": {"string": "a", "array": ["b"]},
        "outputs": {"string": {}},
    }


def test_provenance(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(MAKER)
    job = finish(client, {}, "maker")
    found = client.get(f"{job}/prov").json()
    name = f"job:{job.rpartition('/')[2]}"
    assert name in found["activity"]
    generated = [one["prov:entity"] for one in found["wasGeneratedBy"].values()]
    assert f"{name}/outputs/numbers" in generated
    number = found["entity"][f"{name}/outputs/numbers"]
    digest = hashlib.sha1(b"0123456789").hexdigest()
    assert number["localproc:checksum"] == f"sha1${digest}"
    assert client.get(number["prov:location"]).content == b"0123456789"


# Dismissal


def sleeping(engine: Engine, client: httpx.Client) -> tuple[str, list[psutil.Process]]:
    """Start a job that sleeps; give it and its processes."""
    engine.deploy(SLEEPER)
    job = start(client, {"message": "3600"}, "sleeper")
    of_job = engine.job(job.rpartition("/")[2])
    said = until(lambda: of_job.steps and of_job.logs().stderr)
    shell = psutil.Process(int(said.split()[0]))
    return job, [shell, *until(shell.children)]


@pytest.mark.parametrize("policy", ["seed", "ogc2", "gone"])
def test_dismissing_stops_the_work(engine: Engine, policy: Any) -> None:
    with engine.client(dismiss=policy) as client:
        job, processes = sleeping(engine, client)
        answer = client.delete(job)
        assert answer.status_code == 200
        assert not any(one.is_running() for one in processes)
        said = answer.json()
        assert (said["status"], said["type"]) == ("dismissed", "process")
        assert said["finished"]
        assert link(said, "parent") == f"{client.base_url}jobs"


def test_dismissed_as_in_the_seeds(engine: Engine, client: httpx.Client) -> None:
    """DELETE takes a job away, whatever its state; there it is 404 afterwards."""
    for job in (sleeping(engine, client)[0], finish(client, {"string": "a"})):
        before = client.get(job).json()
        after = client.delete(job).json()
        assert after["status"] == after["message"] == "dismissed"
        assert after["finished"] == before.get("finished", after["finished"])
        for method, path in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
            answer = client.request(method, job + path)
            assert answer.status_code == 404
            problem = answer.json()
            assert problem["type"] == PART_1 + "no-such-job"
            assert problem["title"] == "NoSuchJob"
            assert problem["detail"] == (
                "The JobID from the request does not match any of the Jobs running on this server"
            )
        assert job.rpartition("/")[2] not in listed(client, limit=1000)
        # In Python its tombstone can be seen.
        assert job.rpartition("/")[2] in {one.id for one in engine.jobs(hidden=True)}


def test_a_job_that_ends_by_itself_as_it_is_dismissed_has_ended(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is removed then, as it is told to be, and does not stay with how it ended."""
    with engine.client(dismiss="ogc2") as client:
        job, processes = sleeping(engine, client)

        def ends(one: Job, **_: Any) -> None:
            for process in processes:
                with suppress(psutil.NoSuchProcess):  # it ends with another that was killed
                    process.kill()
            one.wait(patient(20))

        monkeypatch.setattr(Job, "dismiss", ends)
        assert client.delete(job).json()["status"] == "dismissed"
        assert client.get(job).status_code == 404


def test_dismissed_as_in_the_draft_of_2_0(engine: Engine) -> None:
    """What was active stays as dismissed; what had ended is removed."""
    with engine.client(dismiss="ogc2") as client:
        job, _ = sleeping(engine, client)
        assert client.delete(job).json()["status"] == "dismissed"
        assert client.get(job).json()["status"] == "dismissed"
        answer = client.get(f"{job}/results")
        assert answer.status_code == 404
        assert answer.json()["type"] == PART_1 + "result-not-available"
        assert client.delete(job).status_code == 200
        assert client.get(job).status_code == 404
        assert client.delete(job).status_code == 404
        done = finish(client, {"string": "a"})
        assert client.delete(done).json()["status"] == "dismissed"
        assert client.get(done).status_code == 404


def test_dismissed_for_good(engine: Engine) -> None:
    """410 tells that there was a job once."""
    with engine.client(dismiss="gone") as client:
        for job in (sleeping(engine, client)[0], finish(client, {"string": "a"})):
            assert client.delete(job).status_code == 200
            for method, path in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
                assert client.request(method, job + path).status_code == 410
        assert client.get("jobs/never-was").status_code == 404


def test_published_results_stay(engine: Engine, client: httpx.Client) -> None:
    engine.deploy(MAKER)
    job = finish(client, {}, "maker")
    results = Path(engine.home / "results" / job.rpartition("/")[2])
    client.delete(job)
    assert (results / "n.bin").read_bytes() == b"0123456789"


WORDS = {
    "accepted": "ZOO-Kernel accepted to run your service!",
    "running": "execution submitted",
}


def test_the_words_of_zoo(engine: Engine) -> None:
    """With the profile "zoo" the messages are those of the seeds."""
    with engine.client(profile="zoo") as client:
        body = {"inputs": {"pause": 1}}
        answer = client.post("processes/echo/execution", json=body, headers=ASYNC)
        said = answer.json()
        assert said["message"] == WORDS[said["status"]]
        job = answer.headers["location"]
        assert ended(client, job)["message"] == "ZOO-Kernel successfully run your service!"
        said = client.delete(job).json()
        assert said["message"] == "ZOO-Kernel successfully dismissed your service!"
        kind = "http://www.opengis.net/def/rel/ogc/1.0/exception/no-such-job"
        assert client.get(job).json()["type"] == kind


# Callbacks


def subscribed(web: Receiver) -> dict[str, str]:
    return {f"{name}Uri": f"{web.address}/{name}" for name in ("success", "inProgress", "failed")}


def paths(web: Receiver) -> list[str]:
    return [path for path, _, _ in web.got]


def test_success_is_told_with_the_results(engine: Engine) -> None:
    with receiving() as web, engine.client(policy=OPEN) as client:
        job = finish(client, {"string": "a", "array": ["b"]}, subscriber=subscribed(web))
        assert web.document("/success") == client.get(f"{job}/results").json()
        said = web.document("/inProgress")
        assert (said["jobID"], said["type"]) == (job.rpartition("/")[2], "process")
        assert said["status"] in ("accepted", "running", "successful")
        assert link(said, "monitor") == job
        assert set(paths(web)) == {"/inProgress", "/success"}


def test_files_are_told_by_their_addresses(engine: Engine) -> None:
    engine.deploy(MAKER)
    with receiving() as web, engine.client(policy=OPEN) as client:
        finish(client, {}, "maker", subscriber={"successUri": f"{web.address}/success"})
        told = web.document("/success")
        assert client.get(told["numbers"]["href"]).content == b"0123456789"


def test_failure_is_told_with_the_status(engine: Engine) -> None:
    engine.deploy(FAILING)
    with receiving() as web, engine.client(policy=OPEN) as client:
        finish(client, {}, "failing", subscriber=subscribed(web))
        said = web.document("/failed")
        assert said["status"] == "failed"
        assert "/success" not in paths(web)


def test_a_receiver_that_is_down_at_first(engine: Engine) -> None:
    with receiving(Receiver(refusals=1)) as web, engine.client(policy=OPEN) as client:
        finish(client, {"string": "a"}, subscriber={"successUri": f"{web.address}/success"})
        assert web.document("/success") == {"string": "a"}
        assert web.refusals == 0


def test_callbacks_are_signed(tmp_path: Path) -> None:
    """With a secret, whoever gets a callback can tell that it is genuine."""
    with (
        receiving() as web,
        Engine(tmp_path, callback_secret="between us") as engine,
        engine.client(policy=OPEN) as client,
    ):
        finish(client, {"string": "a"}, subscriber={"successUri": f"{web.address}/success"})
        web.document("/success")
        _, headers, body = web.got[0]
        plain = {name.lower(): value for name, value in headers.items()}
        signed = f"{plain['webhook-id']}.{plain['webhook-timestamp']}.".encode() + body
        digest = hmac.digest(b"between us", signed, hashlib.sha256)
        assert plain["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_every_letter_has_an_id_of_its_own(engine: Engine) -> None:
    """Receivers know by it what they have got before, so a second try has the same."""
    with receiving(Receiver(refusals=1)) as web, engine.client(policy=OPEN) as client:
        for pause in (1, 0):
            job = start(client, {"pause": pause}, subscriber=subscribed(web))
            until(lambda: len(web.got) in (2, 4))
            ended(client, job)
        until(lambda: len(web.got) == 4)
        ids = [
            value
            for _, headers, _ in web.got
            for name, value in headers.items()
            if name.lower() == "webhook-id"
        ]
        assert len(set(ids)) == 4


@pytest.mark.parametrize(
    ("subscriber", "where"),
    [
        ({"successUri": "ftp://example.org"}, "subscriber.successUri"),
        ({"successUri": 5}, "subscriber.successUri"),
        ({"successUri": "file:///etc/passwd"}, "subscriber.successUri"),
        ({"success": "http://example.org"}, "subscriber.success"),
        ("http://example.org", "subscriber"),
    ],
    ids=str,
)
def test_subscribers_that_cannot_be_told(client: httpx.Client, subscriber: Any, where: str) -> None:
    answer = execute(client, {}, subscriber=subscriber)
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["where"] == where


def test_private_addresses_are_told_nothing(engine: Engine, client: httpx.Client) -> None:
    """By default a client cannot make this machine post to its own network."""
    with receiving() as web:
        asked = {"inputs": {"string": "a"}, "subscriber": subscribed(web)}
        assert client.post("processes/echo/execution", json=asked).status_code == 400
        with engine.client(policy=OPEN) as other:
            finish(other, {"string": "b"}, subscriber=subscribed(web))
        assert web.document("/success") == {"string": "b"}
        assert paths(web).count("/success") == 1


@pytest.mark.parametrize(
    "uri",
    [
        "http://example.org/\r\nX: y",
        "http://example.org/a b",
        " http://example.org/",
        "http://example.org/\x7f",
        "http://user:secret@example.org/",
        "http://user@example.org/",
        "http:///nowhere",
        "http://example.org:0/",
        "http://example.org:99999/",
        "ftp://example.org/",
        "mailto:a@example.org",
        "",
        5,
        None,
    ],
)
def test_addresses_that_cannot_be_told(engine: Engine, client: httpx.Client, uri: Any) -> None:
    for member in ("successUri", "inProgressUri", "failedUri"):
        asked = {"inputs": {}, "subscriber": {member: uri}}
        answer = client.post("processes/echo/execution", json=asked)
        assert answer.status_code == 400, answer.text
        assert answer.json()["problems"][0]["where"] == f"subscriber.{member}"
        with pytest.raises(InvalidInputs):  # in Python as well
            engine.execute("echo", {}, subscriber={member: uri})


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
    ],
)
def test_subscribers_in_private_places(client: httpx.Client, host: str) -> None:
    asked = {"inputs": {}, "subscriber": {"successUri": f"http://{host}:8080/told"}}
    answer = client.post("processes/echo/execution", json=asked)
    assert answer.status_code == 400, answer.text
    assert "not a public address" in answer.json()["problems"][0]["message"]


@pytest.mark.parametrize(
    "host", ["example.org", "93.184.216.34", "[2606:4700::1111]", "bücher.example"]
)
def test_subscribers_that_may_be_public(host: str) -> None:
    """A name is looked up when it is told, and guarded then."""
    assert _wrong_address(f"https://{host}/told?job=1", guarded=True) == ""


# What is told while a job runs


def told(lines: Iterator[str]) -> Iterator[tuple[int, str, Any]]:
    """Read server-sent events: number, kind and data of each."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif fields:
            yield int(fields["id"]), fields["event"], json.loads(fields["data"])
            fields = {}


def test_events(client: httpx.Client) -> None:
    job = finish(client, {"string": "a", "pause": 1})
    with client.stream("GET", f"{job}/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        seen = list(told(answer.iter_lines()))
    steps = [(data["name"], data["status"]) for _, kind, data in seen if kind == "step"]
    assert steps[:2] == [("pause", "accepted"), ("pause", "running")] or steps[0][0] == "pause"
    assert ("pause", "successful") in steps
    assert steps[-1] == ("give_back", "successful")
    assert seen[-1][1] == "status"
    assert seen[-1][2]["status"] == "successful"
    numbers = [number for number, _, _ in seen]
    assert numbers == sorted(numbers)


def gated(gate: Path) -> dict[str, Any]:
    """Give a tool that says that it has begun, and waits until a file is there."""
    script = f"echo begun >&2; until [ -e {gate} ]; do sleep 0.05; done; echo over >&2"
    return {**TOOL, "id": "gated", "baseCommand": ["sh", "-c", script]}


def test_events_as_they_happen(engine: Engine, tmp_path: Path) -> None:
    """On a socket: the first event comes while the job still runs."""
    engine.deploy(gated(tmp_path / "gate"))
    with served_client(engine) as client:
        job = start(client, {"message": "x"}, "gated")
        with client.stream("GET", f"{job}/events") as answer:
            events = told(answer.iter_lines())
            first = next(events)
            assert client.get(job).json()["status"] in ("accepted", "running")
            (tmp_path / "gate").touch()
            rest = list(events)
        assert first[0] < rest[-1][0]
        assert rest[-1][2]["status"] == "successful"


def test_the_head_of_what_is_told_live(engine: Engine) -> None:
    """It is there at once, though the job goes on, and has no body in process either."""
    engine.deploy(SLEEPER)
    with engine.client() as near, served_client(engine) as far:
        job = start(near, {"message": "3600"}, "sleeper").partition("/ogc-api/")[2]
        log = until(lambda: near.get(job).json()["steps"])[0]["log"]
        for client in (near, far):
            events = client.head(f"{job}/events")
            assert events.headers["content-type"].startswith("text/event-stream")
            assert client.head(f"{job}/{log}?follow=true").status_code == 200
            assert client.head("processes").content == b""
        near.delete(job)


def test_events_that_were_seen_are_not_told_again(client: httpx.Client) -> None:
    job = finish(client, {"string": "a"})

    def after(seen: str) -> list[tuple[int, str, Any]]:
        answer = client.get(f"{job}/events", headers={"Last-Event-ID": seen})
        return list(told(iter(answer.text.splitlines())))

    everything = after("0")
    middle = everything[len(everything) // 2][0]
    rest = after(str(middle))
    assert rest == [one for one in everything if one[0] > middle]
    assert after(str(everything[-1][0])) == []
    assert after("nonsense") == everything


def test_logs(engine: Engine, client: httpx.Client) -> None:
    counting = {
        **TOOL,
        "id": "counting",
        "baseCommand": ["sh", "-c", "for i in 1 2 3 4 5; do echo line $i >&2; done"],
    }
    engine.deploy(counting)
    job = finish(client, {"message": "x"}, "counting")
    name = client.get(job).json()["steps"][0]["log"]
    lines = [f"line {number}" for number in range(1, 6)]
    whole = client.get(f"{job}/{name}").text.splitlines()
    assert whole[-5:] == lines
    assert client.get(f"{job}/{name}?tail=2").text.splitlines() == lines[-2:]
    assert client.get(f"{job}/{name}?tail=0").text == ""
    assert client.get(f"{job}/{name}?tail=1000").text.splitlines() == whole
    assert client.get(f"{job}/{name}?follow=true").text.splitlines()[-5:] == lines
    for wrong in ("tail=-1", "tail=all", "follow=perhaps"):
        assert client.get(f"{job}/{name}?{wrong}").status_code == 400
    missing = client.get(f"{job}/node_other.log")
    assert missing.status_code == 404
    assert name.removesuffix(".log").removeprefix("node_") in missing.json()["hint"]


def test_a_log_is_followed_while_it_is_written(engine: Engine, tmp_path: Path) -> None:
    engine.deploy(gated(tmp_path / "gate"))
    with served_client(engine) as client:
        job = start(client, {"message": "x"}, "gated")
        name = until(lambda: client.get(job).json()["steps"])[0]["log"]
        seen = ""
        with client.stream("GET", f"{job}/{name}", params={"follow": "true"}) as answer:
            for piece in answer.iter_text():
                seen += piece
                if "begun" in seen:
                    (tmp_path / "gate").touch()  # it does not end before this has come
        assert "over" in seen.partition("begun")[2]


def test_others_are_answered_meanwhile(engine: Engine) -> None:
    """Whoever waits for a job or follows one keeps nobody else waiting."""
    with served_client(engine) as client:
        job = start(client, {"pause": 3600})
        waiting = [
            threading.Thread(target=lambda: client.get(f"{job}/events", timeout=patient(60)))
            for _ in range(30)
        ]
        for one in waiting:
            one.start()
        assert execute(client, {"string": "a"}).json() == {"string": "a"}
        assert client.get(job).json()["status"] == "running"
        client.delete(job)
        for one in waiting:
            one.join()


@contextmanager
def served_client(engine: Engine) -> Iterator[httpx.Client]:
    """Serve the engine on a socket; give a client of it."""
    limits = httpx.Limits(max_connections=100)
    with (
        served(create_app(engine)) as address,
        httpx.Client(
            base_url=f"{address}/{engine.namespace}/ogc-api/", limits=limits, timeout=patient(20)
        ) as client,
    ):
        yield client
