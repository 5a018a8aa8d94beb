"""Which step of a job comes next, and who works that out.

Owns the job's plan: one thread at a time works on it, the loop where that takes no time, else a
worker, while what has ended waits here. Must not know how steps are run.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.files import Files, Stat
from localproc.cwl.run.effort import plan_is_quick
from localproc.cwl.run.plan import Invocation, Plan, Skipped
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.remote_defaults import DEFAULTS, with_defaults
from localproc.engine.job.effects import Effects, MakePlan, PullPlan
from localproc.engine.job.facts import Pulled
from localproc.errors import LocalprocError, StepError
from localproc.lengths import LARGE, is_within, length
from localproc.model import Encoded

Instance = Invocation | Skipped
MOST: Final = 512 << 20  #: characters of JSON that all outputs of a job's steps may have
_BATCH: Final = 16  #: instances that a worker gives at a time
_CATCHING_UP: Final = 256  #: ... as long as there are some that earlier engines have begun
_FEW: Final = 100  #: instances of earlier engines that are gone through in no time
_MOST_ASIDE: Final = 1_000  #: instances that others may overtake


def make_plan(process: Tool | Workflow, inputs: Mapping[str, Any], files: Files) -> Plan:
    """Return the plan for inputs that have been staged; raises ``LocalprocError``."""
    return Plan(with_defaults(process, inputs.get(DEFAULTS, ())), inputs, files)


def too_much(what: str) -> StepError:
    """Return the error of a job whose outputs are more than an engine can hold."""
    return StepError(
        f"{what}, written as JSON, has more than {MOST >> 20} MiB",
        hint="let tools write files, and have these be their outputs",
    )


class Planning:
    """The plan of one job, once ``begin`` has been called.

    ``known`` are the keys of the instances that earlier engines have begun, ``unfinished`` of those
    that had not ended: until the plan has given these, it gives no others. ``files`` gives the disk
    for a look. ``where`` says which executor an instance goes to.
    """

    def __init__(
        self,
        process: Tool | Workflow,
        effects: Effects,
        files: Callable[[], Files],
        known: Collection[str],
        unfinished: set[str],
        where: Callable[[Instance], str],
    ) -> None:
        self._known = known
        self._unfinished = unfinished
        self._where = where
        self._set_aside: defaultdict[str, deque[Instance]] = defaultdict(deque)
        self._process = process
        self._effects = effects
        self._files = _EachTime(files)
        self._quick = plan_is_quick(process)
        self._plan: Plan | None = None
        self._away = False  #: whether a worker has the plan
        self._exhausted = False  #: whether something has to end before there is more
        self._ready: deque[Instance] = deque()
        self._much = False  #: whether the inputs are more than is looked through in no time
        self._held = 0  #: characters of JSON that outputs have
        self._ended: list[tuple[str, Mapping[str, Any]]] = []
        self._error: LocalprocError | None = None  #: comes when nothing is ready any more
        self.progress = 0.0  #: as of the last time that the plan was here
        self.current = process.id  #: the key of what could not be worked out

    def begin(self, inputs: Mapping[str, Any]) -> None:
        """Make the plan, or have it made; raises ``LocalprocError``."""
        self._much = not is_within(inputs, LARGE)
        if self._is_quick:
            self._plan = make_plan(self._process, inputs, self._files)
            self.progress = self._plan.progress
        else:
            self._away = True
            self._effects.ask(MakePlan(inputs, self._batch))

    def give_back(self, pulled: Pulled) -> None:
        """Take the plan back, with what it gave; an error comes after the instances.

        Raises ``LocalprocError``.
        """
        self._plan, self._away = pulled.plan, False
        self._ready += pulled.instances
        self._exhausted = pulled.exhausted
        self._error, self.current = pulled.error or self._error, pulled.key or self.current
        ended, self._ended = self._ended, []
        self._finish(ended)

    def share(self, key: str) -> float:
        """Return what an instance will add to the progress; 0 where that is not known now."""
        return 0.0 if self._away or self._plan is None else self._plan.share(key)

    def next(self, full: Collection[str] = ()) -> Instance | None:
        """Return the next instance, ``None`` if there is none, or not yet.

        Those of the executors in ``full`` are overtaken by others.
        Raises ``LocalprocError`` where the inputs of the one at ``current`` are wrong.
        """
        if not (full or self._set_aside or self._unfinished):
            return self._draw()
        while self._unfinished:
            instance = self._draw()
            if instance is None and self._away:
                return None
            if instance is None:
                self._unfinished.clear()  # they come when something else has ended
            elif instance.key in self._known:
                self._unfinished.discard(instance.key)
                return instance
            else:
                self._set_aside[self._where(instance)].append(instance)
        for executor, instances in self._set_aside.items():
            if instances and executor not in full:
                return instances.popleft()
        while sum(map(len, self._set_aside.values())) < _MOST_ASIDE:
            instance = self._draw()
            if instance is None or not full or self._where(instance) not in full:
                return instance
            self._set_aside[self._where(instance)].append(instance)
        return None

    def finish(self, key: str, outputs: Mapping[str, Any]) -> None:
        """Take the outputs of an instance that has ended well; raises ``LocalprocError``."""
        if isinstance(outputs, Encoded):
            self._held += outputs.size
            outputs = dict(outputs)  # the plan has no use for the text
        else:
            self._held += length(outputs)
        if self._held > MOST:  # the plan has all of them in memory
            raise too_much("what the steps have given")
        if self._away:
            self._ended.append((key, outputs))
        else:
            self._finish([(key, outputs)])

    def _finish(self, ended: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Tell the plan what has ended; a worker puts together what may be much."""
        plan = self._plan
        assert plan is not None
        for key, outputs in ended:
            plan.take(key, outputs)
            self._exhausted = False
        self.progress = plan.progress
        if not plan.has_to_gather:
            return
        if self._much or self._held > LARGE:
            self._have_pulled(plan, 0)
        else:
            plan.gather()
            self.progress = plan.progress

    @property
    def _is_quick(self) -> bool:
        """Whether the plan is worked on here; not while it has to catch up with a long past."""
        is_catching_up = bool(self._unfinished) and len(self._known) > _FEW
        return self._quick and not self._much and not is_catching_up

    @property
    def _batch(self) -> int:
        return _CATCHING_UP if self._unfinished else _BATCH

    @property
    def catching_up(self) -> bool:
        """Whether there are instances of earlier engines that it has not given yet."""
        return bool(self._unfinished)

    def take_outputs(self) -> Mapping[str, Any] | None:
        """Return the outputs of the process, once all has ended and nothing waits here.

        They are not held here any longer: of a wide scatter they are what takes the most room.
        """
        if self._plan is None or self._away or self._ready or any(self._set_aside.values()):
            return None
        outputs = self._plan.outputs
        if outputs is not None:
            self._plan = None
        return outputs

    @property
    def is_exhausted(self) -> bool:
        """Whether there is nothing more to start until something ends well."""
        waits = self._ready or any(self._set_aside.values()) or self._error is not None
        return self._exhausted and not waits

    def _have_pulled(self, plan: Plan, most: int) -> None:
        self._away = True
        self._effects.ask(PullPlan(plan, most))

    def _draw(self) -> Instance | None:
        if self._ready:
            return self._ready.popleft()
        if self._error is not None:
            error, self._error = self._error, None
            self._exhausted = False  # there may be more beside it
            raise error
        if self._plan is None or self._away or self._exhausted:
            return None
        if not self._is_quick:
            self._have_pulled(self._plan, self._batch)
            return None
        try:
            instance = self._plan.pull()
        except LocalprocError:
            self.current = self._plan.current
            raise
        self._exhausted = instance is None
        return instance


class _EachTime:
    """A disk (``Files``) that is another one for each look.

    A plan lasts as long as its job, and what may be looked at within the loop is for a moment.
    """

    def __init__(self, files: Callable[[], Files]) -> None:
        self._files = files

    def stat(self, path: str) -> Stat | None:
        return self._files().stat(path)

    def listdir(self, path: str) -> Sequence[str]:
        return self._files().listdir(path)

    def glob(self, root: str, pattern: str) -> Sequence[str]:
        return self._files().glob(root, pattern)

    def read(self, path: str, most: int = -1) -> bytes:
        return self._files().read(path, most)

    def realpath(self, path: str) -> str:
        return self._files().realpath(path)

    def checksum(self, path: str) -> str:
        return self._files().checksum(path)


def pull(plan: Plan, most: int) -> Pulled:
    """Take instances from a plan: what a worker does for ``MakePlan`` and ``PullPlan``."""
    instances: list[Instance] = []
    plan.gather()  # an error in that is no instance's
    try:
        while len(instances) < most:
            instance = plan.pull()
            if instance is None:
                return Pulled(plan, tuple(instances), exhausted=True)
            instances.append(instance)
    except LocalprocError as error:
        return Pulled(plan, tuple(instances), True, error, plan.current)
    return Pulled(plan, tuple(instances), exhausted=False)
