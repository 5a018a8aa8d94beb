"""Outputs of an equal step, so that it need not be run.

Owns looking for them: in the job that is retried, then among what is kept for reuse; and having
them in the folder of the job that asks. Must not decide which steps may be reused.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from localproc.cwl.run.fingerprint import fingerprint, of_given
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import tools
from localproc.engine.container_runtimes import Containers
from localproc.engine.job.earlier import EarlierStep, outdir_of
from localproc.engine.job.effects import Recall
from localproc.engine.job.facts import Recalled, TakenFrom
from localproc.engine.job.replay import ran_in
from localproc.engine.job.reusable import key_of
from localproc.engine.loop.job_context import JobContext
from localproc.model import Container
from localproc.storage.disk import Disk
from localproc.storage.sharing import LeadsOut, share_logs, take_over
from localproc.storage.step_cache import StepCache

_UNKNOWN_IMAGE: Final = "it runs in a container, and what its image was is not known"
_GIVEN: Final = "it is given variables or secrets, and whether they are the same is not known"

#: Inside of it, whoever works only waits, and another may work meanwhile.
Aside = Callable[[], AbstractContextManager[None]]


class Recaller:
    """Looks for equal steps; ``cache`` is what is kept of them, ``containers`` know images."""

    def __init__(self, cache: StepCache, containers: Containers) -> None:
        self._cache = cache
        self._containers = containers

    def recall(self, effect: Recall, job: JobContext, disk: Disk, aside: Aside) -> Recalled:
        """Look for an equal step: in the job that is retried, then among what is kept for reuse."""
        invocation, because = effect.invocation, ""
        tool, inputs = invocation.tool, invocation.inputs
        image, box = self._image(invocation, job, aside)
        software = job.tasks.software(invocation).packages
        beside = job.around.of(invocation)
        if job.earlier is not None:
            found: EarlierStep | str = _UNKNOWN_IMAGE
            if job.tasks.counted(invocation)[1]:
                found = _GIVEN
            elif image is not None:
                found = job.earlier.find(invocation, beside, ran_in(image, software), disk)
            if isinstance(found, EarlierStep):
                try:
                    return self._taken_over(effect, found, job, disk, box, software)
                except (OSError, LeadsOut) as error:
                    found = f"its outputs cannot be taken over: {error}"
            because = found
        is_kept = job.tasks.setup.reuse and tool.expression is None and image is not None
        key = ""
        if is_kept:
            changes = job.tasks.software(invocation).changes
            counted = job.tasks.counted(invocation)
            key = key_of(counted[0], beside, disk, image or "", changes, counted[1])
        if not key:
            return Recalled("", None, because)
        kept = self._cache.find(key)
        if kept is None:
            return Recalled(key, None, because)
        share_logs(kept.log, job.tasks.log_path(effect.name))
        made = fingerprint(kept.outputs, disk)
        given = of_given(tool, inputs, disk)
        was = ran_in(image or "", software)
        taken = TakenFrom(kept.outputs, kept.job_id, kept.step, made, given, was, box, software)
        return Recalled(key, taken)

    def _image(
        self, invocation: Invocation, job: JobContext, aside: Aside
    ) -> tuple[str | None, Container | None]:
        """Return the digest of the image that a step runs in, empty if in none; and its container.

        It is ``None`` where nobody knows it.
        """
        if not job.tasks.is_boxed(invocation):
            return "", None
        box = job.tasks.container(invocation)
        if box is None:
            return None, None
        with aside():
            box = self._containers.settled(box, job.go_on)
        return box.digest or None, box

    def _taken_over(
        self,
        effect: Recall,
        step: EarlierStep,
        job: JobContext,
        disk: Disk,
        box: Container | None,
        software: tuple[str, ...],
    ) -> Recalled:
        """Have the outputs and the log of a step in this job's folder, as if it had run here."""
        tops = (outdir_of(step), step.folder, self._cache.folder)
        writes = any(one.requirements.has("InplaceUpdateRequirement") for one in tools(job.process))
        folder = os.path.join(job.folder, "work", effect.name)
        outputs = take_over(step.outputs, tops, folder, copies=writes)
        log = os.path.join(step.folder, "logs", step.log)
        share_logs(log, job.tasks.log_path(effect.name))
        made = fingerprint(outputs, disk)
        given = of_given(effect.invocation.tool, effect.invocation.inputs, disk)
        was = step.ran_in
        taken = TakenFrom(outputs, step.job_id, step.name, made, given, was, box, software)
        return Recalled("", taken)
