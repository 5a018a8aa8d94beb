"""Makes a backend of a scheduler.

Owns handing batches in, what the queue was like when it was last seen, and stopping. Must not know
any scheduler, nor the files of a batch.

``watch`` alone asks for the queue, at most once a second whatever the number of tasks; ``look``
reads records and what ``watch`` has found, so a scheduler that does not answer holds up no end that
is on disk.
"""

import os
import sys
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import monotonic, sleep, time
from typing import Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import records
from localproc.executors.batch.grouping import Mode, batches, request
from localproc.executors.batch.options import Options
from localproc.executors.batch.records import Record
from localproc.executors.batch.scheduler import Allocation, Scheduler, Seen
from localproc.executors.batch.scripts import Node
from localproc.executors.batch.sharing import Sharing
from localproc.executors.batch.spool import Handed, Spool
from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Backend, Capabilities, Refused
from localproc.plugins.executor import ExecutorSettings

_PACE: Final = 0.05
_QUERY: Final = 1.0  #: seconds between two looks at the queue, at least
_SHARE: Final = 4  #: looking at it takes at most one part in so many, and one, of the time
_CALM: Final = 5.0  #: seconds between two looks while nothing happens
_SETTLE: Final = 10.0  #: seconds that a record may take to be seen after the end of its job
_LOST: Final = 45.0  #: seconds after which a job that nobody knows, and left no record, is lost
_GONE: Final = 5.0  #: seconds that a task has to go after KILL
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)


class BatchBackend(Backend):
    """Implements ``localproc.plugins.backend.Backend`` for a scheduler."""

    def __init__(
        self,
        scheduler: Scheduler,
        settings: ExecutorSettings,
        options: Options,
        capabilities: Capabilities,
    ) -> None:
        self._scheduler = scheduler
        self._options = options
        self._capabilities = capabilities
        self._most = settings.slots or int(options.get("jobs", 1000))
        shared = options.get("shared", ())
        self._sharing = Sharing([shared] if isinstance(shared, str) else shared)
        self._sharing.check_home(settings.folder)
        self._spool = Spool(
            os.path.realpath(settings.folder),
            Node(scheduler.job_variable, scheduler.index_variable),
        )
        self._lock = threading.RLock()
        self._asking = threading.Lock()
        self._live: dict[str, Handed] = {}  #: batches of tasks that are looked at, by name
        self._records: dict[str, Record] = {}
        self._queue: Mapping[str, Seen] | None = None
        self._queue_at = self._queue_wall = 0.0
        self._next_query = 0.0
        self._calm = _QUERY
        self._gone: dict[str, float] = {}  #: jobs that are not in the queue, and since when
        self._finals: dict[str, tuple[float, Seen]] = {}  #: what they are said to have ended as
        self._asked_for: set[str] = set()  #: jobs of which that is wanted
        self._refused: dict[str, float] = {}
        self._waits: dict[str, float] = {}  #: records that wait for the scheduler's word

    @property
    def capabilities(self) -> Capabilities:
        """What the cluster can do."""
        return self._capabilities

    @property
    def most(self) -> int:
        """As many as are handed in at a time; those that wait are the scheduler's."""
        return self._most

    @property
    def pace(self) -> float:
        """Looking costs a look at a folder."""
        return _PACE

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return which ask for more than there is anywhere, or for files that no node sees."""
        found = {}
        for task in tasks:
            needs = request(task, self._options.of(task.step))
            if why := self._scheduler.unfit(needs) or self._sharing.unseen(task):
                found[task.key] = why
        return found

    # Handing in

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str | Refused]:
        """Write batches down, then hand them in. One that may be there is looked for before."""
        with self._lock:
            known = self._spool.find([task.key for task in tasks])
        answers: dict[str, str | Refused] = {}
        for handed in {one.name: one for one, _ in known.values()}.values():
            if not handed.job and not self._found(handed):
                answers.update(self._hand_in(handed))
        for key, (handed, number) in known.items():
            answers.setdefault(key, f"{handed.name}/{number}")
        new = [task for task in tasks if task.key not in known]
        empty = {task.key: Refused("it has no command") for task in new if not task.argv}
        answers.update(empty)
        for batch in batches(
            [task for task in new if task.key not in empty],
            lambda task: self._options.of(task.step),
        ):
            try:
                with self._lock:
                    handed = self._spool.add(batch)
            except OSError as error:  # a disk that is full may have room again
                raise ExecutorUnavailable(
                    f"{error.filename or self._spool.folder}: {error.strerror}"
                ) from error
            answers.update(self._hand_in(handed))
        return answers

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return those that the scheduler has, or somebody has begun.

        One that was written down, but never handed in as far as anybody knows, never begins.
        """
        with self._lock:
            known = self._spool.find([task.key for task in tasks])
        for handed in {one.name: one for one, _ in known.values()}.values():
            if handed.job or self._found(handed):
                continue
            if all(self._spool.fence(handed, number) for number in _markers(handed)):
                self._spool.remove(handed)
        with self._lock:
            found = self._spool.find([task.key for task in tasks])
        return {key: f"{handed.name}/{number}" for key, (handed, number) in found.items()}

    def _hand_in(self, handed: Handed) -> Mapping[str, str | Refused]:
        """Hand a batch in; raises ``ExecutorUnavailable`` where it may have been taken, or not."""
        count = len(handed.keys) if handed.mode is Mode.ARRAY else 0
        answer = self._scheduler.submit(
            Allocation(
                name=handed.name,
                script=os.path.join(handed.folder, "script"),
                log=os.path.join(handed.folder, "log"),
                folder=handed.folder,
                request=handed.request,
                count=count,
            )
        )
        if isinstance(answer, Refused):
            with self._lock:
                self._spool.remove(handed)
            return dict.fromkeys(handed.keys, answer)
        self._spool.took(handed, answer)
        self._next_query = min(self._next_query, monotonic() + _QUERY)
        self._calm = _QUERY
        return {key: f"{handed.name}/{number}" for number, key in enumerate(handed.keys)}

    def _found(self, handed: Handed) -> bool:
        """Whether a batch without an id turns out to have one."""
        job = self._scheduler.named([handed.name]).get(handed.name, "")
        if not job:
            begun = (self._spool.begun(handed, number) for number in _markers(handed))
            job = next((one.job for one in begun if one is not None and one.job), "")
        if job:
            self._spool.took(handed, job)
        return bool(job)

    # Looking

    def watch(self, seconds: float) -> Collection[str] | None:
        """Look at the queue when it is time to; wait for records meanwhile."""
        until = monotonic() + seconds
        while True:
            if monotonic() >= self._next_query and (news := self._ask()):
                return news
            if news := self._read_records():
                return news
            if monotonic() >= until:
                return ()
            sleep(_PACE)

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Return what records and the last look at the queue tell."""
        now = monotonic()
        found = {}
        with self._lock:
            placed = {key: self._spool.get(handle) for key, handle in handles.items()}
            self._live = {one[0].name: one[0] for one in placed.values() if one is not None}
        self._read_records()
        for key, handle in handles.items():
            at = placed[key]
            if at is None:
                continue  # its folder has been removed: it is lost after a while
            report = self._report(key, handle, *at, now)
            if report is not None:
                found[key] = report
        return found

    def _read_records(self) -> Collection[str]:
        with self._lock:
            new = dict(self._spool.ends(list(self._live.values()), self._records))
            self._records.update(new)
            at = (self._spool.get(handle) for handle in new)
            return [one[0].keys[one[1]] for one in at if one is not None]

    def _ask(self) -> Collection[str]:
        """Look at the queue, and ask for what is not there any more; return whose keys changed."""
        before = self._queue or {}
        after = self._queue_of_now(0.0)
        with self._lock:
            wanted = {job for job in self._asked_for if job not in self._finals}
        if wanted:
            now = monotonic()
            ended = self._scheduler.ended(wanted)
            with self._lock:
                self._finals.update((job, (now, seen)) for job, seen in ended.items())
        changed = {job for job in {*before, *after} if before.get(job) != after.get(job)}
        self._calm = _QUERY if changed or wanted else min(_CALM, self._calm * 1.5)
        self._next_query = max(self._next_query, monotonic() + self._calm)
        with self._lock:
            return [
                handed.keys[number]
                for handed in self._live.values()
                for number in range(len(handed.keys))
                if (job := self._job(handed, number)) in changed or job in wanted
            ]

    def _queue_of_now(self, age: float) -> Mapping[str, Seen]:
        """Return the queue as it was at most so many seconds ago."""
        with self._asking:
            if self._queue is not None and age and monotonic() - self._queue_at < age:
                return self._queue
            before, wall = monotonic(), time()
            queue = self._scheduler.jobs()
            took = monotonic() - before
            self._queue, self._queue_at, self._queue_wall = queue, before, wall
            self._next_query = monotonic() + max(_QUERY, _SHARE * took)
            return queue

    def _job(self, handed: Handed, number: int) -> str:
        if handed.mode is Mode.ARRAY and handed.job:
            return self._scheduler.element(handed.job, number)
        return handed.job

    def _report(
        self, key: str, handle: str, handed: Handed, number: int, now: float
    ) -> Report | None:
        job = self._job(handed, number)
        if (record := self._records.get(handle)) is not None:
            return self._ended(key, handed, record, job, now)
        queue = self._queue
        seen = None if queue is None else queue.get(job)
        if seen is not None:
            self._gone.pop(job, None)
            if seen.state is TaskState.REFUSED:
                return self._never(key, handed, number, seen, job, now)
            self._refused.pop(job, None)
            return self._open(key, handed, number, seen, job)
        if queue is None or self._queue_wall <= handed.at:
            return self._by_marker(key, handed, number, job)
        return self._vanished(key, handed, number, job, now)

    def _open(self, key: str, handed: Handed, number: int, seen: Seen, job: str) -> Report:
        """Tell that a task waits or runs; in a bundle that runs, it may wait all the same."""
        report = Report(key, seen.state, reason=seen.reason, host=seen.host, native_id=job)
        if seen.state is not TaskState.RUNNING:
            return report
        begun = self._spool.begun(handed, number)
        if begun is None:
            return replace(report, state=TaskState.QUEUED, reason="its script is about to begin")
        if handed.mode is Mode.BUNDLE and not self._spool.is_running(handed, number):
            return replace(report, state=TaskState.QUEUED, reason="it waits for room in its bundle")
        return replace(report, queued=max(0.0, begun.at - handed.at))

    def _by_marker(self, key: str, handed: Handed, number: int, job: str) -> Report:
        """Tell whether a task has begun, where the queue does not."""
        begun = self._spool.begun(handed, number)
        if begun is None or not begun.job:
            return Report(key, TaskState.QUEUED, native_id=job)
        return self._open(key, handed, number, Seen(TaskState.RUNNING, host=begun.host), job)

    def _ended(self, key: str, handed: Handed, record: Record, job: str, now: float) -> Report:
        """Tell of a record; of a kill that nobody has explained, once the scheduler has."""
        queued = None
        if record.started is not None and handed.at:
            queued = max(0.0, record.started.timestamp() - handed.at)
        if record.told:
            return records.report(key, record, None, queued)
        final = self._finals.get(job)
        if final is None:
            if (again := self._put_back(key, job)) is not None:
                return again
            with self._lock:
                self._asked_for.add(job)
            since = self._waits.setdefault(key, now)
            self._next_query = min(self._next_query, self._queue_at + _QUERY)
            if now - since < _SETTLE * 2:
                return Report(key, TaskState.RUNNING, host=record.host, native_id=job)
        self._waits.pop(key, None)
        return records.report(key, record, None if final is None else final[1], queued)

    def _put_back(self, key: str, job: str) -> Report | None:
        """Tell of a task that was ended to begin anew later, which it would not: it has begun."""
        seen = (self._queue or {}).get(job)
        if seen is None or seen.state is not TaskState.QUEUED:
            return None
        with suppress(ExecutorUnavailable):
            self._scheduler.cancel([job])
        said = "the scheduler ended it, and put it back into the queue"
        return Report(key, TaskState.LOST, reason=said, native_id=job)

    def _never(
        self, key: str, handed: Handed, number: int, seen: Seen, job: str, now: float
    ) -> Report:
        """Tell that a task was refused after it was taken, if that is said for some seconds."""
        waiting = Report(key, TaskState.QUEUED, reason=seen.reason, native_id=job)
        since = self._refused.setdefault(job, now)
        if now - since < _QUERY or not self._spool.fence(handed, number):
            return waiting
        with suppress(ExecutorUnavailable):
            self._scheduler.cancel([job])
        return replace(waiting, state=TaskState.REFUSED)

    def _vanished(
        self, key: str, handed: Handed, number: int, job: str, now: float
    ) -> Report | None:
        """Tell what has become of a task that is not in the queue and has no record yet."""
        since = self._gone.setdefault(job, now)
        with self._lock:
            self._asked_for.add(job)
        self._next_query = min(self._next_query, self._queue_at + _QUERY)
        final = self._finals.get(job)
        waiting = self._by_marker(key, handed, number, job)
        if final is not None:
            at, seen = final
            if now - at < _SETTLE and (
                waiting.state is TaskState.RUNNING or seen.state is TaskState.ENDED
            ):
                return waiting
            never = self._spool.fence(handed, number)
            log = self._spool.log(handed)
            if waiting.state is TaskState.QUEUED and not never:
                said = f"its bundle has ended before its turn: {seen.reason or seen.state}"
                return Report(key, TaskState.LOST, reason=said, host=seen.host, native_id=job)
            return records.unrecorded(key, seen, job, begun=not never, log=log)
        if now - since < _LOST:
            return waiting
        never = self._spool.fence(handed, number)
        said = "the scheduler knows nothing of it any more, and it left no exit record"
        return Report(key, TaskState.LOST, reason=said, native_id=job)

    # Stopping and forgetting

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """Have nothing begin any more, then ask what has begun to stop, then kill it."""
        with self._lock:
            placed = [at for handle in handles.values() if (at := self._spool.get(handle))]
        waiting, begun = self._noted(placed, grace)
        if waiting:
            self._scheduler.cancel(waiting)
        left: list[tuple[Handed, int]] = []
        if begun:
            self._scheduler.poke({self._job(*at) for at in begun})
            left = self._await_records(begun, grace + _GONE)
        whole = {self._job(*at) for at in begun if not self._goes_on(at[0], begun)}
        stuck = {self._job(*at) for at in left}
        if stuck & whole:
            self._scheduler.kill(stuck & whole)
        self._await_end(whole | waiting)
        if stuck - whole:
            raise ExecutorUnavailable("tasks of bundles that go on do not stop yet")

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove records, and batches of which all are forgotten."""
        with self._lock:
            for handle in handles.values():
                self._records.pop(handle, None)
                if (at := self._spool.get(handle)) is not None:
                    self._gone.pop(self._job(*at), None)
                    self._spool.forget(at[0], [at[1]])

    def tidy(self) -> None:
        """Remove all batches of the home."""
        with self._lock:
            self._spool.tidy()

    def close(self) -> None:
        """There is nothing to let go of."""

    def _noted(
        self, placed: Sequence[tuple[Handed, int]], grace: float
    ) -> tuple[set[str], list[tuple[Handed, int]]]:
        """Leave notes; return the jobs that never begin any more, and the tasks that may have."""
        open_ones = [at for at in placed if f"{at[0].name}/{at[1]}" not in self._records]
        for handed, number in open_ones:
            self._spool.note(handed, number, grace)
        waiting, begun = set(), []
        for handed, number in open_ones:
            if self._goes_on(handed, open_ones):
                if not self._spool.never_begins(handed, number):
                    begun.append((handed, number))
            elif self._spool.fence(handed, number):
                waiting.add(self._job(handed, number))
            else:
                begun.append((handed, number))
        return waiting - {""}, begun

    def _goes_on(self, handed: Handed, stopped: Iterable[tuple[Handed, int]]) -> bool:
        """Whether others of a bundle are not stopped with these."""
        if handed.mode is not Mode.BUNDLE:
            return False
        numbers = {number for one, number in stopped if one is handed}
        return any(
            number not in numbers and f"{handed.name}/{number}" not in self._records
            for number in range(len(handed.keys))
        )

    def _await_records(
        self, begun: Sequence[tuple[Handed, int]], seconds: float
    ) -> list[tuple[Handed, int]]:
        """Wait for the ends of tasks; return those that have left none."""
        until = monotonic() + seconds
        while True:
            self._read_records()
            left = [at for at in begun if f"{at[0].name}/{at[1]}" not in self._records]
            if not left or monotonic() > until:
                return left
            sleep(_PACE)

    def _await_end(self, jobs: Collection[str]) -> None:
        """Wait until jobs are out of the queue; raises ``ExecutorUnavailable`` if they stay."""
        until, killed = monotonic() + _GONE, False
        while jobs & self._queue_of_now(0.3).keys():
            if monotonic() > until:
                if killed:
                    raise ExecutorUnavailable("jobs that were killed are still in the queue")
                self._scheduler.kill(jobs)
                self._scheduler.cancel(jobs)
                until, killed = monotonic() + _GONE, True
            sleep(_PACE)


def _markers(handed: Handed) -> Iterable[int]:
    return [0] if handed.mode is Mode.BUNDLE else range(len(handed.keys))


def _node(scheduler: Scheduler) -> Node:
    return Node(scheduler.job_variable, scheduler.index_variable, own=sys.executable)
