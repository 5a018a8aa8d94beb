"""A job as one page to keep: what was asked for, what happened, and what came of it.

Owns the HTML of the report. It leads nowhere: no scripts, no links, nothing that a browser would
load; pictures are data within it. Must not know where anything of it comes from.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from localproc.frozen import frozen
from localproc.model import JobRecord, Step, StepStatus
from localproc.views.ogc import timestamp
from localproc.views.report_svg import map_svg, timeline_svg
from localproc.views.shown_results import Item, Linked, Shown
from localproc.views.step_rows import StepRow
from localproc.views.timeline import timeline

MOST_STEPS: Final = 300  #: that are told of one by one
_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_STYLE: Final = """
:root { color-scheme: light dark; --faint: #6b7280; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; }
td { overflow-wrap: anywhere; }
pre { overflow: auto; max-height: 24rem; padding: .6rem; border: 1px solid var(--line); }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
small, .faint { color: var(--faint); }
details { margin: .3rem 0; }
svg { width: 100%; height: auto; }
svg text { fill: currentColor; font: 13px sans-serif; }
svg.timeline rect { fill: #2f855a; }
svg.timeline .failed { fill: #c53030; }
svg.timeline .dismissed, svg.timeline .skipped { fill: #a0aec0; }
svg.timeline .reused { fill: #6b46c1; }
svg.timeline .running, svg.timeline .accepted { fill: #2b6cb0; }
svg.map { max-width: 40rem; border: 1px solid var(--line); }
svg.map .sea { fill: #3182ce18; } svg.map line { stroke: var(--line); }
svg.map path { fill: #dd6b2040; stroke: #dd6b20; } svg.map text { font-size: 16px; }
svg.map .name { text-anchor: middle; }
img { max-width: 16rem; max-height: 16rem; image-rendering: pixelated; display: block; }
"""


@frozen
class ReportContents:
    """What a report tells of a job.

    ``logs`` has the last lines of the steps that ``told`` names, ``pictures`` a data URI for each
    address of a picture, ``software`` versions by name, ``resources`` a suggestion in YAML, and
    ``provenance`` is a PROV-JSON document. Addresses in ``outputs`` are shown, and lead nowhere.
    """

    job: JobRecord
    title: str
    description: str
    inputs: Mapping[str, Any]
    steps: Sequence[Step]
    rows: Sequence[StepRow]
    logs: Mapping[str, Sequence[str]]
    outputs: Sequence[Shown]
    pictures: Mapping[str, str]
    provenance: Mapping[str, Any]
    software: Mapping[str, str]
    resources: str
    problem: Mapping[str, Any]


def told_steps(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that a report tells of one by one: those that failed, then the first."""
    failed = [step for step in steps if step.status is StepStatus.FAILED]
    others = [step for step in steps if step.status is not StepStatus.FAILED]
    names = {step.name for step in (*failed, *others)[:MOST_STEPS]}
    return [step for step in steps if step.name in names]


def report_html(report: ReportContents) -> str:
    """Write the report as an HTML document that depends on nothing else."""
    name = escape(f"{report.title or report.job.process_id}: {report.job.status.value}")
    head = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{name}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{name}</h1>",
    ]
    sections = (
        ("Summary", _summary(report)),
        ("Inputs", [_pairs((key, _value(one)) for key, one in report.inputs.items())]),
        ("Timeline", _timeline(report)),
        ("Results", [part for one in report.outputs for part in _output(one, report.pictures)]),
        ("Steps", _steps(report)),
        ("Resources", [_pre(report.resources)]),
        ("Provenance", _provenance(report.provenance)),
        ("Software", [_pairs((key, escape(one)) for key, one in report.software.items())]),
    )
    body = [
        f"<section><h2>{title}</h2>{''.join(parts) or '<p>None.</p>'}</section>"
        for title, parts in ((title, list(parts)) for title, parts in sections)
    ]
    text = "\n".join([*head, *body, "</body></html>"]) + "\n"
    return text.encode(errors="backslashreplace").decode()


def _summary(report: ReportContents) -> Iterator[str]:
    job = report.job
    times = (("created", job.created), ("started", job.started), ("finished", job.finished))
    facts = {
        "job": job.id,
        "title": job.title,
        "process": job.process_id,
        "revision": job.revision,
        "status": job.status.value,
        "message": job.message,
        **{name: timestamp(at) for name, at in times if at is not None},
        "trigger": job.trigger.value,
        "reason": job.reason,
        "run as": job.run_as,
        "environment": job.environment,
        "service": job.service,
        "tags": ", ".join(job.tags),
    }
    if job.started is not None and job.finished is not None:
        facts["duration"] = f"{(job.finished - job.started).total_seconds():.1f} s"
    if report.description:
        yield f"<p>{escape(report.description)}</p>"
    yield _pairs((name, escape(value)) for name, value in facts.items() if value)
    if report.problem:
        yield f"<h3>Why it failed</h3>{_pre(_json(report.problem))}"


def _timeline(report: ReportContents) -> Iterator[str]:
    chosen = told_steps(report.steps)
    if not chosen:
        return
    began = min((step.start for step in report.steps if step.start is not None), default=None)
    yield timeline_svg(timeline(report.job, chosen, began))
    yield _left_out(report.steps, chosen)


def _left_out(steps: Sequence[Step], chosen: Sequence[Step]) -> str:
    if len(chosen) == len(steps):
        return ""
    return f'<p class="faint">{len(chosen)} of {len(steps)} steps are shown.</p>'


def _output(one: Shown, pictures: Mapping[str, str]) -> Iterator[str]:
    yield f"<h3><code>{escape(one.name)}</code></h3>"
    if one.count:
        yield map_svg(one.map, one.name) if one.map else ""
        yield f"<p>{one.count} items, of which {len(one.items)} are shown.</p>"
        yield from (_item(item, pictures) for item in one.items)
    elif one.files:
        yield from (_file(file, pictures) for file in one.files)
    else:
        yield f"<p>{_value(one.value)}</p>"


def _item(item: Item, pictures: Mapping[str, str]) -> str:
    assets = ((name, f"<code>{escape(file.href)}</code>") for name, file in item.assets)
    about = ((name, _value(value)) for name, value in item.properties.items())
    return (
        f"<h4>{escape(item.id)}</h4><p>{escape(' to '.join(item.times)) or 'no time'}</p>"
        f"{_picture(item.picture, item.id, pictures)}{_pairs(assets)}"
        f"<details><summary>Properties</summary>{_pairs(about)}</details>"
    )


def _file(file: Linked, pictures: Mapping[str, str]) -> str:
    size = f", {file.length} bytes" if file.length is not None else ""
    about = f"<small>{escape(file.type)}{size}</small>"
    picture = _picture(file.href, file.title, pictures)
    return f"<p>{escape(file.title)} {about}<br><code>{escape(file.href)}</code></p>{picture}"


def _picture(href: str, name: str, pictures: Mapping[str, str]) -> str:
    data = pictures.get(href)
    return f'<img src="{escape(data)}" alt="{escape(f"Quicklook of {name}")}">' if data else ""


def _steps(report: ReportContents) -> Iterator[str]:
    if not report.steps:
        return
    yield _table(("step", "status"), [(escape(row.name), escape(row.said)) for row in report.rows])
    chosen = told_steps(report.steps)
    for step in chosen:
        said = f"<b>{escape(step.name)}</b> {escape(step.status.value)}"
        opened = " open" if step.status is StepStatus.FAILED else ""
        log = "\n".join(report.logs.get(step.name, ()))
        parts = (
            _pairs(_facts(step)),
            _pre(log) if log else '<p class="faint">It logged nothing.</p>',
        )
        yield f"<details{opened}><summary>{said}</summary>{''.join(parts)}</details>"
    yield _left_out(report.steps, chosen)


def _facts(step: Step) -> Iterator[tuple[str, str]]:
    facts = {
        "command": shlex.join(step.command),
        "place": step.key,
        "message": step.message,
        "exit code": "" if step.exit_code is None else str(step.exit_code),
        "attempt": str(step.attempt) if step.attempt > 1 else "",
        "start": timestamp(step.start) if step.start else "",
        "end": timestamp(step.end) if step.end else "",
        "duration": "" if step.duration is None else f"{step.duration:.2f} s",
        "processor time": "" if step.cpu is None else f"{step.cpu:.2f} s",
        "peak memory": "" if step.rss is None else f"{step.rss / 1024:.1f} MiB",
        "executor": step.executor,
        "host": step.host,
        "image": f"{step.image} {step.digest}".strip(),
        "containers": step.containers,
        "software": ", ".join(step.software),
        "reused from": step.reused_from or "",
        "run again": step.because,
        "log": step.log,
    }
    for name, value in facts.items():
        if value:
            yield name, f"<code>{escape(value)}</code>" if name == "command" else escape(value)


def _provenance(document: Mapping[str, Any]) -> Iterator[str]:
    entities = document.get("entity", {})
    made = {
        one["prov:entity"]: one["prov:activity"]
        for one in document.get("wasGeneratedBy", {}).values()
    }
    rows = [
        tuple(
            escape(str(one))
            for one in (
                key,
                made.get(key, ""),
                about.get("localproc:checksum", ""),
                about.get("prov:location", about.get("prov:value", "")),
            )
        )
        for key, about in list(entities.items())[: 4 * MOST_STEPS]
    ]
    yield _table(("what", "made by", "checksum", "where, or its value"), rows)
    yield f"<details><summary>As PROV-JSON</summary>{_pre(_json(document))}</details>"


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and value.get("class") in ("File", "Directory"):
        return f"<code>{escape(str(value.get('location') or value.get('basename', '')))}</code>"
    if isinstance(value, Mapping | list):
        return _pre(_json(value))
    return escape(value if isinstance(value, str) else json.dumps(value))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _pre(text: str) -> str:
    return f'<pre tabindex="0">{escape(text)}</pre>'


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names with values, which are HTML, as a table."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{html}</td></tr>" for name, html in pairs)
    return f"<table>{rows}</table>" if rows else ""


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of cells, which are HTML, as a table."""
    head = "".join(f"<th>{one}</th>" for one in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
