"""A command in the folder of a step, as the step's own was run.

Owns working out the step's environment and container again, which are recorded nowhere, and running
a command of a person's with them. Must not know any face.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from localproc.cwl.run.plan import Invocation
from localproc.engine.home.settings import base_environment
from localproc.engine.home.variables import read_variables
from localproc.engine.job import replay
from localproc.engine.job.effects import Prepare
from localproc.engine.job.executor_choice import Destination
from localproc.engine.job.past_steps import past_steps
from localproc.engine.job.step_names import folder_name
from localproc.engine.job.step_secrets import StepSecrets
from localproc.engine.job.steplog import LogNames
from localproc.engine.job.task_factory import JobSetup, TaskFactory
from localproc.engine.runtime import Runtime
from localproc.errors import ImageError, NoSuchStep, SecretUnavailable
from localproc.executors.composed import make_beside
from localproc.frozen import frozen
from localproc.model import JobRecord, Step, Task
from localproc.model.events import STAGE_IN, STAGE_OUT
from localproc.spelling import public
from localproc.storage.disk import Disk, stage

_IN_A_CONTAINER: Final = "/bin/sh"
_KEEP: Final = (
    "a job that succeeds removes them: run it with --keep (the setting 'keep') to have them; "
    "those of one that failed are there until it is pruned"
)


@public
@frozen
class StepShell:
    """A process for a person in the place of a step's.

    ``task`` has no container any more; ``folder`` is where it is started. ``notes`` are what is
    worth knowing before: the step's own command line, and in what this is not the same.
    """

    task: Task
    folder: str
    notes: tuple[str, ...]

    def run(self) -> int:
        """Run it with the streams of this process, and return its exit code."""
        make_beside(self.task.stage)
        terminal = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else {}
        env = {**terminal, **self.task.env}
        return subprocess.call(self.task.argv, cwd=self.folder, env=env)


def step_shell(
    runtime: Runtime, job: JobRecord, step: Step, command: Sequence[str], tmpdir: str
) -> StepShell:
    """Return what runs a command as a step was run; a shell, if there is no command.

    Raises ``NoSuchStep`` for one without a folder, ``ImageError`` for an image that is gone, and
    what the container runtime raises.
    """
    folder = _folder(runtime, job, step)
    past = replay.read(job.id, runtime.store.events(job.id))
    invocation = _invocation(runtime, job, past, step)
    prepare = Prepare(step.name, invocation, step.attempt, tmpdir)
    secrets = StepSecrets(
        (*read_variables(runtime.settings.variables), *read_variables(past.request.variables)),
        job.process_id,
        frozenset(past.request.secrets),
        runtime.secrets,
    )
    notes = []
    try:
        task = _task(runtime, job, past, step, prepare, secrets)
    except SecretUnavailable as error:
        task = _task(runtime, job, past, step, prepare, secrets.without_any())
        notes.append(f"it is not given the step's secrets: {error.message}: {error.hint}")
    notes.insert(0, f"the step's command: {_shown(task)}")
    if step.host and runtime.plugins.executor(step.executor).capabilities.remote:
        notes.append(f"the step ran on {step.host}; this is not that machine")
    task = replace(task, env=task.secrets.environment(task.env))
    return StepShell(_placed(runtime, task, command, notes), folder, tuple(notes))


def _folder(runtime: Runtime, job: JobRecord, step: Step) -> str:
    said = f"step {step.name} of job {job.id}"
    if step.key in (STAGE_IN, STAGE_OUT):
        raise NoSuchStep(f"{said} has no command: it is the engine's own")
    if step.reused_from:
        there = f"localproc shell {step.reused_from} {step.reused_step or step.name}"
        raise NoSuchStep(f"{said} was not run: it has the outputs of another one", hint=there)
    work = os.path.join(runtime.home.job(job.id), "work")
    folder = os.path.join(work, folder_name(step.name, step.attempt))
    if not os.path.isdir(folder):
        raise NoSuchStep(f"the folder of {said} is not there", hint=_KEEP)
    return folder


def _invocation(runtime: Runtime, job: JobRecord, past: replay.History, step: Step) -> Invocation:
    process = runtime.processes.of_job(job, past)
    for invocation, known in past_steps(process, past, Disk()):
        if known.name == step.name:
            if invocation.tool.expression is not None:
                raise NoSuchStep(f"step {step.name} has no command: it is an expression")
            return invocation
    raise NoSuchStep(f"what step {step.name} of job {job.id} was given is not known any more")


def _task(
    runtime: Runtime,
    job: JobRecord,
    past: replay.History,
    step: Step,
    prepare: Prepare,
    secrets: StepSecrets,
) -> Task:
    """Work the step's task out again; where it ran, and in which image, was recorded."""
    able = runtime.plugins.executor(step.executor).capabilities
    where = Destination(step.executor, able, step.containers, bare=not step.image)
    setup = JobSetup(
        now=lambda: datetime.now(UTC),
        folder=runtime.home.job(job.id),
        base_env=base_environment(),
        where=lambda _: where,
        files=Disk,
        make=stage,
        tmpdir=lambda: prepare.tmpdir,
        done_with=lambda _: None,
        secrets=secrets,
        software=runtime.software.provide,
        named=past.request.named,
        process=job.process_id,
    )
    _, task, _ = TaskFactory(job.id, setup, LogNames(past.logs)).prepare(prepare, Disk())
    box = task.container
    return task if box is None else replace(task, container=replace(box, image=step.image))


def _placed(runtime: Runtime, task: Task, command: Sequence[str], notes: list[str]) -> Task:
    """Return the process of this machine that runs a command in the place of a task's."""
    box = task.container
    if box is None:
        usual = os.environ.get("SHELL") or shutil.which("sh") or _IN_A_CONTAINER
        return replace(task, argv=tuple(command) or (usual,), stage=())
    task = replace(task, argv=tuple(command) or (_IN_A_CONTAINER,))
    if not box.runtime:
        raise ImageError(
            f"the executor {task.executor} has containers of its own, which cannot be opened here",
            hint="run the job with --containers, so that localproc makes them",
        )
    runs = runtime.containers.runtime(box.runtime)
    image = runs.image(box)
    if image is None:
        raise ImageError(f"the image {box.image} is not here", hint=runs.brings(box))
    notes.append(f"in a new container of {box.image} ({box.runtime})")
    return runs.shell(task, image, terminal=sys.stdin is not None and sys.stdin.isatty())


def _shown(task: Task) -> str:
    """Write a command line as it can be typed; secrets in it are marks."""
    return shlex.join(task.argv) + (f" < {shlex.quote(task.stdin)}" if task.stdin else "")
