"""An executor whose bugs stay its own, and that is asked at once for what it can never run.

Owns what an error that an executor should not have raised means to the loop (no news, no room, a
task refused, asked again later), and noting verbs that block. Must not know any executor.
"""

import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from operator import attrgetter, index
from time import monotonic
from typing import Final, TypeGuard, TypeVar, get_type_hints

from localproc.errors import EnvironmentProblem, ExecutorUnavailable, LocalprocError
from localproc.executors.composed import Runtimes
from localproc.executors.opening import open_executor
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import Capabilities, Executor, ExecutorPlugin, ExecutorSettings
from localproc.shortages import is_shortage
from localproc.spelling import takes

_LOG: Final = logging.getLogger("localproc")
_LATER: Final = 1.0
_SLOW: Final = 0.05  #: seconds; a verb that takes longer holds up every job
_NOTICED: Final = 1.0  #: seconds; on a busy machine any verb may be slow, but hardly by as much
_MEMBERS: Final = get_type_hints(Report)
_members: Final = attrgetter("state", *_MEMBERS)
_T = TypeVar("_T")


class GuardedExecutor:
    """Implements ``localproc.plugins.executor.Executor`` for another one.

    ``runtimes`` gives container runtimes to one that has no containers itself.
    Whatever that raises is logged the first time. Tasks that could not be handed over for a bug are
    refused, as trying again would not help; those that could not be looked for, or of an executor
    that is unavailable, are tried again.
    """

    def __init__(
        self,
        plugin: ExecutorPlugin,
        settings: ExecutorSettings,
        clock: Callable[[], float] = monotonic,
        runtimes: Runtimes | None = None,
    ) -> None:
        self._name = plugin.name
        self._clock = clock
        self._known: set[str] = set()
        self._own: list[Report] = []  #: what is told in its stead
        self._put_off: dict[str, Task] = {}
        self._sought: dict[str, Task] = {}
        self._to_stop: dict[str, float] = {}  #: of those that are sought, with their grace
        self._again = 0.0  #: when what was put off is tried again
        try:
            self._executor: Executor = open_executor(plugin, settings, runtimes)
        except LocalprocError:
            raise
        except Exception as error:
            if is_shortage(error):
                raise
            raise EnvironmentProblem(
                f"the executor {plugin.name!r} cannot be opened: {_said(error)}",
                hint="localproc plugins tells where it comes from",
            ) from error

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return self._call("capabilities", lambda: self._executor.capabilities, Capabilities())

    def fileno(self) -> int | None:
        """Return its descriptor, if it has one."""
        return self._call("fileno", self._executor.fileno, None)

    def interval(self) -> float | None:
        """Return its interval, or when something of ours is due."""
        if self._own:
            return 0.0
        later: float | None = _LATER
        wanted = self._call("interval", self._wanted, later)
        if not (self._put_off or self._sought):
            return wanted
        due = max(0.0, self._again - self._clock())
        return due if wanted is None else min(due, wanted)

    def _wanted(self) -> float | None:
        """Return the interval that it wants; raises ``TypeError`` or ``ValueError`` for none."""
        interval = self._executor.interval()
        if interval is not None and not 0 <= interval < math.inf:
            raise ValueError(f"interval() gave {interval!r}")
        return interval

    def room(self) -> int:
        """Return its room, none while it cannot tell."""
        return self._call("room", lambda: index(self._executor.room()), 0)

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return why tasks can never run there."""
        nothing: Mapping[str, str] = {}
        return self._call("check", lambda: dict(self._executor.check(tasks)), nothing)

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Hand tasks over that it can run; the others are refused."""
        able = tasks
        if reasons := self.check(tasks):
            able = [one for one in tasks if one.key not in reasons]
            self._own += [_refused(one, reasons[one.key]) for one in tasks if one.key in reasons]
        if not able:
            return
        try:
            self._timed("submit", partial(self._executor.submit, able, more=more))
        except ExecutorUnavailable as error:
            self._put_off.update((one.key, one) for one in able)
            self._later(error)
        except Exception as error:
            said = error.message if isinstance(error, LocalprocError) else self._note(error)
            self._own += [_refused(one, said) for one in able]

    def poll(self) -> Sequence[Report]:
        """Return its news, and try again what has been put off."""
        if (self._put_off or self._sought) and self._clock() >= self._again:
            sought, self._sought = self._sought, {}
            put_off, self._put_off = self._put_off, {}
            if sought:
                self.reattach(list(sought.values()))
            if put_off:
                self.submit(list(put_off.values()))
        own, self._own = self._own, []
        nothing: list[object] = []
        told = self._call("poll", lambda: list(self._executor.poll()), nothing)
        return [*own, *filter(self._is_report, told)]

    def _is_report(self, told: object) -> TypeGuard[Report]:
        """Whether it is one: what an executor tells beside is noted, and no news."""
        # Not ``tuple(...)``: of tuples that have grown Python keeps the memory, of up to 2,000.
        if isinstance(told, Report) and _are_members((*map(type, _members(told)),)):
            return True
        self._note(TypeError(f"poll() gave {told!r:.200}"))
        return False

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have it stop tasks; what was put off is not handed over any more."""
        keys = list(keys)
        dropped = [key for key in keys if self._put_off.pop(key, None) is not None]
        self._own += [Report(key, TaskState.CANCELLED) for key in dropped]
        self._to_stop.update((key, grace) for key in keys if key in self._sought)
        left = [key for key in keys if key not in dropped and key not in self._sought]
        if left:
            self._call("cancel", partial(self._executor.cancel, left, grace), None)

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have it find tasks again; it is asked until it has taken note."""
        try:
            self._timed("reattach", partial(self._executor.reattach, tasks))
        except Exception as error:
            self._sought.update((one.key, one) for one in tasks)
            self._later(error)
            return
        for task in tasks:
            if (grace := self._to_stop.pop(task.key, None)) is not None:
                self.cancel([task.key], grace)

    def release(self, keys: Iterable[str]) -> None:
        """Have it let go of tasks."""
        self._call("release", partial(self._executor.release, keys), None)

    def tidy(self) -> None:
        """Have it tidy up."""
        self._call("tidy", self._executor.tidy, None, leaving=True)

    def close(self) -> None:
        """Have it let go."""
        self._call("close", self._executor.close, None, leaving=True)

    def _call(
        self, verb: str, call: Callable[[], _T], otherwise: _T, *, leaving: bool = False
    ) -> _T:
        before = self._clock()
        try:
            return call()
        except Exception as error:
            self._note(error)
            return otherwise
        finally:
            took = self._clock() - before
            if took > _SLOW and not leaving:
                self._note_slow(verb, took)

    def _timed(self, verb: str, call: Callable[[], _T]) -> _T:
        before = self._clock()
        try:
            return call()
        finally:
            took = self._clock() - before
            if took > _SLOW:
                self._note_slow(verb, took)

    def _note_slow(self, verb: str, took: float) -> None:
        """Log the first time that a verb has blocked the loop; warn of what users may notice."""
        level = logging.WARNING if took > _NOTICED else logging.INFO
        if (noted := f"{verb} {level}") not in self._known:
            self._known.add(noted)
            _LOG.log(
                level,
                "the executor %r took %.2f s for %s(): every job waits meanwhile",
                self._name,
                took,
                verb,
            )

    def _later(self, error: Exception) -> None:
        self._again = self._clock() + _LATER
        self._note(error)

    def _note(self, error: Exception) -> str:
        """Log an error that it should not have raised, once; return what to say of any."""
        if isinstance(error, ExecutorUnavailable):
            _LOG.info("the executor %r does not answer: %s", self._name, error.message)
            return error.message
        said = f"the executor {self._name!r} has failed: {_said(error)}"
        if said not in self._known:
            self._known.add(said)
            _LOG.error(said, exc_info=error)
        return said


@lru_cache(maxsize=256)
def _are_members(kinds: tuple[type, ...]) -> bool:
    """Whether a report may have values of these classes: few come, and many a time."""
    state, *others = kinds
    return state is TaskState and all(map(takes, _MEMBERS.values(), others))


def _refused(task: Task, reason: str) -> Report:
    return Report(task.key, TaskState.REFUSED, reason=reason)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
