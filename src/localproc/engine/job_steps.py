"""The steps of a job, and what they write.

Owns telling of steps while they go on and afterwards. Must not know how steps are run.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from localproc.engine.job.step_names import folder_name
from localproc.engine.job.steplog import StepLog
from localproc.engine.job_account import JobAccount
from localproc.engine.notify.watch import Changes, Watch
from localproc.errors import (
    LocalprocError,
    NoSuchProcess,
    NoSuchStep,
)
from localproc.model import JobRecord, Step, StepStatus
from localproc.spelling import public
from localproc.views import ogc
from localproc.views.step_rows import StepRow, scatter_totals, step_rows

if TYPE_CHECKING:  # few jobs need them, and each takes a while to be imported
    from localproc.engine.step_shell import StepShell
    from localproc.views.measured import Measured


class Steps(list[Step]):
    """Steps, which notebooks show as a table."""

    def _repr_html_(self) -> str:
        from localproc.views import notebook

        return notebook.steps_html(self)


@public
class JobSteps(JobAccount):
    """A job with its steps."""

    def _repr_html_(self) -> str:
        from localproc.views import notebook

        return notebook.job_html(self.record, self.rows())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return what notebooks show of it: while it goes on, that is kept up to date."""
        from localproc.engine.live_view import live_view

        told = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return told if self.status.final else told | live_view(self._repr_html_, self._waits_more)

    def _waits_more(self, seconds: float) -> bool:
        """Wait for so long; return whether it goes on after that."""
        try:
            return not self._namespace.wait_for(self.id, seconds).status.final
        except LocalprocError:  # the engine is closed, or the job is gone
            return False

    @property
    def steps(self) -> Steps:
        """Its steps so far, in the order they were started."""
        return Steps(self.history.steps()[1])

    def watch(self) -> Changes:
        """Yield each step as it changes, from the first one on, until the job has ended.

        For ``for`` and ``async for``: where there is an event loop, it is never blocked.
        """
        return Changes(Watch(self._checked, self.events), self._namespace.end_of(self.id))

    def rows(self) -> list[StepRow]:
        """Return its steps so far with the instances of each scatter as one row."""
        return step_rows(self.steps, self.scatter_totals())

    def scatter_totals(self) -> dict[str, int]:
        """Return how many instances its scatters will have, where that is known.

        That is by the place of the step: ``detect``, or ``tiles/detect`` in a workflow of a step.
        """
        try:
            resolved = self._process.resolved
        except NoSuchProcess:
            return {}
        return scatter_totals(resolved, self.inputs)

    def step_details(self, chosen: Sequence[Step] | None = None) -> list[dict[str, Any]]:
        """Return all that is known of some of its steps, by default of each.

        These are the members of ``steps`` in its status, and more: ``command`` (its words),
        ``folder`` if it is kept, and the path of its ``log``. One that failed has the ``inputs``
        that tell it from its siblings in a scatter.
        """
        return [self._details(step) for step in (self.steps if chosen is None else chosen)]

    def _details(self, step: Step) -> dict[str, Any]:
        more = {
            "key": step.key,
            "command": list(step.command),
            "folder": self._kept_folder(step),
            "log": os.path.join(self.logs_folder, step.log),
        }
        return ogc.step_info(step) | {name: value for name, value in more.items() if value}

    def kept_folders(self, steps: Sequence[Step]) -> dict[str, str]:
        """Return the folders that those of the steps which failed have left, by their names."""
        failed = [step for step in steps if step.status is StepStatus.FAILED]
        return {step.name: self._kept_folder(step) for step in failed}

    def _kept_folder(self, step: Step) -> str:
        """Return the folder that a step has left, nothing if it is not kept."""
        folder = os.path.join(self.folder, "work", folder_name(step.name, step.attempt))
        return folder if os.path.isdir(folder) else ""

    def measured(self) -> "list[Measured]":
        """Return what each of its tools took at the most, and would have to ask for.

        Nothing if its process is gone.
        """
        from localproc.views.measured import measured

        try:
            resolved = self._process.resolved
        except NoSuchProcess:
            return []
        return measured(resolved, self.steps)

    def status_info(self, base: str = "") -> dict[str, Any]:
        """Return its status (OGC API - Processes Part 1, "statusInfo.yaml"), with ``steps``.

        ``base`` is the URL that its links begin with.
        """
        steps = self.steps
        return ogc.status_info(self.record, steps, base, self.kept_folders(steps))

    def logs(self, step: str = "") -> StepLog:
        """Return the log of a step, of the last one if none is named; raises ``NoSuchStep``.

        A step is named by its name (``crop_2``) or by that of its log file. The history is only
        read where the name is not that of a file.
        """
        folder = self._namespace.logs_folder(self.id)
        if _is_log(step) and os.path.isfile(os.path.join(folder, step)):
            return StepLog(os.path.join(folder, step), lambda: self._has_ended(step))
        log = self._step(step).log
        return StepLog(os.path.join(folder, log), lambda: self._has_ended(log))

    def follow(self, step: str) -> Iterator[tuple[str, str]]:
        """Yield ``("stdout" | "stderr", text)`` of a step as it writes, until it has ended."""
        return self.logs(step).follow()

    def follow_all(self) -> Iterator[tuple[str, str, str]]:
        """Yield ``(step, "stdout" | "stderr", text)`` of all steps as they write, until its end."""
        from localproc.engine.notify.interleave import interleaved

        def look() -> tuple[bool, list[Step]]:
            return self._checked().status.final, self.steps  # in this order: none is missed

        return interleaved(look, lambda step: self.logs(step.log))

    @contextmanager
    def shell(self, step: str, command: Sequence[str] = ()) -> "Iterator[StepShell]":
        """Yield what runs a command as a step was run: a shell, if there is no command.

        That is in the folder of the step, with its environment, and in a new container of its
        image if it ran in one. Secrets are given if they can be had now; ``notes`` tell. Raises
        ``NoSuchStep`` for a step, or a folder, that is not there, and ``ImageError``.
        """
        from localproc.engine.step_shell import step_shell

        found = self._step(step)
        with TemporaryDirectory(prefix="localproc-") as tmpdir:
            yield step_shell(self._namespace.runtime, self.record, found, command, tmpdir)

    def _step(self, name: str) -> Step:
        """Return a step by its name or by that of its log file, the last one if none is named."""
        found = self.steps
        chosen = [one for one in found if name in ("", one.log)]
        chosen = chosen or [one for one in found if one.name == name]
        if not chosen:
            names = ", ".join(one.name for one in found) or "none yet"
            raise NoSuchStep(f"job {self.id} has no step {name!r}", hint=f"it has: {names}")
        return chosen[-1]

    def _has_ended(self, log: str) -> bool:
        """Whether the step that writes a log has ended."""
        final = self._checked().status.final  # before its events: they are all there then
        return final or self.history.has_ended(log)

    def _checked(self) -> JobRecord:
        found = self.record
        if not found.status.final:
            self._namespace.see_to(found)
        return found


def _is_log(name: str) -> bool:
    """Whether a name can only be that of a step's log; beside it there may be one for stdout."""
    plain = os.path.basename(name) == name
    return plain and name.endswith(".log") and not name.endswith(".out.log")
