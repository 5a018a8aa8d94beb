"""One execution of one process revision with one set of inputs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localproc.model.policy import InputPolicy
from localproc.model.status import JobStatus, Trigger


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What somebody asked for; kept whole in the job's first event.

    ``inputs`` is a CWL job object (files as File and Directory objects with absolute locations).
    ``outputs`` names the outputs that were asked for, each with its options; ``None`` means all.
    ``results`` is the URI under which ``<job>/`` is published.
    ``reuse``: use outputs of equal steps of earlier jobs, ``None`` for as the engine is set.
    ``policy`` bounds what may be read for the job. ``subscriber`` maps ``successUri``,
    ``inProgressUri`` and ``failedUri`` to addresses that are told. ``options`` holds what an
    executor or a face wants to remember (JSON).
    """

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] | None = None
    executor: str = "local"
    results: str = ""
    trigger: Trigger = Trigger.MANUAL
    reason: str = ""
    run_as: str = ""
    environment: str = ""
    service: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()
    derived_from: str | None = None
    reuse: bool | None = None
    policy: InputPolicy = field(default_factory=InputPolicy)
    subscriber: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job's row: what its events add up to. Times are in UTC, ``progress`` is in percent."""

    id: str
    namespace: str
    process_id: str
    revision: str
    status: JobStatus
    created: datetime
    updated: datetime
    started: datetime | None = None
    finished: datetime | None = None
    progress: int = 0
    message: str = ""
    dismiss_requested: bool = False
    hidden: bool = False  #: taken off the lists of faces, as a tombstone
    owner: str | None = None
    trigger: Trigger = Trigger.MANUAL
    reason: str = ""
    run_as: str = ""
    environment: str = ""
    service: str = ""
    title: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list, newest first (OGC API - Processes Part 1, class "job list").

    ``since``/``until`` bound ``created``; durations are in seconds and concern jobs that have
    started: now - started while running, finished - started afterwards. ``before`` and ``after``
    are the cursors of a page: the jobs next to that one, of those that are older or newer.
    """

    namespace: str | None = None
    processes: tuple[str, ...] = ()
    statuses: tuple[JobStatus, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    trigger: Trigger | None = None
    run_as: str | None = None
    tag: str | None = None
    before: str | None = None
    after: str | None = None
    hidden: bool = False
    limit: int = 10
