"""Whether something may take long to work out: JavaScript, listings of directories, many values.

Owns telling that by reading. Must not evaluate anything, nor know who does.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.files import are_plain
from localproc.cwl.base.types import MAPPINGS, PLAIN
from localproc.cwl.expr.expressions import Dialect, needs_javascript
from localproc.cwl.run.process import Port, Tool, Workflow, WorkflowStep, noted
from localproc.errors import ExpressionError

_MOST: Final = 500  #: values that are looked at in no time
_WORDS: Final = 1_000  #: values of a package that are
_INNER: Final = (list, *MAPPINGS)  #: what values are inside of


@noted
def is_short(tool: Tool) -> bool:
    """Whether a tool has so little (arguments, inputs) that all is gone through in no time."""
    requirements = tool.requirements
    return is_small(
        [tool.spec, *requirements.required.values(), *requirements.hinted.values()], _WORDS
    )


@noted
def tool_is_quick(tool: Tool) -> bool:
    """Whether a tool is worked out without JavaScript."""
    requirements = tool.requirements
    return not _scripted(
        [tool.spec, *requirements.required.values(), *requirements.hinted.values()], tool.dialect
    )


@noted
def plan_is_quick(process: Tool | Workflow) -> bool:
    """Whether the order of steps and their inputs are worked out without more than a look."""
    if not has_few_parts(process):
        return False
    if isinstance(process, Tool):
        return True
    return all(_port_is_quick(port, process) for port in process.inputs) and all(
        _step_is_quick(step) and plan_is_quick(step.run) for step in process.steps
    )


def has_few_parts(process: Tool | Workflow) -> bool:
    """Whether a process has so few inputs, outputs, steps and links that it is begun in no time."""
    parts = len(process.inputs) + len(process.outputs)
    if isinstance(process, Workflow):
        parts += len(process.steps)
        for port in process.outputs:
            parts += len(port.spec.get("source", ()))
        for step in process.steps:
            parts += sum(len(one.sources) for one in step.inputs)
            if parts > _WORDS:
                break
    return parts <= _WORDS


def is_small(value: Any, most: int = _MOST) -> bool:
    """Whether there are so few values in one that going through them takes no time."""
    left = most
    inside = [value]
    for one in inside:  # it grows as it is gone through
        if type(one) in PLAIN or not isinstance(one, _INNER):
            continue
        left -= 1 + len(one)
        if left < 0:
            return False
        values = one if isinstance(one, list) else one.values()
        if not are_plain(values):
            inside += values
    return True


def _step_is_quick(step: WorkflowStep) -> bool:
    """A ``valueFrom`` sees whole listings of directories, whatever else it is.

    What a tool updates in place is worked out as soon as it is its turn.
    """
    if isinstance(step.run, Tool) and step.run.requirements.has("InplaceUpdateRequirement"):
        return False
    return not _scripted(step.when, step.dialect) and not any(
        {"valueFrom", "loadListing", "loadContents"} & one.spec.keys() for one in step.inputs
    )


def _port_is_quick(port: Port, workflow: Workflow) -> bool:
    if _scripted(port.spec, workflow.dialect):
        return False
    listing = port.spec.get("loadListing") or workflow.load_listing
    return listing == "no_listing" or not {"Directory", "Any"} & set(_texts(port.type))


def _scripted(value: Any, dialect: Dialect) -> bool:
    if dialect.library is None:
        return False
    try:
        return any(needs_javascript(text, dialect) for text in _texts(value))
    except ExpressionError:  # whoever evaluates it will say so
        return True


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
