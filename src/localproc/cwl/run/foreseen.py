"""What is known of the inputs of tools before anything has run.

Owns following the links from the inputs of a job to those of its tools, and whether an expression
asks for nothing else. Must not know what for. What comes of another step, of ``valueFrom`` and of
files is not known; nor is anything of a tool that may never run.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.files import default_of, has_files, is_reference
from localproc.cwl.expr.expressions import Dialect, needs_javascript, parse, references
from localproc.cwl.run.dataflow import linked
from localproc.cwl.run.process import StepInput, Tool, Workflow, WorkflowStep

#: Inputs by name, without those that are not known; ``None``: nothing is.
Known = Mapping[str, Any] | None

_NAMED: Final = re.compile(r"\binputs\.([A-Za-z_$][\w$]*)")
_OTHERS: Final = re.compile(r"\b(?:inputs|self|runtime)\b")
_WORKED_OUT: Final = frozenset({"valueFrom", "pickValue"})


def foreseen(
    process: Tool | Workflow, inputs: Known, place: str = ""
) -> Iterator[tuple[str, Tool, Known]]:
    """Yield each tool by its place, as tasks have it, with what is known of its inputs."""
    known = None if inputs is None else _with_defaults(process, inputs)
    if isinstance(process, Tool):
        yield place or process.id, process, known
        return
    for step in process.steps:
        there = f"{place}/{step.id}" if place else step.id
        yield from foreseen(step.run, _of_step(step, known), there)


def of_job(process: Tool | Workflow, inputs: Mapping[str, Any]) -> Known:
    """Return all inputs of a process: what was not given is null."""
    return {port.id: inputs.get(port.id) for port in process.inputs}


def is_foreseen(text: str, dialect: Dialect, known: Known) -> bool:
    """Return whether all that an expression asks for is known: if in doubt, it is not."""
    if known is None:
        return False
    if not needs_javascript(text, dialect):
        named = references(parse(text, dialect))
        return all(one == "inputs" and path and _is_value(path[0], known) for one, path in named)
    if dialect.library or _OTHERS.search(_NAMED.sub("", text)):
        return False
    return all(_is_value(name, known) for name in _NAMED.findall(text))


def plain_values(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known without files."""
    return {name: value for name, value in known.items() if _is_value(name, known)}


def _is_value(name: str | int, known: Mapping[str, Any]) -> bool:
    if name not in known:
        return False
    value = known[str(name)]
    return not (has_files(value) or is_reference(value))


def _with_defaults(process: Tool | Workflow, inputs: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(inputs)
    for port in process.inputs:
        if port.id in found and found[port.id] is None and port.default is not None:
            found[port.id] = default_of(port.spec)
    return found


def _of_step(step: WorkflowStep, known: Known) -> Known:
    """Return what is known of the inputs of the process of a step."""
    if known is None or step.when is not None:
        return None
    found: dict[str, Any] = {port.id: None for port in step.run.inputs}
    for one in step.inputs:
        found.pop(one.id, None)
        if _is_plain(one) and all(source in known for source in one.sources):
            found[one.id] = linked(f"{step.id}/{one.id}", one.sources, one.spec, known)
    for name in step.scatter:
        if not found.pop(name, None):
            return None  # there may be nothing to scatter over
    return found


def _is_plain(one: StepInput) -> bool:
    return _WORKED_OUT.isdisjoint(one.spec)
