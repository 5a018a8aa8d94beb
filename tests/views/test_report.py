"""A job as one page, and what its tools took."""

import re
from base64 import b64encode
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from localproc import Engine
from localproc.model import JobRecord, JobStatus, Step, StepStatus
from localproc.views.measured import Measured, as_yaml, measured, tool_of
from localproc.views.report import MOST_STEPS, ReportContents, report_html, told_steps
from localproc.views.shown_results import shown_outputs
from localproc.views.step_rows import step_rows

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVIL = "</pre><script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\"'&"
RESOLVED = {
    "main": "#main",
    "processes": {
        "#main": {"id": "main", "steps": [{"id": "each", "run": "#inner"}]},
        "#inner": {"id": "inner", "steps": [{"id": "crop", "run": "#crop"}]},
        "#crop": {"id": "crop"},
    },
}
#: What a browser loads, or goes to.
LOADED = {"src", "href", "srcset", "poster", "data", "action", "formaction", "xlink:href"}


class Page(HTMLParser):
    """The elements of a page, and the addresses that it leads to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in LOADED]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def step(name: str, key: str, seconds: float = 2.0, **more: object) -> Step:
    found = Step(name, key, StepStatus.SUCCESSFUL, f"node_{name}.log", AT)
    changed = {"end": AT + timedelta(seconds=seconds), **more}
    return Step(**{**{one.name: getattr(found, one.name) for one in fields(found)}, **changed})


def hostile() -> ReportContents:
    job = JobRecord("id", "default", EVIL, EVIL, JobStatus.FAILED, AT, AT, AT, AT, message=EVIL)
    steps = [step(EVIL, EVIL, command=("sh", EVIL), message=EVIL, host=EVIL, image=EVIL)]
    item = {
        "type": "Feature",
        "id": EVIL,
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {EVIL: EVIL, "datetime": EVIL},
        "assets": {EVIL: {"href": "http://evil.example/a.png", "type": "image/png"}},
    }
    document = {
        EVIL: {"value": {"type": "FeatureCollection", "features": [item]}},
        "file": {"href": "javascript:alert(1)", "type": "image/png", "title": EVIL},
        "text": EVIL,
    }
    return ReportContents(
        job,
        EVIL,
        EVIL,
        {EVIL: EVIL, "file": {"class": "File", "location": EVIL}, "more": [EVIL]},
        steps,
        step_rows(steps),
        {EVIL: [EVIL]},
        shown_outputs(document, lambda _: 10),
        {},
        {"entity": {EVIL: {"prov:value": EVIL}}},
        {EVIL: EVIL},
        EVIL,
        {"detail": EVIL},
    )


def test_hostile_text_is_shown_and_nothing_else() -> None:
    text = report_html(hostile())
    page = Page(text)
    assert not page.tags & {"script", "img", "iframe", "link", "object", "a"}
    assert page.handlers == []
    assert page.addresses == []
    assert "<script" not in text
    assert EVIL in unescape(text)
    assert "url(" not in text
    assert "default-src 'none'" in unescape(text)


def test_what_a_job_was_is_told(localproc_engine: Engine, packages: Path) -> None:
    job = localproc_engine.run(packages / "three-steps.cwl", {"text": "hello <b>", "code": 3})
    written = job.report()
    text, page = unescape(written), Page(written)
    assert written.startswith("<!doctype html>")
    assert "three-steps: failed" in text
    assert "this is why" in text, "the end of the log"
    assert "exit code3" in re.sub(r"<[^>]*>", "", text)
    assert "hello <b>" in text
    assert not page.tags & {"script", "img", "a"}
    assert page.addresses == []
    assert {"svg", "rect", "pre"} <= page.tags


def test_steps_that_failed_are_always_among_those_told() -> None:
    steps = [step(f"s{number}", f"s[{number}]") for number in range(MOST_STEPS + 5)]
    last = step("last", "last", status=StepStatus.FAILED)
    chosen = told_steps([*steps, last])
    assert len(chosen) == MOST_STEPS
    assert chosen[-1] == last
    assert chosen[0] == steps[0]


def test_a_step_leads_to_its_tool_through_scatters_and_nested_workflows() -> None:
    assert tool_of(RESOLVED, "each[3]/crop[0]") == "#crop"
    assert tool_of(RESOLVED, "each[3]") == "#inner"
    assert tool_of(RESOLVED, "/stage_in") == "#main"


def test_peaks_are_the_greatest_of_all_runs_and_rounded_up() -> None:
    steps = [
        step("crop", "each[0]/crop", 2.0, cpu=3.0, rss=64 * 1024 + 1),
        step("crop_2", "each[1]/crop", 4.0, cpu=1.0, rss=1024),
        step("crop_3", "each[2]/crop", status=StepStatus.REUSED),
        step("stage_out", "/stage_out"),
    ]
    (found,) = measured(RESOLVED, steps)
    assert found == Measured("crop", 2, 64 * 1024 + 1, 1.5, 4.0)
    assert found.requirement == {"coresMin": 2, "ramMin": 128}


@pytest.mark.parametrize("name", ["crop", "a: b", "x\ny: 1", "yes", "#1"])
def test_a_suggestion_is_yaml_by_tool(name: str) -> None:
    text = as_yaml([Measured(name, 1, 5000, None, 1.0)])
    requirement = {"ResourceRequirement": {"ramMin": 64}}
    assert list(yaml.safe_load(text).values()) == [{"requirements": requirement}]
    assert yaml.safe_load(as_yaml([])) is None


PICTURES = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "pictures",
    "baseCommand": ["sh", "-c"],
    "arguments": ["cp $(inputs.small.path) a.png; cp $(inputs.large.path) b.png; echo x > c.svg"],
    "inputs": {"small": "File", "large": "File"},
    "outputs": {
        name: {"type": "File", "outputBinding": {"glob": file}}
        for name, file in (("a", "a.png"), ("b", "b.png"), ("c", "c.svg"))
    },
}


def test_pictures_are_in_the_page_unless_they_are_large(
    localproc_engine: Engine, tmp_path: Path
) -> None:
    small, large = b"\x89PNG small", bytes(3 << 20)
    (tmp_path / "small").write_bytes(small)
    (tmp_path / "large").write_bytes(large)
    job = localproc_engine.run(
        PICTURES,
        {one: {"class": "File", "path": str(tmp_path / one)} for one in ("small", "large")},
    )
    page = Page(job.report())
    assert page.addresses == [f"data:image/png;base64,{b64encode(small).decode()}"]
    job.result("a").unlink()
    assert Page(job.report()).addresses == [], "it is gone"


def test_items_are_on_a_map() -> None:
    ring = [[1, 2], [3, 2], [3, 4], [1, 4], [1, 2]]
    item = {
        "type": "Feature",
        "id": "<here>",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"datetime": "2026-01-02T03:04:05Z", "cloud": 7},
        "assets": {"data": {"href": "https://elsewhere.example/a.png", "type": "image/png"}},
    }
    document = {"found": {"value": {"type": "FeatureCollection", "features": [item]}}}
    report = replace(hostile(), outputs=shown_outputs(document, lambda _: None))
    text = report_html(report)
    assert "<title>&lt;here&gt;</title>" in text
    assert 'class="map"' in text
    assert "2026-01-02T03:04:05Z" in text
    assert Page(text).addresses == []
