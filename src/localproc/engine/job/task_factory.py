"""From an invocation to the task that runs it, for one job.

Owns where folders and logs of step instances are, and what of this work is small enough for the
loop. Must not know when steps run, nor what becomes of them. Any thread may use it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from localproc.cwl.base.files import Files
from localproc.cwl.run import fingerprint
from localproc.cwl.run.container import described, wants_container, without_container
from localproc.cwl.run.effort import is_short, is_small, tool_is_quick
from localproc.cwl.run.expression_tool import run_expression
from localproc.cwl.run.moment import Moment
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.prepare import Prepared, prepare
from localproc.cwl.run.process import Tool
from localproc.cwl.run.reads import place, reads, writes
from localproc.cwl.run.software import packages, software_is_required
from localproc.cwl.run.task_layout import Folders
from localproc.engine.job.collecting import collected
from localproc.engine.job.effects import Collect, Evaluate, Prepare
from localproc.engine.job.executor_choice import Destination
from localproc.engine.job.facts import Made
from localproc.engine.job.hints import (
    SOFTWARE_HINT,
    nowhere,
    without_container_hint,
    without_hints,
    without_software,
)
from localproc.engine.job.inner_links import lead_outside
from localproc.engine.job.step_names import folder_name
from localproc.engine.job.step_secrets import StepSecrets
from localproc.engine.job.steplog import LogNames, log_writer, out_name
from localproc.errors import UnsupportedPackage
from localproc.frozen import frozen
from localproc.machine.retries import RetryRule, rule_for
from localproc.model import Container, Secrets, SoftwarePackage, StageAction, Task
from localproc.software.resolution import Provided
from localproc.storage.disk import TooBig

_NO_SECRETS: Final = Secrets()
_MOST_ACTIONS: Final = 100
_MOST_WRITTEN: Final = 64 * 1024


@frozen
class JobSetup:
    """What a job is given to work with.

    ``now`` is the clock. ``where`` says where an invocation runs. ``files`` looks at the disk
    within the loop, with a budget, and raises ``TooBig``; ``make`` does stage actions. ``tmpdir``
    gives a fresh temporary folder and ``done_with`` takes it back. ``reuse``: look for the outputs
    of equal steps. ``is_retry``: those of an earlier job are taken over. ``rules`` say which steps
    run again after a failure. ``keep``: the folders of steps stay though the job succeeds.
    ``durable``: what a step has made is written through to the disk before its end is recorded, and
    ends of before ``booted``, when this machine was started, are not trusted. ``secrets`` are what
    steps are given that does not come from the package.
    ``software`` gives the environment in which packages are available; it may take long, and raises
    ``EnvironmentProblem``. ``named`` are the files that strings among the inputs name, with those
    that they lead to. ``process`` is the id of the job's, ``progress`` a pattern of steps whose
    tools tell how far they are.
    """

    now: Callable[[], datetime]
    folder: str
    base_env: Mapping[str, str]
    where: Callable[[Invocation], Destination]
    files: Callable[[], Files]
    make: Callable[[Sequence[StageAction]], None]
    tmpdir: Callable[[], str]
    done_with: Callable[[str], None]
    reuse: bool = False
    is_retry: bool = False
    rules: tuple[RetryRule, ...] = ()
    keep: bool = False
    durable: bool = False
    booted: datetime | None = None
    secrets: StepSecrets | None = None
    software: Callable[[Sequence[SoftwarePackage]], Provided] | None = None
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    progress: str = ""
    process: str = ""


@frozen
class TaskFactory:
    """Prepares the tasks of one job."""

    job_id: str
    setup: JobSetup
    logs: LogNames

    def log_path(self, name: str) -> str:
        """Return the path of a step's log."""
        return f"{self.setup.folder}/logs/{self.logs.of(name)}"

    def is_quick(self, invocation: Invocation) -> bool:
        """Whether an invocation may be worked out in no time.

        What its files and its JavaScript may cost is seen then: ``TooBig`` is raised.
        """
        secrets = self.setup.secrets
        is_known = secrets is None or secrets.is_quick(place(invocation.key))
        tool = invocation.tool
        return is_known and is_small(invocation.inputs) and is_short(tool) and not packages(tool)

    def is_plain(self, invocation: Invocation) -> bool:
        """Whether an invocation is quick, and worked out without JavaScript."""
        return tool_is_quick(invocation.tool) and self.is_quick(invocation)

    def is_boxed(self, invocation: Invocation) -> bool:
        """Whether an invocation runs in a container."""
        place = self.setup.where(invocation)
        return place.containers and wants_container(invocation.tool, containers=True)

    def container(self, invocation: Invocation) -> Container | None:
        """Return the container that a package tells of, where its runtime is known."""
        runtime = self.setup.where(invocation).runtime
        return replace(described(invocation.tool), runtime=runtime) if runtime else None

    def counted(self, invocation: Invocation) -> tuple[Invocation, Mapping[str, Any]]:
        """Return what counts of an invocation for its reuse, and what of its variables and secrets.

        Secrets in the inputs have their digests.
        """
        secrets = self.setup.secrets
        if secrets is None:
            return invocation, {}
        inputs = secrets.digested(invocation.inputs)
        given = dict(secrets.counted(place(invocation.key)))
        if inputs is not invocation.inputs:
            given["inputs"] = "secret"
        return replace(invocation, inputs=inputs), given

    def rule(self, invocation: Invocation) -> RetryRule:
        """Return when an invocation runs again after a failure."""
        return rule_for(self.setup.rules, invocation.step, place(invocation.key))

    def evaluate(self, effect: Evaluate, files: Files | None = None) -> Made:
        """Run an ExpressionTool; raises ``LocalprocError`` or ``OSError``.

        Without ``files`` no more is done than the loop has time for: it raises ``TooBig``.
        """
        disk = files or self.setup.files()
        given = self._given(effect.invocation, disk)
        outputs, actions = run_expression(
            effect.invocation.tool,
            effect.invocation.inputs,
            self._folders(effect.name, 1, ""),
            disk,
        )
        if files is None and not is_light(actions):
            raise TooBig(effect.name)
        self.setup.make(actions)
        return Made(outputs, fingerprint.fingerprint(outputs, disk), given)

    def collect(self, effect: Collect, files: Files) -> Made:
        """Collect the outputs of a task that has ended.

        Raises ``LocalprocError`` or ``OSError``.
        """
        lead_outside(effect.prepared.folders)
        files = Moment(files)
        outputs, told = collected(effect.prepared, effect.report, files, effect.secrets)
        if told:
            with log_writer(self.log_path(effect.name)) as log:
                for line in told:
                    log(line)
        return Made(outputs, fingerprint.fingerprint(outputs, files))

    def prepare(self, effect: Prepare, files: Files) -> tuple[Prepared, Task, str]:
        """Work out a task and how its input files are; raises ``LocalprocError`` or ``OSError``."""
        files = Moment(files)
        where = self.setup.where(effect.invocation)
        tool = effect.invocation.tool
        step, given = place(effect.invocation.key), self.setup.secrets
        software = self.software(effect.invocation)
        prepared = prepare(
            without_container(tool) if where.bare else tool,
            effect.invocation.inputs,
            self._folders(effect.name, effect.attempt, effect.tmpdir),
            files,
            software.env,
            containers=where.containers,
            variables={} if given is None else given.plain(step),
        )
        box = prepared.container
        sees_all = where.able.sees_all and not where.containers
        task = self._task(
            effect,
            prepared,
            container=None if box is None else replace(box, runtime=where.runtime),
            reads=() if sees_all else self._reads(prepared, files, where),
            writes=() if sees_all else writes(prepared),
            process=self.setup.process,
            step=step,
            group=f"{self.job_id}:{step}",
            executor=where.executor,
            secrets=_NO_SECRETS if given is None else given.of(step, prepared),
            software=software.packages,
            progress=self._tells(tool, step),
        )
        task, notes = without_hints(task, tool, where.able)
        if software.missing or where.passed_over:
            notes += without_software(software.missing) + without_container_hint(where.passed_over)
        task = self._noting(notes, task, effect)
        return prepared, task, self._given(effect.invocation, files)

    def _reads(self, prepared: Prepared, files: Files, where: Destination) -> tuple[str, ...]:
        return reads(prepared, files, links=where.containers, named=self.setup.named)

    def _given(self, invocation: Invocation, files: Files) -> str:
        return fingerprint.of_given(invocation.tool, invocation.inputs, files)

    def software(self, invocation: Invocation) -> Provided:
        """Return the environment that a tool starts with; a container has its own software.

        Raises ``EnvironmentProblem``, and ``UnsupportedPackage`` for what is required and nowhere.
        """
        wanted = packages(invocation.tool)
        if not wanted or self.setup.software is None or self.is_boxed(invocation):
            return Provided(self.setup.base_env)
        provided = self.setup.software(wanted)
        if provided.missing and software_is_required(invocation.tool):
            raise UnsupportedPackage(nowhere(provided.missing), hint=SOFTWARE_HINT)
        return provided

    def _tells(self, tool: Tool, step: str) -> bool:
        """Return whether a tool tells its progress: by its own hint, or as was asked for."""
        if tool.requirements.has("Progress"):
            return True
        name, pattern = step.rpartition("/")[2], self.setup.progress
        return pattern != "" and (fnmatchcase(name, pattern) or fnmatchcase(step, pattern))

    def _noting(self, notes: Sequence[str], task: Task, effect: Prepare) -> Task:
        """Return a task that tells what was done without; its log begins with that."""
        if not notes:
            return task
        stage = task.stage
        if effect.attempt == 1:
            log = "".join(f"{note}\n" for note in notes)
            stage = (*stage, StageAction("write", self.log_path(effect.name), contents=log))
        return replace(task, stage=stage, without=tuple(notes))

    def named(
        self, name: str, attempt: int, tmpdir: str, executor: str, box: Container | None = None
    ) -> Task:
        """Return a task as far as it is known without working it out: enough to have it stopped."""
        folders, path = self._folders(name, attempt, tmpdir), self.log_path(name)
        return Task(
            key=self.key(name, attempt),
            argv=(),
            env={},
            outdir=folders.outdir,
            tmpdir=tmpdir,
            stdin=None,
            stdout=out_name(path),
            stderr=path,
            container=box,
            executor=executor,
        )

    def _task(self, effect: Prepare, prepared: Prepared, **more: Any) -> Task:
        path = self.log_path(effect.name)
        # By their places: Python 3.11 never uses a tuple of twenty names again that it has made.
        return Task(
            self.key(effect.name, effect.attempt),
            prepared.argv,
            prepared.env,
            prepared.folders.outdir,
            prepared.folders.tmpdir,
            prepared.stdin,
            prepared.stdout or out_name(path),
            prepared.stderr or path,
            resources=prepared.resources,
            stage=prepared.stage,
            **more,
        )

    def key(self, name: str, attempt: int) -> str:
        """Return what names an attempt of a step for ever."""
        return f"{self.job_id}:{name}:{attempt}"

    def _folders(self, name: str, attempt: int, tmpdir: str) -> Folders:
        outdir = f"{self.setup.folder}/work/{folder_name(name, attempt)}"
        return Folders(outdir, tmpdir, f"{outdir}.in")


def is_light(actions: Sequence[StageAction]) -> bool:
    """Whether so little is to be put in place that the loop may do it."""
    return not actions or (
        len(actions) <= _MOST_ACTIONS
        and all(one.kind != "copy" for one in actions)
        and sum(len(one.contents) for one in actions) <= _MOST_WRITTEN
    )
