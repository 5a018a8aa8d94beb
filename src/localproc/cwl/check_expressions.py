"""Expressions that cannot work, found by reading them.

Owns which fields of a process may hold expressions. Must not evaluate any.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localproc.cwl.expressions import Dialect, parse
from localproc.cwl.places import Place
from localproc.cwl.process import Requirements, dialect_of
from localproc.errors import ExpressionError, Problem

_Placed = tuple[Any, tuple[str, ...]]


def check_expressions(
    process: Mapping[str, Any], requirements: Requirements, place: Callable[..., Place]
) -> list[Problem]:
    """Give the problems of a process's expressions."""
    dialect = dialect_of(requirements, process["cwlVersion"])
    return [
        problem
        for text, path in _fields(process)
        if isinstance(text, str) and (problem := _problem(text, dialect, place, path))
    ]


def _problem(
    text: str, dialect: Dialect, place: Callable[..., Place], path: tuple[str, ...]
) -> Problem | None:
    try:
        parse(text, dialect)
    except ExpressionError as error:
        return place(*path).problem(error.message, error.hint)
    return None


def _fields(process: Mapping[str, Any]) -> Iterator[_Placed]:
    for name in ("stdin", "stdout", "stderr", "expression"):
        yield process.get(name), (name,)
    for index, argument in enumerate(process.get("arguments", ())):
        inner = argument if isinstance(argument, Mapping) else {"valueFrom": argument}
        yield inner.get("valueFrom"), ("arguments", str(index))
        yield inner.get("position"), ("arguments", str(index))
    for part in ("inputs", "outputs"):
        for port in process[part]:
            for text in _port(port):
                yield text, (part, port["id"])
    for step in process.get("steps", ()):
        yield step.get("when"), ("steps", step["id"], "when")
        for one in step["in"]:
            yield one.get("valueFrom"), ("steps", step["id"], "in", one["id"], "valueFrom")
    for requirement in process["requirements"]:
        for text in _requirement(requirement):
            yield text, ("requirements", requirement["class"])


def _port(port: Mapping[str, Any]) -> Iterator[Any]:
    binding = port.get("inputBinding") or {}
    yield from (binding.get("valueFrom"), binding.get("position"))
    output = port.get("outputBinding") or {}
    glob = output.get("glob")
    yield from glob if isinstance(glob, list) else [glob]
    yield output.get("outputEval")
    yield from (one.get("pattern") for one in port.get("secondaryFiles") or ())


def _requirement(requirement: Mapping[str, Any]) -> Iterator[Any]:
    if requirement["class"] == "ResourceRequirement":
        yield from requirement.values()
    yield from (one["envValue"] for one in requirement.get("envDef", ()))
    listing = requirement.get("listing", ())
    for one in listing if isinstance(listing, list) else [listing]:
        if isinstance(one, Mapping):
            yield from (one.get("entry"), one.get("entryname"))
        else:
            yield one
