"""What can come to a job.

Owns the shapes of facts, and which kind each is. Must not know what follows from them.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from localproc.cwl.run.plan import Invocation, Plan, Skipped
from localproc.engine.job.effects import (
    Asked,
    FillInputs,
    MakePlan,
    PullPlan,
    StageIn,
    StageOut,
    Withdraw,
    WriteOutputs,
)
from localproc.errors import JobFailed, LocalprocError
from localproc.frozen import frozen
from localproc.machine.phases import Fact
from localproc.model import Container, Report


@frozen
class Done:
    """What came of an effect that was done in the background: a value or an error."""

    effect: Asked
    value: Any = None
    error: LocalprocError | None = None


@frozen
class Pulled:
    """A plan, with what it gave.

    ``exhausted``: there is no more to start until something ends. ``error``: what came after the
    instances, while the one at ``key`` was worked out.
    """

    plan: Plan
    instances: tuple[Invocation | Skipped, ...]
    exhausted: bool
    error: LocalprocError | None = None
    key: str = ""


@frozen
class Made:
    """What came of a step: its outputs.

    ``made`` is a digest of how their files are, ``given`` of how those were that it was made from.
    """

    outputs: Mapping[str, Any]
    made: str = ""
    given: str = ""


@frozen
class TakenFrom:
    """Outputs of an equal step of an earlier job, and what the step is called there.

    ``ran_in`` is what its image and software were, ``box`` the container that it would have here,
    and ``software`` what would be made available to it.
    """

    outputs: Mapping[str, Any]
    job_id: str
    step: str
    made: str = ""
    given: str = ""
    ran_in: str = ""
    box: Container | None = None
    software: tuple[str, ...] = ()


@frozen
class Recalled:
    """What came of a ``Recall``.

    ``identity`` is that of the step, empty if it must not be reused. ``because``: why nothing of
    the job that is retried was taken over.
    """

    identity: str
    found: TakenFrom | None = None
    because: str = ""


@frozen
class Reported:
    """An executor has news of a task."""

    report: Report


@frozen
class NotLaunched:
    """The files of a task could not be put in place, or nobody would take it."""

    key: str
    error: LocalprocError


@frozen
class Progressed:
    """So many bytes of the files of one of the engine's own steps have come or gone.

    ``key`` is the step's place; ``total`` is ``None`` where it is not known.
    """

    key: str
    done: int
    total: int | None


@frozen
class ToolProgressed:
    """The tool of a task, by its key, has told how much is done (0 to 1), and what it is doing."""

    key: str
    share: float
    said: str


@frozen
class Room:
    """There is room for another step, but none at the executors in ``full``."""

    full: Collection[str] = ()


@frozen
class Later:
    """It is as late as that, by the clock of the job."""

    at: datetime


@frozen
class DismissalAsked:
    """Somebody wants the job to stop."""


@frozen
class Broken:
    """The engine cannot go on with the job."""

    problem: JobFailed


News = (
    Done
    | Reported
    | NotLaunched
    | Progressed
    | ToolProgressed
    | Room
    | Later
    | DismissalAsked
    | Broken
)

_KINDS: Final[dict[type[News], Fact]] = {
    Reported: Fact.REPORT,
    NotLaunched: Fact.REPORT,
    Progressed: Fact.PROGRESS,
    ToolProgressed: Fact.TOOL_PROGRESS,
    Room: Fact.ROOM,
    Later: Fact.TIME,
    DismissalAsked: Fact.DISMISSAL,
    Broken: Fact.FAILURE,
}
_ANSWERS: Final[dict[type[Asked], Fact]] = {
    FillInputs: Fact.STAGED,
    StageIn: Fact.STAGED,
    MakePlan: Fact.PULLED,
    PullPlan: Fact.PULLED,
    WriteOutputs: Fact.PUBLISHED,
    StageOut: Fact.PUBLISHED,
    Withdraw: Fact.PUBLISHED,
}


def fact_of(news: News) -> Fact:
    """Return which fact something is."""
    if isinstance(news, Done):
        return _ANSWERS.get(type(news.effect), Fact.ANSWER)
    return _KINDS[type(news)]
