"""Makes an executor of a backend: verbs that block are called by threads, never by the loop.

Owns which tasks wait to be handed on, are under way, are to be stopped and to be forgotten; handing
them on together; asking for all at once and not too often; and what an answer that does not come,
or makes no sense, means: nothing, but that it is asked again. Must not know any backend.
"""

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from time import monotonic
from typing import Final

from localproc import forks
from localproc.errors import ExecutorUnavailable
from localproc.executors.worker import Worker
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Backend, Capabilities, Refused
from localproc.plugins.executor import unfit

_LOG: Final = logging.getLogger("localproc")
_MORE: Final = 8  #: times the linger that is waited for tasks which were promised
_SHARE: Final = 4  #: queries take at most one part in so many, and one, of the time
_SLOW: Final = 10.0  #: seconds that are waited for that reason at the most: some queries just hang
_CALM: Final = 30  #: times the pace between queries while nothing happens
_REVIVE: Final = 5.0
_LEAVING: Final = 5.0  #: seconds that a verb may still take when it is closed
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)


class _Stage(Enum):
    WAITING = "not handed on yet"
    HANDING = "being handed on"
    SOUGHT = "to be found"
    UNDER_WAY = "it has a handle"


@dataclass(slots=True)
class _Entry:
    """A task. ``grace`` is set once it is to be stopped; ``unless`` is what it is if not found."""

    task: Task
    stage: _Stage
    unless: Report
    handle: str = ""
    uncertain: bool = False  #: it may have been handed on: nobody answered
    grace: float | None = None
    told: Report | None = None
    missing: float | None = None  #: since when queries are answered without it


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
        self._lost_after = lost_after
        self._entries: dict[str, _Entry] = {}
        self._ended: dict[str, str] = {}  #: handles of tasks whose end is not recorded yet
        self._released: dict[str, str] = {}
        self._due = 0.0  #: when what waits is handed on
        self._news_of: set[str] = set()  #: keys that the backend has told to look at
        self._next_look = self._next_news = 0.0
        self._delay = 0.0
        self._news: deque[Report] = deque()
        self._lock = threading.Lock()
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._bell, False)
        self._closed = False
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
        return self._bell

    def interval(self) -> float | None:
        """Return how often it is seen to that the threads live, while there is work."""
        return _REVIVE if self._entries or self._released else None

    def room(self) -> int:
        """Return how many more the backend wants."""
        return self._backend.most - len(self._entries)

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return what its capabilities rule out, and what the backend itself says."""
        able = self.capabilities
        found = {task.key: why for task in tasks if (why := unfit(task, able))}
        return {**self._backend.check(tasks), **found}

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Hand tasks on soon, together with what comes meanwhile."""
        with self._lock:
            new = [
                one for one in tasks if one.key not in self._entries and one.key not in self._ended
            ]
            for task in new:
                refused = Report(task.key, TaskState.REFUSED)
                self._entries[task.key] = _Entry(task, _Stage.WAITING, refused)
            if new:
                self._due = monotonic() + self._linger * (_MORE if more else 1)
        if new:
            self._workers["hand over"].ring()

    def poll(self) -> Sequence[Report]:
        """Return what the threads have told."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 4096)
        for worker in self._workers.values():
            worker.revive()
        with self._lock:
            news, self._news = self._news, deque()
        return list(news)

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks stopped; what has not been handed on never is."""
        with self._lock:
            for key in keys:
                entry = self._entries.get(key)
                if entry is None:
                    self._tell(Report(key, TaskState.CANCELLED))
                    continue
                entry.grace = grace
                entry.unless = Report(key, TaskState.CANCELLED)
                if entry.stage is _Stage.WAITING:
                    if entry.uncertain:
                        entry.stage = _Stage.SOUGHT
                    else:
                        self._end(entry, entry.unless)
        self._workers["hand over"].ring()
        self._workers["stop"].ring()

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks found."""
        with self._lock:
            for task in tasks:
                never = Report(task.key, TaskState.NEVER_STARTED)
                self._entries.setdefault(task.key, _Entry(task, _Stage.SOUGHT, never))
        self._workers["hand over"].ring()

    def release(self, keys: Iterable[str]) -> None:
        """Have what is kept of tasks removed."""
        with self._lock:
            known = [key for key in keys if key in self._ended]
            self._released.update((key, self._ended.pop(key)) for key in known)
        if known:
            self._workers["stop"].ring()

    def tidy(self) -> None:
        """Have the backend remove what is left, when this is closed."""
        self._tidy = True

    def close(self) -> None:
        """End the threads; one that is stuck in a verb is left alone."""
        forks.forget(self)
        with self._lock:
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
            forks.close(self._bell, self._ring)
            self._backend.close()

    def left_behind(self) -> None:
        """In a forked child: threads and tasks are the parent's."""
        self._closed = True
        self._lock = threading.Lock()
        forks.close(self._bell, self._ring)

    # Handing over and finding

    def _hand_over(self) -> float | None:
        if self._closed:
            return None
        if sought := self._at(_Stage.SOUGHT):
            self._find(sought)
        with self._lock:
            batch = [one for one in self._entries.values() if one.stage is _Stage.WAITING]
            wait = self._due - monotonic()
            if not batch:
                return None
            if wait > 0 and len(batch) < self._backend.most:
                return wait
            for entry in batch:
                entry.stage = _Stage.HANDING
        self._submit(batch)
        return 0

    def _submit(self, batch: list[_Entry]) -> None:
        """Hand tasks on together; where that breaks, each alone, so that one harms no other."""
        try:
            answers = _mapping(self._backend.submit([one.task for one in batch]))
        except ExecutorUnavailable as error:
            self._put_off(batch, error.message)
            raise
        except Exception as error:
            if len(batch) > 1:
                for number, entry in enumerate(batch):
                    try:
                        self._submit([entry])
                    except ExecutorUnavailable as away:
                        self._put_off(batch[number + 1 :], away.message)
                        raise
                return
            _LOG.exception("a task could not be handed on: %s", error)
            answers = {batch[0].task.key: error}
        given = [(entry, answers.get(entry.task.key)) for entry in batch]
        later = [(entry, one) for entry, one in given if isinstance(one, ExecutorUnavailable)]
        with self._lock:
            for entry, answer in given:
                if not isinstance(answer, ExecutorUnavailable):
                    self._handed(entry, answer)
        for verb in ("look", "stop", "watch", "hand over"):
            self._workers[verb].ring()
        if later:
            reason = later[0][1]
            self._put_off([entry for entry, _ in later], reason.message)
            raise reason

    def _handed(self, entry: _Entry, answer: object) -> None:
        if isinstance(answer, str):
            entry.handle, entry.stage = answer, _Stage.UNDER_WAY
        elif isinstance(answer, Refused):
            state = TaskState.REFUSED if entry.grace is None else TaskState.CANCELLED
            self._end(entry, Report(entry.task.key, state, reason=answer.reason))
        else:  # it may be there all the same
            entry.stage = _Stage.SOUGHT
            if entry.grace is None:
                said = f"{type(answer).__name__}: {answer}" if answer else "it has no handle"
                entry.unless = replace(
                    entry.unless, state=TaskState.REFUSED, reason=f"it was not taken: {said}"
                )

    def _put_off(self, batch: list[_Entry], reason: str) -> None:
        with self._lock:
            for entry in batch:
                entry.uncertain = True
                entry.stage = _Stage.WAITING if entry.grace is None else _Stage.SOUGHT
                if entry.grace is None:
                    self._tell_of(entry, Report(entry.task.key, TaskState.QUEUED, reason=reason))

    def _find(self, sought: list[_Entry]) -> None:
        found = _mapping(self._backend.find([one.task for one in sought]))
        with self._lock:
            for entry in sought:
                handle = found.get(entry.task.key)
                if isinstance(handle, str):
                    entry.handle, entry.stage = handle, _Stage.UNDER_WAY
                else:
                    self._end(entry, entry.unless)
        for verb in ("look", "stop", "watch"):
            self._workers[verb].ring()

    # Looking

    def _look(self) -> float | None:
        entries = self._at(_Stage.UNDER_WAY)
        if not entries or self._closed:
            return None
        before = monotonic()
        if is_early := before < self._next_look:
            entries = self._with_news(entries)
            due = self._next_news if entries else self._next_look
            if before < due:
                return due - before
        with self._lock:
            self._news_of.difference_update(one.task.key for one in entries)
        answers = _mapping(self._backend.look({one.task.key: one.handle for one in entries}))
        now = monotonic()
        with self._lock:
            news = [self._seen(one, answers.get(one.task.key), now) for one in entries]
        self._next_news = now + max(self._backend.pace, now - before)
        if is_early:
            return max(0.0, self._next_look - now)
        pace = max(self._backend.pace, min(_SHARE * (now - before), _SLOW))
        self._next_look = now + pace
        # One query that was slow makes the next ones rarer, but not the calm after it longer.
        calm = max(_CALM * self._backend.pace, pace)
        self._delay = pace if any(news) else min(self._delay * 1.5, calm)
        return max(self._delay, pace)

    def _with_news(self, entries: list[_Entry]) -> list[_Entry]:
        """Return those that the backend has told to look at; the others can wait."""
        with self._lock:
            return [one for one in entries if one.task.key in self._news_of]

    def _seen(self, entry: _Entry, report: object, now: float) -> bool:
        """Take in what a query said of a task; whether that was new."""
        key = entry.task.key
        if self._entries.get(key) is not entry:
            return False
        if not isinstance(report, Report) or report.key != key:
            entry.missing = now if entry.missing is None else entry.missing
            if now - entry.missing < self._lost_after or entry.grace is not None:
                return False
            said = "nothing is known of it any more, and it left no exit record"
            self._end(entry, Report(key, TaskState.LOST, reason=said))
            return True
        entry.missing = None
        if report.state in _OPEN:
            return self._tell_of(entry, report)
        if entry.grace is None:
            self._end(entry, report)
        else:
            entry.told = report  # its end is told when nothing of it is left
        return True

    def _watch(self) -> float | None:
        if self._closed or not self._at(_Stage.UNDER_WAY):
            return None
        keys = self._backend.watch(1.0)
        if keys is None:
            return None
        if keys:
            with self._lock:
                self._news_of.update(keys)
            self._workers["look"].ring()
            return self._backend.pace
        return 0

    # Stopping and forgetting

    def _stop(self) -> float | None:
        graces: dict[float, list[_Entry]] = {}
        for entry in self._at(_Stage.UNDER_WAY):
            if entry.grace is not None:
                graces.setdefault(entry.grace, []).append(entry)
        for grace, entries in graces.items():
            self._backend.stop({one.task.key: one.handle for one in entries}, grace)
            with self._lock:
                for entry in entries:
                    told = entry.told or entry.unless
                    self._end(entry, replace(told, state=TaskState.CANCELLED, reason=""))
        with self._lock:
            released = dict(self._released)
        if released:
            try:
                self._backend.forget(released)
            except ExecutorUnavailable:
                raise
            except Exception as error:  # it stays where it is; asking again would not help
                _LOG.exception("what is kept of tasks cannot be removed: %s", error)
            with self._lock:
                for key in released:
                    self._released.pop(key, None)
        return None

    # Telling

    def _at(self, stage: _Stage) -> list[_Entry]:
        with self._lock:
            return [one for one in self._entries.values() if one.stage is stage]

    def _tell_of(self, entry: _Entry, report: Report) -> bool:
        """Tell that a task waits or runs, unless just that was told; whether it was new."""
        told, entry.told = entry.told, report
        if told is not None and (told.state, told.reason, told.host) == (
            report.state,
            report.reason,
            report.host,
        ):
            return False
        self._tell(report)
        return True

    def _end(self, entry: _Entry, report: Report) -> None:
        if self._entries.pop(entry.task.key, None) is not None:
            if entry.handle:
                self._ended[entry.task.key] = entry.handle
            self._tell(report)

    def _tell(self, report: Report) -> None:
        """Ring the bell for the first of some news. The lock is held."""
        if not self._news and not self._closed:
            os.write(self._ring, b"x")
        self._news.append(report)


def _mapping(answer: object) -> Mapping[object, object]:
    """Return an answer as it is; raises ``TypeError`` for what is none."""
    if not isinstance(answer, Mapping):
        raise TypeError(f"a mapping was expected, not {answer!r:.80}")
    return answer
