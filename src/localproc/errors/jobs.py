"""What goes wrong with a job: its steps, its end, its results.

Owns what is told of a job that failed, also as its last event keeps it.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from localproc.errors.root import (
    EXCEPTIONS_1,
    LocalprocError,
)


class ResultsNotReady(LocalprocError):
    """The job has no results: it has not ended, or it was not successful."""

    type = EXCEPTIONS_1 + "result-not-ready"
    status = 404


class ResultsGone(LocalprocError):
    """A file among the results of a job is not where it was published; ``uri`` says which."""

    type = "https://localproc.dev/problems/results-gone"
    status = 410

    def __init__(self, uri: str, *, hint: str = "") -> None:
        super().__init__(f"{uri} was published, and is not there any more", hint=hint)
        self.uri = uri

    def _members(self) -> dict[str, Any]:
        return {} if self.uri.startswith("file:") else {"uri": self.uri}


#: Failures that are told of one job, where several are written out.
_MOST_TOLD = 20


class JobFailed(LocalprocError):
    """A job ended as failed.

    ``step`` is empty where no step is to blame; ``stderr`` holds the last lines of its log,
    ``command`` what was run, ``inputs`` the values of one instance of a scatter in short, and
    ``folder`` is where it ran: it is kept. Where a job went on after a failure, ``failures`` are
    the problem documents of all steps that failed.
    """

    type = "https://localproc.dev/problems/job-failed"

    def __init__(
        self,
        message: str,
        *,
        job_id: str = "",
        step: str = "",
        exit_code: int | None = None,
        stderr: Sequence[str] = (),
        log: str = "",
        hint: str = "",
        cause: str = "",
        command: Sequence[str] = (),
        inputs: Mapping[str, str] | None = None,
        folder: str = "",
        failures: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.job_id = job_id
        self.failures = tuple(failures)
        self.step = step
        self.exit_code = exit_code
        self.stderr = tuple(stderr)
        self.log = log
        self.cause = cause
        self.command = tuple(command)
        self.inputs = dict(inputs or {})
        self.folder = folder

    def __str__(self) -> str:
        lines = [self.message, *(f"  | {line}" for line in self.stderr)]
        lines += [
            f"  {one.get('detail', 'a step failed')} ({one.get('log', 'no log')})"
            for one in self.failures[:_MOST_TOLD]
        ]
        facts = {
            "inputs": ", ".join(f"{name}={value}" for name, value in self.inputs.items()),
            "command": shlex.join(self.command),
            "folder": self.folder,
            "log": self.log,
            "hint": self.hint,
        }
        lines += [f"  {name}: {_short(fact)}" for name, fact in facts.items() if fact]
        return "\n".join(lines)

    def _members(self) -> dict[str, Any]:
        members = {
            "jobID": self.job_id,
            "step": self.step,
            "exitCode": self.exit_code,
            "stderrTail": list(self.stderr),
            "log": self.log,
            "cause": self.cause,
            "command": list(self.command),
            "inputs": self.inputs,
            "folder": self.folder,
            "failures": [dict(one) for one in self.failures],
        }
        return {name: value for name, value in members.items() if value not in ("", None, [], {})}

    @classmethod
    def from_problem(cls, problem: Mapping[str, Any]) -> "JobFailed":
        """Build the error again from what a job's last event keeps."""
        return cls(
            problem.get("detail", "the job failed"),
            job_id=problem.get("jobID", ""),
            step=problem.get("step", ""),
            exit_code=problem.get("exitCode"),
            stderr=problem.get("stderrTail", ()),
            log=problem.get("log", ""),
            hint=problem.get("hint", ""),
            cause=problem.get("cause", ""),
            command=problem.get("command", ()),
            inputs=problem.get("inputs"),
            folder=problem.get("folder", ""),
            failures=problem.get("failures", ()),
        )


def _short(text: str, most: int = 400) -> str:
    return text if len(text) <= most else f"{text[:most]} ..."


class JobDismissed(LocalprocError):
    """The job was dismissed, so there is nothing to wait for."""

    type = "https://localproc.dev/problems/job-dismissed"
    status = 410


class ExpressionError(LocalprocError):
    """An expression of the package went wrong; ``expression`` is its text."""

    type = "https://localproc.dev/problems/expression"

    def __init__(self, message: str, *, expression: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.expression = expression

    def _members(self) -> dict[str, Any]:
        return {"expression": self.expression} if self.expression else {}


class StepError(LocalprocError):
    """A step could not be prepared, or its outputs are not what its tool promises."""

    type = "https://localproc.dev/problems/step"


class InvalidTransition(LocalprocError):
    """A job was asked to do what its state forbids; the message tells the story."""
