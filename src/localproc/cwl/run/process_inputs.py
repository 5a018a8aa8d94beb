"""The inputs of a process when it begins.

Owns defaults, types and what a process wants to know of its files. Must not know steps or tasks.
"""

from collections.abc import Mapping
from typing import Any

from localproc.cwl.base.files import Files, default_of, has_files, is_reference, shown
from localproc.cwl.base.types import is_optional, mismatches
from localproc.cwl.expr.expressions import Context
from localproc.cwl.run.enrich import Enricher
from localproc.cwl.run.process import Tool, Workflow
from localproc.errors import StepError


def fill(process: Tool | Workflow, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return exactly the process's inputs, defaults filled in.

    Raises ``StepError`` with every input that is not of its type, but for values that are still
    behind a URI.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for port in process.inputs:
        value = inputs.get(port.id)
        if value is None and port.default is not None:
            value = default_of(port.spec)
        values[port.id] = value
        if value is None and is_optional(port.type):
            continue
        if not is_reference(value):
            wrong += [f"{path}: {reason}" for path, reason in mismatches(value, port.type, port.id)]
    if wrong:
        raise StepError(f"{process.id}: the inputs do not fit: " + "; ".join(wrong))
    return values


def complete(
    process: Tool | Workflow, values: dict[str, Any], files: Files, *, discover: bool = False
) -> dict[str, Any]:
    """Return filled inputs with all that the process wants to know of its files.

    ``discover``: find secondary files beside their primary ones, as for the inputs of a job.
    """
    if not has_files(values):
        return values
    enricher = Enricher(process, lambda: Context(shown(values)), files, discover=discover)
    return {
        port.id: enricher.port(port.id, port.type, values[port.id], port.spec)
        for port in process.inputs
    }


def workflow_inputs(workflow: Workflow, inputs: Mapping[str, Any], files: Files) -> dict[str, Any]:
    """Return the inputs of a workflow, filled and complete."""
    return complete(workflow, fill(workflow, inputs), files)
