"""Going on after a failure over HTTP, and what else a request says of how its job goes on."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from localproc import Engine
from tests.http.service import ASYNC, ended, execute, finish, start

#: Two steps; the second one fails unless it is told not to.
PAIR: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "Workflow",
    "id": "pair",
    "inputs": {"word": "string", "code": {"type": "int", "default": 3}},
    "outputs": {"out": {"type": "File", "outputSource": "second/out"}},
    "steps": {
        "first": {
            "run": {
                "class": "CommandLineTool",
                "id": "say",
                "baseCommand": "echo",
                "inputs": {"word": {"type": "string", "inputBinding": {}}},
                "stdout": "a.txt",
                "outputs": {"out": {"type": "stdout"}},
            },
            "in": {"word": "word"},
            "out": ["out"],
        },
        "second": {
            "run": {
                "class": "CommandLineTool",
                "id": "end",
                "baseCommand": ["sh", "-c", 'cat "$1"; exit "$0"'],
                "inputs": {
                    "code": {"type": "int", "inputBinding": {"position": 1}},
                    "file": {"type": "File", "inputBinding": {"position": 2}},
                },
                "stdout": "b.txt",
                "outputs": {"out": {"type": "stdout"}},
            },
            "in": {"code": "code", "file": "first/out"},
            "out": ["out"],
        },
    },
}


@pytest.fixture
def failed(client: httpx.Client, engine: Engine) -> str:
    """Give the URL of a job whose second step has failed."""
    engine.deploy(json.dumps(PAIR, indent=1))
    return finish(client, {"word": "hi"}, "pair")


def steps(client: httpx.Client, job: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in ended(client, job)["steps"]}


def test_a_failed_job_is_gone_on_with(client: httpx.Client, failed: str) -> None:
    answer = client.post(f"{failed}/retry")
    assert answer.status_code == 201, answer.text
    again = answer.headers["location"]
    assert again != failed
    found = steps(client, again)
    assert found["first"]["status"] == "reused"
    assert found["first"]["reusedFrom"] == failed.rpartition("/")[2]
    assert found["first"]["reusedStep"] == "first"
    assert found["second"]["because"] == "it failed before: failed with exit code 3"


def test_with_changed_inputs_it_may_succeed(client: httpx.Client, failed: str) -> None:
    answer = client.post(f"{failed}/retry", json={"inputs": {"code": 0}, "title": "again"})
    again = answer.headers["location"]
    said = ended(client, again)
    assert (said["status"], said["title"]) == ("successful", "again")
    assert steps(client, again)["first"]["status"] == "reused"
    assert client.get(f"{again}/inputs").json()["inputs"] == {"word": "hi", "code": 0}


def test_what_cannot_be_retried_is_told(client: httpx.Client, failed: str) -> None:
    assert client.post("jobs/nothing/retry").status_code == 404
    assert client.post(f"{failed}/retry", json={"inputs": {"nothing": 1}}).status_code == 400
    assert client.post(f"{failed}/retry", json=[1]).status_code == 400
    sleeping = start(client, {"seconds": 600}, "sleeper") if _sleeper(client) else ""
    answer = client.post(f"{sleeping}/retry")
    assert answer.status_code == 409
    assert "cannot be retried yet" in answer.json()["detail"]
    client.delete(sleeping)


def _sleeper(client: httpx.Client) -> bool:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "sleeper",
        "baseCommand": "sleep",
        "inputs": {"seconds": {"type": "int", "inputBinding": {}}},
        "outputs": {},
    }
    answer = client.post("processes", json=tool, headers={"Content-Type": "application/cwl+json"})
    return answer.status_code == 201


def test_the_page_of_a_failed_job_has_a_button(client: httpx.Client, failed: str) -> None:
    html = {"Accept": "text/html"}
    page = client.get(failed, headers=html).text
    path = httpx.URL(failed).path
    assert f'action="{path}/retry"' in page or f'action="{failed}/retry"' in page
    button = {"Content-Type": "application/x-www-form-urlencoded", **html}
    answer = client.post(f"{failed}/retry", headers=button)
    assert answer.status_code == 303
    again = answer.headers["location"]
    ended(client, again)
    page = client.get(again, headers=html).text
    assert "run again: it failed before" in page
    assert "taken over from" in page


def test_a_request_says_how_its_job_goes_on(client: httpx.Client, failed: str) -> None:
    job = start(
        client,
        {"word": "hi"},
        "pair",
        keepGoing=True,
        retries={"second": {"attempts": 2, "delay": 0}},
        timeLimit=600,
        priority=2,
        once="k",
    )
    said = ended(client, job)
    assert said["properties"]["priority"] == 2
    assert said["properties"]["once"] == "k"
    assert steps(client, job)["second"]["attempt"] == 2
    answer = client.post(
        "processes/pair/execution",
        json={"inputs": {"word": "hi", "code": 0}, "once": "k"},
        headers=ASYNC,
    )
    again = answer.headers["location"]
    assert again != job, "that one has failed"
    ended(client, again)
    answer = client.post(
        "processes/pair/execution", json={"inputs": {"word": "other"}, "once": "k"}, headers=ASYNC
    )
    assert answer.headers["location"] == again


@pytest.mark.parametrize(
    "members",
    [{"retries": "often"}, {"timeLimit": -1}, {"priority": "high"}, {"once": 3}, {"keepGoing": 1}],
)
def test_what_makes_no_sense_is_refused(
    client: httpx.Client, failed: str, members: dict[str, Any]
) -> None:
    answer = execute(client, {"word": "hi"}, "pair", **members)
    assert answer.status_code == 400, answer.text


def test_failures_tell_nothing_of_this_machine(client: httpx.Client, engine: Engine) -> None:
    wide = json.loads(json.dumps(PAIR))
    wide["id"] = "wide"
    wide["steps"]["third"] = wide["steps"]["second"]
    engine.deploy(json.dumps(wide, indent=1))
    job = finish(client, {"word": "hi"}, "wide", keepGoing=True)
    problem = ended(client, job)["exception"]
    assert len(problem["failures"]) == 2
    assert str(engine.home) not in json.dumps(problem)
    page = client.get(job, headers={"Accept": "text/html"}).text
    assert page.count("failed with exit code 3") >= 2


#: One input of each kind that a form has a control of its own for.
FORM: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "form",
    "baseCommand": ["sh", "-c", 'cat "$0"; exit "$1"'],
    "inputs": {
        "file": {"type": "File", "inputBinding": {"position": 1}},
        "code": {"type": "int", "inputBinding": {"position": 2}},
        "word": "string?",
        "words": "string[]?",
        "fast": "boolean",
        "slow": "boolean?",
        "kind": {"type": {"type": "enum", "symbols": ["a", "b"]}, "default": "b"},
        "deep": {"type": {"type": "record", "fields": {"a": "int"}}},
        "address": {"type": "string?"},
    },
    "stdout": "said.txt",
    "outputs": {"said": "stdout"},
}
GIVEN: dict[str, Any] = {
    "file": {"value": "aGk=", "encoding": "base64", "mediaType": "text/plain"},
    "code": 3,
    "word": "two\nlines",
    "words": ["a", "b"],
    "fast": True,
    "kind": "a",
    "deep": {"a": 1},
    "address": "https://user:pass@example.org/a?key=hidden",
}


def shown(page: str) -> dict[str, list[str]]:
    """Return what a browser would send of the form on a page, as it is shown."""
    form = Form()
    form.feed(page)
    return form.values


class Form(HTMLParser):
    """The form that has fields of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._name, self._text = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and given.get("name"):
            kind = given.get("type", "text")
            if kind != "checkbox" or "checked" in given:
                value = "" if kind == "file" else given.get("value", "")
                self.values.setdefault(given["name"], []).append(re.sub("[\r\n]", "", value))
        elif tag in ("select", "textarea"):
            self._name, self._text = given["name"], ""
        elif tag == "option" and ("selected" in given or self._name not in self.values):
            self.values[self._name] = [given.get("value", "\0")]

    def handle_data(self, data: str) -> None:
        if self._name and self.values.get(self._name) == ["\0"]:
            self.values[self._name] = [data]
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._name] = [self._text.removeprefix("\n")]
        if tag in ("select", "textarea"):
            self._name = ""


@pytest.fixture
def filled(client: httpx.Client, engine: Engine) -> str:
    """Give the URL of a job of the process with a form, which has failed."""
    engine.deploy(json.dumps(FORM, indent=1))
    return finish(client, GIVEN, "form")


def sent(
    client: httpx.Client, url: str, values: dict[str, list[str]], **changed: str
) -> httpx.Response:
    """Send a form as a browser does."""
    fields = values | {name: [value] for name, value in changed.items()}
    files = [(name, (None, one)) for name, many in fields.items() for one in many]
    return client.post(url, files=files, headers={"Accept": "text/html"})


def test_a_form_has_the_inputs_of_the_job(client: httpx.Client, filled: str) -> None:
    page = client.get(f"{filled}/retry").text
    values = shown(page)
    assert values == {
        "file": ["", ""],
        "code": ["3"],
        "word": ["twolines"],
        "words": ["a\nb"],
        "fast": ["false", "true"],
        "slow": [""],
        "kind": ["a"],
        "deep": ['{"a": 1}'],
        "address": ["https://example.org/a?…"],
    }
    assert "as long as no other is given" in page, "the file is kept"


def test_what_is_left_as_it_is_stays_as_it_was(
    client: httpx.Client, engine: Engine, filled: str
) -> None:
    values = shown(client.get(f"{filled}/retry").text)
    answer = sent(client, f"{filled}/retry", values, code="0")
    assert answer.status_code == 303, answer.text
    again = answer.headers["location"]
    assert ended(client, again)["status"] == "successful"
    before, after = (dict(engine.job(one.rpartition("/")[2]).inputs) for one in (filled, again))
    assert after == before | {"code": 0}
    assert after["address"] == GIVEN["address"], "also what the page does not show"


def test_what_is_emptied_is_taken_away(client: httpx.Client, engine: Engine, filled: str) -> None:
    values = shown(client.get(f"{filled}/retry").text)
    answer = sent(client, f"{filled}/retry", values, words="", word="other", slow="false")
    inputs = engine.job(answer.headers["location"].rpartition("/")[2]).inputs
    assert inputs["word"] == "other"
    assert inputs["slow"] is False
    assert inputs.get("words") is None


def test_a_form_that_is_refused_comes_back(client: httpx.Client, filled: str) -> None:
    values = shown(client.get(f"{filled}/retry").text)
    answer = sent(client, f"{filled}/retry", values, code="many", deep='{"a": 2}')
    assert answer.status_code == 400
    assert "Not accepted" in answer.text
    again = shown(answer.text)
    assert (again["code"], again["deep"]) == (["many"], ['{"a": 2}'])


def test_the_package_may_be_the_one_that_the_job_ran(
    client: httpx.Client, engine: Engine, failed: str
) -> None:
    then = engine.process("pair").revision
    newer = json.loads(json.dumps(PAIR))
    newer["steps"]["second"]["run"]["baseCommand"] = ["sh", "-c", 'cat "$1"']
    engine.deploy(json.dumps(newer, indent=1))
    page = client.get(f"{failed}/retry").text
    assert "as it is deployed now" in page
    assert f"/retry?revision={then}" in page
    old = client.get(f"{failed}/retry", params={"revision": then}).text
    assert f'action="{failed}/retry?revision={then}"' in old
    answer = sent(client, f"{failed}/retry?revision={then}", shown(old))
    assert ended(client, answer.headers["location"])["status"] == "failed", "as before"
    answer = sent(client, f"{failed}/retry", shown(page))
    assert ended(client, answer.headers["location"])["status"] == "successful"
    assert client.get(f"{failed}/retry", params={"revision": "none"}).status_code == 404


def test_the_form_is_a_page_alone(client: httpx.Client, failed: str) -> None:
    json_alone = {"Accept": "application/json"}
    assert client.get(f"{failed}/retry", headers=json_alone).status_code == 406


def test_a_failed_step_tells_its_folder(client: httpx.Client, engine: Engine, failed: str) -> None:
    job = engine.job(failed.rpartition("/")[2])
    folder = job.status_info()["steps"][1]["folder"]
    assert Path(folder).is_dir()
    assert folder == str(Path(engine.home, "jobs", job.id, "work", "second"))
    found = steps(client, failed)
    assert "folder" not in found["first"]
    assert found["second"]["folder"] == f".../jobs/{job.id}/work/second"
    with engine.client(paths=True) as near:
        whole = near.get(f"jobs/{job.id}").json()["steps"][1]
        assert whole["folder"] == folder
        assert folder in near.get(f"jobs/{job.id}", headers={"Accept": "text/html"}).text
