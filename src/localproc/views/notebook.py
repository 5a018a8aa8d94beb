"""Processes and jobs as HTML, for notebooks.

Owns a few tables without scripts, styles or references elsewhere. Must not know notebooks.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from localproc.cwl.base.types import describe
from localproc.model import JobRecord
from localproc.views.step_rows import StepRow


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
