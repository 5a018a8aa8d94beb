"""Expressions that cannot work, found by reading them.

Owns which fields of a process may hold expressions. Must not evaluate any.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localproc.cwl.base.positions import Place
from localproc.cwl.expr.expressions import Dialect, parse
from localproc.cwl.run.process import Requirements, dialect_of
from localproc.errors import ExpressionError, Problem

_Path = tuple[str, ...]


def check_expressions(
    process: Mapping[str, Any], requirements: Requirements, place: Callable[..., Place]
) -> list[Problem]:
    """Give the problems of a process's expressions."""
    version = process["cwlVersion"]
    found = [(*field, dialect_of(requirements, version)) for field in _fields(process)]
    for step in process.get("steps", ()):
        within = requirements.within(step["requirements"], step["hints"])
        found += [(*field, dialect_of(within, version)) for field in _step_fields(step)]
    return [
        problem
        for text, path, dialect in found
        if isinstance(text, str) and (problem := _problem(text, dialect, place, path))
    ]


def _problem(
    text: str, dialect: Dialect, place: Callable[..., Place], path: _Path
) -> Problem | None:
    try:
        parse(text, dialect)
    except ExpressionError as error:
        return place(*path).problem(error.message, error.hint)
    return None


def _step_fields(step: Mapping[str, Any]) -> Iterator[tuple[Any, _Path]]:
    yield step.get("when"), ("steps", step["id"], "when")
    for one in step["in"]:
        yield one.get("valueFrom"), ("steps", step["id"], "in", one["id"], "valueFrom")


def _fields(process: Mapping[str, Any]) -> Iterator[tuple[Any, _Path]]:
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
