"""A job that is looked at before it is accepted.

Owns bringing together what is known of it: its inputs, where steps go, what is kept for reuse. Must
not accept or change anything.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from localproc.cwl.base.files import is_literal, is_local, walk
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.process import Tool, Workflow, own_files
from localproc.cwl.run.reads import place
from localproc.cwl.run.software import packages
from localproc.engine.admission.accept import Acceptance
from localproc.engine.admission.foresight import JobPlan, Recall, foresee, unforeseen
from localproc.engine.admission.suitability import (
    StepPlacement,
    check_patterns,
    missing_images,
    placements,
)
from localproc.engine.home.cwd import current_folder
from localproc.engine.job.executor_choice import ExecutorChoice
from localproc.engine.job.reusable import Surroundings, key_of
from localproc.engine.runtime import Runtime
from localproc.errors import InvalidInputs, LocalprocError, Problem
from localproc.model import Container, ProcessRecord
from localproc.storage.disk import Disk
from localproc.storage.results_place import results_uri
from localproc.storage.step_cache import CachedStep, StepCache
from localproc.uris import uri_path


def preview(
    runtime: Runtime,
    acceptance: Acceptance,
    record: ProcessRecord,
    inputs: Any,
    options: Mapping[str, Any],
) -> JobPlan:
    """Return what a job would do, with the options of ``execute``.

    Raises ``PluginMissing``, and ``InvalidInputs`` for an executor of steps that are not there.
    """
    rest = dict(options)
    process = runtime.processes.of(record)
    executor = rest.get("executor") or runtime.settings.executor
    choice = ExecutorChoice.read(executor)
    if executor != runtime.settings.executor:
        check_patterns(process, choice)
    _, placed = placements(process, choice, rest.get("containers") or "", runtime)
    try:
        job_object = acceptance.job_object(record, inputs, rest)
    except InvalidInputs as error:
        return unforeseen(placed, list(error.problems) or [Problem(error.message)])
    _, placed = placements(process, choice, rest.get("containers") or "", runtime, job_object)
    reuse = runtime.settings.reuse if rest.get("reuse") is None else bool(rest["reuse"])
    results = results_uri(os.fspath(rest.get("results") or acceptance.results), current_folder())
    recall = (
        _recalling(runtime, process, placed, job_object, uri_path(results)) if reuse else _no_reuse
    )
    missing = [f"{one.message} ({one.hint})" for one in missing_images(placed, runtime)]
    return replace(foresee(process, job_object, placed, recall, Disk()), images=missing)


def _no_reuse(_: Invocation) -> str:
    return ""


def _recalling(
    runtime: Runtime,
    process: Tool | Workflow,
    placed: list[StepPlacement],
    inputs: Mapping[str, Any],
    results: str,
) -> Recall:
    """Return what says which outputs are kept for an invocation, or why there are none."""
    disk, home = Disk(), os.path.dirname(runtime.home.jobs)
    around = Surroundings(own_files(process), inputs, home, results)
    boxes = {one.step: one.container for one in placed}
    cache = StepCache(runtime.home.steps)

    def recall(invocation: Invocation) -> CachedStep | str:
        image, software = "", None
        if (box := boxes.get(place(invocation.key))) is not None:
            image = _digest(runtime, box)
            if not image:
                return "in a container: what its image is, is not known here"
        elif wanted := packages(invocation.tool):
            software = runtime.software.provide(wanted).changes
        if any(not is_local(one) and not is_literal(one) for one in walk(dict(invocation.inputs))):
            return "its inputs are not here yet"
        key = key_of(invocation, around.of(invocation), disk, image=image, software=software)
        if not key:
            return "WorkReuse, NetworkAccess or InplaceUpdateRequirement forbids reuse"
        return cache.find(key) or "no outputs of an equal step are kept"

    return recall


def _digest(runtime: Runtime, box: Container) -> str:
    """Return the digest of the image that is here for a container, empty if none is known."""
    if not box.runtime:
        return ""
    try:
        return runtime.containers.image(runtime.containers.mapped(box)).digest
    except LocalprocError:
        return ""
