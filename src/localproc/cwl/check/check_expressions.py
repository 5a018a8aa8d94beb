"""Expressions that cannot work, found by reading them.

Owns which fields of a process may hold expressions. Must not evaluate any.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.near import near
from localproc.cwl.base.positions import Place
from localproc.cwl.expr.expressions import Dialect, parse, references
from localproc.cwl.run.process import Requirements, dialect_of
from localproc.errors import ExpressionError, Problem

_Path = tuple[str, ...]


#: What ``runtime`` has (CWL v1.2 CommandLineTool, 3.7 "Runtime environment").
_RUNTIME: Final = (
    "outdir",
    "tmpdir",
    "cores",
    "ram",
    "outdirSize",
    "tmpdirSize",
    "exitCode",
)


def check_expressions(
    process: Mapping[str, Any], requirements: Requirements, place: Callable[..., Place]
) -> list[Problem]:
    """Give the problems of a process's expressions."""
    version = process["cwlVersion"]
    dialect = dialect_of(requirements, version)
    names = [port["id"] for port in process["inputs"]]
    problems: list[Problem] = []
    for text, path in _fields(process):
        problems += _problems(text, dialect, names, place, path)
    for step in process.get("steps", ()):
        within = requirements.within(step["requirements"], step["hints"])
        inner = dialect_of(within, version)
        given = [one["id"] for one in step["in"]]
        for text, path in _step_fields(step):
            problems += _problems(text, inner, given, place, path)
    return problems


def _problems(
    text: Any, dialect: Dialect, names: Sequence[str], place: Callable[..., Place], path: _Path
) -> Iterator[Problem]:
    if not isinstance(text, str):
        return
    try:
        parsed = parse(text, dialect)
    except ExpressionError as error:
        yield place(*path).problem(error.message, error.hint)
        return
    for symbol, keys in references(parsed):
        known = {"inputs": names, "runtime": _RUNTIME}.get(symbol)
        if known is not None and keys and keys[0] not in known:
            said = f"$({symbol}.{keys[0]}): there is no {keys[0]!r} in {symbol}"
            hint = f"there is: {', '.join(known[:12]) or 'nothing'}"
            yield place(*path).problem(said, near(str(keys[0]), known, hint))


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
