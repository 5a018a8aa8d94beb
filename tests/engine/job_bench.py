"""A job on a bench: its decisions, with nothing behind them but memory and a fixed clock."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from localproc.cwl.base.files import has_files
from localproc.cwl.expr.javascript import Evaluator, evaluating_with
from localproc.cwl.run.plan import Plan
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.reads import place
from localproc.engine.job import replay
from localproc.engine.job.effects import (
    Asked,
    Close,
    Collect,
    Effect,
    Evaluate,
    FillFolder,
    FillInputs,
    Launch,
    MakePlan,
    Prepare,
    PullPlan,
    Reattach,
    Recall,
    Release,
    Remember,
    StageIn,
    StageOut,
    Stop,
    Withdraw,
    WriteOutputs,
)
from localproc.engine.job.executor_choice import Destination, ExecutorChoice
from localproc.engine.job.facts import Done, Later, News, Recalled, Reported
from localproc.engine.job.job_run import JobRun
from localproc.engine.job.planning import pull
from localproc.engine.job.staging import filled_inputs
from localproc.engine.job.steplog import LogNames
from localproc.engine.job.task_factory import JobSetup, TaskFactory
from localproc.machine import new_job
from localproc.machine import replay as replayed
from localproc.machine.retries import from_data
from localproc.model import Event, JobRequest, Report, TaskState
from localproc.model.events import Accepted
from localproc.plugins.executor import Capabilities
from localproc.storage.disk import TooBig
from tests.cwl.memory import Memory

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID = "job"


def no_time(source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
    """Leave JavaScript to workers, as the loop does while no process is there for it."""
    del arguments, time_limit
    raise TooBig(source)


class Bench:
    """One job. ``history`` is what has been recorded, ``effects`` what was ordered then.

    ``containers``: the executor runs them; ``sees_all``: it shows tasks all of the disk.
    ``durable``: so is the engine, on a machine that was ``booted`` then. ``accepted_by`` is no
    engine for a job that was left to another. ``evaluator`` is the loop's. ``lent`` counts how
    often tasks of this engine hold each temporary folder.
    """

    def __init__(
        self,
        process: Tool | Workflow,
        inputs: Mapping[str, Any],
        *,
        containers: bool = False,
        sees_all: bool = False,
        durable: bool = False,
        booted: datetime | None = None,
        accepted_by: str = "engine-1",
        evaluator: Evaluator = no_time,
        **request: Any,
    ) -> None:
        self.evaluator = evaluator
        self.process = process
        self.able = Capabilities(containers=containers, sees_all=sees_all)
        self.durable = durable
        self.booted = booted
        self.memory = Memory()
        self.clock = NOON
        self.recalled: dict[str, Recalled] = {}  #: what is found of earlier steps, by places
        self.lent: dict[str, int] = {}
        self.engines = 1
        asked = JobRequest(inputs=inputs, **request)
        first = Accepted(NOON, request=asked, engine=accepted_by, message="accepted")
        self.accepted = new_job(ID, "default", "process", "1", asked, first)
        self.history: list[Event] = [first]
        self.effects: list[Effect] = []
        self._open()

    # What the loop does

    def begin(self) -> list[Event]:
        """Begin, and give the events that are recorded then."""
        with evaluating_with(self.evaluator):
            self.run.begin()
        return self.turn()

    def take(self, news: News) -> list[Event]:
        """Take a fact in."""
        with evaluating_with(self.evaluator):
            self.run.take(news)
        return self.turn()

    def room(self) -> list[Event]:
        """Start steps until there are no more for now."""
        events: list[Event] = []
        with evaluating_with(self.evaluator):
            while self.run.pull():
                events += self.turn()
        return events + self.turn()

    def report(self, key: str, state: TaskState, exit_code: int | None = None) -> list[Event]:
        """Take news of a task, named without its job."""
        return self.take(Reported(Report(f"{ID}:{key}", state, exit_code, reason="who knows")))

    def ended(self, key: str, exit_code: int = 0) -> list[Event]:
        """Take the end of a task."""
        return self.report(key, TaskState.ENDED, exit_code)

    def later(self) -> list[Event]:
        """Tell that the time has come for what is due next, and start it."""
        assert self.run.due is not None
        return self.take(Later(self.run.due)) + self.room()

    def turn(self) -> list[Event]:
        """Record, then take the effects."""
        change = self.run.change()
        events = list(change.events) if change else []
        assert not change or change.after == len(self.history)
        self.history += events
        self.run.recorded()
        self.effects += self.run.effects()
        return events

    def resume(self, *, dismissed: bool = False) -> None:
        """Have another engine go on from what is recorded; orders nobody took are lost."""
        self.engines += 1
        self.effects = []
        self.lent = dict.fromkeys(self.lent, 1)  # tasks of an earlier engine may still have them
        self._open(dismissed=dismissed)

    # What workers do

    def answer(self, effect: Asked) -> list[Event]:
        """Do an effect as a worker does."""
        return self.take(Done(effect, self.value(effect)))

    def answer_all(self) -> list[Event]:
        """Do all that is asked for, and what follows from it."""
        events: list[Event] = []
        while asked := self.asked():
            for effect in asked:
                self.effects.remove(effect)
                events += self.answer(effect)
        return events

    def go_on(self) -> None:
        """Do what is asked for, and start steps, until something has to be reported."""
        while self.room() or self.asked():
            self.answer_all()

    def asked(self) -> list[Any]:
        """Give the effects that are to be answered."""
        others = (Launch, Reattach, Release, Stop, Close)
        return [one for one in self.effects if not isinstance(one, others)]

    def value(self, effect: Asked) -> Any:
        """Give what a worker makes of an effect."""
        match effect:
            case MakePlan(inputs, most):
                return pull(Plan(self.process, inputs, self.memory), most)
            case PullPlan(plan, most):
                return pull(plan, most)
            case Prepare():
                return self.tasks.prepare(effect, self.memory)
            case Evaluate():
                return self.tasks.evaluate(effect, self.memory)
            case Collect():
                return self.tasks.collect(effect, self.memory)
            case FillInputs(inputs):
                return filled_inputs(self.process, inputs)
            case StageIn(inputs, _):
                return inputs
            case StageOut(outputs, _, _):
                return outputs, {}
            case WriteOutputs(outputs):
                return None if has_files(outputs) else (outputs, {})
            case Recall():
                return self.recalled.get(effect.invocation.key, Recalled("identity"))
            case FillFolder() | Remember() | Withdraw():
                return None

    def given(self, kind: type[Any]) -> list[Any]:
        """Give the effects of one kind, and forget them."""
        found = [one for one in self.effects if isinstance(one, kind)]
        self.effects = [one for one in self.effects if not isinstance(one, kind)]
        return found

    def launched(self) -> list[str]:
        """Give the keys of the tasks that are handed over, without the job."""
        return [one.task.key.removeprefix(f"{ID}:") for one in self.given(Launch)]

    def _open(self, *, dismissed: bool = False) -> None:
        job = replayed(self.accepted, self.history[1:])
        job = replace(job, owner=f"engine-{self.engines}")
        if dismissed:
            job = replace(job, dismiss_requested=True)
        past = replay.read(ID, self.history)
        placement = ExecutorChoice.read(past.request.executor)
        setup = JobSetup(
            now=self._now,
            folder="/job",
            base_env={},
            where=lambda one: Destination(
                placement.choose(place(one.key), container=True), self.able
            ),
            files=lambda: self.memory,
            make=lambda _: None,
            tmpdir=self._lend,
            done_with=self._give_back,
            reuse=bool(past.request.reuse),
            is_retry=past.request.retry_of is not None,
            durable=self.durable,
            booted=self.booted,
            rules=from_data(past.request.retries),
        )
        self.tasks = TaskFactory(ID, setup, LogNames(past.logs))
        self.run = JobRun(job, past, self.process, self.tasks)

    def _lend(self) -> str:
        path = f"/tmp/{self.engines}/{len(self.lent)}"
        self.lent[path] = 1
        return path

    def _give_back(self, path: str) -> None:
        if path:
            self.lent[path] -= 1

    def _now(self) -> datetime:
        self.clock += timedelta(seconds=1)
        return self.clock


def told(events: Sequence[Event]) -> list[str]:
    """Give events as short lines: the kind, the step, how it ended."""
    return [
        " ".join(
            str(part)
            for part in (one.kind, getattr(one, "name", ""), getattr(one, "status", ""))
            if part
        )
        for one in events
    ]
