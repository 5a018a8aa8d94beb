"""What a job wants done. The loop does it, after the events that led to it have been recorded.

Owns the shapes of these wishes. Must not know how any is done, nor what comes of it.
"""

from collections.abc import Mapping
from typing import Any

from localproc.cwl.run.plan import Invocation, Plan
from localproc.cwl.run.prepare import Prepared
from localproc.frozen import frozen
from localproc.model import Report, Secrets, Task
from localproc.model.secret import NO_SECRETS


@frozen
class Launch:
    """Hand a task to the executor. ``placed``: its files are in place already."""

    task: Task
    placed: bool = False


@frozen
class Reattach:
    """Have the executor find tasks that an earlier engine has handed to it."""

    tasks: tuple[Task, ...]


@frozen
class Release:
    """The end of a task is recorded: its executor may forget it."""

    key: str


@frozen
class Stop:
    """Stop tasks, and whatever works for the job in the background."""

    keys: tuple[str, ...]


@frozen
class Close:
    """The job has ended: remove what nobody needs any more, and tell whoever waits."""

    keep: bool


@frozen
class Remember:
    """Keep the outputs of a step under its identity.

    Only the end of the job waits for that: whoever sees it finds what the job gave.
    """

    identity: str
    outputs: Mapping[str, Any]
    outdir: str
    name: str
    log: str


@frozen
class FillInputs:
    """Complete many inputs; the value is what ``staging.filled_inputs`` gives."""

    inputs: Mapping[str, Any]


@frozen
class StageIn:
    """Bring the inputs in; the value is the inputs with all that the process wants to know."""

    inputs: Mapping[str, Any]
    log: str


@frozen
class MakePlan:
    """Make the plan of the job for its inputs, and do with it what ``PullPlan`` says."""

    inputs: Mapping[str, Any]
    most: int


@frozen
class PullPlan:
    """Take up to ``most`` step instances from a plan; the value is ``Pulled``.

    What is to be put together is, before any.

    Until it is answered, the plan belongs to whoever does that.
    """

    plan: Plan
    most: int


@frozen
class Recall:
    """Look for the outputs of an equal step; the value is ``Recalled``."""

    name: str
    invocation: Invocation


@frozen
class Evaluate:
    """Run an ExpressionTool; the value is ``Made``.

    ``because``: why nothing of the job that is retried was taken over.
    """

    name: str
    invocation: Invocation
    because: str = ""


@frozen
class Prepare:
    """Work out a task; the value is ``Prepared``, the ``Task``, and how its input files are.

    ``identity`` is set if its outputs are to be remembered, ``lost`` counts its attempts that were
    lost, ``failures`` those that ended badly. ``taken_up``: an earlier engine has launched it.
    ``replaces``: the attempt before it was lost, which is recorded only with this one. ``because``:
    why nothing of the job that is retried was taken over.
    """

    name: str
    invocation: Invocation
    attempt: int
    tmpdir: str
    identity: str = ""
    lost: int = 0
    failures: int = 0
    taken_up: bool = False
    replaces: bool = False
    because: str = ""


@frozen
class FillFolder:
    """Put the files of a task in place: too much to do in the loop."""

    task: Task


@frozen
class Collect:
    """Collect the outputs of a task that has ended; the value is ``Made``."""

    name: str
    prepared: Prepared
    report: Report
    secrets: Secrets = NO_SECRETS


@frozen
class WriteOutputs:
    """Have many outputs written as they will be recorded, unless there are files among them."""

    outputs: Mapping[str, Any]


@frozen
class StageOut:
    """Publish the outputs; they may be, or link to, the files in ``inputs``."""

    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any]
    log: str


@frozen
class Withdraw:
    """Take back what has been published, or was going to be when an engine was killed."""

    log: str


#: What is done in the background, and answered.
Asked = (
    FillInputs
    | StageIn
    | MakePlan
    | PullPlan
    | Recall
    | Evaluate
    | Prepare
    | FillFolder
    | Collect
    | WriteOutputs
    | StageOut
    | Withdraw
    | Remember
)
Effect = Launch | Reattach | Release | Stop | Close | Asked


class Effects:
    """The orders of one job: those that nobody has taken yet, and how many are to be answered."""

    def __init__(self) -> None:
        self.waiting: list[Effect] = []
        self.unanswered = 0

    def give(self, effect: Effect) -> None:
        """Ask for something to be done."""
        self.waiting.append(effect)

    def ask(self, effect: Asked) -> None:
        """Ask for something that is answered by a ``Done``."""
        self.unanswered += 1
        self.waiting.append(effect)

    def take(self) -> list[Effect]:
        """Return what is to be done now."""
        effects, self.waiting = self.waiting, []
        return effects
