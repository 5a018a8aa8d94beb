"""One execution of one process revision with one set of inputs.

Owns what is asked for (the request), what is shown (the record), and the filters of lists. Must not
know how a job goes on.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, fields
from datetime import datetime
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final, NamedTuple, Self

from localproc.frozen import frozen
from localproc.model.policy import TRUSTING, InputPolicy
from localproc.model.status import JobStatus, Trigger


@frozen
class JobRequest:
    """What somebody asked for; kept whole in the job's first event.

    ``inputs`` is a CWL job object (files as File and Directory objects with absolute locations).
    ``named`` are the local files that strings among the inputs name, each with the files that it
    leads to (the assets of a STAC item). ``outputs`` names the outputs that were asked for, each
    with its options; ``None`` means all. ``containers`` is the runtime of tools that name an image,
    empty for what the executor has; ``passed_over`` are images that tools but hint at and do
    without, each with why. ``results`` is the URI under which ``<job>/`` is published.
    ``reuse``: use outputs of equal steps of earlier jobs, ``None`` for as the engine is set.
    ``retry_of``: the job whose steps are taken over where they are unchanged. ``keep_going``: what
    does not depend on a step that failed goes on. ``retries`` are the rules by which steps that
    fail run again (``localproc.machine.retries``), the first one that fits a step decides.
    ``time_limit``: seconds from its start after which it fails. ``priority``: those of higher
    priority start their steps first, within a namespace. ``once``: a key of the caller's; while a
    job with it is open or has been successful, there is no other one.
    ``assets`` says which assets of STAC items are
    brought. ``policy`` bounds what may be read for the job. ``subscriber`` maps ``successUri``,
    ``inProgressUri`` and ``failedUri`` to addresses that are told. ``variables`` are rules for the
    environment of its tools; of secrets they, and ``inputs``, have the names alone. ``options``
    holds what an executor or a face wants to remember (JSON).
    """

    inputs: Mapping[str, Any]
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: Mapping[str, Any] | None = None
    executor: str = "local"
    containers: str = ""
    passed_over: Mapping[str, str] = field(default_factory=dict)
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
    retry_of: str | None = None
    keep_going: bool = False
    retries: tuple[Mapping[str, Any], ...] = ()
    time_limit: float | None = None
    priority: int = 0
    once: str = ""
    assets: str = ""
    policy: InputPolicy = TRUSTING
    subscriber: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    variables: Sequence[Mapping[str, Any]] = ()
    progress: str = ""  #: the pattern of steps whose tools tell how far they are
    secrets: tuple[str, ...] = ()  #: names of those that stand in its inputs

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON, without what is as it is by default."""
        values = _asked(self)
        others = compress(zip(_ASKED, values, _USUAL, strict=True), map(is_not, values, _USUAL))
        data: dict[str, Any] = {name: value for name, value, usual in others if value != usual}
        for name in data.keys() & _FORMS.keys():
            data[name] = _FORMS[name].write(data[name])
        return {"inputs": self.inputs, **data}

    def recorded(self) -> "JobRequest":
        """Return it as it is read back: with nothing of the caller's, who may change that.

        What acceptance has made itself, such as the inputs, is nobody else's.
        """
        if self.outputs is None and not (self.subscriber or self.options):
            return self
        return JobRequest.from_data(json.loads(json.dumps(self.to_data())))

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """Return the request that ``data`` holds; what it does not name is as it is by default.

        Raises ``ValueError`` for a member that is not known: who asked for something that this
        version does not know is not given something else.
        """
        known = dict(data)
        _check_members(_ASKED, known)
        for name in known.keys() & _FORMS.keys():
            known[name] = _FORMS[name].read(known[name])
        if not isinstance(known.get("inputs"), Mapping):
            raise ValueError("it has no inputs")  # noqa: TRY004 - it is data, not an argument
        return cls(**known)


def _check_members(names: Collection[str], data: Mapping[str, Any]) -> None:
    unknown = [name for name in data if name not in names]
    if unknown:
        raise ValueError(f"it asks for what is not known: {', '.join(sorted(unknown))}")


def _policy(data: Mapping[str, Any]) -> InputPolicy:
    known = dict(data)
    _check_members([one.name for one in fields(InputPolicy)], known)
    if known.get("roots") is not None:
        known["roots"] = tuple(known["roots"])
    known["prefixes"] = tuple(known.get("prefixes", ()))
    return InputPolicy(**known)


def _named(data: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {path: tuple(others) for path, others in data.items()}


class _Form(NamedTuple):
    """How a member of a request is written as JSON, and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


_ASKED: Final = tuple(one.name for one in fields(JobRequest))
_asked: Final = attrgetter(*_ASKED)
_USUAL: Final = _asked(JobRequest({}))
_FORMS: Final[Mapping[str, _Form]] = {
    "trigger": _Form(str, Trigger),
    "tags": _Form(list, tuple),
    "retries": _Form(list, tuple),
    "variables": _Form(list, tuple),
    "secrets": _Form(list, tuple),
    "named": _Form(dict, _named),
    "policy": _Form(InputPolicy.to_data, _policy),
}


@frozen
class JobRecord:
    """A job's row: what its events add up to. Times are in UTC, ``progress`` is in percent.

    ``aside`` tells why a job has been put aside: it cannot be read, so nobody goes on with it.
    ``priority`` and ``once`` are those of its request.
    """

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
    aside: str = ""
    priority: int = 0
    once: str = ""

    @property
    def duration(self) -> float | None:
        """Seconds from its start to its end, ``None`` until then."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()

    def changed(self, **values: Any) -> "JobRecord":
        """Return the row with other values; every event makes one, so it is made fast."""
        made = [*_values(self)]
        for name, value in values.items():
            made[_PLACES[name]] = value
        return JobRecord(*made)


_PLACES: Final = {one.name: place for place, one in enumerate(fields(JobRecord))}
_values: Final = attrgetter(*_PLACES)


@frozen
class JobFilter:
    """Which jobs to list, newest first (OGC API - Processes Part 1, class "job list").

    ``since``/``until`` bound ``created``; durations are in seconds and concern jobs that have
    started: now - started while running, finished - started afterwards. ``before`` and ``after``
    are the cursors of a page: the jobs next to that one, of those that are older or newer.
    ``piece`` is a part of the id, in lower case.
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
    piece: str | None = None
    began_since: datetime | None = None  #: bounds when it was started, or accepted if it was not
    began_until: datetime | None = None
    ended_since: datetime | None = None  #: of those that have ended
    before: str | None = None
    after: str | None = None
    hidden: bool = False
    limit: int = 10
