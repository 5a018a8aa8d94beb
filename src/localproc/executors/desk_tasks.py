"""The tasks of a desk: how far each has come, and what is told of it.

Owns which of them wait to be handed on, are under way, are to be stopped and to be forgotten; what
the answers of a backend make of them; and the news for the loop, with the bell that is readable
while there is some. Must not know threads' turns, nor any backend. Threads may use it at once.
"""

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from time import monotonic
from typing import Final

from localproc import forks
from localproc.errors import ExecutorUnavailable
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Refused

_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)


class Stage(Enum):
    """How far a task has come."""

    WAITING = "not handed on yet"
    HANDING = "being handed on"
    SOUGHT = "to be found"
    UNDER_WAY = "it has a handle"


@dataclass(slots=True)
class DeskTask:
    """A task. ``grace`` is set once it is to be stopped; ``unless`` is what it is if not found."""

    task: Task
    stage: Stage
    unless: Report
    handle: str = ""
    uncertain: bool = False  #: it may have been handed on: nobody answered
    grace: float | None = None
    told: Report | None = None
    noted: bool = False  #: the backend has told to look at it
    missing: float | None = None  #: since when queries are answered without it


class DeskTasks:
    """All tasks that have not ended, and those whose end is not recorded yet.

    A task that queries do not know for ``lost_after`` seconds is lost.
    """

    def __init__(self, lost_after: float) -> None:
        self._lost_after = lost_after
        self._open: dict[str, DeskTask] = {}
        self._ended: dict[str, str] = {}  #: handles of tasks whose end is not recorded yet
        self._released: dict[str, str] = {}
        self._due = 0.0
        self._latest: float | None = None  #: while tasks wait to be handed on
        self._news: deque[Report] = deque()
        self._lock = threading.Lock()
        self.bell, self._ring = os.pipe()
        os.set_blocking(self.bell, False)
        self._closed = False

    def __len__(self) -> int:
        """Return how many have not ended."""
        return len(self._open)

    def has_work(self) -> bool:
        """Return whether there is anything that a backend is still asked for."""
        return bool(self._open or self._released)

    # What the loop wants

    def add(self, tasks: Sequence[Task], due: float, latest: float) -> bool:
        """Take tasks on that are not known; return whether there was one.

        What waits is handed on at ``due``, together with what comes until then; the first of it
        does not wait beyond ``latest`` for those (both monotonic).
        """
        with self._lock:
            new = [one for one in tasks if one.key not in self._open and one.key not in self._ended]
            for task in new:
                refused = Report(task.key, TaskState.REFUSED)
                self._open[task.key] = DeskTask(task, Stage.WAITING, refused)
            if new:
                self._latest = latest if self._latest is None else self._latest
                self._due = min(due, self._latest)
        return bool(new)

    def seek(self, tasks: Sequence[Task]) -> None:
        """Take on tasks that an earlier engine may have handed on."""
        with self._lock:
            for task in tasks:
                never = Report(task.key, TaskState.NEVER_STARTED)
                self._open.setdefault(task.key, DeskTask(task, Stage.SOUGHT, never))

    def stop(self, keys: Iterable[str], grace: float) -> None:
        """Note that tasks are to be stopped; what has certainly not been handed on has ended."""
        with self._lock:
            for key in keys:
                one = self._open.get(key)
                if one is None:
                    self._tell(Report(key, TaskState.CANCELLED))
                    continue
                one.grace = grace
                one.unless = Report(key, TaskState.CANCELLED)
                if one.stage is Stage.WAITING:
                    if one.uncertain:
                        one.stage = Stage.SOUGHT
                    else:
                        self._end(one, one.unless)

    def release(self, keys: Iterable[str]) -> bool:
        """Note that what is kept of tasks is to be removed; return whether there is anything."""
        with self._lock:
            known = [key for key in keys if key in self._ended]
            self._released.update((key, self._ended.pop(key)) for key in known)
        return bool(known)

    def news(self) -> list[Report]:
        """Take what is to be told, and quieten the bell."""
        with contextlib.suppress(BlockingIOError):
            os.read(self.bell, 4096)
        with self._lock:
            news, self._news = self._news, deque()
        return list(news)

    # What is asked of the backend

    def at(self, stage: Stage) -> list[DeskTask]:
        """Return the tasks that have come so far."""
        with self._lock:
            return [one for one in self._open.values() if one.stage is stage]

    def take(self, most: int) -> tuple[list[DeskTask], float | None]:
        """Return the tasks that are to be handed on now, and the seconds until it is asked again.

        ``None`` where nothing waits. As many as ``most`` do not wait for any more.
        """
        with self._lock:
            batch = [one for one in self._open.values() if one.stage is Stage.WAITING]
            wait = self._due - monotonic()
            if not batch:
                self._latest = None
                return [], None
            if wait > 0 and len(batch) < most:
                return [], wait
            for one in batch:
                one.stage = Stage.HANDING
            self._latest = None
            return batch, 0

    def to_stop(self) -> dict[float, list[DeskTask]]:
        """Return the tasks under way that are to be stopped, by their seconds of grace."""
        graces: dict[float, list[DeskTask]] = {}
        for one in self.at(Stage.UNDER_WAY):
            if one.grace is not None:
                graces.setdefault(one.grace, []).append(one)
        return graces

    def released(self) -> dict[str, str]:
        """Return the handles of tasks of which nothing needs to be kept, by their keys."""
        with self._lock:
            return dict(self._released)

    # What it has answered

    def handed(
        self, batch: Iterable[DeskTask], answers: Mapping[object, object]
    ) -> ExecutorUnavailable | None:
        """Take in what became of tasks that were handed on: handles, refusals, errors.

        Return why some were not taken for now, if there are any.
        """
        later = None
        with self._lock:
            for one in batch:
                answer = answers.get(one.task.key)
                if isinstance(answer, ExecutorUnavailable):
                    later = answer
                    self._put_off(one, answer.message)
                else:
                    self._handed(one, answer)
        return later

    def _handed(self, one: DeskTask, answer: object) -> None:
        if isinstance(answer, str):
            one.handle, one.stage = answer, Stage.UNDER_WAY
        elif isinstance(answer, Refused):
            state = TaskState.REFUSED if one.grace is None else TaskState.CANCELLED
            self._end(one, Report(one.task.key, state, reason=answer.reason))
        else:  # it may be there all the same
            one.stage = Stage.SOUGHT
            if one.grace is None:
                said = f"{type(answer).__name__}: {answer}" if answer else "it has no handle"
                one.unless = replace(
                    one.unless, state=TaskState.REFUSED, reason=f"it was not taken: {said}"
                )

    def put_off(self, batch: Iterable[DeskTask], reason: str) -> None:
        """Take in that nobody answered when tasks were handed on."""
        with self._lock:
            for one in batch:
                self._put_off(one, reason)

    def _put_off(self, one: DeskTask, reason: str) -> None:
        one.uncertain = True
        one.stage = Stage.WAITING if one.grace is None else Stage.SOUGHT
        if one.grace is None:
            self._tell_of(one, Report(one.task.key, TaskState.QUEUED, reason=reason))

    def found(self, sought: Iterable[DeskTask], handles: Mapping[object, object]) -> None:
        """Take in which tasks were found; the others are what they are unless found."""
        with self._lock:
            for one in sought:
                handle = handles.get(one.task.key)
                if isinstance(handle, str):
                    one.handle, one.stage = handle, Stage.UNDER_WAY
                else:
                    self._end(one, one.unless)

    def note(self, keys: Iterable[str]) -> None:
        """Take in that something has happened to tasks."""
        with self._lock:
            for key in keys:
                if (one := self._open.get(key)) is not None:
                    one.noted = True

    def seen(self, asked: Iterable[DeskTask], answers: Mapping[object, object], now: float) -> bool:
        """Take in what a query said of tasks at ``now`` (monotonic); return whether it was new."""
        with self._lock:
            news = [self._seen(one, answers.get(one.task.key), now) for one in asked]
        return any(news)

    def _seen(self, one: DeskTask, report: object, now: float) -> bool:
        key = one.task.key
        if self._open.get(key) is not one:
            return False
        if not isinstance(report, Report) or report.key != key:
            one.missing = now if one.missing is None else one.missing
            if now - one.missing < self._lost_after or one.grace is not None:
                return False
            said = "nothing is known of it any more, and it left no exit record"
            self._end(one, Report(key, TaskState.LOST, reason=said))
            return True
        one.missing = None
        if report.state in _OPEN:
            return self._tell_of(one, report)
        if one.grace is None:
            self._end(one, report)
        else:
            one.told = report  # its end is told when nothing of it is left
        return True

    def stopped(self, tasks: Iterable[DeskTask]) -> None:
        """Take in that nothing of tasks is left."""
        with self._lock:
            for one in tasks:
                told = one.told or one.unless
                self._end(one, replace(told, state=TaskState.CANCELLED, reason=""))

    def forget(self, keys: Iterable[str]) -> None:
        """Take in that nothing is kept of tasks any more."""
        with self._lock:
            for key in keys:
                self._released.pop(key, None)

    # Telling

    def _tell_of(self, one: DeskTask, report: Report) -> bool:
        """Tell that a task waits or runs, unless just that was told; whether it was new."""
        told, one.told = one.told, report
        if told is not None and (told.state, told.reason, told.host) == (
            report.state,
            report.reason,
            report.host,
        ):
            return False
        self._tell(report)
        return True

    def _end(self, one: DeskTask, report: Report) -> None:
        if self._open.pop(one.task.key, None) is not None:
            if one.handle:
                self._ended[one.task.key] = one.handle
            self._tell(report)

    def _tell(self, report: Report) -> None:
        """Ring the bell for the first of some news. The lock is held."""
        if not self._news and not self._closed:
            os.write(self._ring, b"x")
        self._news.append(report)

    def close(self) -> None:
        """Let go of the bell."""
        with self._lock:
            self._closed = True
            forks.close(self.bell, self._ring)

    def left_behind(self) -> None:
        """In a forked child: whoever had the lock is the parent's."""
        self._lock = threading.Lock()
        self.close()
