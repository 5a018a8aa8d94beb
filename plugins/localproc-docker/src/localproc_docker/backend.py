"""Containers of a Docker daemon as a backend.

Owns the containers of one home at one daemon: making, starting as room allows, watching, stopping
and removing them. Must not know jobs or CWL. A container that has ended is the exit record of its
task: it stays until that end has been recorded.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from localproc.errors import ExecutorUnavailable, ImageError
from localproc.executors.curtain import Curtain
from localproc.model import Report, Task, TaskState
from localproc.plugins import containers as shared
from localproc.plugins.backend import Capabilities, Refused
from localproc.plugins.containers import Image
from localproc_docker import NO_IMAGE, containers, images, streams
from localproc_docker.addresses import Daemon
from localproc_docker.containers import Owner
from localproc_docker.engine_api import ApiRefused, EngineApi
from localproc_docker.events import Events, signal_sent
from localproc_docker.room import Room

_AT_A_TIME: Final = 8  #: requests; the daemon itself works on a few at a time
_PACE: Final = 0.02
_LATE: Final = 2.0  #: seconds between TERM and KILL for a task that took too long
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)
_SHELL: Final = '"/bin/sh"'  #: stands in the message if an image has none
_SIGNALLED: Final = 128
_KILLED: Final = 137
_NO_DRIVER: Final = "could not select device driver"
_PATIENCE: Final = 30.0
_CURTAINS: Final = "curtains"  #: in the executor's own folder: pipes of tasks with secrets
_UNCERTAIN: Final = "the daemon went away as it was started, so it may have begun"
_GONE: Final = "its container was removed, not by localproc"
_TORN: Final = "what kept its secrets out of its logs was killed"
_NO_SHELL: Final = "its image has no /bin/sh to be given "


class DockerBackend:
    """Implements ``localproc.plugins.backend.Backend``."""

    def __init__(self, daemon: Daemon, api: EngineApi, owner: Owner, room: Room) -> None:
        self._daemon = daemon
        self._api = api
        self.owner = owner
        self.room = room
        self._tasks: dict[str, Task] = {}
        self._deadlines: dict[str, datetime] = {}
        self._stopped: set[str] = set()
        self._late: set[str] = set()  #: are being stopped, for they took too long
        self._failed: dict[str, Report] = {}  #: tasks that could not be started
        self._uncertain: set[str] = set()  #: may have been started: nobody answered
        self._plain: set[str] = set()  #: images without a shell
        #: Starts what others have asked room for.
        self.others: Callable[[Task], bool] | None = None
        self.pool = ThreadPoolExecutor(_AT_A_TIME, "localproc-docker")
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
        made = dict(zip((one.key for one in tasks), self.pool.map(self._make, tasks), strict=True))
        for task in tasks:
            if isinstance(made[task.key], str):
                self._tasks[task.key] = task
                self.room.join(task)
        self._start()
        return made

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Ask for each container."""
        reports = list(self.pool.map(self._seen, handles, handles.values()))
        for report in reports:
            if report.state not in _OPEN:
                self.room.leave(report.key)
                self._deadlines.pop(report.key, None)
        self._start()
        return {one.key: one for one in reports}

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """Have the daemon send TERM, wait, and kill; a container ends with all that is in it."""
        self._stopped.update(handles)
        for key in handles:
            self.room.leave(key)
        list(self.pool.map(lambda name: self._end(name, grace), handles.values()))

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return those that were started; ``submit`` makes use of one that was only made."""
        there = {
            one["Labels"][containers.KEY]: self.owner.name(one["Labels"][containers.KEY])
            for one in self._all()
            if one["State"] != "created"
        }
        found = [task for task in tasks if task.key in there]
        for task in found:
            self._tasks[task.key] = task
            self.room.take(task)
        return {task.key: there[task.key] for task in found}

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove containers."""
        list(self.pool.map(self.remove, handles.values()))
        for key, name in handles.items():
            self._curtain(name).remove()
            self._tasks.pop(key, None)
            self._failed.pop(key, None)
            self._stopped.discard(key)

    def watch(self, seconds: float) -> Collection[str] | None:
        """Wait for news of containers; end those that have run too long."""
        news = self.news(seconds)
        return self.keys() if news is None else news

    def tidy(self) -> None:
        """Remove every container of the home that does not run."""
        for one in self._all():
            if one["State"] != "running":
                self.remove(one["Id"])
                self._curtain(self.owner.name(one["Labels"][containers.KEY])).remove()

    def close(self) -> None:
        """Let go."""
        self.pool.shutdown(wait=True, cancel_futures=True)
        self._events.close()
        self._api.close()

    # For containers that are shared

    @property
    def folder(self) -> str:
        """The executor's own folder."""
        return self.owner.folder

    def keys(self) -> list[str]:
        """Return the keys of all tasks."""
        return list(self._tasks)

    def name(self, key: str) -> str:
        """Return the name of a container."""
        return self.owner.name(key)

    def usable(self, task: Task) -> Image | None:
        """Return a task's image if it is here, and has a shell for all that is known."""
        image = self._image(task)
        return None if isinstance(image, Refused) or image.id in self._plain else image

    def run(self, name: str, body: Mapping[str, Any]) -> None:
        """Make and start a container; nothing is left of one that does not start."""
        try:
            self._api.post("/containers/create", body, name=name)
            self._api.post(f"/containers/{name}/start")
        except ApiRefused:
            self.remove(name)
            raise

    def runs(self, name: str) -> bool:
        """Return whether a container runs."""
        try:
            return containers.runs(self._seen_raw(name))
        except ApiRefused as error:
            if error.code != 404:
                raise
            return False

    def signal(self, name: str, signal: str) -> None:
        """Send a container a signal, if it runs."""
        try:
            self._api.post(f"/containers/{name}/kill", signal=signal)
        except ApiRefused as error:
            if error.code not in (404, 409, 500):  # podman has no better word for "it does not run"
                raise

    def refuse(self, key: str, reason: str) -> None:
        """Have a task told of as one that cannot be started."""
        self._failed[key] = Report(key, TaskState.REFUSED, reason=reason)

    def ending(self, key: str, name: str, begun: Report) -> Report:
        """Return how a task has ended that was running when a container ended."""
        try:
            seen = self._seen_raw(name)
        except ApiRefused as error:
            if error.code != 404:
                raise
            return replace(begun, state=TaskState.CANCELLED, reason=_GONE)
        report = replace(containers.report(key, seen), started=begun.started)
        return self._explained(report, name)

    def news(self, seconds: float) -> Collection[str] | None:
        """Wait for news of containers; ``None`` if some may have been missed."""
        now = datetime.now(UTC)
        for key, deadline in list(self._deadlines.items()):
            if deadline <= now and self._deadlines.pop(key, None) is not None:
                self._late.add(key)
                self.pool.submit(self._stop_late, key)
        left = min(list(self._deadlines.values()), default=None)
        if left is not None:
            seconds = min(seconds, max(0.0, (left - now).total_seconds()))
        return self._events.wait(seconds)

    # One container

    def _make(self, task: Task) -> str | Refused:
        image = self._image(task)
        made = image if isinstance(image, Refused) else self._create(task, image)
        if isinstance(made, Refused):
            self._curtain(self.owner.name(task.key)).remove()
        return made

    def _image(self, task: Task) -> Image | Refused:
        """Return the image of a task, or why there is none for it."""
        box = task.container
        if box is None:
            return Refused(NO_IMAGE)
        try:
            image = images.find(self._api, box)
        except ImageError as error:
            return Refused(error.message)
        if image is None:
            said = images.brings(box, self._daemon.name)
            return Refused(f"the image {box.image} is not here: {said} brings it")
        if box.digest and box.digest != image.digest:
            return Refused(f"the image {box.image} is another one than when the step was prepared")
        if not (task.argv or image.entrypoint or image.command):
            return Refused(f"it has no command, and the image {box.image} has none either")
        return image

    def _create(self, task: Task, image: Image) -> str | Refused:
        name = self.owner.name(task.key)
        shell = image.id not in self._plain
        if not shell and (task.stdin is not None or task.secrets):
            return Refused(_NO_SHELL + ("its secrets" if task.secrets else "what it reads"))
        if shell:
            for path in (task.stdout, task.stderr):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "ab"):
                    pass
        curtain = self._curtain(name) if task.secrets else None
        if curtain is not None:
            curtain.make(task)
        body = containers.creation(task, image, self.owner, shell=shell, curtain=curtain)
        for one in body["HostConfig"]["Mounts"]:  # some daemons would make an empty folder of it
            if not os.path.exists(one["Source"]):
                return Refused(f"it is to see {one['Source']}, which is not there")
        try:
            self._api.post("/containers/create", body, name=name)
        except ApiRefused as error:
            if error.code != 409:
                return Refused(error.message)
            if not containers.is_waiting(self._seen_raw(name)):
                self.room.take(task)  # it was started by an earlier call
                return name
        if curtain is not None:
            curtain.draw(task, shared.command(task, image))
        return name

    def _curtain(self, name: str) -> Curtain:
        """Return what hides the secrets of a container's task, if it has any."""
        return Curtain(os.path.join(self.folder, _CURTAINS, name))

    def _start(self) -> None:
        """Start those that there is room for; one whose start fails is told of by ``look``."""
        tasks = self.room.next()
        for task, known in zip(tasks, self.pool.map(self._started, tasks), strict=True):
            if not known:
                self.room.put_back(task)

    def _started(self, task: Task) -> bool:
        """Start a container; whether it is known what came of it."""
        if task.key not in self._tasks and self.others is not None:
            return self.others(task)
        name = self.owner.name(task.key)
        try:
            if task.key in self._uncertain and self._was_begun(task.key, name):
                return True
            self._api.post(f"/containers/{name}/start")
        except ExecutorUnavailable as error:
            if not _is_unsent(error):
                self._uncertain.add(task.key)
            return False
        except ApiRefused as error:
            if error.code == 404:  # it has been removed meanwhile: a look will tell
                return True
            seen = self._seen_raw(name)
            if _SHELL in error.message and not containers.keeps_streams(seen):
                return self._start_plain(task, name, containers.image_id(seen))
            self.refuse(task.key, _why(task, error.message))
        return True

    def _was_begun(self, key: str, name: str) -> bool:
        """Return whether a task is not to be started again, as it runs or may have run.

        A daemon that is killed as it starts a container forgets that, and would start it anew.
        """
        if containers.is_waiting(self._seen_raw(name)):
            self.remove(name)
            self._failed[key] = Report(key, TaskState.LOST, reason=_UNCERTAIN)
        self._uncertain.discard(key)
        return True

    def _start_plain(self, task: Task, name: str, image: str) -> bool:
        """Make a container again, of an image that turned out to have no shell."""
        assert task.container is not None
        self._plain.add(image)
        self.remove(name)
        made = self._make(task)
        if isinstance(made, Refused):
            self.refuse(task.key, made.reason)
            return True
        return self._started(task)

    def _seen_raw(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._api.get(f"/containers/{name}/json")
        return found

    def _seen(self, key: str, name: str) -> Report:
        if (failed := self._failed.get(key)) is not None:
            return failed
        try:
            seen = self._seen_raw(name)
        except ApiRefused as error:
            if error.code != 404:
                raise
            return Report(key, TaskState.CANCELLED, reason=_GONE)
        report = containers.report(key, seen)
        if (curtain := self._curtain(name)).exists and self._is_exposed(report, curtain):
            self.remove(name)
            self._failed[key] = Report(key, TaskState.LOST, reason=_TORN)
            return self._failed[key]
        if report.state is TaskState.RUNNING:
            self._expect(report, containers.limit(seen))
        elif report.state is not TaskState.QUEUED:
            self._keep_streams(key, name, seen)
            report = self._explained(report, name)
        return report

    def _is_exposed(self, report: Report, curtain: Curtain) -> bool:
        """Return whether a task has lost what hides its secrets before it was of no more use."""
        if report.state is TaskState.QUEUED:
            return False
        return curtain.is_torn() if report.state is TaskState.RUNNING else not curtain.falls()

    def _expect(self, report: Report, limit: float) -> None:
        """Remember when a task will have run too long."""
        known = report.key in self._stopped or report.key in self._late
        if limit and report.started is not None and not known:
            self._deadlines.setdefault(report.key, report.started + timedelta(seconds=limit))

    def _explained(self, report: Report, name: str) -> Report:
        """Say that somebody has killed a task, if that was done by way of the daemon."""
        if report.state is not TaskState.ENDED or report.key in self._stopped:
            return report
        if report.exit_code is None or report.exit_code <= _SIGNALLED or report.started is None:
            return report
        signal = signal_sent(self._api, name, report.started)
        if not signal:
            return self._hungry(report)
        said = f"somebody sent it signal {signal} by way of docker, not localproc"
        return replace(report, state=TaskState.CANCELLED, reason=said)

    def _hungry(self, report: Report) -> Report:
        """Say that a task was killed for its memory, where the daemon never tells."""
        task = self._tasks.get(report.key)
        if self._daemon.tells_of_memory or task is None or report.exit_code != _KILLED:
            return report
        if not task.resources.ram_max:
            return report
        said = f"it was killed, and might use {task.resources.ram_max} MiB of memory"
        return replace(report, state=TaskState.OUT_OF_MEMORY, reason=said)

    def _keep_streams(self, key: str, name: str, seen: Mapping[str, Any]) -> None:
        """Write the streams of a container without a shell, which the daemon has kept."""
        task = self._tasks.get(key)
        if task is None or not containers.keeps_streams(seen):
            return
        query = {"stdout": True, "stderr": True}
        with self._api.pieces("GET", f"/containers/{name}/logs", **query) as pieces:
            streams.write(task, pieces)

    def _stop_late(self, key: str) -> None:
        try:
            self._stop(self.owner.name(key), _LATE)
        finally:
            self._late.discard(key)  # if that failed, it is seen to be late again

    def _end(self, name: str, grace: float) -> None:
        """Stop a container that somebody may be about to start just now."""
        self._stop(name, grace)
        try:
            seen = self._seen_raw(name)
        except ApiRefused as error:
            if error.code != 404:
                raise
            return
        if containers.is_waiting(seen):
            self.remove(name)
        elif containers.runs(seen):
            self._stop(name, grace)

    def _stop(self, name: str, grace: float) -> None:
        """Stop a container, if it is there and has been started."""
        try:
            self._api.post(f"/containers/{name}/stop", patience=grace + _PATIENCE, t=int(grace))
        except ApiRefused as error:
            if error.code != 404:
                raise

    def remove(self, name: str) -> None:
        """Remove a container, whether it runs or not."""
        try:
            self._api.delete(f"/containers/{name}", force=True, v=True)
        except ApiRefused as error:
            if error.code not in (404, 409):  # it is gone, or somebody removes it just now
                raise

    def _all(self) -> Sequence[Mapping[str, Any]]:
        """Return all containers of the home."""
        wanted = {"label": [f"{containers.HOME}={self.owner.mark}"]}
        found: Sequence[Mapping[str, Any]] = self._api.get(
            "/containers/json", all=True, filters=wanted
        )
        return found


def _why(task: Task, message: str) -> str:
    """Return why a container cannot be started, so that people know what to do."""
    if _NO_DRIVER in message and task.resources.gpus:
        return (
            f"it needs GPUs ({task.resources.gpus}), and the daemon has no driver for any: "
            "install the NVIDIA container toolkit, and restart the daemon"
        )
    return message


def _is_unsent(error: ExecutorUnavailable) -> bool:
    """Return whether the daemon cannot have heard of what it was asked."""
    return isinstance(error.__cause__, (httpx.ConnectError, httpx.ConnectTimeout))
