"""What is wrong with a document that cwl-utils refused: every problem, with its line and column.

Owns turning a parser's error into problems that a person can act on. Must not know resolved
packages. The parser tries the alternatives of a field in turn and often reports the wrong one, so
the parts whose class is known are tried here once more, each by itself.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Final

from schema_salad.exceptions import SchemaSaladException

from localproc.cwl.base.positions import Position, find
from localproc.cwl.base.requirements import SUPPORTED, TOO_EARLY, TOO_EARLY_HINT
from localproc.cwl.load.explain_types import UNKNOWN, TypeProblems, missing_field, unknown_field
from localproc.cwl.load.raw import entries
from localproc.errors import Problem
from localproc.near import closest

_LISTS: Final = ("requirements", "hints")
_CLASSLESS: Final = ("CommandLineBinding", "Dirent")
_USELESS: Final = re.compile(
    r"Expected a <class 'NoneType'>|Expected a <class 'str'> but got CommentedMap"
    r"|valid type for this field is|^Expected one of|^\s*$"
)
_FIELD: Final = re.compile(r"invalid field `([^`]+)`, expected one of: (.*)", re.DOTALL)
_MISSING: Final = re.compile(r"missing required field `([^`]+)`")
_NOTHING: Final = re.compile(r"Expected a <class 'NoneType'> but got")
_UNDEFINED: Final = re.compile(r"contains undefined reference to `([^`]+)`")


def explain(
    error: Exception, module: Any, raw: Any, uri: str, options: Any, name: str
) -> list[Problem]:
    """Return the problems of one process, in the order of their lines.

    ``error`` is what the parser raised: its own kind, or anything where it broke down itself.
    """
    problems = list(_parts(module, raw, uri, options, name))
    types = list(_types(module, raw, name))
    leaves = error.leaves() if isinstance(error, SchemaSaladException) else []
    # What an unknown field hides is told when the field has been struck out.
    unknown = any(_FIELD.match(leaf.message) for leaf in leaves)
    better = unknown or bool(problems) or any(one.problems for one in types)
    problems += [found for leaf in leaves if (found := _leaf(leaf, name, better=better))]
    told = {position for one in types for position in one.positions}
    problems = [one for one in problems if (one.line, one.column) not in told]
    problems += [problem for one in types for problem in one.problems]
    if not problems:
        said = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, RecursionError):
            said = "it is nested too deeply"
        problems = [find(name, raw, []).problem(f"cannot make sense of this: {said}")]
    placed = [_placed(one, raw, name) for one in problems]
    return sorted(dict.fromkeys(placed), key=lambda one: (one.line or 0, one.column or 0))


def strike_out(raw: Any, problems: Sequence[Problem]) -> bool:
    """Take out the fields that are unknown, so that the rest can be read; whether there were any.

    Only what ``explain`` found in ``raw`` is taken out; positions of the rest stay as they are.
    """
    places = {(one.line, one.column) for one in problems if one.message.startswith(UNKNOWN)}
    return bool(places) and _strike_out(raw, places)


def _strike_out(raw: Any, places: Collection[tuple[int | None, int | None]]) -> bool:
    struck = False
    if isinstance(raw, dict):
        for key in list(raw):
            at = find("", raw, [key])
            if (at.line, at.column) in places and key != "$graph":
                del raw[key]
                struck = True
            else:
                struck |= _strike_out(raw[key], places)
    elif isinstance(raw, list):
        for item in raw:
            struck |= _strike_out(item, places)
    return struck


def _parts(module: Any, raw: Any, uri: str, options: Any, name: str) -> Iterator[Problem]:
    if not isinstance(raw, Mapping):
        return
    for holder in (raw, *entries(raw.get("steps"))):
        yield from _no_requirements(holder, name)
        for field in _LISTS:
            for class_name, entry, place in _entries(holder, field, name):
                yield from _requirement(module, class_name, entry, place, field, uri, options, name)
    yield from _arguments(module, raw, uri, options, name)
    for run in _runs(raw):
        yield from _parts(module, run, uri, options, name)
        yield from _try(module, str(run["class"]), _without_runs(run), uri, options, name)


def _arguments(module: Any, raw: Any, uri: str, options: Any, name: str) -> Iterator[Problem]:
    listed = raw.get("arguments")
    for index, argument in enumerate(listed if isinstance(listed, list) else ()):
        place = find(name, listed, [str(index)])
        if isinstance(argument, Mapping):
            if str(next(iter(argument), "")).startswith(("$(", "${")):
                yield place.problem("YAML takes this expression for a mapping", "quote it")
            else:
                yield from _try(module, "CommandLineBinding", argument, uri, options, name)
        elif not isinstance(argument, str):
            said = "null" if argument is None else repr(argument)
            yield place.problem(f"{said} is no argument", "quote it")


def _runs(raw: Any) -> list[Any]:
    """Return the processes that are written into the steps of a workflow."""
    return [run for run in (step.get("run") for step in entries(raw.get("steps"))) if _is(run)]


def _without_runs(process: Any) -> Any:
    """Return a process whose steps only name what they run: that is tried by itself."""
    if not _runs(process):
        return process
    process, steps = process.copy(), copy(process["steps"])
    process["steps"] = steps
    for key in steps if isinstance(steps, Mapping) else range(len(steps)):
        if isinstance(steps[key], Mapping) and _is(steps[key].get("run")):
            steps[key] = steps[key].copy()
            steps[key]["run"] = "#elsewhere"
    return process


def _is(run: Any) -> bool:
    return isinstance(run, Mapping) and "class" in run


def _types(module: Any, raw: Any, name: str) -> Iterator[TypeProblems]:
    if isinstance(raw, Mapping):
        yield TypeProblems(module, raw, name)
        for run in _runs(raw):
            yield from _types(module, run, name)


def _no_requirements(holder: Any, name: str) -> Iterator[Problem]:
    """Yield the entries among the requirements that are none; such a hint is passed over."""
    listed = holder.get("requirements")
    for key, entry in _pairs(listed):
        if not isinstance(entry, Mapping):
            said = "null" if entry is None else repr(entry)
            hint = (
                f"write {key}: {{}}" if isinstance(listed, Mapping) else f"write - class: {entry}"
            )
            yield find(name, listed, [key]).problem(f"{said} is no requirement", hint)
        elif isinstance(listed, list) and not {"class", "$import"} & set(entry):
            yield find(name, listed, [key]).problem("a requirement without a class")


def _pairs(listed: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(listed, Mapping):
        yield from ((str(key), entry) for key, entry in listed.items() if str(key)[:1] != "$")
    elif isinstance(listed, list):
        yield from ((str(index), entry) for index, entry in enumerate(listed))


def _requirement(
    module: Any,
    class_name: str,
    entry: Any,
    place: Position,
    field: str,
    uri: str,
    options: Any,
    name: str,
) -> Iterator[Problem]:
    if not hasattr(module, class_name):
        if field == "requirements" and class_name in SUPPORTED:
            yield place.problem(TOO_EARLY % class_name, TOO_EARLY_HINT)
        elif field == "requirements":
            close = closest(class_name, SUPPORTED)
            hint = f"did you mean {close}?" if close else "move it to hints to go without it"
            yield place.problem(f"unknown requirement {class_name!r}", hint)
        return
    inner: list[Problem] = []
    if class_name == "InitialWorkDirRequirement" and isinstance(entry, Mapping):
        for item in _values(entry.get("listing")):
            if isinstance(item, Mapping):
                kind = "Dirent" if "entry" in item else str(item.get("class", "Dirent"))
                inner += _try(module, kind, item, uri, options, name)
    yield from inner
    yield from _try(module, class_name, entry, uri, options, name, better=bool(inner))


def _try(
    module: Any,
    class_name: str,
    raw: Any,
    uri: str,
    options: Any,
    name: str,
    *,
    better: bool = False,
) -> Iterator[Problem]:
    loader = getattr(module, class_name, None)
    if loader is None or not isinstance(raw, Mapping):
        return
    complete = raw if "class" in raw or class_name in _CLASSLESS else _with_class(raw, class_name)
    try:
        loader.fromDoc(complete, uri, options)
    except SchemaSaladException as error:
        for leaf in error.leaves():
            if found := _leaf(leaf, name, better=better):
                yield _placed(found, raw, name)
    except (AttributeError, TypeError, ValueError) as error:
        yield find(name, raw, []).problem(str(error))


def _placed(problem: Problem, raw: Any, name: str) -> Problem:
    """Return a problem with a place: where what it is about begins, if it has none."""
    return problem if problem.line else find(name, raw, []).problem(problem.message, problem.hint)


def _with_class(raw: Any, class_name: str) -> Any:
    complete = raw.copy()
    complete["class"] = class_name
    if hasattr(raw, "lc"):
        complete.lc.filename = getattr(raw.lc, "filename", "")
        complete.lc.data = dict(raw.lc.data or {})
        complete.lc.data["class"] = [raw.lc.line, raw.lc.col] * 2
    return complete


def _entries(raw: Any, field: str, name: str) -> Iterator[tuple[str, Any, Position]]:
    listed = raw.get(field)
    for key, entry in _pairs(listed):
        if isinstance(listed, Mapping) or (isinstance(entry, Mapping) and "class" in entry):
            class_name = key if isinstance(listed, Mapping) else str(entry["class"])
            yield class_name, entry, find(name, listed, [key])


def _values(listed: Any) -> list[Any]:
    if isinstance(listed, Mapping):
        return list(listed.values())
    return listed if isinstance(listed, list) else []


def _leaf(leaf: SchemaSaladException, name: str, *, better: bool) -> Problem | None:
    message = " ".join(leaf.message.split())
    if _USELESS.search(message) and better:
        return None
    line, column = leaf.start or (None, None)
    place = Position(name, line, column)
    if found := _FIELD.match(message):
        return unknown_field(found[1], re.findall(r"`([^`]+)`", found[2]), place)
    if found := _MISSING.search(message):
        return missing_field(found[1], place)
    if found := _UNDEFINED.search(message):
        return place.problem(f"{found[1].rpartition('/')[2]!r} is not defined")
    if _NOTHING.match(message):
        return place.problem("what stands here is not of the form that the field takes")
    return place.problem(message)
