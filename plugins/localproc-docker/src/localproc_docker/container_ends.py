"""What has become of the containers of tasks.

Owns telling how one has ended and why, by all that the daemon knows, and which have run too long.
Must not know how containers are made or ended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any, Final

from localproc.model import Report, Task, TaskState
from localproc_docker import streams, task_containers
from localproc_docker.boxes import Boxes
from localproc_docker.container_events import was_sent
from localproc_docker.daemons import Daemon
from localproc_docker.engine_api import ApiRefused, EngineApi
from localproc_docker.feeds import Feeds

_SIGNALLED: Final = 128
_KILLED: Final = 137
#: How long a container that podman removes is still there once it was killed, and between looks.
_GOING, _LOOK = timedelta(seconds=1), 0.05
_GONE: Final = "its container was removed"
_CUT_OFF: Final = "who sent it what it reads went away, so it may not have had all of that"


class Ends:
    """Containers of tasks as they are. May be used by several threads at once."""

    def __init__(self, api: EngineApi, boxes: Boxes, daemon: Daemon, feeds: Feeds) -> None:
        self._api = api
        self._boxes = boxes
        self._daemon = daemon
        self._feeds = feeds
        self.stopped: set[str] = set()  #: their ends are no surprise
        self._late: set[str] = set()  #: are being stopped, for they took too long
        self._deadlines: dict[str, datetime] = {}

    def seen(self, key: str, name: str, task: Task | None) -> Report:
        """Ask for a container."""
        try:
            seen = self._boxes.seen(name)
        except ApiRefused as error:
            if error.code != 404:
                raise
            self._deadlines.pop(key, None)
            return Report(key, TaskState.CANCELLED, reason=_GONE)
        report = task_containers.report(key, seen)
        if self._is_cut_off(report, name, seen):
            self._deadlines.pop(key, None)
            return Report(key, TaskState.LOST, reason=_CUT_OFF)
        if report.state is TaskState.RUNNING:
            self._expect(report, task_containers.limit(seen))
        elif report.state is not TaskState.QUEUED:
            self._deadlines.pop(key, None)
            self._keep_streams(task, name, seen)
            report = self._explained(report, name, task)
        return report

    def ending(self, key: str, name: str, begun: Report) -> Report:
        """Return how a task has ended that was running when a container ended."""
        try:
            seen = self._boxes.seen(name)
        except ApiRefused as error:
            if error.code != 404:
                raise
            return replace(begun, state=TaskState.CANCELLED, reason=_GONE)
        report = replace(task_containers.report(key, seen), started=begun.started)
        return self._explained(report, name, None)

    def next_late(self) -> float | None:
        """Return in how many seconds the next one will have run too long; ``None``: none will."""
        next_one = min(list(self._deadlines.values()), default=None)
        return None if next_one is None else (next_one - datetime.now(UTC)).total_seconds()

    def late(self) -> list[str]:
        """Return the keys of those that have run too long now, each once until it is ``let_be``."""
        now = datetime.now(UTC)
        found = [
            key
            for key, deadline in list(self._deadlines.items())
            if deadline <= now and self._deadlines.pop(key, None) is not None
        ]
        self._late.update(found)
        return found

    def let_be(self, keys: Iterable[str]) -> None:
        """Take note that late ones were stopped; one that was not is seen to be late again."""
        self._late.difference_update(keys)

    def _expect(self, report: Report, limit: float) -> None:
        """Remember when a task will have run too long."""
        known = report.key in self.stopped or report.key in self._late
        if limit and report.started is not None and not known:
            self._deadlines.setdefault(report.key, report.started + timedelta(seconds=limit))

    def _is_cut_off(self, report: Report, name: str, seen: Mapping[str, Any]) -> bool:
        """Whether a task may have read less than there was: nobody can tell by its end."""
        if report.state is TaskState.QUEUED or report.key in self.stopped:
            return False
        ended = report.state is not TaskState.RUNNING
        return task_containers.is_fed(seen) and not self._feeds.is_sound(name, ended=ended)

    def _explained(self, report: Report, name: str, task: Task | None) -> Report:
        """Say that somebody has killed a task, if that was done by way of the daemon."""
        if report.state is not TaskState.ENDED or report.key in self.stopped:
            return report
        if report.exit_code is None or report.exit_code <= _SIGNALLED or report.started is None:
            return report
        signal = report.exit_code - _SIGNALLED
        if not was_sent(self._api, self._daemon, name, signal, report.started):
            if self._is_going(report, name):
                return replace(report, state=TaskState.CANCELLED, exit_code=None, reason=_GONE)
            return self._hungry(report, task)
        said = f"somebody sent it signal {signal} by way of {self._daemon.name}"
        return replace(report, state=TaskState.CANCELLED, reason=said)

    def _is_going(self, report: Report, name: str) -> bool:
        """Whether a container is being removed: podman kills it first, and tells that nowhere."""
        if self._daemon.replays or report.exit_code != _KILLED:
            return False
        now = datetime.now(UTC)
        until = min(report.ended or now, now) + _GOING
        while datetime.now(UTC) < until:
            sleep(_LOOK)
            try:
                self._boxes.seen(name)
            except ApiRefused as error:
                if error.code != 404:
                    raise
                return True
        return False

    def _hungry(self, report: Report, task: Task | None) -> Report:
        """Say that a task was killed for its memory, where the daemon never tells."""
        if self._daemon.tells_of_memory or task is None or report.exit_code != _KILLED:
            return report
        if not task.resources.ram_max:
            return report
        said = f"it was killed, and might use {task.resources.ram_max} MiB of memory"
        return replace(report, state=TaskState.OUT_OF_MEMORY, reason=said)

    def _keep_streams(self, task: Task | None, name: str, seen: Mapping[str, Any]) -> None:
        """Write the streams of a container without a shell, which the daemon has kept."""
        if task is None or not task_containers.keeps_streams(seen):
            return
        query = {"stdout": True, "stderr": True}
        with self._api.pieces("GET", f"/containers/{name}/logs", **query) as pieces:
            streams.write(task, pieces)
