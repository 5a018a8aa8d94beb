"""Makes a backend of a scheduler.

Owns handing batches in, and finding them. Must not know any scheduler, nor the files of a batch.

``watch`` alone asks for the queue; ``look`` reads records and what ``watch`` has found, so a
scheduler that does not answer holds up no end that is on disk.
"""

import os
import sys
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from time import monotonic, sleep

from localproc.errors import ExecutorUnavailable
from localproc.executors.batch.cancelling import PACE, Stopping
from localproc.executors.batch.ends import Ends
from localproc.executors.batch.grouping import Mode, batches, halved, request
from localproc.executors.batch.handed import Handed
from localproc.executors.batch.node_scripts import NodeSetup
from localproc.executors.batch.pulse import SILENT
from localproc.executors.batch.queue import Queue
from localproc.executors.batch.scheduler import Allocation, Scheduler, TooMany
from localproc.executors.batch.shared_paths import Sharing, own_machine
from localproc.executors.batch.spool import Spool
from localproc.executors.batch.step_options import Options
from localproc.executors.batch.telling import Telling
from localproc.model import Report, Task
from localproc.plugins.backend import Answer, Backend, Capabilities, Refused
from localproc.plugins.executor import ExecutorSettings


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
            NodeSetup(
                scheduler.job_variable,
                scheduler.index_variable,
                scheduler.first_index,
                own=sys.executable,
                machine=own_machine(settings.folder),
                mpirun=scheduler.mpirun,
            ),
        )
        self._queue = Queue(scheduler)
        self._ends = Ends(self._spool)
        patience = float(options.get("silence", 120))
        patience = max(patience, SILENT) if patience else 0.0
        self._telling = Telling(scheduler, self._spool, self._queue, self._ends, patience)
        self._stopping = Stopping(scheduler, self._spool, self._queue, self._ends)

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
        return PACE

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return which ask for more than there is anywhere, or for files that no node sees."""
        found = {}
        for task in tasks:
            needs = request(task, self._options.of(task.step, task.process))
            if why := self._scheduler.unfit(needs) or self._sharing.unseen(task):
                found[task.key] = why
        return found

    # Handing in

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, Answer]:
        """Write batches down, then hand them in. One that may be there is looked for before.

        What is not taken for now keeps nobody waiting for what was; an array that is too wide for
        the limits of a user is handed in by halves.
        """
        with self._spool.lock:
            known = self._spool.find([task.key for task in tasks])
        answers: dict[str, Answer] = {}
        for handed in {one.name: one for one, _ in known.values()}.values():
            if not handed.job and not self._found(handed):
                answers.update(self._hand_in(handed))
        for key, (handed, number) in known.items():
            answers.setdefault(key, handed.handle(number))
        new = [task for task in tasks if task.key not in known]
        empty = {task.key: Refused("it has no command") for task in new if not task.argv}
        answers.update(empty)
        left = deque(
            batches(
                [task for task in new if task.key not in empty],
                lambda task: self._options.of(task.step, task.process),
            )
        )
        while left:
            batch = left.popleft()
            try:
                with self._spool.lock:
                    handed = self._spool.add(batch)
                answers.update(self._hand_in(handed))
            except ExecutorUnavailable as error:
                if isinstance(error, TooMany):
                    with self._spool.lock:
                        self._spool.remove(handed)
                    if halves := halved(batch):
                        left.extendleft(reversed(halves))
                        continue
                keys = [task.key for one in (batch, *left) for task in one.tasks]
                return {**answers, **dict.fromkeys(keys, error)}
        return answers

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return those that the scheduler has, or somebody has begun.

        One that was written down, but never handed in as far as anybody knows, never begins.
        """
        with self._spool.lock:
            known = self._spool.find([task.key for task in tasks])
        for handed in {one.name: one for one, _ in known.values()}.values():
            if handed.job or self._found(handed):
                continue
            if all(self._spool.fence(handed, number) for number in handed.first_of_markers()):
                with self._spool.lock:
                    self._spool.remove(handed)
        with self._spool.lock:
            found = self._spool.find([task.key for task in tasks])
        return {key: handed.handle(number) for key, (handed, number) in found.items()}

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
            with self._spool.lock:
                self._spool.remove(handed)
            return dict.fromkeys(handed.keys, answer)
        self._spool.took(handed, answer)
        self._queue.expect_news()
        return {key: handed.handle(number) for number, key in enumerate(handed.keys)}

    def _found(self, handed: Handed) -> bool:
        """Whether a batch without an id turns out to have one."""
        job = self._scheduler.named([handed.name]).get(handed.name, "")
        if not job:
            begun = (self._spool.begun(handed, number) for number in handed.first_of_markers())
            job = next((one.job for one in begun if one is not None and one.job), "")
        if job:
            self._spool.took(handed, job)
        return bool(job)

    # Looking

    def watch(self, seconds: float) -> Collection[str] | None:
        """Look at the queue when it is time to; wait for records meanwhile."""
        until = monotonic() + seconds
        while True:
            if self._queue.is_due() and (news := self._ask()):
                return news
            if news := self._ends.read():
                return news
            if monotonic() >= until:
                return ()
            sleep(PACE)

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Return what records and the last look at the queue tell.

        One whose folder has been removed is not told of: it is lost after a while.
        """
        with self._spool.lock:
            placed = [at for handle in handles.values() if (at := self._spool.get(handle))]
            self._ends.look_at(handed for handed, _ in placed)
        self._ends.read()
        return {
            handed.keys[number]: self._telling.report(handed, number) for handed, number in placed
        }

    def _ask(self) -> Collection[str]:
        """Look at the queue; return whose keys there is news of."""
        with self._spool.lock:
            jobs = [
                (self._queue.job(handed, number), key)
                for handed in self._ends.live
                for number, key in enumerate(handed.keys)
            ]
        news = self._queue.ask({job for job, _ in jobs})
        return [key for job, key in jobs if job in news]

    # Stopping and forgetting

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """Have nothing begin any more, then ask what has begun to stop, then kill it."""
        with self._spool.lock:
            placed = [at for handle in handles.values() if (at := self._spool.get(handle))]
        self._stopping.stop(placed, grace)

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove records, and batches of which all are forgotten."""
        with self._spool.lock:
            for handle in handles.values():
                if (at := self._spool.get(handle)) is not None:
                    self._spool.forget(at[0], [at[1]])
                    self._ends.forget(*at)
                    self._telling.forget(*at)

    def tidy(self) -> None:
        """Remove all batches of the home."""
        with self._spool.lock:
            self._spool.tidy()

    def close(self) -> None:
        """There is nothing to let go of."""
