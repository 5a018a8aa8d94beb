"""The options that programs give by name.

Owns their names and types. Must not know what they do.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypedDict

from localproc.errors import InvalidInputs
from localproc.model import InputPolicy, Trigger

#: Stands for the job that was accepted last; ``last:failed`` for the last one in that state.
LAST: Final = "last"

#: Inputs by name, or the path of a YAML or JSON file that has them.
Inputs = Mapping[str, Any] | str | os.PathLike[str] | None


#: When steps that fail run again, as ``localproc.machine.retries`` reads it.
Retries = int | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class ExecuteOptions(TypedDict, total=False):
    """Options of ``execute`` and ``run``; all may be left out.

    ``outputs``: the outputs that are wanted, each with its options (OGC API - Processes Part 1,
    "execute.yaml"); all if ``None``. ``results``: the folder or URI under which ``<job>/`` is
    published. ``reuse``: use outputs of equal steps of earlier jobs, ``None`` for as the engine is
    set. ``assets``: which assets of STAC items are brought, and which stay where they are
    (``key=B0*;role=data;remote=image/tiff*``). ``containers``: the container runtime. ``policy``
    bounds what may be read for the job.
    ``subscriber`` maps ``successUri``, ``inProgressUri`` and ``failedUri`` to addresses.
    ``options`` are kept with the job, for executors. ``keep_going``: what does not
    depend on a step that failed goes on. ``retries``: when steps that fail run again
    (docs/engine.md, "Retries"). ``time_limit``: the job fails after so many seconds. ``priority``:
    jobs of a higher one come first in the namespace. ``once``: a job with the same key that is open
    or was successful is given back instead. ``progress``: a pattern of steps whose tools tell how
    far they are by lines on stderr (docs/engine.md, "Progress"). ``base``: the folder or URI of
    relative paths; ``bases``: that of single inputs. ``references=False``: an ``href`` in the
    inputs is a value like any other. ``detached``: leave the job to another engine.
    ``derived_from``: the job that this one repeats. ``variables``: those of its tools
    by name, or rules as in the settings; a secret is ``secret:NAME``.
    """

    outputs: Mapping[str, Any] | None
    results: str | os.PathLike[str] | None
    executor: str
    containers: str
    title: str
    tags: Sequence[str]
    reason: str
    trigger: Trigger
    run_as: str
    environment: str
    service: str
    derived_from: str | None
    reuse: bool | None
    keep_going: bool
    retries: Retries
    time_limit: float | str | None
    priority: int
    once: str
    progress: str
    assets: str
    policy: InputPolicy
    subscriber: Mapping[str, str] | None
    options: Mapping[str, Any]
    base: str | os.PathLike[str] | None
    bases: Mapping[str, str] | None
    references: bool
    detached: bool
    variables: Mapping[str, Any] | Sequence[Mapping[str, Any]]


class JobFilters(TypedDict, total=False):
    """Further filters of ``Engine.jobs``, those of ``localproc.model.JobFilter``."""

    since: datetime | None
    until: datetime | None
    min_duration: float | None
    max_duration: float | None
    trigger: Trigger | None
    run_as: str | None
    tag: str | None
    piece: str | None
    began_since: datetime | None
    began_until: datetime | None
    ended_since: datetime | None
    before: str | None
    after: str | None
    hidden: bool


class PruneOptions(TypedDict, total=False):
    """Options of ``Engine.prune``, those of ``localproc.engine.home.retention.Retention``."""

    older_than: float | str
    larger_than: int | str
    status: str | Sequence[str]
    process: str | Sequence[str]
    keep_last: int
    results: bool
    cache: int | str


class EngineSettings(TypedDict, total=False):
    """The settings of ``Engine``, those of ``localproc.Settings``."""

    executor: str
    results: str | None
    work: str | None
    cores: float
    ram: int
    slots: int
    grace: float
    active: int
    durable: bool
    adopt: bool
    keep: bool
    reuse: bool | None
    retries: Retries
    containers: str
    images: str | None
    pull: str
    build: bool
    container_map: Mapping[str, str]
    offline: str
    inputs_cache: str | None
    inputs_cache_limit: int
    validate_results: str
    stac_schemas: str
    namespace: str
    callback_secret: str
    software: Sequence[Mapping[str, Any]] | str
    executor_options: Mapping[str, Mapping[str, Any]]
    container_options: Mapping[str, Mapping[str, Any]]
    storage_options: Mapping[str, Mapping[str, Any]]
    namespace_storage_options: Mapping[str, Mapping[str, Mapping[str, Any]]]
    prune: Mapping[str, Any]
    variables: Sequence[Mapping[str, Any]] | Mapping[str, Any]
    secrets: Mapping[str, Mapping[str, Any]]
    mail: Mapping[str, Any]


def read_trigger(name: str) -> Trigger:
    """Return a trigger by its name; raises ``InvalidInputs`` for one that does not exist."""
    try:
        return Trigger(name)
    except ValueError:
        hint = f"there is: {', '.join(Trigger)}"
        raise InvalidInputs(f"there is no trigger {name!r}", hint=hint) from None
