"""The loop: one thread for all jobs of an engine.

Owns the order of things: take facts in, let the jobs decide, record events and rows in one
transaction, then act. Must not decide anything about a job itself, nor know any face.
"""

import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final

from localproc import machine
from localproc.cwl.process import Tool, Workflow, own_files
from localproc.engine import history, presence
from localproc.engine.background import Background, JobContext
from localproc.engine.home import Home
from localproc.engine.observers import Observers
from localproc.engine.orders import Close, Done, Launch, Order, Remember, Stop
from localproc.engine.presence import Presence
from localproc.engine.run import JobRun, as_ours
from localproc.engine.scratch import Scratch
from localproc.engine.settings import Settings, base_environment
from localproc.engine.workshop import Surroundings
from localproc.errors import ExecutorUnavailable, JobFailed, LocalprocError, NoSpace
from localproc.model import Event, JobRecord, Kind, Task
from localproc.plugins.executor import Capabilities, Executor
from localproc.plugins.store import Change, Store
from localproc.storage.access import OpenStorage
from localproc.storage.disk import Disk, stage
from localproc.storage.step_cache import StepCache

_LOG: Final = logging.getLogger("localproc")
_IDLE: Final = 1.0  #: seconds between looks at the store while nothing happens
_SHORT: Final = timedelta(milliseconds=100)  #: tasks that are shorter are recorded when they end
_BUDGET: Final = 4 << 20  #: bytes of outputs that may be read for checksums within the loop
_PULLS: Final = 64  #: steps that may be started in one turn


@dataclass(slots=True)
class _Active:
    """A job that is being run."""

    run: JobRun
    executor: Executor
    context: JobContext


class Loop:
    """The thread and all that it holds. Other threads may call ``accept``, ``ring``, ``waiter``."""

    def __init__(
        self,
        home: Home,
        store: Store,
        bell: Presence,
        settings: Settings,
        open_storage: OpenStorage,
        open_executor: Callable[[str], tuple[Executor, Capabilities]],
        compiled: Callable[[JobRecord, history.History], Tool | Workflow],
        observers: Observers,
        letters_posted: Callable[[], None],
    ) -> None:
        self._home = home
        self._store = store
        self._bell = bell
        self._settings = settings
        self._open_executor = open_executor
        self._compiled = compiled
        self._observers = observers
        self._letters_posted = letters_posted
        cache = StepCache(os.path.join(home.path, "cache", "steps"))
        self._background = Background(open_storage, cache, self._report_done)
        self._scratch = Scratch(os.path.join(home.path, "tmp", bell.id), self._background.call)
        self._env = base_environment()
        self._executors: dict[str, tuple[Executor, Capabilities]] = {}
        self._active: dict[str, _Active] = {}
        self._turns: deque[_Active] = deque()
        self._waiting: deque[JobRecord] = deque()
        self._changed: dict[str, _Active] = {}
        self._inbox: deque[tuple[str, Done]] = deque()
        self._accepted: deque[JobRecord] = deque()
        self._waiters: dict[str, list[threading.Event]] = {}
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._selector.register(bell.fileno(), selectors.EVENT_READ)
        self._looked = (-_IDLE, -1)
        self._more = False
        self._stopping = False
        self._thread = threading.Thread(target=self._live, name="localproc-loop", daemon=True)

    # For other threads

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def accept(self, job: JobRecord) -> None:
        """Take on a job that this engine has recorded as its own."""
        self._accepted.append(job)
        self._bell.ring()

    def ring(self) -> None:
        """Have the loop look at the store now."""
        self._looked = (-_IDLE, -1)
        self._bell.ring()

    def waiter(self, job_id: str) -> threading.Event:
        """Give what is set when the job has ended in this engine."""
        event = threading.Event()
        with self._lock:
            self._waiters.setdefault(job_id, []).append(event)
        return event

    def idle(self) -> bool:
        """Whether there is no job to run."""
        return not (self._active or self._waiting or self._accepted)

    def stop(self) -> None:
        """End the thread. Jobs stay as they are, tasks go on; another engine will take them."""
        self._stopping = True
        self._bell.ring()
        if self._thread.is_alive():
            self._thread.join()

    # The thread

    def _live(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._leave()

    def _turn(self) -> None:
        if self._selector.select(self._patience()):
            self._bell.answer()
        self._take_messages()
        self._take_reports()
        self._look()
        self._begin_waiting()
        self._fill()
        self._record()
        self._act()

    def _patience(self) -> float:
        if self._more or self._inbox or self._accepted or self._stopping:
            return 0
        intervals = [executor.interval() for executor, _ in self._executors.values()]
        patience = min((one for one in intervals if one is not None), default=_IDLE)
        if any(one.run.has_untold() for one in self._turns):
            patience = min(patience, _SHORT.total_seconds())
        return patience

    def _take_messages(self) -> None:
        while self._accepted:
            self._waiting.append(self._accepted.popleft())
        while self._inbox:
            job_id, done = self._inbox.popleft()
            active = self._active.get(job_id)
            if active is not None:
                self._let(active, lambda run, done=done: run.done(done))  # type: ignore[misc]

    def _take_reports(self) -> None:
        for executor, _ in self._executors.values():
            try:
                reports = executor.poll()
            except ExecutorUnavailable as error:
                _LOG.debug("no news: %s", error)
                continue
            for report in reports:
                active = self._active.get(report.key.partition(":")[0])
                if active is not None:
                    self._let(active, lambda run, report=report: run.report(report))  # type: ignore[misc]
        earlier = datetime.now(UTC) - _SHORT
        for active in self._turns:
            if active.run.has_untold():
                self._let(active, lambda run: run.note_running(earlier))

    def _look(self) -> None:
        """Look at what other processes have written: dismissals, and jobs to take over."""
        last, version = self._looked
        now, current = monotonic(), self._store.version()
        if now - last < _IDLE and current == version:
            return
        self._looked = (now, current)
        for job_id in self._store.to_dismiss(self._bell.id):
            self._dismiss(job_id)
        self._adopt()

    def _dismiss(self, job_id: str) -> None:
        active = self._active.get(job_id)
        if active is not None:
            self._let(active, lambda run: run.dismiss())
            return
        for job in list(self._waiting):
            if job.id == job_id:
                self._waiting.remove(job)
                self._begin(job)
                if job_id in self._active:
                    self._let(self._active[job_id], lambda run: run.dismiss())

    def _adopt(self) -> None:
        """Take over the jobs that nobody runs: all, or those that are to stop."""
        owners = self._store.owners()
        folder = self._home.engines
        dead = [
            owner
            for owner in owners
            if owner and owner != self._bell.id and not presence.is_alive(folder, owner)
        ]
        if dead or None in owners:
            room = max(0, self._settings.active * 2 - len(self._waiting))
            stopping = not self._settings.adopt
            self._waiting.extend(self._store.claim(self._bell.id, dead, room, dismissed=stopping))

    def _begin_waiting(self) -> None:
        while self._waiting and len(self._active) < self._settings.active:
            self._begin(self._waiting.popleft())

    def _begin(self, job: JobRecord) -> None:
        """Take a job up, from its beginning or from where its history ends."""
        past = history.read(self._store.events(job.id))
        try:
            executor, capabilities = self._executor(past.request.executor)
            process = self._compiled(job, past)
        except Exception as error:
            self._give_up(job, past, as_ours(error))
            return
        folder = self._home.job(job.id)
        os.makedirs(os.path.join(folder, "logs"), exist_ok=True)
        os.makedirs(os.path.join(folder, "work"), exist_ok=True)
        around = Surroundings(
            now=lambda: datetime.now(UTC),
            folder=folder,
            base_env=self._env,
            containers=capabilities.containers,
            files=lambda: Disk(_BUDGET),
            make=stage,
            tmpdir=self._scratch.take,
            done_with=self._scratch.give_back,
            reuse=self._settings.reuse if past.request.reuse is None else past.request.reuse,
        )
        own = tuple(own_files(process))
        context = JobContext(job.id, folder, past.request, threading.Event(), own)
        run = JobRun(job, past, process, around)
        active = _Active(run, executor, context)
        self._active[job.id] = active
        self._turns.append(active)
        self._let(active, lambda run: self._go_on(run, executor))

    def _go_on(self, run: JobRun, executor: Executor) -> None:
        resuming = run.recorded > 1
        run.begin()
        if resuming:
            tasks = run.unfinished()
            run.reattached(executor.reattach(tasks) if tasks else {}, tasks)

    def _give_up(self, job: JobRecord, past: history.History, error: LocalprocError) -> None:
        """End a job that cannot even be begun."""
        problem = JobFailed(
            error.message, job_id=job.id, hint=error.hint, cause=type(error).__name__
        )
        event = Event(
            Kind.FAILED, datetime.now(UTC), {"problem": problem.to_problem()}, message=error.message
        )
        job = machine.apply(job, event)
        told = machine.letters(job.id, past.request.subscriber, [event])
        if not self._store.commit(self._bell.id, [Change(job, [event], past.events, told)]):
            self._observers.tell(job, [event])
        if told:
            self._letters_posted()
        self._wake_waiters(job.id)

    def _executor(self, name: str) -> tuple[Executor, Capabilities]:
        found = self._executors.get(name)
        if found is None:
            found = self._executors[name] = self._open_executor(name)
            if (file := found[0].fileno()) is not None:
                self._selector.register(file, selectors.EVENT_READ)
        return found

    def _fill(self) -> None:
        """Start steps of all jobs in turn, as many as the executors have room for."""
        self._more = False
        room = {id(one): one.room() for one, _ in self._executors.values()}
        for active in self._turns:
            room[id(active.executor)] -= active.run.recalling
        pulls = passes = 0
        while self._turns and passes < len(self._turns):
            active = self._turns[0]
            self._turns.rotate(-1)
            left = room[id(active.executor)]
            if left <= 0 or not active.run.can_start_more:
                passes += 1
                continue
            before = len(active.run.running) + active.run.recalling
            if not self._let(active, JobRun.pull):
                passes += 1
                continue
            passes = 0
            pulls += 1
            room[id(active.executor)] -= len(active.run.running) + active.run.recalling - before
            if pulls >= _PULLS:
                self._more = True
                return

    def _let(self, active: _Active, decide: Callable[[JobRun], object]) -> bool:
        """Let a job decide; a bug in that fails the job and nothing else."""
        run = active.run
        try:
            result = decide(run)
        except Exception as error:
            _LOG.exception("job %s: %s", run.job.id, error)
            hint = "this is a bug in localproc: please report it with the traceback in the log"
            message = f"internal error: {type(error).__name__}: {error}"
            run.fail(JobFailed(message, job_id=run.job.id, hint=hint, cause="internal"))
            result = True
        if run.events or run.orders:
            self._changed[run.job.id] = active
        return bool(result)

    def _record(self) -> None:
        """Record all that was decided, in one transaction."""
        changes = [one.run.change() for one in self._changed.values() if one.run.events]
        if not changes:
            return
        try:
            lost = self._store.commit(self._bell.id, changes)
        except NoSpace:
            self._home.drop_ballast()
            lost = self._commit_patiently(changes)
        for change in changes:
            active = self._changed[change.job.id]
            active.run.recorded += len(change.events)
            active.run.events = []
            if change.job.id in lost:
                self._forget(active)
            else:
                self._observers.tell(change.job, change.events)
        if any(change.letters for change in changes):
            self._letters_posted()

    def _commit_patiently(self, changes: list[Change]) -> Collection[str]:
        """The disk is full: nothing may be acted upon that is not recorded, so wait for room."""
        while True:
            try:
                return self._store.commit(self._bell.id, changes)
            except NoSpace as error:
                if self._stopping:
                    raise
                _LOG.error("%s", error)
                threading.Event().wait(_IDLE)

    def _act(self) -> None:
        """Do what the jobs have ordered."""
        changed, self._changed = self._changed, {}
        launched: dict[int, tuple[Executor, list[Task]]] = {}
        for active in changed.values():
            orders, active.run.orders = active.run.orders, []
            for order in orders:
                if isinstance(order, Launch):
                    if self._put_in_place(active, order):
                        _, tasks = launched.setdefault(id(active.executor), (active.executor, []))
                        tasks.append(order.task)
                else:
                    self._do(active, order)
        for executor, tasks in launched.values():
            self._submit(executor, tasks)

    def _submit(self, executor: Executor, tasks: list[Task]) -> None:
        try:
            executor.submit(tasks)
        except ExecutorUnavailable as error:
            for task in tasks:
                self._not_launched(task, error)

    def _put_in_place(self, active: _Active, order: Launch) -> bool:
        task = order.task
        try:
            os.mkdir(task.outdir)
            if task.stage:
                stage(task.stage)
        except OSError as error:
            self._not_launched(task, as_ours(error))
            return False
        return True

    def _not_launched(self, task: Task, error: LocalprocError) -> None:
        active = self._active.get(task.key.partition(":")[0])
        if active is not None and task.key in active.run.running:
            self._let(active, lambda run: run.not_launched(task.key, error))
            self._more = True

    def _do(self, active: _Active, order: Order) -> None:
        if isinstance(order, Stop):
            active.context.stopped.set()
            if order.keys:
                active.executor.cancel(order.keys, self._settings.grace)
        elif isinstance(order, Close):
            self._close_job(active, keep=order.keep or self._settings.keep)
        elif isinstance(order, Remember):
            self._background.remember(order, active.context)
        elif not isinstance(order, Launch):
            self._background.do(order, active.context)

    def _close_job(self, active: _Active, *, keep: bool) -> None:
        self._forget(active)
        if not keep:
            self._background.clean_up(active.context)

    def _forget(self, active: _Active) -> None:
        job_id = active.run.job.id
        self._active.pop(job_id, None)
        with suppress(ValueError):
            self._turns.remove(active)
        self._wake_waiters(job_id)

    def _wake_waiters(self, job_id: str) -> None:
        with self._lock:
            for event in self._waiters.pop(job_id, ()):
                event.set()

    def _report_done(self, job_id: str, done: Done) -> None:
        self._inbox.append((job_id, done))
        self._bell.ring()

    def _leave(self) -> None:
        """Let go of everything in an order in which nothing is lost."""
        self._background.close()
        self._store.release(self._bell.id)
        for executor, _ in self._executors.values():
            if not self._store.owners():
                executor.tidy()
            executor.close()
        if not self._active:
            self._scratch.close()
        self._selector.close()
        with self._lock:
            for events in self._waiters.values():
                for event in events:
                    event.set()
