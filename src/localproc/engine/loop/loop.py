"""The loop: one thread for all jobs of an engine.

Owns the order of things: take facts in, let the jobs decide, record events and rows in one
transaction, then act. Must not decide anything about a job itself, nor know any face.
"""

import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from time import monotonic, sleep
from typing import Final

from localproc.cwl.expr.javascript import evaluating_with
from localproc.engine.home.liveness import Liveness, is_alive
from localproc.engine.home.mentioned import mentioned
from localproc.engine.home.retention import Retention
from localproc.engine.job.executor_choice import names_of
from localproc.engine.job.facts import DismissalAsked, News, Reported, ToolProgressed
from localproc.engine.job.job_run import JobRun
from localproc.engine.loop.active import Active
from localproc.engine.loop.background import Background
from localproc.engine.loop.committer import Committer
from localproc.engine.loop.effect_runner import EffectRunner
from localproc.engine.loop.executor_pool import ExecutorPool
from localproc.engine.loop.fair_share import FairShare
from localproc.engine.loop.job_queue import JobQueue
from localproc.engine.loop.job_reading import JobReader
from localproc.engine.loop.job_starts import JobStarts
from localproc.engine.loop.job_work import JobWork
from localproc.engine.loop.loop_parts import LoopParts
from localproc.engine.loop.opening_threads import Opening
from localproc.engine.loop.quick_scripts import QuickScripts
from localproc.engine.loop.tmpdirs import TmpDirs
from localproc.engine.loop.told_progress import ToldProgress
from localproc.errors import EnvironmentProblem, StoreLocked
from localproc.executors.journals import forget_gone
from localproc.model import JobRecord, JobRequest, JobStatus
from localproc.model.events import Succeeded
from localproc.shortages import THREADS, started
from localproc.storage.stac_check import Validation
from localproc.storage.step_cache import StepCache

_LOG: Final = logging.getLogger("localproc")
_IDLE: Final = 1.0  #: seconds between looks at the store while nobody rings
_PULLS: Final = 64  #: steps that may be started in one turn
_BEGUN: Final = 8  #: jobs that are taken up in one turn, and as many that are to stop


class Loop:
    """The thread and all that it holds.

    Other threads may call ``start``, ``warm_up``, ``accept``, ``ring`` and ``stop``.
    """

    def __init__(self, parts: LoopParts, bell: Liveness) -> None:
        home, store, settings = parts.home, parts.store, parts.settings
        self._store = store
        self._home = home
        self._bell = bell
        self._settings = settings
        self._completions = parts.completions
        self._selector = selectors.DefaultSelector()
        self._selector.register(bell.fileno(), selectors.EVENT_READ)
        self._keepers = home.executor("local")
        tmpdirs = os.path.join(home.tmp, bell.id)
        self._background = self._workers(parts, tmpdirs)
        self._scripts = QuickScripts(parts.scripts)
        self._tmpdirs = TmpDirs(tmpdirs, self._background.call)
        self._opening = Opening(parts.open_executor, bell.wake)
        self._executors = ExecutorPool(self._opening.take, self._selector)
        self._committer = Committer(
            store, bell.id, home, parts.observers, parts.completions.come, parts.callbacks_posted
        )
        self._queue = self._jobs_of(parts, bell)
        self._progress = ToldProgress(self._report_progress)
        self._runner = EffectRunner(self._background, settings, self._forget, self._progress)
        self._shares = FairShare()
        self._active: dict[str, Active] = {}
        self._decided: dict[str, Active] = {}  #: those that have something to record, or to be done
        self._timed: dict[str, Active] = {}  #: those that want to be told what time it is
        self._to_stop: deque[str] = deque()  #: jobs that have to be taken up for that
        self._wanted: deque[str] = deque()
        self._accepted: deque[tuple[JobRecord, JobRequest | None]] = deque()
        self._done: deque[tuple[str, News]] = deque()
        self._rung = True
        self._looked = -_IDLE
        self._version = -1
        self._more = False
        self._stopping = False
        self.broken: Exception | None = None  #: the bug or mishap that has ended the thread
        self._thread = threading.Thread(target=self._live, name="localproc-loop", daemon=True)

    def _workers(self, parts: LoopParts, tmpdirs: str) -> Background:
        """Return what does for jobs what the loop is not to wait for."""
        settings, done = self._settings, self._report_done
        most = int(Retention.of(settings.prune).cache)
        steps = StepCache(parts.home.steps, most, partial(mentioned, parts.store))
        work = JobWork(
            parts.storages,
            parts.containers,
            steps,
            done,
            parts.store.encoded,
            durable=settings.durable,
            validation=Validation(settings.validate_results),
            schemas=settings.stac_schemas,
            remnants=parts.remnants,
        )
        return Background(work, steps, parts.scripts, tmpdirs, settings.active, done)

    def _jobs_of(self, parts: LoopParts, bell: Liveness) -> JobQueue:
        """Return the jobs that come to the engine."""
        return JobQueue(
            parts.store,
            bell.id,
            parts.home.engines,
            parts.settings,
            JobReader(parts.store, parts.compiled, parts.secrets, self._background.read, bell.wake),
            JobStarts(parts, self._executors, self._tmpdirs),
            self._opening,
            self._committer,
            parts.completions.lost,
        )

    # For other threads

    def start(self) -> None:
        """Begin; raises ``EnvironmentProblem`` if the system has no thread for it."""
        if not started(self._thread):
            self._selector.close()
            raise EnvironmentProblem("there is no thread to run jobs in", hint=THREADS)

    def warm_up(self, executor: str) -> None:
        """Open an executor that is going to be needed."""
        self._wanted.append(executor)
        self._bell.wake()

    def accept(self, job: JobRecord, request: JobRequest | None = None) -> None:
        """Take on a job of its own; ``request``: its inputs are few, its process is at hand."""
        self._completions.expect(job)
        self._accepted.append((job, request))
        if self._room > 0:  # else it waits until another one has ended
            self._bell.wake()

    def ring(self) -> None:
        """Have the loop look at the store now."""
        self._looked = -_IDLE
        self._bell.wake()

    def stop(self) -> None:
        """End the thread. Jobs stay as they are, tasks go on; another engine will take them."""
        self._stopping = True
        self._committer.close()
        self._bell.wake()
        if self._thread.is_alive():
            self._thread.join()

    # The thread

    def _live(self) -> None:
        try:
            self._background.sweep(self._home.jobs, self._is_tidy)
            with evaluating_with(self._scripts):
                while not self._stopping:
                    self._turn()
        except Exception as error:
            _LOG.exception("the engine has stopped: %s", error)
            self.broken = error
        finally:
            self._leave()

    def _is_tidy(self, job_id: str) -> bool:
        """Whether a job has ended so that nothing is kept of what its steps have made."""
        job = self._store.job(job_id)
        if job is None or job.status is not JobStatus.SUCCESSFUL:
            return False
        if job.owner is not None and is_alive(self._home.engines, job.owner):
            return False  # that engine is about to do so
        events = self._store.events(job_id)  # none, if it has just been deleted
        return bool(events) and isinstance(last := events[-1], Succeeded) and last.tidy

    def _turn(self) -> None:
        patience = self._patience()
        ready = {key.fd for key, _ in self._selector.select(patience)}
        self._background.removal.see(at_ease=patience > 0 and not ready)
        self._scripts.next_turn()
        self._take_messages(ready)
        self._take_reports(ready)
        self._look()
        for active in list(self._timed.values()):
            active.let(JobRun.see_time)
        self._begin_waiting()
        room = self._executors.room() if self._shares.may_start else {}
        self._more = bool(room) and self._shares.fill(room, _PULLS)
        self._record()
        self._act()

    def _patience(self) -> float:
        """How long to wait for something to happen."""
        if self._more or self._done or self._to_stop or self._stopping:
            return 0
        if (self._accepted and self._room > 0) or self._queue.may_begin(self._room):
            return 0  # a job has ended just now, and made room
        patience = self._executors.patience(self._background.removal.patience(_IDLE))
        return min((one.run.patience(patience) for one in self._timed.values()), default=patience)

    def _take_messages(self, ready: set[int]) -> None:
        """Take what other threads have left, and note whether another process has rung."""
        if self._bell.fileno() in ready:
            self._rung |= self._bell.answer()
        while self._wanted:
            for name in names_of(self._wanted.popleft()):
                self._opening.is_over(name)
        while self._accepted:
            self._queue.add(*self._accepted.popleft())
        while self._done:
            job_id, done = self._done.popleft()
            if (active := self._active.get(job_id)) is not None:
                active.let(partial(JobRun.take, news=done))

    def _take_reports(self, ready: set[int]) -> None:
        for report in self._executors.reports(ready):
            active = self._active.get(report.key.partition(":")[0])
            if active is not None:
                active.let(partial(JobRun.take, news=Reported(report)))

    def _look(self) -> None:
        """Look at what other processes have written: dismissals, and jobs to take over."""
        now = monotonic()
        late = now - self._looked >= _IDLE
        if not (self._rung or late):
            return
        self._rung = False
        try:
            version = self._store.version()
            if late or version != self._version:
                self._looked, self._version = now, version
                self._dismiss(self._store.to_dismiss(self._bell.id))
                self._queue.adopt()
                self._background.nudge()
        except StoreLocked as error:
            _LOG.warning("what others have written is looked at later: %s", error)
            self._looked, self._version = now, -1

    def _dismiss(self, jobs: Iterable[str]) -> None:
        """Dismiss jobs, also those that wait for their turn: a few of these in each turn."""
        self._to_stop.clear()
        for job_id in jobs:
            if (active := self._active.get(job_id)) is not None:
                active.let(partial(JobRun.take, news=DismissalAsked()))
            else:
                self._to_stop.append(job_id)

    @property
    def _room(self) -> int:
        """How many more jobs it would run now."""
        return self._settings.active - len(self._active)

    def _begin_waiting(self) -> None:
        for _ in range(min(_BEGUN, len(self._to_stop))):
            self._enter(self._queue.dismiss(self._to_stop.popleft()))
        for _ in range(_BEGUN):
            if self._room <= 0 or not self._enter(self._queue.next(self._room)):
                break

    def _enter(self, active: Active | None) -> Active | None:
        if active is not None:
            self._active[active.context.job_id] = active
            self._shares.join(active)
            active.decided = self._note
            self._note(active)
        return active

    def _note(self, active: Active) -> None:
        """A job has decided something."""
        job_id, run = active.context.job_id, active.run
        if run.changed:
            self._decided[job_id] = active
        self._timed.pop(job_id, None)
        if run.is_timed:
            self._timed[job_id] = active
        if self._accepted:
            sleep(0)  # who executes many jobs waits for one job's decision, and no longer

    def _record(self) -> None:
        """Record all that was decided, in one transaction."""
        decided = self._decided.values()
        changes = [change for one in decided if (change := one.run.change()) is not None]
        lost = self._committer.record(changes)
        for active in list(decided):
            active.run.recorded()
            if active.context.job_id in lost:
                self._forget(active)
                self._completions.lost(active.context.job_id)

    def _act(self) -> None:
        """Do what has been ordered; what fails at that is to be decided about at once."""
        decided, self._decided = self._decided, {}
        self._runner.act(decided.values(), more=self._more)
        self._more = self._more or bool(self._decided)

    def _forget(self, active: Active) -> None:
        for jobs in (self._active, self._decided, self._timed):
            jobs.pop(active.context.job_id, None)
        self._shares.leave(active)
        self._progress.forget_job(active.context.job_id)

    def _report_progress(self, key: str, share: float, said: str) -> None:
        """In another thread: a tool has told how far it is."""
        self._report_done(key.partition(":")[0], ToolProgressed(key, share, said))

    def _report_done(self, job_id: str, done: News) -> None:
        """In a thread of the background's: something that was ordered has been done, or partly."""
        self._done.append((job_id, done))
        self._bell.wake()

    def _leave(self) -> None:
        """Let go of everything in an order in which nothing is lost."""
        try:
            for active in self._active.values():
                active.context.stopped.set()
            self._progress.close()
            self._background.close()
            idle = self._give_up_jobs()
            self._opening.close()
            self._executors.close(tidy=idle)
            if idle:
                with suppress(OSError):  # no descriptor is left: the next engine does it
                    forget_gone(self._keepers)  # the local executor may not have been needed
                    self._bell.bury()
                self._tmpdirs.close(self._bell.knows)
            elif not self._active:
                self._tmpdirs.close()
            self._selector.close()
        finally:
            self._completions.close()

    def _give_up_jobs(self) -> bool:
        """Leave open jobs to others; whether there are none."""
        try:
            self._store.release(self._bell.id)
            return not self._store.owners()
        except EnvironmentProblem as error:  # others see by the lock that this engine is gone
            _LOG.error("%s", error)
            return False
