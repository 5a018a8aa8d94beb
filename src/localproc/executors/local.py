"""The local executor: tasks are processes of this machine, started by a keeper.

Owns the tasks of one keeper, and following those of keepers whose engines have gone. Must not know
jobs or CWL.
"""

import os
import selectors
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.conversation import Conversation
from localproc.executors.journals import Journal, journals
from localproc.executors.stopping import Stops
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import ExecutorSettings

_QUEUE: Final = 0.02  #: seconds of work that wait at the keeper, so that no slot waits for news
_LEAST, _MOST = 2, 16  #: tasks a slot that wait there
_UNKNOWN: Final = 3600.0
_FOLLOW: Final = 0.05  #: seconds between looks at the journals of other keepers
_NO_KEEPER: Final = "its keeper died before it had recorded an end"
_STATES: Final = {"timed-out": TaskState.TIMED_OUT, "stop": TaskState.CANCELLED}


class LocalExecutor:
    """Implements ``localproc.plugins.executor.Executor``."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._folder = os.path.join(settings.folder, settings.engine)
        self._open: dict[str, Task] = {}
        self._pids: dict[str, int] = {}
        self._followed: dict[str, Journal] = {}
        self._usual = _UNKNOWN  #: seconds that a task takes, of late
        self._keeper: Conversation | None = None
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._bell, False)
        self._stops = Stops(self._ring)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._start_keeper()

    def fileno(self) -> int | None:
        """Give the selector's own descriptor: readable when any of its sources is."""
        return self._selector.fileno()

    def interval(self) -> float | None:
        """Give how often the journals of other keepers are looked at, while there are any."""
        return _FOLLOW if self._followed else None

    def room(self) -> int:
        """Give what keeps every slot busy until there is news: the shorter tasks are, the more."""
        waiting = min(_MOST, max(_LEAST, int(_QUEUE / self._usual)))
        return self._settings.slots * (1 + waiting) - len(self._open)

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand tasks to the keeper."""
        new = [task for task in tasks if task.key not in self._open]
        if not new:
            return
        keeper = self._keeper or self._start_keeper()
        self._open.update((task.key, task) for task in new)
        try:
            keeper.say(map(_message, new))
        except OSError as error:
            for task in new:
                del self._open[task.key]
            raise ExecutorUnavailable(f"the keeper does not answer: {error}") from error

    def poll(self) -> Sequence[Report]:
        """Give what the keepers have told since the last call."""
        reports: list[Report] = []
        for ready, _ in self._selector.select(0):
            if ready.fd == self._bell:
                os.read(self._bell, 4096)
            else:
                reports += self._listen()
        if self._followed:
            reports += self._follow()
        return self._stops.hold_back(reports)

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """End tasks in a thread of their own; the loop goes on."""
        keys = list(keys)
        folders = {key: self._open[key].outdir for key in keys if key in self._open}
        number = self._stops.begin(keys, folders, self._pids, grace)
        try:
            if self._keeper is not None:
                self._keeper.say([{"stop": list(folders), "id": number}])
                return
        except OSError:
            pass
        self._stops.go(number)

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
                elif report.state is TaskState.TIMED_OUT:
                    found[key] = replace(report, state=TaskState.RUNNING)  # the end is held back
        return found

    def tidy(self) -> None:
        """Remove the journals of keepers that are gone."""
        for journal in journals(self._settings.folder):
            if journal.folder != self._folder and not journal.keeper_lives():
                journal.remove()

    def close(self) -> None:
        """Leave the keeper to its tasks; without any it goes at once."""
        if self._keeper is not None:
            self._keeper.hang_up()
            if not self._open:
                self._keeper.wait()
                if self._stops.idle():
                    Journal(self._folder).remove()
        self._selector.close()
        os.close(self._bell)
        os.close(self._ring)

    def _start_keeper(self) -> Conversation:
        os.makedirs(self._folder, exist_ok=True)
        keeper = self._keeper = Conversation(self._folder, self._settings)
        self._selector.register(keeper, selectors.EVENT_READ)
        return keeper

    def _listen(self) -> list[Report]:
        if self._keeper is None:
            return []
        said = self._keeper.listen()
        if said is None:
            return self._keeper_died(self._keeper)
        reports = []
        for line in said:
            if line["state"] == "stopping":
                self._stops.go(line["id"])
            else:
                reports.append(self._report(line))
        return reports

    def _keeper_died(self, keeper: Conversation) -> list[Report]:
        self._selector.unregister(keeper)
        keeper.hang_up()
        keeper.wait()
        self._keeper = None
        self._stops.go_all()
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
        task = self._open.get(key)
        self._forget(key)
        why = line.get("why", "")
        self._note_duration(line["at"] - line["started"])
        report = Report(
            key,
            _STATES.get(why, TaskState.ENDED),
            exit_code=line["code"],
            started=_time(line["started"]),
            ended=_time(line["at"]),
            cpu=line.get("cpu"),
            rss=line.get("rss"),
            reason="" if why in _STATES else why,
        )
        if report.state is TaskState.TIMED_OUT and task is not None:
            self._stops.sweep(report, task.outdir)
        return report

    def _note_duration(self, took: float) -> None:
        """One long task says at once that few should wait; short ones have to say it often."""
        known = took if self._usual == _UNKNOWN else self._usual
        self._usual = max(1e-4, took, known + (took - known) / 8)

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


def _message(task: Task) -> dict[str, Any]:
    """Give a task as the keeper is told of it."""
    return {
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


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
