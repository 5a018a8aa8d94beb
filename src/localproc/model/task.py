"""What an executor runs for a step, and what it reports back. JSON, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Resources:
    """What a task needs (CWL ResourceRequirement): cores, and sizes in MiB; ``time`` in seconds."""

    cores: float = 1
    ram: int = 256
    tmpdir: int = 1024
    outdir: int = 1024
    time: float = 0  #: wall-clock limit, 0 for none


@dataclass(frozen=True, slots=True)
class Container:
    """The image a task wants to run in, and where its output directory is inside it."""

    image: str
    outdir: str
    network: bool = False
    pull: str | None = None


@dataclass(frozen=True, slots=True)
class StageAction:
    """One thing to put in place before a task starts.

    ``link``: a symbolic link at ``target`` to ``source``; ``copy``: a writable copy of ``source``,
    a file or a tree; ``write``: a file with ``contents``; ``mkdir``: an empty directory.
    """

    kind: Literal["link", "copy", "write", "mkdir"]
    target: str
    source: str = ""
    contents: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """One program to run.

    ``key`` names the attempt and is unique in a home for ever, so submitting twice is harmless.
    ``outdir`` exists and is empty but for what was staged; it is also the working directory.
    ``stdout`` and ``stderr`` are absolute paths, opened for appending; ``stdin`` is ``None`` for
    an empty one.
    """

    key: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    outdir: str
    tmpdir: str
    stdin: str | None
    stdout: str
    stderr: str
    resources: Resources = Resources()
    container: Container | None = None
    stage: tuple[StageAction, ...] = ()


class TaskState(StrEnum):
    """What an executor knows of a task."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"  #: it has an exit record: ``exit_code`` is the truth
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    CANCELLED = "cancelled"
    LOST = "lost"  #: it is gone and left no exit record; it may be run again


@dataclass(frozen=True, slots=True)
class Report:
    """News of one task.

    ``exit_code`` is negative for a signal, as in ``subprocess``. ``cpu`` in seconds, ``rss`` (the
    peak) in KiB where the executor can tell. ``reason`` is for people.
    """

    key: str
    state: TaskState
    exit_code: int | None = None
    started: datetime | None = None
    ended: datetime | None = None
    cpu: float | None = None
    rss: int | None = None
    reason: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
