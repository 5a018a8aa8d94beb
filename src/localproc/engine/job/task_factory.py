"""From an invocation to the task that runs it, for one job.

Owns the names of step instances, and where their folders and logs are. Must not know when steps
run, nor what becomes of them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from localproc.cwl.base.files import Files
from localproc.cwl.run.expression_tool import run_expression
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.prepare import Prepared, prepare
from localproc.cwl.run.reads import place, reads, writes
from localproc.cwl.run.task_layout import Folders
from localproc.engine.job.steplog import LogNames, out_name
from localproc.model import StageAction, Task

#: How the folders of a step's inputs, and of its later attempts, end.
_FOLDERS: Final = (".in", ".2", ".2.in", ".3", ".3.in")


@dataclass(frozen=True, slots=True)
class JobSetup:
    """What a job is given to work with.

    ``now`` is the clock. ``where`` says which executor runs an invocation, by its name, and whether
    that has containers. ``files`` looks at the disk within the loop, with a budget for checksums
    that raises ``TooBig``; ``make`` does stage actions. ``tmpdir`` gives a fresh temporary folder
    and ``done_with`` takes it back. ``reuse``: look for the outputs of equal steps.
    """

    now: Callable[[], datetime]
    folder: str
    base_env: Mapping[str, str]
    where: Callable[[Invocation], tuple[str, bool]]
    files: Callable[[], Files]
    make: Callable[[list[StageAction]], None]
    tmpdir: Callable[[], str]
    done_with: Callable[[str], None]
    reuse: bool = False


class TaskFactory:
    """Prepares the tasks of one job. ``names`` counts the instances of each step so far."""

    def __init__(self, job_id: str, setup: JobSetup, names: dict[str, int], logs: LogNames) -> None:
        self._job_id = job_id
        self._setup = setup
        self._names = names
        self._logs = logs

    def name(self, step: str) -> str:
        """Name a step instance: the step, then ``_2``, ``_3``, ... in the order of starting."""
        count = self._names.get(step, 0) + 1
        name = step if count == 1 else f"{step}_{count}"
        while not self._is_free(name):
            count += 1
            name = f"{step}_{count}"
        self._names[step] = count
        if count > 1:
            self._names.setdefault(name, 1)
        return name

    def _is_free(self, name: str) -> bool:
        """Whether neither the name nor a folder that comes with it is another step's."""
        names = self._names
        return name not in names and not any(
            name + end in names or (name.endswith(end) and name.removesuffix(end) in names)
            for end in _FOLDERS
        )

    def log_path(self, name: str) -> str:
        """Give the path of a step's log."""
        return os.path.join(self._setup.folder, "logs", self._logs.of(name))

    def evaluate(self, invocation: Invocation, name: str) -> dict[str, Any]:
        """Run an ExpressionTool; raises ``LocalprocError`` or ``OSError``."""
        outputs, actions = run_expression(
            invocation.tool, invocation.inputs, self._folders(name, 1, ""), self._setup.files()
        )
        self._setup.make(actions)
        return outputs

    def prepare(
        self, invocation: Invocation, name: str, attempt: int, tmpdir: str
    ) -> tuple[Prepared, Task]:
        """Work out a task; raises ``LocalprocError`` or ``OSError``."""
        executor, containers = self._setup.where(invocation)
        prepared = prepare(
            invocation.tool,
            invocation.inputs,
            self._folders(name, attempt, tmpdir),
            self._setup.files(),
            self._setup.base_env,
            containers=containers,
        )
        task = self._task(name, attempt, prepared)
        step = place(invocation.key)
        return prepared, replace(
            task,
            reads=reads(prepared, self._setup.files(), links=containers),
            writes=writes(prepared),
            step=step,
            group=f"{self._job_id}:{step}",
            executor=executor,
        )

    def _task(self, name: str, attempt: int, prepared: Prepared) -> Task:
        path = self.log_path(name)
        return Task(
            key=f"{self._job_id}:{name}:{attempt}",
            argv=prepared.argv,
            env=prepared.env,
            outdir=prepared.folders.outdir,
            tmpdir=prepared.folders.tmpdir,
            stdin=prepared.stdin,
            stdout=prepared.stdout or out_name(path),
            stderr=prepared.stderr or path,
            resources=prepared.resources,
            container=prepared.container,
            stage=prepared.stage,
        )

    def _folders(self, name: str, attempt: int, tmpdir: str) -> Folders:
        work = os.path.join(self._setup.folder, "work", name)
        outdir = work if attempt == 1 else f"{work}.{attempt}"
        return Folders(outdir, tmpdir, f"{outdir}.in")
