"""Containers of a Docker daemon as a backend.

Owns which containers the tasks of one home have, starting them as room allows, and removing them
once their ends are recorded. Must not know jobs or CWL. A container that has ended is the exit
record of its task: it stays until that end has been recorded.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc.executors.curtain import Curtain
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Capabilities, Refused
from localproc_docker import NO_IMAGE, private_tmp, task_containers
from localproc_docker.boxes import Boxes
from localproc_docker.container_ends import Ends
from localproc_docker.container_events import Events
from localproc_docker.daemons import Daemon
from localproc_docker.engine_api import EngineApi
from localproc_docker.feeds import Feeds
from localproc_docker.overdue import overdue
from localproc_docker.room import Room
from localproc_docker.starts import Starts
from localproc_docker.task_containers import Owner

_LOG: Final = logging.getLogger("localproc")
_PACE: Final = 0.02
_LATE: Final = 2.0  #: seconds between TERM and KILL for a task that took too long
_LATE_AT_ONCE: Final = 4
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)
_STUCK: Final = "the daemon does not answer for its container, but for others"
_TORN: Final = "what kept its secrets out of its logs was killed"


class DockerBackend:
    """Implements ``localproc.plugins.backend.Backend``."""

    def __init__(self, daemon: Daemon, api: EngineApi, owner: Owner, room: Room) -> None:
        self._daemon = daemon
        self._api = api
        self.owner = owner
        self.room = room
        self.boxes = Boxes(api, owner)
        self._feeds = Feeds(api)
        self.starts = Starts(api, self.boxes, owner, daemon.name, room.take, self._feeds)
        self.ends = Ends(api, self.boxes, daemon, self._feeds)
        self._tasks: dict[str, Task] = {}
        self._last: dict[str, Report] = {}
        #: Starts what others have asked room for.
        self.others: Callable[[Task], bool] | None = None
        #: Not those of the boxes, which ending some makes use of.
        self._late = ThreadPoolExecutor(_LATE_AT_ONCE, "localproc-docker-late")
        self._events = Events(api, owner.mark)

    @property
    def capabilities(self) -> Capabilities:
        """What a daemon can do."""
        return self._daemon.capabilities

    @property
    def most(self) -> int:
        """Twice what may run: as one ends, the next one is made already."""
        return self.room.slots * 2

    @property
    def pace(self) -> float:
        """Looking costs a request for each container that something has happened to."""
        return _PACE

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return which name no image; what a daemon cannot do it says when it is asked to."""
        return {one.key: NO_IMAGE for one in tasks if one.container is None}

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str | Refused]:
        """Make a container for each task, and start those that there is room for."""
        names = self.boxes.pool.map(self.starts.make, tasks)
        made = dict(zip((one.key for one in tasks), names, strict=True))
        for task in tasks:
            if isinstance(made[task.key], str):
                self._tasks[task.key] = task
                self.room.join(task)
        self._start()
        return made

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Ask for each container; one that the daemon is stuck with is what it was before."""
        answers = list(self.boxes.pool.map(self._answered, handles, handles.values()))
        away = [one for one in answers if isinstance(one, ExecutorUnavailable)]
        if away and len(away) == len(answers):
            raise away[0]
        reports = {}
        for key, answer in zip(handles, answers, strict=True):
            reports[key] = self._as_before(key) if isinstance(answer, LocalprocError) else answer
            if reports[key].state not in _OPEN:
                self.room.leave(key)
        self._last.update(reports)
        self._start()
        return reports

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """End containers; each ends with all that is in it."""
        self.ends.stopped.update(handles)
        for key in handles:
            self.room.leave(key)
        self.boxes.end(handles.values(), grace)

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return those that were started; of one that was only made nothing is left."""
        there = {one["Labels"][task_containers.KEY]: one["State"] for one in self.boxes.all()}
        made = [self.owner.name(one.key) for one in tasks if there.get(one.key) == "created"]
        list(self.boxes.pool.map(self.boxes.remove, made))
        found = [one for one in tasks if there.get(one.key, "created") != "created"]
        for task in found:
            self._tasks[task.key] = task
            self.room.take(task)
        return {one.key: self.owner.name(one.key) for one in found}

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove containers."""
        list(self.boxes.pool.map(self.boxes.remove, handles.values()))
        for key, name in handles.items():
            task_containers.curtain(self.owner, name).remove()
            if (task := self._tasks.pop(key, None)) is not None:
                private_tmp.remove(task.outdir)
            self._last.pop(key, None)
            self.starts.forget(key)
            self.ends.stopped.discard(key)

    def watch(self, seconds: float) -> Collection[str] | None:
        """Wait for news of containers; end those that have run too long."""
        news = self.news(seconds)
        return self.keys() if news is None else news

    def sweep(self, is_over: Callable[[str], bool]) -> None:
        """Have removed what is left of tasks that nobody asks for: nobody waits for that."""
        for one in overdue(self.boxes.all(), self.owner.folder, is_over):
            self.boxes.pool.submit(self.boxes.remove, one["Id"])

    def tidy(self) -> None:
        """Remove every container of the home that does not run."""
        for one in self.boxes.all():
            if one["State"] != "running":
                self.boxes.remove(one["Id"])
                name = self.owner.name(one["Labels"][task_containers.KEY])
                task_containers.curtain(self.owner, name).remove()

    def close(self) -> None:
        """Let go."""
        self._late.shutdown(wait=True, cancel_futures=True)
        self._feeds.close()
        self.boxes.close()
        self._events.close()
        self._api.close()

    def keys(self) -> list[str]:
        """Return the keys of all tasks."""
        return list(self._tasks)

    def news(self, seconds: float) -> Collection[str] | None:
        """Wait for news of containers; ``None`` if some may have been missed."""
        if late := self.ends.late():
            self._late.submit(self._stop_late, late)
        left = self.ends.next_late()
        return self._events.wait(seconds if left is None else min(seconds, max(0.0, left)))

    def _answered(self, key: str, name: str) -> Report | ExecutorUnavailable:
        try:
            return self._seen(key, name)
        except ExecutorUnavailable as error:
            return error

    def _as_before(self, key: str) -> Report:
        """Return what was known of a task, whose container the daemon does not answer for."""
        return replace(self._last.get(key, Report(key, TaskState.QUEUED)), reason=_STUCK)

    def _seen(self, key: str, name: str) -> Report:
        if (failed := self.starts.failed.get(key)) is not None:
            return failed
        report = self.ends.seen(key, name, self._tasks.get(key))
        curtain = task_containers.curtain(self.owner, name)
        if curtain.exists and _is_exposed(report, curtain):
            report = Report(key, TaskState.LOST, reason=_TORN)
        if report.state is TaskState.LOST:
            self.boxes.remove(name)
            self.starts.failed[key] = report
        return report

    def _start(self) -> None:
        """Start those that there is room for; one whose start fails is told of by ``look``."""
        tasks = self.room.next()
        for task, known in zip(tasks, self.boxes.pool.map(self._started, tasks), strict=True):
            if not known:
                self.room.put_back(task)

    def _started(self, task: Task) -> bool:
        """Start a container; whether it is known what came of it."""
        if task.key not in self._tasks and self.others is not None:
            return self.others(task)
        return self.starts.start(task)

    def _stop_late(self, keys: Sequence[str]) -> None:
        try:
            self.boxes.end([self.owner.name(key) for key in keys], _LATE)
        except LocalprocError as error:
            _LOG.info("tasks that take too long cannot be ended: %s", error)
        finally:
            self.ends.let_be(keys)


def _is_exposed(report: Report, curtain: Curtain) -> bool:
    """Return whether a task has lost what hides its secrets before that was of no more use."""
    if report.state is TaskState.QUEUED:
        return False
    return curtain.is_torn() if report.state is TaskState.RUNNING else not curtain.falls()
