"""One job's life inside an engine.

Owns the decisions: facts in (a report of a task, inputs staged, a dismissal), events and effects
out. What follows from which fact in which phase says ``machine.phases``; here is how, and in
``job_endings`` how it ends. Must not know threads, the store or any executor; the loop records the
events and then does the effects. The only disk it looks at is the one it is given, for inputs and
outputs of steps.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from localproc import machine
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import Tool, Workflow
from localproc.engine.job import failure_text
from localproc.engine.job.effects import Effect, Effects
from localproc.engine.job.event_writer import EventWriter
from localproc.engine.job.facts import Done, Later, News, NotLaunched, Reported, Room, fact_of
from localproc.engine.job.job_endings import Handler, JobEndings
from localproc.engine.job.planning import Instance, Planning
from localproc.engine.job.replay import History
from localproc.engine.job.staging import OWN_STEPS, Staging
from localproc.engine.job.step_names import StepNames
from localproc.engine.job.step_runs import StepRuns
from localproc.engine.job.task_factory import TaskFactory
from localproc.errors import JobDismissed, JobFailed, LocalprocError
from localproc.machine.phases import ACTS, Act, Phase
from localproc.model import JobRecord
from localproc.model.events import STAGE_IN
from localproc.plugins.store import Change

_STAGED, _STEPS = 2, 95  #: percent of progress for staging in, and for all steps together


class JobRun(JobEndings):
    """A job that an engine has taken on.

    It begins, takes facts as they come, gives a step to start whenever it is asked for one, and
    ends. Every fact is followed by ``_advance``, which sees whether there is still something to
    wait for, and if not, what comes next: publishing the outputs, or the end.
    """

    def __init__(
        self, job: JobRecord, history: History, process: Tool | Workflow, tasks: TaskFactory
    ) -> None:
        self.request = history.request
        self._has_limit = history.request.time_limit is not None
        self.phase = Phase.STAGING_IN
        self.placed = ""  #: the executor of the step that was started last
        self._where = tasks.setup.where
        self._recorded = history.events
        self._history = history
        self._process = process
        executor = history.request.executor
        self._writer = writer = EventWriter(job, tasks.setup.now, tasks.logs, executor)
        self._effects = effects = Effects()
        names = StepNames(history.names)
        self._staging = Staging(process, writer, effects, tasks, names, history.steps)
        unfinished = {
            key: known
            for key, known in history.steps.items()
            if not known.ended and key not in OWN_STEPS
        }
        files = tasks.setup.files
        self._planning = Planning(
            process, effects, files, history.steps.keys(), set(unfinished), self._executor
        )
        self._steps = StepRuns(
            writer, effects, tasks, names, unfinished, self._step_ended, self._step_failed
        )
        self._now = tasks.setup.now
        self._keep = tasks.setup.keep
        self._has_made = any(
            one.outputs for key, one in history.steps.items() if key not in OWN_STEPS
        )
        self._inputs: Mapping[str, Any] = {}
        self._parts: dict[str, float] = {}  #: what steps that run have done of the whole
        self._ending = None

    # What the loop asks

    @property
    def under_way(self) -> int:
        """How many steps have been started and take up room of executors, now or soon."""
        return self._steps.under_way

    @property
    def may_start(self) -> bool:
        """Whether it has come to its steps, and is not beyond them: else no room is of use."""
        return self.phase is Phase.RUNNING

    @property
    def to_come(self) -> Counter[str]:
        """How many of them each executor does not know of yet."""
        return self._steps.to_come

    @property
    def changed(self) -> bool:
        """Whether there is something to record or to do."""
        return bool(self._writer.events or self._effects.waiting)

    def see_time(self) -> bool:
        """Take in what time it is, if something is due by now; whether it was."""
        if (due := self.due) is None or (at := self._now()) < due:
            return False
        self.take(Later(at))
        return True

    def is_running(self, key: str) -> bool:
        """Whether a task has been launched and not been reported as ended."""
        return key in self._steps.running

    def change(self) -> Change | None:
        """Return what is to be recorded, if anything."""
        events = self._writer.events
        if not events:
            return None
        job = self.job
        told = machine.callbacks(job.id, self.request.subscriber, events)
        return Change(job, events, self._recorded, told)

    def recorded(self) -> None:
        """What ``change`` gave has been recorded."""
        self._recorded += len(self._writer.tear_off())

    def effects(self) -> list[Effect]:
        """Return what is to be done, now that what led to it has been recorded."""
        return self._effects.take()

    # Facts

    def begin(self) -> None:
        """Start, or go on after another engine."""
        history = self._history
        staged = history.steps.get(STAGE_IN)
        if history.engine != self.job.owner and (history.engine or history.started):
            self._writer.taken_over()
        if not history.started:
            self._writer.started()
        self._problems = problems = [JobFailed.from_problem(one) for one in history.problems]
        if self.job.dismiss_requested:
            if not history.dismissing:
                self._writer.dismiss_requested()
            self._stop(JobDismissed(f"job {self.job.id} was dismissed"))
        elif self._is_late():
            self._take_time(Later(self._now()))
        elif problems and (history.stopping or not self._may_go_on(history)):
            self._stop(failure_text.all_failed(self.job.id, problems))
        elif history.stopping:
            self._stop(failure_text.stopped_before(self.job.id))
        elif staged is not None and staged.outputs is not None:
            self._plan_for(staged.outputs)
        else:
            self._stage_in(again=staged is not None)
        self._advance()

    def pull(self, full: Collection[str] = ()) -> bool:
        """There is room for another step: start one, if there is one; whether there was.

        None is started at the executors in ``full``. ``placed`` says at which it was.
        """
        return self.take(Room(full))

    def take(self, news: News) -> bool:
        """Take a fact in, and do what follows from it; whether the plan gave a step instance."""
        if isinstance(news, Done):
            self._effects.unanswered -= 1
        act = ACTS[self.phase].get(fact_of(news))
        given = act is not None and self.acts[act](self, news)
        self._advance()
        return bool(given)

    def _advance(self) -> None:
        """Do what follows when nothing is left to wait for."""
        if self._steps.running or self._effects.unanswered:
            return
        if self.phase is Phase.RUNNING and not self._steps.waits:
            outputs = self._planning.take_outputs()
            if outputs is not None:
                self._publish(outputs)
            elif self._problems and self._planning.is_exhausted:
                self._stop(failure_text.all_failed(self.job.id, self._problems))
        if self.phase is Phase.STOPPING:
            self._end()

    # Staging in

    def _stage_in(self, *, again: bool) -> None:
        try:
            inputs = self._staging.stage_in(self.request.inputs, again=again)
        except LocalprocError as error:
            self._process_broke(error)
        else:
            if inputs is not None:
                self._plan_for(inputs)

    def _take_inputs(self, done: Any) -> None:
        try:
            inputs = self._staging.staged_in(done, _STAGED)
        except LocalprocError as error:
            self._staging_broke(done.effect, error)
        else:
            if inputs is not None:
                self._plan_for(inputs)

    def _plan_for(self, inputs: Mapping[str, Any]) -> None:
        self.phase = Phase.RUNNING
        self._inputs = inputs
        try:
            self._planning.begin(inputs)
        except LocalprocError as error:
            self._process_broke(error)
        else:
            self._find_unfinished()

    # Running

    def _take_instances(self, done: Any) -> None:
        try:
            if done.error is not None:
                raise done.error
            self._planning.give_back(done.value)
        except LocalprocError as error:
            self._process_broke(error)
        self._find_unfinished()

    def _find_unfinished(self) -> None:
        """Go on with the steps of an earlier engine before any new one starts."""
        while self.phase is Phase.RUNNING and self._planning.catching_up:
            try:
                instance = self._planning.next()
            except LocalprocError as error:
                self._instance_broke(error)
                continue
            if instance is None:
                return
            self._go_on_with(instance)

    def _start_step(self, room: Any) -> bool:
        again = self._steps.start_again(room.full)
        if again is not None:
            self.placed = again
            return True
        try:
            instance = None if self._planning.catching_up else self._planning.next(room.full)
        except LocalprocError as error:  # there may be more beside it
            self.placed = self._default
            self._instance_broke(error)
            return True
        if instance is None:
            return False
        self.placed = self._executor(instance)
        self._go_on_with(instance)
        return True

    def _go_on_with(self, instance: Instance) -> None:
        """Start a step instance, unless an earlier engine saw its end."""
        known = self._history.steps.get(instance.key)
        if known is None or not known.ended:
            self._steps.start(instance)
        elif known.outputs is not None and isinstance(instance, Invocation):
            self._step_ended(instance.key, known.outputs)

    def _executor(self, instance: Instance) -> str:
        """Return the executor of a step instance; a skipped one counts for the default executor."""
        return self._where(instance).executor if isinstance(instance, Invocation) else self._default

    @property
    def _default(self) -> str:
        return self.request.executor.partition(";")[0]

    def _instance_broke(self, error: LocalprocError) -> None:
        """Fail a step whose inputs make no sense, unless an earlier engine has told of that."""
        known = self._history.steps.get(self._planning.current)
        if known is None or not known.ended:
            self._steps.broke(self._planning.current, error)

    def _step_ended(self, key: str, outputs: Mapping[str, Any]) -> int:
        """Tell the plan; give the job's progress."""
        self._has_made = True
        self._parts.pop(key, None)
        try:
            self._planning.finish(key, outputs)
        except LocalprocError as error:
            self._process_broke(error)
        return self._progress()

    def _progress(self) -> int:
        done = self._planning.progress + sum(self._parts.values())
        return _STAGED + int(_STEPS * min(1.0, done))

    def _tell_tool_progress(self, news: Any) -> None:
        running = self._steps.running.get(news.key)
        if running is None or running.made is None:
            return
        key = running.made[0].invocation.key
        self._parts[key] = self._planning.share(key) * news.share
        self._writer.told(running.name, news.share, news.said, self._progress())

    def _take_answer(self, done: Any) -> None:
        self._steps.answer(done)

    def _tell_progress(self, news: Any) -> None:
        self._staging.progressed(news)

    def _take_report(self, news: Any) -> None:
        if isinstance(news, Reported):
            self._steps.report(news.report)
        elif isinstance(news, NotLaunched):
            self._steps.not_launched(news.key, news.error)

    # Publishing

    def _publish(self, outputs: Mapping[str, Any]) -> None:
        wanted = self.request.outputs
        if wanted is not None:
            outputs = {name: value for name, value in outputs.items() if name in wanted}
        self.phase = Phase.PUBLISHING
        if not self._staging.stage_out(outputs, self._inputs):
            self._succeed(outputs, {})

    def _take_published(self, done: Any) -> None:
        try:
            published = self._staging.staged_out(done, self._inputs)
        except LocalprocError as error:
            self._staging_broke(done.effect, error)
        else:
            if published is not None:
                self._succeed(*published)

    def _succeed(self, outputs: Mapping[str, Any], features: Mapping[str, Any]) -> None:
        self._writer.succeeded(outputs, features, tidy=not self._keep)
        self._close(keep=self._keep)

    #: What does each act that ``machine.phases`` names. It is one table for all jobs: a table of a
    #: job's own methods would keep it, with all that it knows, until garbage is collected.
    acts: ClassVar[Mapping[Act, Handler]] = {
        **JobEndings.acts,
        Act.START_STEP: _start_step,
        Act.TAKE_INPUTS: _take_inputs,
        Act.TAKE_INSTANCES: _take_instances,
        Act.TAKE_ANSWER: _take_answer,
        Act.TAKE_REPORT: _take_report,
        Act.TELL_PROGRESS: _tell_progress,
        Act.TELL_TOOL_PROGRESS: _tell_tool_progress,
        Act.SUCCEED: _take_published,
    }
