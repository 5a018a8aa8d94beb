"""A fact in a job's history. The history is append-only, and the job is what it adds up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What can happen to a job."""

    ACCEPTED = "accepted"  #: data: the request (inputs, executor, results, ...)
    STARTED = "started"
    STEP_SUBMITTED = "step-submitted"  #: data: key, name, attempt, log, command, task
    STEP_RUNNING = "step-running"  #: data: key, started
    STEP_FINISHED = "step-finished"  #: data: name, status, started, ended, exit_code, outputs, said
    DISMISS_REQUESTED = "dismiss-requested"
    SUCCEEDED = "succeeded"  #: data: outputs, results
    FAILED = "failed"  #: data: problem (RFC 9457 members)
    DISMISSED = "dismissed"
    ADOPTED = "adopted"  #: data: the engine that goes on with the job


@dataclass(frozen=True, slots=True)
class Event:
    """One fact.

    ``at`` is in UTC; ``data`` is JSON; ``progress`` (percent) and ``message`` are what the job's
    status shows from here on, ``None`` where the event leaves them as they are.
    """

    kind: Kind
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    progress: int | None = None
    message: str | None = None
