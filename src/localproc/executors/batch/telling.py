"""What has become of a task: its record, its marker and the queue together.

Owns how long each of them is waited for, and which of them counts. Must not know how they are read.
"""

from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Final

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch import records
from localproc.executors.batch.commands import QUERY
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Mode
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.pulse import SILENT, Pulse
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.records import Record
from localproc.executors.batch.scheduler import Scheduler, Seen
from localproc.executors.batch.spool import Spool
from localproc.model import Report, TaskState

_SETTLE: Final = 10.0  #: seconds that a record may take to be seen after the end of its job
_UNSEEN: Final = 90.0  #: such seconds where nothing else has ended it: some file systems take long
_AGAIN: Final = 30.0  #: seconds after which a job is cancelled again that is there still
_LOST: Final = 45.0  #: seconds after which a job that nobody knows, and left no record, is lost


def before_it(jobs: int) -> str:
    """Say how many jobs come before one: exactly only if they are few, since each word is news."""
    if jobs < 2:
        return "one job comes before it" if jobs else "it is the next in the queue"
    step = 10 ** (len(str(jobs)) - 1)
    about = "about " if step > 1 else ""
    return f"{about}{jobs // step * step} jobs come before it"


class Telling:
    """Makes reports. A bundle that is silent for ``patience`` seconds is taken back; 0: never."""

    def __init__(
        self, scheduler: Scheduler, spool: Spool, queue: Queue, ends: Ends, patience: float = 0.0
    ) -> None:
        self._scheduler = scheduler
        self._spool = spool
        self._queue = queue
        self._ends = ends
        self._pulse = Pulse(spool)
        self._patience = patience
        self._silent: dict[str, float] = {}  #: bundles, and when their jobs are cancelled next
        self._gone: dict[str, float] = {}  #: jobs that are not in the queue, and since when
        self._refused: dict[str, float] = {}
        self._waits: dict[str, float] = {}  #: records that wait for the scheduler's word
        self._hidden: dict[str, float] = {}  #: ends whose files are not to be seen, and since when

    def report(self, handed: Handed, number: int) -> Report:
        """Return what is known of a task by now."""
        now, job = monotonic(), self._queue.job(handed, number)
        if (record := self._ends.get(handed, number)) is not None:
            return self._ended(handed, number, record, job, now)
        seen = self._queue.seen(job, handed.name)
        if seen is not None:
            self._gone.pop(job, None)
            if seen.state is TaskState.REFUSED:
                return self._never(handed, number, seen, job, now)
            self._refused.pop(job, None)
            return self._open(handed, number, seen, job)
        if self._queue.is_older_than(handed.at):
            return self._by_marker(handed, number, job)
        return self._vanished(handed, number, job, now)

    def forget(self, handed: Handed, number: int) -> None:
        """Let go of a task; of a job once nothing of it is asked for any more."""
        self._waits.pop(handed.keys[number], None)
        self._hidden.pop(handed.keys[number], None)
        job = self._queue.job(handed, number)
        if handed.mode is not Mode.BUNDLE or not handed.left:
            self._gone.pop(job, None)
            self._refused.pop(job, None)
            self._silent.pop(handed.name, None)
            self._pulse.forget(handed)
            self._queue.forget(job)

    def _open(self, handed: Handed, number: int, seen: Seen, job: str) -> Report:
        """Tell that a task waits or runs; in a bundle that runs, it may wait all the same."""
        key = handed.keys[number]
        report = Report(key, seen.state, reason=seen.reason, host=seen.host, native_id=job)
        if seen.state is not TaskState.RUNNING:
            place = self._queue.place(job)
            both = (seen.reason, "" if place is None else before_it(place))
            return replace(report, reason="; ".join(filter(None, both)))
        begun = self._spool.begun(handed, number)
        if begun is None:
            return replace(report, state=TaskState.QUEUED, reason="its script is about to begin")
        if seen.paused:
            self._pulse.forget(handed)
        silent = self._silence(handed, job, seen.host or begun.host)
        if handed.mode is Mode.BUNDLE and not self._spool.is_running(handed, number):
            why = silent or "it waits for room in its bundle"
            return replace(report, state=TaskState.QUEUED, reason=why)
        return replace(report, reason=silent or seen.reason, queued=max(0.0, begun.at - handed.at))

    def _silence(self, handed: Handed, job: str, host: str) -> str:
        """Say that a bundle gives no sign of life; take it back when that goes on for too long.

        Its tasks are lost only once its job has left the queue: till then they may go on.
        """
        silence = self._pulse.silence(handed) if handed.mode is Mode.BUNDLE else 0.0
        if silence < SILENT:
            self._silent.pop(handed.name, None)
            return ""
        if handed.name not in self._silent:
            self._silent[handed.name] = 0.0
            self._queue.expect_news()  # it may know more
        now = monotonic()
        if self._patience and silence >= self._patience and now >= self._silent[handed.name]:
            self._silent[handed.name] = now + _AGAIN
            self._take_back(handed, job, f"its runner on {host} gave no sign of life any more")
        return f"its runner on {host} gives no sign of life"

    def _take_back(self, handed: Handed, job: str, why: str) -> None:
        """Cancel the job of a batch that has begun, if the scheduler answers."""
        with suppress(ExecutorUnavailable):
            self._spool.give_up(handed, why)
            try:
                self._scheduler.cancel([job])
            except ExecutorUnavailable:
                self._spool.give_up(handed, "")

    def _by_marker(self, handed: Handed, number: int, job: str) -> Report:
        """Tell whether a task has begun, where the queue does not."""
        begun = self._spool.begun(handed, number)
        if begun is None or not begun.job:
            return Report(handed.keys[number], TaskState.QUEUED, native_id=job)
        return self._open(handed, number, Seen(TaskState.RUNNING, host=begun.host), job)

    def _ended(self, handed: Handed, number: int, record: Record, job: str, now: float) -> Report:
        """Tell of a record; of a kill that nobody has explained, once the scheduler has."""
        key, queued = handed.keys[number], None
        if self._is_hidden(handed, number, record, now):
            said = "it has ended, and its files are not to be seen here yet"
            return Report(key, TaskState.RUNNING, reason=said, host=record.host, native_id=job)
        record = replace(record, job=job or record.job)  # an element has an id of its own as well
        if record.started is not None and handed.at:
            queued = max(0.0, record.started.timestamp() - handed.at)
        if record.told:
            return records.report(key, record, None, queued)
        final = self._queue.final(job, handed.name)
        if final is None:
            since = self._waits.setdefault(key, now)
            if (again := self._put_back(handed, number, job, since)) is not None:
                return again
            self._queue.want(job)
            if now - since < _SETTLE * 2:
                return Report(key, TaskState.RUNNING, host=record.host, native_id=job)
        self._waits.pop(key, None)
        return records.report(key, record, None if final is None else final[1], queued)

    def _is_hidden(self, handed: Handed, number: int, record: Record, now: float) -> bool:
        """Whether files that a task has left are not to be seen here yet, but may be soon."""
        if self._spool.shows(handed, number, record.files):
            return False
        return now - self._hidden.setdefault(handed.keys[number], now) < _UNSEEN

    def _put_back(self, handed: Handed, number: int, job: str, since: float) -> Report | None:
        """Tell of a task that was ended to begin anew later, which it would not: it has begun.

        Where the queue was seen before its end was (``since``), it waited there for the first time.
        """
        seen = self._queue.seen(job, handed.name)
        if seen is None or seen.state is not TaskState.QUEUED:
            return None
        if not self._queue.is_newer_than(since):
            return None
        with suppress(ExecutorUnavailable):
            self._scheduler.cancel([job])
        said = "the scheduler ended it, and put it back into the queue"
        return Report(handed.keys[number], TaskState.LOST, reason=said, native_id=job)

    def _never(self, handed: Handed, number: int, seen: Seen, job: str, now: float) -> Report:
        """Tell that a task was refused after it was taken, if that is said for some seconds."""
        key = handed.keys[number]
        waiting = Report(key, TaskState.QUEUED, reason=seen.reason, native_id=job)
        since = self._refused.setdefault(job, now)
        if now - since < QUERY or not self._fenced(handed, number):
            return waiting
        with suppress(ExecutorUnavailable):
            self._scheduler.cancel([job])
        return replace(waiting, state=TaskState.REFUSED)

    def _vanished(self, handed: Handed, number: int, job: str, now: float) -> Report:
        """Tell what has become of a task that is not in the queue and has no record yet."""
        key = handed.keys[number]
        since = self._gone.setdefault(job, now)
        self._queue.want(job)
        final = self._queue.final(job, handed.name)
        waiting = self._by_marker(handed, number, job)
        if self._goes_on(handed, final):
            said = f"the scheduler has lost the node, but its runner on {waiting.host} goes on"
            return replace(waiting, reason=said)
        if final is None:
            settled = now - since >= _LOST
        else:
            by_itself = waiting.state is TaskState.RUNNING or final[1].state is TaskState.ENDED
            settled = now - final[0] >= _SETTLE or not by_itself
        never = self._fenced(handed, number) if settled else None
        if never is None or (not never and self._is_awaited(final, now)):
            return waiting
        if final is None:
            said = "the scheduler knows nothing of it any more, and it left no exit record"
            return Report(key, TaskState.LOST, reason=said, native_id=job)
        seen = final[1]
        if not never and (why := self._spool.given_up(handed)):
            host = seen.host or waiting.host
            return Report(key, TaskState.NODE_LOST, reason=why, host=host, native_id=job)
        if waiting.state is TaskState.QUEUED and not never:
            said = f"its bundle has ended before its turn: {seen.reason or seen.state}"
            state = TaskState.CANCELLED if seen.state is TaskState.CANCELLED else TaskState.LOST
            return Report(key, state, reason=said, host=seen.host, native_id=job)
        log = self._spool.log(handed)
        return records.unrecorded(key, seen, job, begun=not never, log=log)

    def _is_awaited(self, final: tuple[float, Seen] | None, now: float) -> bool:
        """Whether a record of a task that has begun is on its way: its job went to its end."""
        if final is None or final[1].state is not TaskState.ENDED:
            return False
        return now - final[0] < _UNSEEN

    def _goes_on(self, handed: Handed, final: tuple[float, Seen] | None) -> bool:
        """Whether a bundle lives though its node is said to be lost: its tasks will end."""
        return (
            final is not None
            and final[1].state is TaskState.NODE_LOST
            and handed.mode is Mode.BUNDLE
            and self._pulse.silence(handed) < SILENT
            and self._spool.sign_of_life(handed) is not None
        )

    def _fenced(self, handed: Handed, number: int) -> bool | None:
        """Whether a task never begins; ``None`` while its disk cannot be written."""
        try:
            return self._spool.fence(handed, number)
        except ExecutorUnavailable:
            return None
