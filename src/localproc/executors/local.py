"""The local executor: tasks are processes of this machine, started by a keeper.

Owns the conversation with one keeper, and following the tasks of keepers whose engines have gone.
Must not know jobs or CWL.
"""

import contextlib
import itertools
import json
import os
import selectors
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.journals import Journal, journals
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import ExecutorSettings

_AHEAD: Final = 2  #: tasks a slot that wait at the keeper, so that no slot waits for the engine
_FOLLOW: Final = 0.05  #: seconds between looks at the journals of other keepers
_KEEPER: Final = os.path.join(os.path.dirname(__file__), "keeper.py")
_NO_KEEPER: Final = "its keeper died before it had recorded an end"


class LocalExecutor:
    """Implements ``localproc.plugins.executor.Executor``."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._folder = os.path.join(settings.folder, settings.engine)
        self._open: dict[str, Task] = {}
        self._pids: dict[str, int] = {}
        self._followed: dict[str, Journal] = {}
        self._stopping: dict[str, _Stop] = {}
        self._stops: dict[int, _Stop] = {}
        self._numbers = itertools.count(1)
        self._inbox = b""
        self._talk = self._hear = -1  #: pipes to and from the keeper
        self._pid = 0
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._bell, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)

    def fileno(self) -> int | None:
        """Give the selector's own descriptor: readable when any of its sources is."""
        return self._selector.fileno()

    def interval(self) -> float | None:
        """Give how often the journals of other keepers are looked at, while there are any."""
        return _FOLLOW if self._followed else None

    def room(self) -> int:
        """Give what keeps every slot busy with some tasks waiting."""
        return self._settings.slots * (1 + _AHEAD) - len(self._open)

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand tasks to the keeper."""
        new = [task for task in tasks if task.key not in self._open]
        if not new:
            return
        self._start_keeper()
        self._open.update((task.key, task) for task in new)
        try:
            self._say("".join(map(_line, new)))
        except OSError as error:
            for task in new:
                del self._open[task.key]
            raise ExecutorUnavailable(f"the keeper does not answer: {error}") from error

    def poll(self) -> Sequence[Report]:
        """Give what the keepers have told since the last call."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._bell, 4096)
        reports = [*self._listen(), *self._follow()]
        return [*self._hold_back(reports), *self._stopped()] if self._stopping else reports

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """End tasks in a thread of their own; the loop goes on."""
        stop = _Stop([self._open[key] for key in keys if key in self._open], self._ring)
        for key in keys:
            self._stopping.setdefault(key, stop)
            if key not in self._open:
                stop.ended[key] = Report(key, TaskState.CANCELLED)
        stop.start({task.outdir: self._pids.get(task.key) for task in stop.tasks}, grace)
        number = next(self._numbers)
        self._stops[number] = stop
        message = {"stop": [task.key for task in stop.tasks], "id": number}
        if self._hear < 0:
            stop.barrier.set()
            return
        try:
            self._say(json.dumps(message) + "\n")
        except OSError:
            stop.barrier.set()

    def reattach(self, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """Look for tasks in the journals of keepers whose engines have gone."""
        wanted = {task.key: task for task in tasks}
        found: dict[str, Report] = {}
        for journal in journals(self._settings.folder):
            if journal.folder == self._folder:
                continue
            lives = journal.keeper_lives()
            for line in journal.news():
                if line["key"] in wanted:
                    self._open[line["key"]] = wanted[line["key"]]
                    found[line["key"]] = self._report(line)
            for key, report in found.items():
                if report.state is TaskState.RUNNING and key not in self._followed:
                    if lives:
                        self._followed[key] = journal
                    else:
                        found[key] = self._lost(key)
        return found

    def tidy(self) -> None:
        """Remove the journals of keepers that are gone."""
        for journal in journals(self._settings.folder):
            if journal.folder != self._folder and not journal.keeper_lives():
                journal.remove()

    def close(self) -> None:
        """Leave the keeper to its tasks; without any it goes at once."""
        if self._hear >= 0:
            self._hang_up()
            if not self._open:
                os.waitpid(self._pid, 0)
                Journal(self._folder).remove()
        self._selector.close()
        os.close(self._bell)
        os.close(self._ring)

    def _start_keeper(self) -> None:
        if self._hear >= 0:
            return
        os.makedirs(self._folder, exist_ok=True)
        stdin, self._talk = os.pipe()
        self._hear, stdout = os.pipe()
        settings = self._settings
        capacity = [str(settings.cores), str(settings.ram), str(settings.slots)]
        argv = [sys.executable, "-I", "-S", _KEEPER, self._folder, *capacity]
        files = [
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_DUP2, stdout, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            self._pid = os.posix_spawn(
                sys.executable, argv, os.environ, file_actions=files, setsid=True
            )
        except NotImplementedError:  # an older macOS
            self._pid = os.posix_spawn(
                sys.executable, argv, os.environ, file_actions=files, setpgroup=0
            )
        finally:
            os.close(stdin)
            os.close(stdout)
        os.set_blocking(self._hear, False)
        self._selector.register(self._hear, selectors.EVENT_READ)

    def _say(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._talk, data) :]

    def _hang_up(self) -> None:
        self._selector.unregister(self._hear)
        os.close(self._talk)
        os.close(self._hear)
        self._talk = self._hear = -1

    def _listen(self) -> list[Report]:
        if self._hear < 0:
            return []
        try:
            data = os.read(self._hear, 1 << 20)
        except BlockingIOError:
            return []
        if not data:
            return self._keeper_died()
        *lines, self._inbox = (self._inbox + data).split(b"\n")
        reports = []
        for text in lines:
            line = json.loads(text)
            if line["state"] == "stopping":
                self._stops.pop(line["id"]).barrier.set()
            else:
                reports.append(self._report(line))
        return reports

    def _keeper_died(self) -> list[Report]:
        self._hang_up()
        os.waitpid(self._pid, 0)
        for stop in self._stops.values():
            stop.barrier.set()
        self._stops.clear()
        return [self._lost(key) for key in list(self._open) if key not in self._followed]

    def _follow(self) -> list[Report]:
        reports: list[Report] = []
        for journal in set(self._followed.values()):
            lives = journal.keeper_lives()
            reports += [
                self._report(line) for line in journal.news() if line["key"] in self._followed
            ]
            if not lives:
                left = [key for key, one in self._followed.items() if one is journal]
                reports += [self._lost(key) for key in left]
        return reports

    def _report(self, line: Mapping[str, Any]) -> Report:
        key = line["key"]
        if line["state"] == "running":
            self._pids[key] = line["pid"]
            return Report(key, TaskState.RUNNING, started=_time(line["at"]))
        self._forget(key)
        why = line.get("why", "")
        states = {"timed-out": TaskState.TIMED_OUT, "stop": TaskState.CANCELLED}
        return Report(
            key,
            states.get(why, TaskState.ENDED),
            exit_code=line["code"],
            started=_time(line["started"]),
            ended=_time(line["at"]),
            cpu=line.get("cpu"),
            rss=line.get("rss"),
            reason=why if why not in states else "",
        )

    def _lost(self, key: str) -> Report:
        """Nobody saw the end of this task; what is left of it must not go on unseen."""
        from localproc.executors import trees

        task = self._open.get(key)
        if task is not None:
            trees.end({task.outdir: None}, 0)
        self._forget(key)
        return Report(key, TaskState.LOST, reason=_NO_KEEPER)

    def _forget(self, key: str) -> None:
        self._open.pop(key, None)
        self._pids.pop(key, None)
        self._followed.pop(key, None)

    def _hold_back(self, reports: Iterable[Report]) -> list[Report]:
        """Keep the ends of tasks that are being stopped until nothing of them is left."""
        passed = []
        for report in reports:
            stop = self._stopping.get(report.key)
            if stop is None or report.state is TaskState.RUNNING:
                passed.append(report)
            else:
                stop.ended[report.key] = replace(report, state=TaskState.CANCELLED)
        return passed

    def _stopped(self) -> list[Report]:
        ready = [key for key, stop in self._stopping.items() if stop.done and key in stop.ended]
        return [self._stopping.pop(key).ended[key] for key in ready]


class _Stop:
    """One call of ``cancel``: a thread that ends process trees while the loop goes on."""

    def __init__(self, tasks: Sequence[Task], ring: int) -> None:
        self.tasks = tasks
        self.barrier = threading.Event()
        self.done = False
        self.ended: dict[str, Report] = {}
        self._ring = ring

    def start(self, pids: Mapping[str, int | None], grace: float) -> None:
        """Begin once the keeper starts none of the tasks any more."""
        threading.Thread(
            target=self._run, args=(pids, grace), name="localproc-stop", daemon=True
        ).start()

    def _run(self, pids: Mapping[str, int | None], grace: float) -> None:
        from localproc.executors import trees

        self.barrier.wait(1.0)
        trees.end(pids, grace)
        self.done = True
        with contextlib.suppress(OSError):  # the executor may have been closed meanwhile
            os.write(self._ring, b"x")


def _line(task: Task) -> str:
    message = {
        "run": task.key,
        "argv": task.argv,
        "env": dict(task.env),
        "cwd": task.outdir,
        "stdin": task.stdin,
        "stdout": task.stdout,
        "stderr": task.stderr,
        "cores": task.resources.cores,
        "ram": task.resources.ram,
        "time": task.resources.time,
    }
    return json.dumps(message) + "\n"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
