"""The steps that a job has begun, by its plan made again from its history.

Owns that: what each of them was, and what it was given. Must not run anything, nor know the store.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from localproc.cwl.base.files import Files
from localproc.cwl.run.plan import Invocation, Skipped
from localproc.cwl.run.process import Tool, Workflow
from localproc.cwl.run.process_inputs import fill
from localproc.engine.job.planning import make_plan
from localproc.engine.job.replay import History, Known
from localproc.errors import LocalprocError
from localproc.model.events import STAGE_IN


def past_steps(
    process: Tool | Workflow, past: History, files: Files
) -> Iterator[tuple[Invocation, Known]]:
    """Yield every step instance that was begun, with what is known of it."""
    staged = past.steps.get(STAGE_IN)
    if staged is None:
        inputs: Mapping[str, Any] = fill(process, past.request.inputs)
    elif staged.outputs is None:
        return  # it has not come to its steps
    else:
        inputs = staged.outputs
    plan = make_plan(process, inputs, files)
    while True:
        try:
            instance = plan.pull()
        except LocalprocError:  # so it was then: the step has failed
            continue
        if instance is None:
            return
        known = past.steps.get(instance.key)
        if known is None or isinstance(instance, Skipped):
            continue
        yield instance, known
        if known.outputs is not None:
            plan.finish(instance.key, known.outputs)
