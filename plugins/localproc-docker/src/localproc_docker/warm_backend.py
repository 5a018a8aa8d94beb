"""A backend whose short tasks share containers.

Owns which tasks do, and that each of the others has a container of its own, as ever. Must not know
how loops are fed.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Capabilities, Refused
from localproc.plugins.containers import Image
from localproc_docker import private_tmp, warm
from localproc_docker.backend import DockerBackend
from localproc_docker.lanes import Lanes

_MOST: Final = 256  #: tasks at a time: those that share a container are worth nothing one by one
_GLANCE: Final = 0.01  #: seconds between two looks at what loops have written
_LATE: Final = 2.0


class WarmBackend:
    """Implements ``localproc.plugins.backend.Backend``."""

    def __init__(self, cold: DockerBackend, mode: str) -> None:
        self._cold = cold
        self._mode = mode
        self._lanes = Lanes(cold.owner.folder, cold.room, self)
        self._tasks: dict[str, Task] = {}
        self._deadlines: dict[str, datetime] = {}
        self._stopped: set[str] = set()
        cold.others = self._start

    @property
    def capabilities(self) -> Capabilities:
        """What the daemon can do."""
        return self._cold.capabilities

    @property
    def most(self) -> int:
        """Many: a loop is done with one in no time."""
        return _MOST

    @property
    def pace(self) -> float:
        """Looking at tasks that share a container costs next to nothing."""
        return self._cold.pace

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return which can never run."""
        return self._cold.check(tasks)

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str | Refused]:
        """Have those share containers that may."""
        answers: dict[str, str | Refused] = {}
        alone = []
        for task in tasks:
            image = self._cold.starts.usable(task)
            sharing = image and warm.sharing(task, image, self._mode)
            if image is None or sharing is None or not _is_there(task):
                alone.append(task)
                continue
            self._lanes.join(task, sharing, image)
            self._tasks[task.key] = task
            answers[task.key] = self._cold.owner.name(task.key)
        self._lanes.feed()
        return {**answers, **self._cold.submit(alone)}

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Ask for those that have a container of their own; read what has become of the others."""
        found = self._lanes.look(handles)
        for report in found.values():
            self._expect(report)
        others = {key: name for key, name in handles.items() if key not in found}
        return {**found, **self._cold.look(others)}

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """Stop tasks, and no others of the containers that they share."""
        ours, others = self._parted(handles)
        self._stopped.update(ours)
        list(self._cold.boxes.pool.map(lambda key: self._lanes.stop(key, grace), ours))
        self._cold.stop(others, grace)

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return those that were handed on."""
        found = self._lanes.find(tasks)
        self._tasks.update((one.key, one) for one in tasks if one.key in found)
        others = [one for one in tasks if one.key not in found]
        return {key: self._cold.owner.name(key) for key in found} | dict(self._cold.find(others))

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove records, and containers that nobody has a use for."""
        ours, others = self._parted(handles)
        self._lanes.forget(ours)
        for key in ours:
            self._tasks.pop(key, None)
            self._deadlines.pop(key, None)
            self._stopped.discard(key)
        self._cold.forget(others)

    def watch(self, seconds: float) -> Collection[str] | None:
        """Wait for news of either kind."""
        until = monotonic() + seconds
        while True:
            self._end_late()
            if self._lanes.has_news():
                return list(self._tasks)
            left = max(0.0, until - monotonic())
            news = self._cold.news(min(left, _GLANCE) if self._lanes.busy() else left)
            if news is None:
                self._lanes.suspect()
                return [*self._tasks, *self._cold.keys()]
            lanes = [one for one in news if one.startswith(warm.LANE)]
            self._lanes.suspect(one.removeprefix(warm.LANE) for one in lanes)
            if news or left == 0:
                return news

    def tidy(self) -> None:
        """Remove what is left."""
        self._cold.tidy()
        self._lanes.tidy()

    def close(self) -> None:
        """Let go."""
        self._lanes.close()
        self._cold.close()

    # What a daemon does for containers that are shared

    def open(self, folder: str, tasks: Sequence[Task], image: Image) -> Sequence[dict[str, Any]]:
        """Make and start a container with a loop."""
        name = os.path.basename(folder)
        body = warm.creation(name, folder, tasks, image, self._cold.owner)
        private_tmp.make(body["HostConfig"]["Mounts"])
        self._cold.boxes.run(self._named(name), body)
        found: Sequence[dict[str, Any]] = body["HostConfig"]["Mounts"]
        return found

    def alive(self, name: str) -> bool:
        """Return whether a container runs."""
        return self._cold.boxes.runs(self._named(name))

    def ending(self, name: str, report: Report) -> Report:
        """Return how a task has ended with its container."""
        return self._cold.ends.ending(report.key, self._named(name), report)

    def signal(self, name: str, signal: str) -> None:
        """Send a loop a signal."""
        self._cold.boxes.signal(self._named(name), signal)

    def remove(self, name: str) -> None:
        """Remove a container."""
        self._cold.boxes.remove(self._named(name))

    def cold(self, tasks: Sequence[Task]) -> None:
        """Give tasks containers of their own."""
        for key, answer in self._cold.submit(tasks).items():
            if isinstance(answer, Refused):
                self._cold.starts.refuse(key, answer.reason)

    def _named(self, name: str) -> str:
        return self._cold.owner.name(warm.LANE + name)

    def _start(self, task: Task) -> bool:
        """Start a container that there is room for; whether it is known what came of it."""
        try:
            self._lanes.start(task.key)
        except ExecutorUnavailable:
            return False
        return True

    def _parted(self, handles: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
        ours = [key for key in handles if self._lanes.knows(key)]
        return ours, {key: name for key, name in handles.items() if not self._lanes.knows(key)}

    # Tasks that take too long

    def _expect(self, report: Report) -> None:
        """Remember when a task will have run too long."""
        task = self._tasks.get(report.key)
        if report.state is not TaskState.RUNNING:
            self._deadlines.pop(report.key, None)
        elif task and report.started and task.resources.time and report.key not in self._stopped:
            limit = timedelta(seconds=task.resources.time)
            self._deadlines.setdefault(report.key, report.started + limit)

    def _end_late(self) -> None:
        now = datetime.now(UTC)
        for key, deadline in list(self._deadlines.items()):
            if deadline <= now and self._deadlines.pop(key, None) is not None:
                self._stopped.add(key)
                self._cold.boxes.pool.submit(self._end, key)

    def _end(self, key: str) -> None:
        try:
            self._lanes.stop(key, _LATE, late=True)
        except LocalprocError:
            self._stopped.discard(key)  # it is seen to be late again


def _is_there(task: Task) -> bool:
    """Return whether a task finds what it is to see; who does not is told why elsewhere."""
    paths = (task.outdir, task.tmpdir, *task.reads, *task.writes)
    return all(map(os.path.exists, paths))
