"""Makes an executor of a backend: verbs that block are called by threads, never by the loop.

Owns when the verbs are called: handing tasks on together; asking for all at once and not too often;
and that an answer which does not come, or makes no sense, means nothing, but that it is asked
again. Must not know any backend.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic
from typing import Final

from localproc import forks
from localproc.errors import ExecutorUnavailable
from localproc.executors.desk_tasks import DeskTask, DeskTasks, Stage
from localproc.executors.worker import Worker
from localproc.model import Report, Task
from localproc.plugins.backend import Backend, Capabilities
from localproc.plugins.executor import unfit

_LOG: Final = logging.getLogger("localproc")
_MORE: Final = 8  #: times the linger that the first of some tasks waits for promised ones
_SHARE: Final = 4  #: queries take at most one part in so many, and one, of the time
_SLOW: Final = 10.0  #: seconds that are waited for that reason at the most: some queries just hang
_CALM: Final = 30  #: times the pace between queries while nothing happens
_REVIVE: Final = 5.0
_LEAVING: Final = 5.0  #: seconds that a verb may still take when it is closed


class Desk:
    """Implements ``localproc.plugins.executor.Executor`` for a backend.

    ``linger`` are the seconds that a task waits for others; a task that queries do not know for
    ``lost_after`` seconds is lost; ``first_pause`` are the seconds after which a verb that was not
    answered is tried again the first time.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        name: str = "",
        linger: float = 0.03,
        lost_after: float = 60.0,
        first_pause: float = 0.5,
    ) -> None:
        self._backend = backend
        self._linger = linger
        self._tasks = DeskTasks(lost_after)
        self._next_look = self._next_news = 0.0
        self._delay = 0.0
        self._closed = False
        self._closing = threading.Lock()
        self._tidy = False
        verbs: dict[str, Callable[[], float | None]] = {
            "hand over": self._hand_over,
            "look": self._look,
            "stop": self._stop,
            "watch": self._watch,
        }
        label = name or type(backend).__name__
        self._workers = {
            verb: Worker(f"{label} {verb}", turn, first_pause) for verb, turn in verbs.items()
        }
        forks.watch(self)

    # For the loop

    @property
    def capabilities(self) -> Capabilities:
        """What the backend can do."""
        return self._backend.capabilities

    def fileno(self) -> int | None:
        """Return what is readable while there is news."""
        return self._tasks.bell

    def interval(self) -> float | None:
        """Return how often it is seen to that the threads live, while there is work."""
        return _REVIVE if self._tasks.has_work() else None

    def room(self) -> int:
        """Return how many more the backend wants."""
        return self._backend.most - len(self._tasks)

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return what its capabilities rule out, and what the backend itself says."""
        able = self.capabilities
        found = {task.key: why for task in tasks if (why := unfit(task, able))}
        return {**self._backend.check(tasks), **found}

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Hand tasks on soon, together with what comes meanwhile."""
        now, longest = monotonic(), self._linger * _MORE
        if self._tasks.add(tasks, now + (longest if more else self._linger), now + longest):
            self._workers["hand over"].ring()

    def poll(self) -> Sequence[Report]:
        """Return what the threads have told."""
        for worker in self._workers.values():
            worker.revive()
        return self._tasks.news()

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks stopped; what has not been handed on never is."""
        self._tasks.stop(keys, grace)
        self._workers["hand over"].ring()
        self._workers["stop"].ring()

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks found."""
        self._tasks.seek(tasks)
        self._workers["hand over"].ring()

    def release(self, keys: Iterable[str]) -> None:
        """Have what is kept of tasks removed."""
        if self._tasks.release(keys):
            self._workers["stop"].ring()

    def tidy(self) -> None:
        """Have the backend remove what is left, when this is closed."""
        self._tidy = True

    def close(self) -> None:
        """End the threads; one that is stuck in a verb is left alone."""
        forks.forget(self)
        with self._closing:
            if self._closed:
                return
            self._closed = True
        for worker in self._workers.values():
            worker.close()
        until = monotonic() + _LEAVING
        idle = [one.join(max(0.0, until - monotonic())) for one in self._workers.values()]
        try:
            if self._tidy and all(idle):
                self._backend.tidy()
        finally:
            self._tasks.close()
            self._backend.close()

    def left_behind(self) -> None:
        """In a forked child: threads and tasks are the parent's."""
        self._closed = True
        self._closing = threading.Lock()
        self._tasks.left_behind()

    # Handing over and finding

    def _hand_over(self) -> float | None:
        if self._closed:
            return None
        if sought := self._tasks.at(Stage.SOUGHT):
            self._find(sought)
        batch, wait = self._tasks.take(self._backend.most)
        if batch:
            self._submit(batch)
        return wait

    def _submit(self, batch: list[DeskTask]) -> None:
        """Hand tasks on together; where that breaks, each alone, so that one harms no other."""
        try:
            answers = _mapping(self._backend.submit([one.task for one in batch]))
        except ExecutorUnavailable as error:
            self._tasks.put_off(batch, error.message)
            raise
        except Exception as error:
            if len(batch) > 1:
                for number, entry in enumerate(batch):
                    try:
                        self._submit([entry])
                    except ExecutorUnavailable as away:
                        self._tasks.put_off(batch[number + 1 :], away.message)
                        raise
                return
            _LOG.exception("a task could not be handed on: %s", error)
            answers = {batch[0].task.key: error}
        later = self._tasks.handed(batch, answers)
        for verb in ("look", "stop", "watch", "hand over"):
            self._workers[verb].ring()
        if later is not None:
            raise later

    def _find(self, sought: list[DeskTask]) -> None:
        found = _mapping(self._backend.find([one.task for one in sought]))
        self._tasks.found(sought, found)
        for verb in ("look", "stop", "watch"):
            self._workers[verb].ring()

    # Looking

    def _look(self) -> float | None:
        entries = self._tasks.at(Stage.UNDER_WAY)
        if not entries or self._closed:
            return None
        before = monotonic()
        if is_early := before < self._next_look:
            entries = [one for one in entries if one.noted]
            due = self._next_news if entries else self._next_look
            if before < due:
                return due - before
        for one in entries:
            one.noted = False
        answers = _mapping(self._backend.look({one.task.key: one.handle for one in entries}))
        now, there = monotonic(), len(self._tasks)
        is_new = self._tasks.seen(entries, answers, now)
        if len(self._tasks) < there:  # there may be room for what was not taken
            self._workers["hand over"].hasten()
        self._next_news = now + max(self._backend.pace, now - before)
        if is_early:
            return max(0.0, self._next_look - now)
        pace = max(self._backend.pace, min(_SHARE * (now - before), _SLOW))
        self._next_look = now + pace
        # One query that was slow makes the next ones rarer, but not the calm after it longer.
        calm = max(_CALM * self._backend.pace, pace)
        self._delay = pace if is_new else min(self._delay * 1.5, calm)
        return max(self._delay, pace)

    def _watch(self) -> float | None:
        if self._closed or not self._tasks.at(Stage.UNDER_WAY):
            return None
        keys = self._backend.watch(1.0)
        if keys is None:
            return None
        if keys:
            self._tasks.note(keys)
            self._workers["look"].ring()
            return self._backend.pace
        return 0

    # Stopping and forgetting

    def _stop(self) -> float | None:
        for grace, entries in self._tasks.to_stop().items():
            self._backend.stop({one.task.key: one.handle for one in entries}, grace)
            self._tasks.stopped(entries)
        if released := self._tasks.released():
            try:
                self._backend.forget(released)
            except ExecutorUnavailable:
                raise
            except Exception as error:  # it stays where it is; asking again would not help
                _LOG.exception("what is kept of tasks cannot be removed: %s", error)
            self._tasks.forget(released)
        return None


def _mapping(answer: object) -> Mapping[object, object]:
    """Return an answer as it is; raises ``TypeError`` for what is none."""
    if not isinstance(answer, Mapping):
        raise TypeError(f"a mapping was expected, not {answer!r:.80}")
    return answer
