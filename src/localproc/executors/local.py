"""The local executor: tasks are processes of this machine, started by a keeper.

Owns the tasks of one keeper, and what becomes of them when it dies. Must not know jobs or CWL.
"""

import os
import selectors
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from localproc import forks
from localproc.executors.conversation import Conversation
from localproc.executors.inherited import Inheritance, KnownTask
from localproc.executors.journals import Journal, forget_gone, hold
from localproc.executors.local_means import LocalMeans
from localproc.executors.stopping import Stops
from localproc.executors.veiled import veiled
from localproc.model import Report, Task, TaskState
from localproc.plugins.executor import ExecutorSettings
from localproc.shortages import is_shortage

_QUEUE: Final = 0.02  #: seconds of work that wait at the keeper, so that no slot waits for news
_LEAST, _MOST = 2, 16  #: tasks a slot that wait there
_UNKNOWN: Final = 3600.0
_FOLLOW: Final = 0.05  #: seconds between looks at the journals of other keepers
_AGAIN: Final = 0.5  #: seconds until it is tried again to start a keeper
_DEATHS: Final = 3  #: keepers that may die one after the other without having started anything
_NO_KEEPER: Final = "its keeper died before it had recorded an end"
_GOING: Final = (TaskState.RUNNING, TaskState.QUEUED)
_LIMITS: Final = {one.value: one for one in (TaskState.TIMED_OUT, TaskState.OUT_OF_MEMORY)}
_STATES: Final = {"stop": TaskState.CANCELLED, **_LIMITS}


class LocalExecutor:
    """Implements ``localproc.plugins.executor.Executor``."""

    def __init__(self, settings: ExecutorSettings) -> None:
        self._settings = settings
        self._means = LocalMeans(settings.options)
        self.capabilities = self._means.capabilities
        self._folder = os.path.join(settings.folder, settings.engine)
        self._host = socket.gethostname()
        self._open: dict[str, Task] = {}
        self._pids: dict[str, int] = {}
        self._unsent: dict[str, Task] = {}  #: there is no keeper to hand them to
        self._own: list[Report] = []  #: to be told at the next call of ``poll``
        self._inherited = Inheritance(settings.folder, self._folder)
        self._usual = _UNKNOWN  #: seconds that a task takes, of late
        self._keeper: Conversation | None = None
        self._retry_at = 0.0
        self._deaths = 0
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ring, False)
        self._stops = Stops(self._ring)
        with ExitStack() as undo:
            undo.callback(forks.close, self._bell, self._ring)
            self._selector = selectors.DefaultSelector()
            undo.callback(self._selector.close)
            self._hold = hold(self._folder)
            undo.callback(forks.close, self._hold)
            self._selector.register(self._bell, selectors.EVENT_READ)
            self._start_keeper()
            undo.pop_all()
        forks.watch(self)

    def fileno(self) -> int | None:
        """Return the selector's own descriptor: readable when any of its sources is."""
        return self._selector.fileno()

    def interval(self) -> float | None:
        """Return how often others have to be looked at, while there is something to wait for."""
        if self._own:
            return 0.0
        waits = self._inherited or self._unsent or not self._stops.idle()
        return _FOLLOW if waits else None

    def room(self) -> int:
        """Return what keeps every slot busy until there is news: more, the shorter tasks are."""
        waiting = min(_MOST, max(_LEAST, int(_QUEUE / self._usual)))
        return self._settings.slots * (1 + waiting) - len(self._open)

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return what needs more than processes; one that wants more than there is runs alone."""
        return {one.key: why for one in tasks if (why := self._means.unfit(one))}

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Hand tasks to the keeper."""
        new = {task.key: task for task in tasks if task.key not in self._open}
        self._open.update(new)
        self._hand_on(new)

    def poll(self) -> Sequence[Report]:
        """Return what the keepers have told since the last call."""
        reports, self._own = self._own, []
        for ready, events in self._selector.select(0):
            if ready.fd == self._bell:
                os.read(self._bell, 4096)
            elif self._keeper is not None and events & selectors.EVENT_WRITE:
                self._stop_writing(done=self._keeper.go_on())
            elif self._keeper is not None:
                reports += self._listen(self._keeper)
        if self._inherited:
            for known in self._inherited.news():
                self._take_over(known, reports)
        if self._unsent and monotonic() > self._retry_at:
            unsent, self._unsent = self._unsent, {}
            self._hand_on(unsent)
        return self._again(self._stops.hold_back(reports))

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks ended in a thread; those that have not been handed on never are."""
        keys = list(keys)
        unsaid = self._keeper.unsay(keys) if self._keeper is not None else set()
        for key in keys:
            if key in unsaid or self._unsent.pop(key, None) is not None:
                self._forget(key)
        folders = {key: self._open[key].outdir for key in keys if key in self._open}
        number = self._stops.begin(keys, folders, self._pids, grace)
        if self._keeper is None:
            self._stops.go(number)
            return
        self._say([("", {"stop": list(folders), "id": number, "grace": grace})])

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks looked for in the journals of keepers whose engines have gone."""
        for task in tasks:
            if task.key in self._open:
                self._own.append(Report(task.key, TaskState.RUNNING))
            else:
                self._open[task.key] = task
                self._inherited.seek(task)

    def release(self, keys: Iterable[str]) -> None:
        """Nothing is kept of a single task: a journal goes as a whole."""

    def tidy(self) -> None:
        """Remove the journals of keepers that are gone, or going."""
        forget_gone(self._settings.folder, self._folder)

    def close(self) -> None:
        """Leave the keeper to its tasks; without any it goes at once."""
        forks.forget(self)
        self._stops.close()
        gone = True
        if self._keeper is not None:
            self._keeper.hang_up()
            gone = bool(self._open) or self._keeper.wait()
        if gone and not self._open and self._stops.idle():
            Journal(self._folder).remove()
        self._selector.close()
        forks.close(self._bell, self._ring, self._hold)

    def left_behind(self) -> None:
        """In a forked child: the tasks, and the lock that says who has them, are the parent's."""
        self._stops.close()
        self._selector.close()
        forks.close(self._bell, self._ring, self._hold)

    # The keeper

    def _start_keeper(self) -> None:
        """Start a keeper; where the system has no room for it, that is tried again."""
        try:
            self._keeper = Conversation(self._folder, self._settings)
        except OSError as error:
            if not is_shortage(error):
                raise
            self._retry_at = monotonic() + _AGAIN
        else:
            self._selector.register(self._keeper, selectors.EVENT_READ)

    def _hand_on(self, tasks: Mapping[str, Task]) -> None:
        if self._keeper is None and tasks and monotonic() > self._retry_at:
            self._start_keeper()
        if self._keeper is None:
            why = "the keeper of this machine's tasks cannot be started yet"
            told = [key for key in tasks if key not in self._unsent]
            self._own += [Report(key, TaskState.QUEUED, reason=why) for key in told]
            self._unsent.update(tasks)
        elif tasks:
            self._say((key, _message(self._means.begin(task))) for key, task in tasks.items())

    def _say(self, messages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        assert self._keeper is not None
        if not self._keeper.say(messages) and self._keeper.talk not in self._selector.get_map():
            self._selector.register(self._keeper.talk, selectors.EVENT_WRITE)

    def _stop_writing(self, *, done: bool) -> None:
        if done and self._keeper is not None:
            self._selector.unregister(self._keeper.talk)

    def _listen(self, keeper: Conversation) -> list[Report]:
        said = keeper.listen()
        if said is None:
            return self._keeper_died(keeper)
        reports = []
        for line in said:
            self._deaths = 0
            if line["state"] == "stopping":
                self._stops.go(line["id"])
            else:
                reports.append(self._report(line))
        return reports

    def _keeper_died(self, keeper: Conversation) -> list[Report]:
        """Read what it has recorded and not told; end, in one search, what it has left."""
        for file in (keeper, keeper.talk):
            if file in self._selector.get_map():
                self._selector.unregister(file)
        keeper.hang_up()
        keeper.wait()
        self._keeper = None
        self._deaths += 1
        self._retry_at = monotonic() + (_AGAIN if self._deaths > 1 else 0)
        self._stops.go_all()
        journal = Journal(self._folder)
        journal.read()
        reports, lost = [], []
        for key in [key for key in self._open if not self._inherited.has(key)]:
            entry = journal.entries.get(key)
            if entry is not None and entry["state"] == "ended":
                reports.append(self._report(entry))
            elif entry is not None:
                lost.append(Report(key, TaskState.LOST, reason=_NO_KEEPER))
            elif key not in self._unsent:
                lost.append(Report(key, TaskState.NEVER_STARTED))
        self._sweep(lost)
        return reports

    def _again(self, reports: Sequence[Report]) -> list[Report]:
        """Hand on what a keeper had not started when it died, now that this is certain."""
        passed = []
        never: dict[str, Task] = {}
        for report in reports:
            if report.key not in self._open or report.state in _GOING:
                passed.append(report)
            elif report.state is not TaskState.NEVER_STARTED:
                self._forget(report.key)
                passed.append(report)
            elif self._deaths < _DEATHS:
                never[report.key] = self._open[report.key]
            else:
                self._forget(report.key)
                why = "the keeper of this machine's tasks dies as soon as it is started"
                passed.append(Report(report.key, TaskState.REFUSED, reason=why))
        self._hand_on(never)
        return passed

    # Those of earlier engines

    def _take_over(self, known: KnownTask, reports: list[Report]) -> None:
        """Take in what is known of a task that an earlier engine may have submitted."""
        if known.entry is not None and (known.lives or known.entry["state"] == "ended"):
            reports.append(self._report(known.entry))
            return
        task = self._open.get(known.key)
        if task is None:
            return
        if known.entry is not None:
            end = Report(known.key, TaskState.LOST, reason=known.reason or _NO_KEEPER)
        else:
            end = Report(known.key, TaskState.NEVER_STARTED)
        folder = task.outdir
        self._forget(known.key)
        if known.entry is not None or known.doubtful:
            self._stops.sweep([end], {known.key: folder}, 0)
        else:
            reports.append(end)

    # News

    def _sweep(self, ends: list[Report]) -> None:
        folders = {one.key: self._open[one.key].outdir for one in ends}
        for end in ends:
            if end.state is not TaskState.NEVER_STARTED:
                self._forget(end.key)
        self._stops.sweep(ends, folders, 0)

    def _report(self, line: Mapping[str, Any]) -> Report:
        key = line["key"]
        if line["state"] == "waiting":
            return Report(key, TaskState.QUEUED, reason=line["why"])
        if line["state"] == "starting":
            return Report(key, TaskState.RUNNING, host=self._host)
        if line["state"] == "running":
            self._pids[key] = line["pid"]
            native = str(line["pid"])
            started = _time(line["at"])
            return Report(
                key, TaskState.RUNNING, started=started, host=self._host, native_id=native
            )
        task = self._open.get(key)
        pid = self._pids.get(key)
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
            host=self._host,
            native_id="" if pid is None else str(pid),
        )
        if report.state is TaskState.TIMED_OUT and task is not None:
            self._stops.sweep_late(report, task.outdir)
        return report

    def _note_duration(self, took: float) -> None:
        """One long task says at once that few should wait; short ones have to say it often."""
        known = took if self._usual == _UNKNOWN else self._usual
        self._usual = max(1e-4, took, known + (took - known) / 8)

    def _forget(self, key: str) -> None:
        self._open.pop(key, None)
        self._pids.pop(key, None)
        self._means.end(key)
        self._inherited.drop(key)


def _message(task: Task) -> dict[str, Any]:
    """Return a task as the keeper is told of it."""
    argv, env = veiled(task) if task.secrets else (task.argv, dict(task.env))
    held = task.held
    return {
        "run": task.key,
        "argv": argv,
        "env": env,
        "cwd": task.outdir,
        "stdin": task.stdin,
        "stdout": task.stdout,
        "stderr": task.stderr,
        "cores": task.resources.cores,
        "ram": task.resources.ram,
        "held": {"cores": held.cores, "ram": held.ram, "processes": held.processes},
        "time": task.resources.time,
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
