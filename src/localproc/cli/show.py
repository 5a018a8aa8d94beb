"""Jobs and steps on a terminal.

Owns the live table of steps, the plain lines elsewhere, and the few lines at a job's end. Must not
decide anything.
"""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

from localproc.cli.printing import count, seconds
from localproc.cli.told import told
from localproc.cwl.run.reads import place
from localproc.engine.home.cwd import current_folder
from localproc.errors import JobFailed
from localproc.http.formatting import size
from localproc.machine.steps import STOPPED
from localproc.model import JobRecord, JobStatus, Step, StepStatus
from localproc.views.step_rows import StepRow, step_rows
from localproc.views.written import finite

if TYPE_CHECKING:
    from localproc.engine.handles import Job

_MARKS = {
    StepStatus.ACCEPTED: ("·", "dim"),
    StepStatus.RUNNING: ("▸", "cyan"),
    StepStatus.SUCCESSFUL: ("✓", "green"),
    StepStatus.FAILED: ("✗", "red"),
    StepStatus.DISMISSED: ("■", "yellow"),
    StepStatus.SKIPPED: ("-", "dim"),
    StepStatus.REUSED: ("↺", "blue"),
}
_MOST_ROWS = 24


def show_steps(job: "Job", stream: IO[str]) -> None:
    """Show a job's steps as they change, until it has ended."""
    if stream.isatty():
        _show_live(job, stream)
        return
    waits = Waits()
    for step in job.watch():
        if waits.are_news(step) or step.status is not StepStatus.ACCEPTED or step.due is not None:
            click.echo(step_line(step), file=stream)


class Waits:
    """Why steps wait, as far as it was told: of the instances of a scatter, that of the first."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def are_news(self, step: Step) -> bool:
        """Whether a step waits for something else than what was told before."""
        at = place(step.key)
        if step.status is not StepStatus.ACCEPTED or step.due is not None or not step.reason:
            if self._first.get(at) == step.name:
                del self._first[at]
            return False
        if self._first.setdefault(at, step.name) != step.name:
            return False
        before, self._told[at] = self._told.get(at), step.reason
        return before != step.reason


def step_line(step: Step) -> str:
    """Write a step in a line."""
    said = f" (exit code {step.exit_code})" if step.exit_code else ""
    if step.due is not None:
        again = step.due.astimezone().strftime("%H:%M:%S")
        return f"{step.name}: {step_state(step)} until {again}: {step.reason}"
    if step.status is StepStatus.ACCEPTED and step.reason:
        return f"{step.name}: waiting: {step.reason}"
    took = f" in {seconds(step.duration)}" if step.duration is not None else ""
    return f"{step.name}: {step_state(step)}{took}{said}{how_far(step)}"


def how_far(step: Step) -> str:
    """Return how far a step is: its files that are staged or published, or what its tool tells."""
    if step.share is not None:
        return f" {step.share:.0%} {step.said}".rstrip()
    if step.bytes_done is None:
        return ""
    whole = "" if step.bytes_total is None else f" of {size(step.bytes_total)}"
    return f" {size(step.bytes_done)}{whole}"


def step_state(step: Step) -> str:
    """Return the word for a step's state; one that was stopped was not dismissed by anybody."""
    if step.due is not None:
        return "waiting"
    return "stopped" if step.message == STOPPED else step.status.value


def job_state(record: JobRecord, *, abandoned: bool) -> str:
    """Return the word for a job's state; nobody runs one that is abandoned."""
    return "abandoned" if abandoned else record.status.value


def say_abandoned(jobs: "Sequence[Job]") -> None:
    """Say that nobody runs some jobs, and what to do."""
    if jobs:
        which = jobs[0].id if len(jobs) == 1 else f"{len(jobs)} of these jobs"
        click.echo(
            told(
                f"nobody runs {which}: go on with 'localproc resume', or stop it with "
                f"'localproc dismiss {jobs[0].id}'"
            ),
            err=True,
        )


def _show_live(job: "Job", stream: IO[str]) -> None:
    from rich.console import Console
    from rich.live import Live

    steps: dict[str, Step] = {}
    totals = job.scatter_totals()
    console = Console(file=stream)

    def drawn() -> Any:
        return _drawn(job, list(steps.values()), totals)

    with Live(console=console, refresh_per_second=4, get_renderable=drawn) as live:
        try:
            for step in job.watch():
                steps[step.name] = step
        except KeyboardInterrupt:
            live.transient = True  # what it shows is not so any more
            raise


def _drawn(job: "Job", steps: list[Step], totals: Mapping[str, int]) -> Any:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False)
    rows = step_rows(steps, totals)
    open_rows = [row for row in rows if not row.status.final]
    shown = rows[-_MOST_ROWS:] if len(open_rows) < _MOST_ROWS else open_rows[-_MOST_ROWS:]
    if len(shown) < len(rows):
        table.add_row("", Text(f"... {len(rows) - len(shown)} more", style="dim"), "", "")
    for row in shown:
        mark, style = _MARKS[row.status]
        table.add_row(
            Text(mark, style=style),
            row.name,
            Text(row_state(row), style=style),
            seconds(row.seconds(datetime.now(UTC))),
        )
    record = job.record
    head = Table.grid(padding=(0, 2))
    bar = ProgressBar(100, record.progress, width=30)
    head.add_row(
        Text(record.process_id, "bold"), bar, f"{record.progress} %", record.status.value, job.id
    )
    return Group(head, table)


def row_state(row: StepRow) -> str:
    """Return the word for the state of a step, or how far a scatter is, and why it waits."""
    said = row.said if row.scattered else step_state(row.steps[0]) + how_far(row.steps[0])
    return f"{said}: {row.waits}" if row.waits else said


def row_cells(row: StepRow) -> tuple[str, ...]:
    """Return the cells of a row: what its steps took together, the most memory, one step's log."""
    only = None if row.scattered else row.steps[0]
    cpu = [step.cpu for step in row.steps if step.cpu is not None]
    rss = [step.rss for step in row.steps if step.rss is not None]
    return (
        row.name,
        row_state(row),
        seconds(only.duration if only else row.seconds(datetime.now(UTC))),
        seconds(sum(cpu) if cpu else None),
        f"{max(1, max(rss) >> 10)} MiB" if rss else "",
        "" if only is None or only.exit_code is None else str(only.exit_code),
        only.log if only else "",
    )


def detail_lines(one: Mapping[str, Any]) -> list[str]:
    """Write all that is known of a step."""
    took = (datetime.fromisoformat(one[end]) for end in ("end", "start") if end in one)
    times = list(took)
    cpu, rss = one.get("cpuSeconds"), one.get("peakMemoryKiB")
    inputs = one.get("inputs", {})
    told = {
        "took": seconds((times[0] - times[1]).total_seconds()) if len(times) == 2 else "",
        "cpu": seconds(cpu),
        "memory": "" if rss is None else f"{max(1, rss >> 10)} MiB",
        "exit code": str(one.get("exitCode", "")),
        "where": ", ".join(str(one[name]) for name in ("executor", "host") if name in one),
        "inputs": ", ".join(f"{name}={shown_value(value)}" for name, value in inputs.items()),
        "command": shlex.join(one.get("command", ())),
        "folder": one.get("folder", ""),
        "log": one.get("log", ""),
        "said": one.get("message", "") or one.get("reason", ""),
        "again": one.get("due", ""),
        "why": one.get("because", ""),
        "reused": " of ".join(one[name] for name in ("reusedStep", "reusedFrom") if name in one),
    }
    lines = [f"  {name.ljust(9)}  {value}" for name, value in told.items() if value]
    return [f"{one['name']}  {one['status']}", *lines]


def show_end(job: "Job") -> None:
    """Tell how a job ended, where its results and logs lie, and what to try next."""
    if job.status is JobStatus.FAILED:
        click.echo(
            f"{click.style('failed:', fg='red')} {JobFailed.from_problem(job.problem)}", err=True
        )
        return
    if job.status is JobStatus.DISMISSED:
        click.echo(f"job {job.id} was dismissed", err=True)
        return
    for name, value in job.results().items():
        for line in result_lines(name, value):
            click.echo(line)
    click.echo(
        f"job {job.id} was successful in {seconds(job.duration)}; "
        f"logs: {os.path.relpath(os.path.join(job.folder, 'logs'), current_folder())}",
        err=True,
    )


def result_lines(name: str, value: Any) -> list[str]:
    """Write one result for people."""
    from localproc.engine.results import StacResults

    if isinstance(value, StacResults):
        items = value.document["features"]
        lines = [f"{name}: {value.catalog} ({count(len(items), 'item')})"]
        for item in items:
            assets = ", ".join(
                asset["href"].rpartition("/")[2] for asset in item["assets"].values()
            )
            lines.append(f"  {item['id']}: {assets}")
        return lines
    if isinstance(value, list) and len(value) > 8:
        return [f"{name}: {len(value)} values, the first {shown_value(value[0])}"]
    return [f"{name}: {shown_value(value)}"]


def shown_value(value: Any) -> str:
    """Write a value as YAML has it; a text or a path stays as it is."""
    if isinstance(value, str | os.PathLike):
        return os.fspath(value)
    return json.dumps(finite(value), ensure_ascii=False, default=str)


def final_document(job: "Job") -> dict[str, Any]:
    """Return a job's statusInfo, with its results, or with the problem that it failed of."""
    document = job.status_info()
    document["folder"] = job.folder
    status = document["status"]  # it may change meanwhile, and all is of one moment
    if status == JobStatus.SUCCESSFUL:
        document["results"] = job.results_document()
    elif status == JobStatus.FAILED:
        document["problem"] = dict(job.problem)
    elif job.abandoned:
        document["abandoned"] = True
    return document
