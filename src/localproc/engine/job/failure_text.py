"""What is said about a job that did not end well.

Owns the few lines that name the step, its exit code, the end of its stderr, its log and what to do.
Must not know how it came to that.
"""

import errno
import os
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.errors import JobFailed, LocalprocError
from localproc.model import Report, Task, TaskState
from localproc.views.written import in_yaml

_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_MOST_NAMES: Final = 3
_MOST_KEPT: Final = 100  #: failures that are told in full
_SIGNALS: Final = {
    1: "SIGHUP",
    2: "SIGINT",
    6: "SIGABRT",
    8: "SIGFPE",
    9: "SIGKILL",
    11: "SIGSEGV",
    13: "SIGPIPE",
    15: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
}


def step_failed(
    job_id: str,
    step: str,
    report: Report,
    lines: list[str],
    log: str,
    *,
    disk_full: bool,
    task: Task | None = None,
    scattered: Mapping[str, Any] | None = None,
) -> JobFailed:
    """Return what is told of a step whose tool failed.

    ``task`` is what was run, ``scattered`` the inputs of one instance of a scatter.
    """
    code = report.exit_code
    return JobFailed(
        f"step {step} {_ending(report)}",
        job_id=job_id,
        step=step,
        exit_code=code,
        stderr=lines,
        log=log,
        hint=_hint(report, lines, disk_full=disk_full),
        cause=report.state.value if report.state is not TaskState.ENDED else "exit-code",
        command=task.argv if task else (),
        inputs={name: _in_short(value) for name, value in (scattered or {}).items()},
        folder=task.outdir if task else "",
    )


def step_broke(
    job_id: str, step: str, error: Exception, log: str = "", *, task: Task | None = None
) -> JobFailed:
    """Return what is told of a step that could not be prepared, staged or collected.

    ``task`` is what was run, if it came to that.
    """
    error = as_ours(error)
    return JobFailed(
        f"step {step}: {error.message.removeprefix(f'{step}: ')}",
        job_id=job_id,
        step=step,
        log=log,
        hint=error.hint,
        cause=_public_name(error),
        command=task.argv if task else (),
        folder=task.outdir if task else "",
    )


def _in_short(value: Any) -> str:
    """Return a few characters that tell a value from others."""
    if isinstance(value, Mapping) and value.get("class") in ("File", "Directory"):
        path = str(value.get("location") or value.get("basename") or value["class"])
        return posixpath.basename(path.rstrip("/"))
    if isinstance(value, list) and len(value) > 3:
        return f"{len(value)} values"
    if isinstance(value, list):
        return f"[{', '.join(map(_in_short, value))}]"
    if isinstance(value, Mapping) and len(value) <= 3:
        return f"{{{', '.join(f'{name}: {_in_short(item)}' for name, item in value.items())}}}"
    text = value if isinstance(value, str) else in_yaml(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def stopped_before(job_id: str) -> JobFailed:
    """Tell of a job whose engine had begun to stop it, and died before it could say why."""
    return JobFailed(
        "an earlier engine had to stop the job, and ended before it could record why",
        job_id=job_id,
        hint="run the job again; the log of that engine may say more",
        cause="internal",
    )


def took_too_long(job_id: str, seconds: float) -> JobFailed:
    """Return what is told of a job that was stopped at its time limit."""
    return JobFailed(
        f"the job was stopped: it took longer than its time limit of {seconds:g} s",
        job_id=job_id,
        hint="localproc retry goes on with what it has done, with another --time-limit",
        cause="time-limit",
    )


def all_failed(job_id: str, problems: Sequence[JobFailed]) -> JobFailed:
    """Return what is told of a job by all its steps that failed."""
    first = problems[0]
    if len(problems) == 1:
        return first
    names = ", ".join(one.step for one in problems[:_MOST_NAMES])
    more = f" and {len(problems) - _MOST_NAMES} more" if len(problems) > _MOST_NAMES else ""
    return JobFailed(
        f"{len(problems)} steps failed: {names}{more}",
        job_id=job_id,
        step=first.step,
        exit_code=first.exit_code,
        hint="each step's log says more; localproc retry runs those that failed again",
        cause=first.cause,
        failures=[one.to_problem() for one in problems[:_MOST_KEPT]],
    )


def _ending(report: Report) -> str:
    code = report.exit_code
    if report.state is TaskState.TIMED_OUT:
        said = f"too long: {report.reason}" if report.reason else "longer than its ToolTimeLimit"
        return f"was stopped: it took {said}"
    if report.state is TaskState.OUT_OF_MEMORY:
        return "was stopped: it used more memory than it may"
    if report.state in (TaskState.LOST, TaskState.NODE_LOST, TaskState.NEVER_STARTED):
        return f"was lost: {report.reason or 'nobody knows of its end'}"
    if report.state is TaskState.REFUSED:
        return f"was refused by the executor: {report.reason or 'it gave no reason'}"
    if report.state is TaskState.CANCELLED:
        return f"was cancelled, not by localproc: {report.reason or 'nobody said why'}"
    if _says_full([report.reason]):
        return "could not be started: the disk is full"
    if code is not None and code < 0:
        why = f": {report.reason}" if report.reason else ""
        return f"was killed by {_SIGNALS.get(-code, f'signal {-code}')}{why}"
    return f"failed with exit code {code}"


def _hint(report: Report, lines: list[str], *, disk_full: bool) -> str:
    code = report.exit_code
    if disk_full or _says_full([report.reason, *lines]):
        return "the disk is full: make room, or choose another home with --home"
    if report.state is TaskState.TIMED_OUT:
        return "raise ToolTimeLimit in the package, or give it less to do"
    if report.state is TaskState.OUT_OF_MEMORY:
        return "raise ramMax, or ramMin if there is no other, in the package, or give it less to do"
    if report.state is TaskState.REFUSED:
        return "choose another executor, or change what the step requires"
    if report.state in (TaskState.CANCELLED, TaskState.NODE_LOST):
        return "run the job again; whoever runs the executor knows more"
    if code == 127:
        said = "the command was not found: install it, or see the PATH in localproc doctor"
        return f"{said}; --containers runs the package's image, if it hints at one"
    if code == 126:
        return "the command could not be started: its log says why"
    if code in (-9, 137) and not report.reason:
        return "the system may have run out of memory: see ramMin, or run fewer steps at a time"
    if any("ModuleNotFoundError" in line for line in lines):
        return "a Python module is missing where the tool runs: install it there"
    return "the whole log says more; localproc shell JOB STEP opens the folder as the step saw it"


def _says_full(texts: list[str]) -> bool:
    """Whether somebody tells of a disk without room, for data or for files."""
    return any(os.strerror(number) in text for text in texts for number in _FULL)


def _public_name(error: Exception) -> str:
    return next(one.__name__ for one in type(error).__mro__ if not one.__name__.startswith("_"))


def as_ours(error: Exception) -> LocalprocError:
    """Return any error as one of ours."""
    if isinstance(error, LocalprocError):
        return error
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        hint = "the disk is full: make room" if error.errno == errno.ENOSPC else ""
        return LocalprocError(f"{error.strerror or error}{where}", hint=hint)
    return LocalprocError(f"{type(error).__name__}: {error}")
