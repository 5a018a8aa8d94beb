"""Processes, jobs and results as HTML, for notebooks.

Owns a few tables without scripts, styles or references elsewhere; pictures are data within them.
Must not know notebooks.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from localproc.cwl.base.types import describe
from localproc.model import JobRecord, Step
from localproc.uris import data_uri
from localproc.views.report_svg import map_svg
from localproc.views.shown_results import Item, Shown
from localproc.views.step_rows import StepRow

_MAP: Final = (
    "<style>.sea{fill:#3182ce18}line{stroke:#8886}path{fill:#dd6b2040;stroke:#dd6b20}"
    "text{font:16px sans-serif;fill:#666}.name{text-anchor:middle}</style>"
)


def process_html(title: str, ports: Sequence[Mapping[str, Any]], outputs: Iterable[str]) -> str:
    """Return a process: its inputs with types, defaults and labels, and the names of outputs."""
    rows = [
        (port["id"], describe(port["type"]), port.get("default", ""), port.get("label") or "")
        for port in ports
    ]
    table = _table(("input", "type", "default", "about"), rows)
    return f"<b>{escape(title)}</b>{table}<p>gives {escape(', '.join(outputs)) or 'nothing'}</p>"


def job_html(job: JobRecord, rows: Iterable[StepRow]) -> str:
    """Return a job: how far it is, and its steps, the instances of a scatter in one row."""
    head = f"<b>{escape(job.process_id)}</b> {escape(job.status.value)}, {job.progress} %"
    said = f"<p>{escape(job.message)}</p>" if job.message != job.status.value else ""
    table = _table(("step", "status"), [(row.name, row.said) for row in rows])
    return f"{head} <small>{escape(job.id)}</small>{said}{table}"


def steps_html(steps: Iterable[Step]) -> str:
    """Return steps, each with how it is, what it took and what is said of it."""
    rows = [
        (
            step.name,
            step.status.value,
            "" if step.duration is None else f"{step.duration:.1f} s",
            step.message or step.reason,
        )
        for step in steps
    ]
    return _table(("step", "status", "took", "message"), rows)


def stac_html(catalog: str, output: Shown, pictures: Mapping[str, str]) -> str:
    """Return the items of a catalog: where they are, and a table with their thumbnails.

    ``pictures`` are data URIs by the addresses of pictures.
    """
    parts = [f"<b>{output.count} items</b> <small>{escape(catalog)}</small>"]
    if output.map:
        drawn = map_svg(output.map, "the catalog").replace(
            "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1
        )
        drawn = drawn.replace(">", f">{_MAP}", 1)
        address = data_uri(drawn.encode(), "image/svg+xml")
        parts.append(f'<p><img alt="Where the items are" width="480" src="{address}"></p>')
    head = "<tr><th></th><th>item</th><th>time</th><th>assets</th></tr>"
    rows = "".join(_item_row(item, pictures) for item in output.items)
    parts.append(f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>")
    if len(output.items) < output.count:
        parts.append(f"<p>{len(output.items)} of them are shown.</p>")
    return "".join(parts)


def _item_row(item: Item, pictures: Mapping[str, str]) -> str:
    found = pictures.get(item.picture, "")
    picture = f'<img alt="" width="96" src="{found}">' if found else ""
    cells = (item.id, " to ".join(item.times), ", ".join(name for name, _ in item.assets))
    told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f"<tr><td>{picture}</td>{told}</tr>"


def jobs_html(title: str, processes: Iterable[str], jobs: Iterable[JobRecord]) -> str:
    """Return an engine: what is deployed, and its newest jobs."""
    rows = [
        (job.id, job.process_id, job.status.value, f"{job.progress} %", job.title or job.message)
        for job in jobs
    ]
    table = _table(("job", "process", "status", "", "message"), rows)
    deployed = escape(", ".join(processes)) or "nothing"
    return f"<b>{escape(title)}</b><p>deployed: {deployed}</p>{table}"


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
