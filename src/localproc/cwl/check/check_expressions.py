"""Expressions that cannot work, found by reading them.

Owns which fields of a process may hold expressions. Must not evaluate any.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from localproc.cwl.base.positions import Position
from localproc.cwl.base.types import CwlType, kind, without_null
from localproc.cwl.expr.expressions import Dialect, parse, references
from localproc.cwl.run.process import Requirements, dialect_of
from localproc.errors import ExpressionError, Problem
from localproc.near import near

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
#: What a File and a Directory have (CWL v1.2 CommandLineTool, 3.1 "Data concepts").
_OF_FILES: Final = (
    "class",
    "location",
    "path",
    "basename",
    "dirname",
    "nameroot",
    "nameext",
    "checksum",
    "size",
    "secondaryFiles",
    "format",
    "contents",
    "metadata",
)
_OF_FOLDERS: Final = ("class", "location", "path", "basename", "listing", "dirname", "metadata")


def check_expressions(
    process: Mapping[str, Any], requirements: Requirements, place: Callable[..., Position]
) -> list[Problem]:
    """Return the problems of a process's expressions."""
    version = process["cwlVersion"]
    dialect = dialect_of(requirements, version)
    names = {port["id"]: port["type"] for port in process["inputs"]}
    problems: list[Problem] = []
    for text, path in _fields(process):
        problems += _problems(text, dialect, names, place, path)
    for step in process.get("steps", ()):
        within = requirements.within(step["requirements"], step["hints"])
        inner = dialect_of(within, version)
        given = {one["id"]: "Any" for one in step["in"]}
        for text, path in _step_fields(step):
            problems += _problems(text, inner, given, place, path)
    return problems


def _problems(
    text: Any,
    dialect: Dialect,
    types: Mapping[str, Any],
    place: Callable[..., Position],
    path: _Path,
) -> Iterator[Problem]:
    if not isinstance(text, str):
        return
    try:
        parsed = parse(text, dialect)
    except ExpressionError as error:
        yield place(*path).problem(error.message, error.hint)
        return
    for symbol, keys in references(parsed):
        known = {"inputs": list(types), "runtime": list(_RUNTIME)}.get(symbol)
        if known is not None and keys and keys[0] not in known:
            said = f"$({symbol}.{keys[0]}): there is no {keys[0]!r} in {symbol}"
            hint = f"there is: {', '.join(known[:12]) or 'nothing'}"
            yield place(*path).problem(said, near(str(keys[0]), known, hint))
        elif symbol == "inputs" and keys:
            yield from _lost(types[str(keys[0])], keys, place(*path))


def _lost(cwl_type: CwlType, keys: Sequence[str | int], at: Position) -> Iterator[Problem]:
    """Yield where a reference leaves what its input has: fields of a record, members of a File."""
    for number, key in enumerate(keys[1:], 1):
        cwl_type = without_null(cwl_type)
        has = _has(cwl_type)
        if isinstance(key, int) or has is None:
            if not isinstance(cwl_type, Mapping) or kind(cwl_type) != "array":
                return
            if not isinstance(key, int):
                return
            cwl_type = cwl_type["items"]
            continue
        if key not in has:
            way = ".".join(map(str, keys[:number]))
            hint = near(key, list(has), f"it has: {', '.join(list(has)[:12]) or 'nothing'}")
            yield at.problem(f"$(inputs.{way}.{key}): there is no {key!r} in {way}", hint)
            return
        cwl_type = has[key]


def _has(cwl_type: CwlType) -> Mapping[str, CwlType] | None:
    """Return the members that a value of a type has, with their types; ``None`` if any may be."""
    match kind(cwl_type):
        case "record" if isinstance(cwl_type, Mapping):
            return {field["name"]: field["type"] for field in cwl_type["fields"]}
        case "File" | "stdin":
            return dict.fromkeys(_OF_FILES, "Any")
        case "Directory":
            return dict.fromkeys(_OF_FOLDERS, "Any")
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
