"""The HTML pages of the HTTP face, in process."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st

from localproc import Engine
from localproc.http import pages
from localproc.http.formatting import shell
from localproc.http.http_settings import DismissPolicy
from localproc.model import JobStatus, StepStatus
from localproc.views.shown_results import shown_outputs
from tests.http.page import Page
from tests.http.service import start

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(1)"
HOSTILE = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "hostile",
    "label": EVIL,
    "doc": EVIL,
    "baseCommand": ["sh", "-c", 'echo "$0" >&2; exit 1'],
    "inputs": {
        "text": {
            "type": "string",
            "label": EVIL,
            "doc": EVIL,
            "default": EVIL,
            "inputBinding": {},
        },
        "choice": {"type": ["null", {"type": "enum", "symbols": [EVIL]}]},
    },
    "outputs": {},
}
PICTURE = """
cwlVersion: v1.2
class: CommandLineTool
id: picture
baseCommand: [sh, -c, 'echo picture > picture.png; echo words > words.txt']
inputs: []
outputs:
  picture: {type: File, outputBinding: {glob: picture.png}}
  words: {type: "File[]", outputBinding: {glob: words.txt}}
  number: {type: int, outputBinding: {outputEval: $(6 * 7)}}
  text: {type: string, outputBinding: {outputEval: "<b>bold</b>"}}
  object: {type: Any, outputBinding: {outputEval: '$({"a": [1, 2]})'}}
  nothing: {type: string?, outputBinding: {outputEval: $(null)}}
requirements: {InlineJavascriptRequirement: {}}
"""


class Site:
    """A service with a job of each kind, and a client that behaves like a browser."""

    def __init__(self, home: Path, packages: Path) -> None:
        self.engine = Engine(home)
        self.client = self.engine.client()
        self.client.headers.update(BROWSER)
        for package in ("three-steps.cwl", "fields.cwl"):
            self.engine.deploy(packages / package)
        self.engine.deploy(PICTURE)
        self.engine.deploy(HOSTILE)
        self.jobs = {
            "successful": self.engine.execute("picture").wait().id,
            "failed": self.engine.execute("three-steps", {"text": "hi", "code": 3}).wait().id,
            "hostile": self.engine.execute("hostile", {"text": EVIL}, title=EVIL, tags=[EVIL])
            .wait()
            .id,
        }

    def get(self, path: str, **options: Any) -> httpx.Response:
        url = f"http://localproc{path}" if path.startswith("/") else path
        return self.client.get(url.format(**self.jobs), **options)

    def page(self, path: str, status: int = 200) -> Page:
        answer = self.get(path)
        assert answer.status_code == status, answer.text
        return Page(answer)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Iterator[Site]:
    found = Site(tmp_path_factory.mktemp("home"), packages)
    with found.engine, found.client:
        yield found


RESOURCES = [
    "",
    "conformance",
    "api",
    "processes",
    "processes/echo",
    "processes/fields",
    "processes/hostile",
    "processes/three-steps",
    "jobs",
    "jobs/{successful}",
    "jobs/{failed}",
    "jobs/{hostile}",
    "jobs/{successful}/results",
    "jobs/{successful}/inputs",
    "jobs/{successful}/prov",
    "executions",
    "executions/v1",
    "executions/v1/private/{hostile}",
    "logs",
    "logs?search=alert",
    "schedules",
    "http://localproc/",
]
PROBLEMS = [
    ("jobs/none", 404),
    ("processes/none", 404),
    ("jobs/{failed}/results", 500),
    ("jobs?limit=none", 400),
    ("nothing/here", 404),
    ("http://localproc/elsewhere/ogc-api/jobs", 404),
]


# Every page


@pytest.mark.parametrize("path", RESOURCES)
def test_every_resource_has_a_page(site: Site, path: str) -> None:
    page = site.page(path)
    assert page.faults() == []
    assert page.text.strip()


@pytest.mark.parametrize("path", RESOURCES)
def test_f_asks_for_a_page_or_for_json(site: Site, path: str) -> None:
    Page(site.get(path, params={"f": "html"}, headers={"Accept": "application/json"}))
    answer = site.get(path, params={"f": "json"})
    assert "json" in answer.headers["content-type"]
    assert answer.json()
    assert "json" in site.get(path, headers={"Accept": "*/*"}).headers["content-type"]


@pytest.mark.parametrize(("path", "status"), PROBLEMS)
def test_problems_have_a_page(site: Site, path: str, status: int) -> None:
    page = site.page(path, status)
    assert page.faults() == []
    answer = site.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.json()["title"] in page.text
    assert answer.json()["detail"] in page.text


@pytest.mark.parametrize("path", [*RESOURCES, *(path for path, _ in PROBLEMS)])
def test_pages_run_nothing_but_what_is_served_here(site: Site, path: str) -> None:
    answer = site.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept"
    page = Page(answer)
    for said in page.all("script") + page.all("img"):
        assert said["src"].startswith(("/static/", "http://localproc/"))
    assert all(said["href"].startswith(("/static/", "http://localproc/")) for said in _heads(page))


def _heads(page: Page) -> list[dict[str, str]]:
    return page.all("link")


@pytest.mark.parametrize("path", RESOURCES)
def test_what_is_linked_is_there(site: Site, path: str) -> None:
    page = site.page(path)
    places = page.links() + [said["href"] for said in _heads(page)]
    ids = {f"#{said['id']}" for _, said in page.tags if "id" in said}
    assert {place for place in places if place.startswith("#")} <= ids
    for place in {place for place in places if not place.startswith("#")}:
        assert site.get(place.replace("{", "{{").replace("}", "}}")).status_code == 200, place


@pytest.mark.parametrize(
    "path",
    [
        "processes",
        "processes/hostile",
        "jobs",
        "jobs/{hostile}",
        "jobs/{hostile}/inputs",
        "executions/v1/private/{hostile}",
        "logs?search=alert",
        "jobs?minDuration=" + EVIL,
        "jobs?since=" + EVIL,
        "processes/" + EVIL,
        "executions/v1?name=" + EVIL,
    ],
)
def test_nothing_that_is_told_becomes_markup(site: Site, path: str) -> None:
    answer = site.get(path)
    assert "&lt;img" in answer.text
    page = Page(answer)
    assert page.faults() == []
    assert all(said["src"].startswith("/static/") for said in page.all("img"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("style.css", "text/css"), ("job.js", "text/javascript"), ("icon.svg", "image/svg+xml")],
)
def test_static_files(site: Site, name: str, kind: str) -> None:
    answer = site.get(f"http://localproc/static/{name}")
    assert answer.headers["content-type"] == f"{kind};charset=UTF-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize("name", ["none.css", "job.txt", "..%2Fapp.py", "%2e%2e%2Fapp.py.css"])
def test_nothing_else_is_static(site: Site, name: str) -> None:
    assert site.get(f"http://localproc/static/{name}").status_code == 404


def test_a_proxy_that_adds_a_path_is_followed(site: Site) -> None:
    with site.engine.client(base_url="https://example.org/below") as client:
        page = Page(client.get("jobs", headers=BROWSER))
    assert page.all("img")[0]["src"] == "https://example.org/below/static/icon.svg"
    assert "https://example.org/below/default/ogc-api/processes" in page.links()


# Single pages


def test_landing_page_says_how_to_begin(site: Site) -> None:
    page = site.page("")
    assert "curl --data-binary @package.cwl" in page.text
    (form,) = page.all("form")
    assert form["action"] == "http://localproc/default/ogc-api/processes"
    assert form["enctype"] == "multipart/form-data"


def test_a_package_is_deployed_by_the_form(site: Site) -> None:
    package = PICTURE.replace("id: picture", "id: uploaded").encode()
    files = {"package": ("uploaded.cwl", package, "application/octet-stream")}
    answer = site.client.post("processes", files=files)
    assert answer.status_code == 303
    assert Page(site.client.get(answer.headers["location"])).all("form")
    again = site.client.post("processes", files=files)
    assert again.status_code == 409
    assert "DuplicatedProcess" in Page(again).text
    program = site.client.post("processes?w=", files=files, headers={"Accept": "application/json"})
    assert program.json()["title"] == "DuplicatedProcess"
    site.engine.undeploy("uploaded")


def test_an_invalid_package_is_told_with_its_lines(site: Site) -> None:
    files = {"package": ("bad.cwl", b"cwlVersion: v1.2\nclass: Nothing\n", "text/yaml")}
    answer = site.client.post("processes", files=files)
    assert answer.status_code == 400
    assert "bad.cwl" in Page(answer).text


def test_process_page_tells_of_inputs_and_outputs(site: Site) -> None:
    text = site.page("processes/fields").text
    for said in ("Any text at all", "array of string", "one of first, second", "by default"):
        assert said in text


def test_process_page_of_a_workflow_draws_its_steps(site: Site) -> None:
    """The picture may have looks of its own, and nothing else; who cannot see it reads it."""
    (picture,) = drawings(site.page("processes/three-steps"))
    assert picture["alt"] == "inputs: text, code; steps: first, second, third; outputs: last"
    drawing = site.get(picture["src"])
    assert drawing.headers["content-type"].startswith("image/svg+xml")
    assert drawing.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "third" in drawing.text
    assert drawings(site.page("processes/fields")) == []


def drawings(page: Page) -> list[dict[str, str]]:
    return [said for said in page.all("img") if said["src"].endswith("/graph")]


def test_job_page_of_a_failure_says_why(site: Site) -> None:
    text = site.page("jobs/{failed}").text
    for said in ("step second failed with exit code 3", "this is why", "What to do"):
        assert said in text


def test_job_page_has_a_bar_for_each_step(site: Site) -> None:
    page = site.page("jobs/{failed}")
    bars = [said for said in page.all("rect") if said["class"] == "part"]
    assert [said["data-status"] for said in bars] == ["successful", "failed"]
    assert float(bars[0]["x"]) == 0
    assert 0 < float(bars[1]["x"]) + float(bars[1]["width"]) <= 1000
    logs = [said["data-log"] for said in page.all("details")]
    assert site.get(logs[1], params={"tail": 1}).text == "this is why\n"


def test_job_page_tells_where_a_step_ran(site: Site) -> None:
    job = site.engine.job(site.jobs["failed"])
    (step,) = [one for one in job.steps if one.status is StepStatus.FAILED]
    assert step.host
    page = site.client.get(f"jobs/{job.id}").text
    assert f"run by local on <code>{step.host}</code>" in page


def test_job_page_offers_to_dismiss_what_runs(site: Site) -> None:
    def live(page: Page) -> dict[str, str]:
        return next(said for _, said in page.tags if said.get("id") == "live")

    job = site.engine.execute("echo", {"pause": 3600})
    page = site.page(f"jobs/{job.id}")
    assert "data-final" not in live(page)
    assert "Dismiss" in page.text
    job.dismiss()
    page = site.page(f"jobs/{job.id}")
    assert "data-final" in live(page)
    assert "Dismiss" not in page.text


def test_results_page_shows_each_value_in_its_way(site: Site) -> None:
    page = site.page("jobs/{successful}/results")
    assert "42" in page.text
    assert "<b>bold</b>" in page.text
    assert '"a": [' in page.text
    assert "nothing" not in page.text
    assert "text/plain, 6 B" in page.text
    (picture,) = (said for said in page.all("img") if said.get("class") == "picture")
    assert picture["src"].endswith("/picture.png")
    assert site.get(picture["src"]).content == b"picture\n"


def test_job_list_is_filtered_by_the_form(site: Site) -> None:
    def listed(query: str) -> set[str]:
        places = site.page(f"jobs?{query}").links()
        return {name for name, job in site.jobs.items() if any(job in place for place in places)}

    empty = "processID=&since=&until=&minDuration=&maxDuration="
    assert listed(empty) == {"successful", "failed", "hostile"}
    assert listed(empty + "&status=failed") == {"failed", "hostile"}
    assert listed(empty + "&status=failed&status=successful") == set(site.jobs)
    assert listed("processID=picture") == {"successful"}
    assert listed("since=2020-01-01T00:00&until=") == set(site.jobs)
    assert listed("since=&until=2020-01-01T00:00") == set()
    assert listed("minDuration=3600") == set()
    assert "checked" in next(
        said
        for said in site.page("jobs?status=failed").fields()
        if said.get("value") == JobStatus.FAILED
    )


def test_job_list_has_pages(site: Site) -> None:
    first = site.page("jobs?limit=1&processID=")
    (following,) = (one for one in first.links() if "after=" in one)
    assert "processID" not in following
    second = Page(site.get(following))
    assert any("before=" in one for one in second.links())


# The form of a process


Filled = tuple[str, str] | tuple[str, str, str, bytes]


def submit(site: Site, process: str, *fields: Filled) -> httpx.Response:
    """Send a form the way browsers do."""
    lines = []
    for field in fields:
        head = f'--edge\r\nContent-Disposition: form-data; name="{field[0]}"'
        if len(field) == 2:
            lines.append(f"{head}\r\n\r\n{field[1]}\r\n".encode())
        else:
            head += f'; filename="{field[1]}"\r\nContent-Type: {field[2]}\r\n\r\n'
            lines.append(head.encode() + field[3] + b"\r\n")
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Origin": "http://localproc"}
    content = b"".join(lines) + b"--edge--\r\n"
    return site.client.post(f"processes/{process}/execution", content=content, headers=headers)


NO_FILE = ("", "application/octet-stream", b"")
REQUIRED: list[Filled] = [
    ("text", "two\r\nlines é"),
    ("number", "2.5"),
    ("yes", "false"),
    ("yes", "true"),
    ("choice", "second"),
    ("lines", "one\r\n\r\n  two \r\n"),
    ("object", '{"name": "x", "count": 3}'),
    ("file", 'a \\" b.bin', "application/octet-stream", bytes(range(256)) + b"\r\n--edged"),
]


def given(site: Site, answer: httpx.Response) -> Any:
    """Give what the process has got."""
    assert answer.status_code == 303, answer.text
    job = site.engine.job(answer.headers["location"].rpartition("/")[2])
    return job.wait().raise_for_status().results()["given"]


def test_a_filled_form_is_executed(site: Site) -> None:
    answer = submit(
        site,
        "fields",
        *REQUIRED,
        ("filled", "anew"),
        ("whole", "-7"),
        ("perhaps", "true"),
        ("numbers", "1\n2.5\n1e3"),
        ("anything", '["x", {"y": null}]'),
        ("files", "a.txt", "text/plain", b"first"),
        ("files", "b.txt", "text/plain", b""),
    )
    assert Page(site.client.get(answer.headers["location"])).all("progress")
    assert given(site, answer) == {
        "text": "two\nlines é",
        "filled": "anew",
        "number": 2.5,
        "whole": -7,
        "yes": True,
        "perhaps": True,
        "choice": "second",
        "lines": ["one", "two"],
        "numbers": [1, 2.5, 1000],
        "object": {"name": "x", "count": 3},
        "anything": ["x", {"y": None}],
        "file": [256 + 9],
        "files": [5, 0],
    }


def test_fields_that_were_left_empty_are_left_out(site: Site) -> None:
    answer = submit(
        site,
        "fields",
        *REQUIRED,
        ("filled", ""),
        ("whole", ""),
        ("perhaps", ""),
        ("numbers", ""),
        ("anything", ""),
        ("files", *NO_FILE),
        ("files", ""),
    )
    found = given(site, answer)
    assert (found["filled"], found["numbers"]) == ("as it was", [1, 2.5])
    assert (found["whole"], found["perhaps"], found["anything"]) == (None, None, None)
    assert found["files"] == []


def test_what_is_no_json_is_a_text_where_texts_may_be(site: Site) -> None:
    assert given(site, submit(site, "fields", *REQUIRED, ("anything", "a text")))["anything"] == (
        "a text"
    )


def test_a_box_has_four_fields(site: Site) -> None:
    sides: list[Filled] = [("bbox", one) for one in ("-10", "40.5", "5", "51")]
    answer = submit(site, "echo", *sides, ("string", ""))
    job = site.engine.job(answer.headers["location"].rpartition("/")[2]).wait()
    assert job.results()["bbox"]["bbox"] == [-10, 40.5, 5, 51]
    assert submit(site, "echo", *sides[:3]).status_code == 400


def test_a_form_as_it_is_shown_can_be_sent(site: Site) -> None:
    """What is filled in beforehand is what the process would take by itself."""
    page = site.page("processes/hostile")
    fields = [(said["name"], said.get("value", "")) for said in page.fields()]
    answer = submit(site, "hostile", *fields)
    job = site.engine.job(answer.headers["location"].rpartition("/")[2]).wait()
    assert job.inputs["text"] == EVIL


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": True},
        {"allOf": [True]},
        {"type": ["string", "null"]},
        {"format": "ogc-bbox", "default": {"bbox": 7}},
        {"type": "boolean", "default": "x"},
    ],
    ids=json.dumps,
)
def test_every_schema_has_a_form(site: Site, schema: dict[str, Any]) -> None:
    tool = {
        "cwlVersion": "v1.2",
        "class": "CommandLineTool",
        "id": "odd",
        "baseCommand": "true",
        "inputs": {"odd": "Any?"},
        "outputs": {},
    }
    described = {"id": "odd", "version": "1", "inputs": {"odd": {"schema": schema}}}
    site.engine.deploy(
        {
            "processDescription": {"process": described},
            "executionUnit": {"value": tool, "mediaType": "application/cwl+json"},
        }
    )
    page = site.page("processes/odd")
    assert page.faults() == []
    assert {field["name"] for field in page.fields()} == {"odd"}


def test_a_bad_form_names_each_field(site: Site) -> None:
    answer = submit(
        site, "fields", ("number", "many"), ("whole", "1.5"), ("choice", "third"), ("nosuch", "x")
    )
    assert answer.status_code == 400
    text = Page(answer).text
    for name in ("text", "number", "whole", "choice", "yes", "lines", "file", "nosuch"):
        assert f"inputs.{name}" in text


def test_bad_json_is_told_with_its_place(site: Site) -> None:
    answer = submit(site, "fields", *REQUIRED, ("anything", '{"a": }'))
    assert answer.status_code == 400
    assert "inputs.anything" in Page(answer).text
    assert "line 1 column 7" in Page(answer).text
    deep = submit(site, "fields", *REQUIRED, ("anything", "[" * 100_000))
    assert deep.status_code == 400


def test_a_file_by_its_address_is_checked_like_any_other(site: Site) -> None:
    without = [field for field in REQUIRED if field[0] != "file"]
    answer = submit(site, "fields", *without, ("file", *NO_FILE), ("file", "file:///etc/passwd"))
    assert answer.status_code in (400, 403)
    assert "inputs.file" in Page(answer).text


def test_what_is_no_form_is_refused(site: Site) -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=other"):
        answer = site.client.post(
            "processes/echo/execution", content=b"--edge", headers={"Content-Type": kind}
        )
        assert answer.status_code == 400
        assert "InvalidBody" in Page(answer).text


def test_a_form_of_another_site_is_refused(site: Site) -> None:
    answer = site.client.post(
        "processes/echo/execution",
        files={"string": (None, "x")},
        headers={"Origin": "http://elsewhere.example"},
    )
    assert answer.status_code == 403


# Results that the tests' own packages do not give


def render(document: dict[str, Any]) -> str:
    class Known:
        id = "0"
        process_id = "p"

        class record:  # noqa: N801
            title = ""
            finished = None

    outputs = shown_outputs(
        document, lambda href: 1 if href.startswith("http://localproc/") else None
    )
    content = {"job": Known, "outputs": outputs, "static": "", "service": "", "base": ""}
    return bytes(pages.render("results.html", content).body).decode()


def feature(**members: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": "one", "geometry": None, "properties": None, **members}


def test_only_addresses_of_the_web_are_links() -> None:
    assets = {
        "script": {"href": "javascript:alert(1)", "title": "x"},
        "data": {"href": "data:text/html,x", "type": "image/png"},
        "far": {"href": "https://elsewhere.example/a.png", "type": "image/png"},
        "bucket": {"href": "s3://bucket/key"},
    }
    text = render(
        {"out": {"value": {"type": "FeatureCollection", "features": [feature(assets=assets)]}}}
    )
    assert 'href="javascript' not in text
    assert 'href="data:' not in text
    assert 'href="s3:' not in text
    assert 'href="https://elsewhere.example/a.png"' in text
    assert "quicklook" not in text


def test_quicklook_is_the_picture_that_is_meant_for_it() -> None:
    place = "http://localproc/"
    assets = {
        "visual": {"href": place + "visual.png", "type": "image/png"},
        "small": {"href": place + "small.jpg", "type": "image/jpeg", "roles": ["overview"]},
        "raster": {"href": place + "data.tif", "type": "image/tiff", "roles": ["thumbnail"]},
    }
    text = render(
        {"out": {"value": {"type": "FeatureCollection", "features": [feature(assets=assets)]}}}
    )
    assert 'class="quicklook" src="http://localproc/small.jpg"' in text


@pytest.mark.parametrize(
    "features",
    [
        [],
        [None],
        [feature()],
        [feature(assets=None, geometry={"type": "Point", "coordinates": ["a", None]})],
        [feature(assets={"x": 1}, geometry=[1], properties={"datetime": "no time"})],
    ],
    ids=json.dumps,
)
def test_collections_that_are_odd_are_shown_all_the_same(features: list[Any]) -> None:
    assert "out" in render({"out": {"value": {"type": "FeatureCollection", "features": features}}})


# What is said when a form is not accepted


def test_a_form_that_is_not_accepted_is_shown_again(site: Site) -> None:
    answer = submit(site, "fields", ("text", '"<kept>"'), ("whole", "1.5"), ("lines", "a\r\nb"))
    page = Page(answer)
    assert answer.status_code == 400
    assert page.faults() == []
    filled = {one["name"]: one.get("value") for one in page.fields()}
    assert (filled["text"], filled["whole"]) == ('"<kept>"', "1.5")
    assert "a\nb" in page.text
    (alert,) = (one for one in page.all("section") if one.get("role") == "alert")
    assert "autofocus" in alert
    wrong = [one for one in page.fields() if one.get("aria-invalid") == "true"]
    assert "whole" in {one["name"] for one in wrong}
    ids = {said["id"] for _, said in page.tags if "id" in said}
    for one in wrong:
        assert set(one["aria-describedby"].split()) <= ids
    assert {href for href in page.links() if href.startswith("#input-")} <= {
        f"#{one}" for one in ids
    }
    assert f"{site.client.base_url}processes" in page.links()


def test_programs_get_the_problem_of_a_form_as_it_is(site: Site) -> None:
    answer = site.client.post(
        "processes/fields/execution",
        files=[("whole", (None, "1.5"))],
        headers={"Accept": "application/json"},
    )
    assert (answer.status_code, answer.json()["title"]) == (400, "InvalidInputs")


@pytest.mark.parametrize(
    ("path", "back"),
    [("jobs/none", "jobs"), ("processes/none", "processes"), ("jobs?limit=x", "jobs")],
)
def test_problems_have_a_way_back(site: Site, path: str, back: str) -> None:
    page = Page(site.client.get(path, headers={"Accept": "text/html"}))
    (crumbs,) = (one for one in page.all("p") if one.get("class") == "crumbs")
    assert crumbs
    assert f"{site.client.base_url}{back}" in page.links()


def test_a_job_that_was_dismissed_says_so(engine: Engine) -> None:
    html = {"Accept": "text/html"}
    policies: list[tuple[DismissPolicy, int]] = [("seed", 404), ("gone", 410), ("ogc2", 200)]
    for policy, status in policies:
        with engine.client(dismiss=policy) as client:
            job = start(client, {"pause": 600})
            page = Page(client.delete(job, headers=html))
            assert "This job was dismissed" in page.text
            assert [one["data-status"] for one in page.all("div") if "data-final" in one] == [
                "dismissed"
            ]
            answer = client.get(job, headers=html)
            assert answer.status_code == status
            assert "was dismissed" in Page(answer).text


# What a terminal is told


@pytest.mark.parametrize("process", ["fields", "echo"])
def test_the_example_of_a_process_can_be_executed(site: Site, process: str) -> None:
    text = " ".join(site.page(f"processes/{process}").text.split())
    command = text[text.index("curl -H") :].replace("\\ ", "")
    words = shlex.split(command[: command.index("/execution")] + "/execution")
    asked = json.loads(words[words.index("-d") + 1])
    assert asked["inputs"]
    answer = site.client.post(words[-1], json=asked, headers={"Prefer": "respond-async"})
    assert answer.status_code == 201, answer.text
    site.client.delete(answer.headers["location"])


@hypothesis.given(names=st.text("abc'\"$`\\ \n", min_size=1))
def test_examples_are_one_word_of_a_shell(names: str) -> None:
    assert json.loads(shlex.split(shell({"inputs": {names: names}}))[0]) == {
        "inputs": {names: names}
    }


def test_a_job_that_nobody_runs_says_what_to_do(tmp_path: Path) -> None:
    with Engine(tmp_path / "home", run_jobs=False) as engine:
        job = engine.execute(engine.deploy(PICTURE))
        with engine.client() as client:
            page = Page(client.get(f"jobs/{job.id}?f=html"))
            assert "Nobody runs it: localproc resume goes on with it." in page.text
