"""What is wrong with a package, said before anything of it runs.

Owns which processes are looked at, and what is wrong with any of them; workflows are looked at in
``check_workflow``, expressions in ``check_expressions``. Must not stop at the first problem.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from localproc.cwl.base.positions import Position
from localproc.cwl.base.requirements import SUPPORTED
from localproc.cwl.check.check_expressions import check_expressions
from localproc.cwl.check.check_links import misfit
from localproc.cwl.check.check_workflow import WorkflowCheck
from localproc.cwl.load.load import Package
from localproc.cwl.run.process import Requirements
from localproc.errors import InvalidPackage, Problem

_EVERYTHING: Final = Requirements(hinted={name: {"class": name} for name in SUPPORTED})


@dataclass(slots=True)
class Findings:
    """What was found: errors make a package unusable, warnings are worth a look."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def check(package: Package) -> Findings:
    """Check a package; raises ``InvalidPackage`` with every error."""
    findings = examine(package)
    if findings.errors:
        raise InvalidPackage(f"{package.name} cannot be run", findings.errors)
    return findings


def examine(package: Package) -> Findings:
    """Check a package; give everything that was found, by loading it too."""
    findings = Findings(errors=list(package.problems))
    processes = package.resolved["processes"]
    main = package.resolved["main"]
    for name, inherited in _reached(processes, main, Requirements(), set()):
        _look_at(processes[name], processes, inherited, _placer(package, name), findings)
    for name, process in package.beside.items():
        # Whoever runs it may require what it needs.
        _look_at(process, {}, _EVERYTHING, _placer(package, name), findings)
    findings.errors = list(dict.fromkeys(findings.errors))
    findings.warnings = list(dict.fromkeys(findings.warnings))
    return findings


def _look_at(
    process: Mapping[str, Any],
    processes: Mapping[str, Any],
    inherited: Requirements,
    place: Callable[..., Position],
    findings: Findings,
) -> None:
    findings.errors += check_expressions(process, inherited, place)
    findings.errors += _duplicates(process, place)
    findings.errors += _streams(process, place)
    findings.warnings += _defaults(process, place)
    if process["class"] == "Workflow":
        WorkflowCheck(
            process, processes, inherited, place, findings.errors, findings.warnings
        ).check()


def _reached(
    processes: Mapping[str, Any], name: str, outer: Requirements, seen: set[Any]
) -> Iterator[tuple[str, Requirements]]:
    """Yield every process that is run, once for all that holds for it alike, with that."""
    if (name, outer.key) in seen:
        return
    seen.add((name, outer.key))
    process = processes[name]
    inner = outer.within(process["requirements"], process["hints"])
    yield name, inner
    for step in process.get("steps", ()):
        within = inner.within(step["requirements"], step["hints"])
        if step["run"] is not None:
            yield from _reached(processes, step["run"], within, seen)


def _placer(package: Package, name: str) -> Callable[..., Position]:
    return lambda *path: package.place(name, *path)


def _duplicates(process: Mapping[str, Any], place: Callable[..., Position]) -> Iterator[Problem]:
    for part in ("inputs", "outputs", "steps"):
        seen: set[str] = set()
        for one in process.get(part, ()):
            if one["id"] in seen:
                yield place(part, one["id"]).problem(f"{one['id']!r} is there twice in {part}")
            seen.add(one["id"])


def _streams(process: Mapping[str, Any], place: Callable[..., Position]) -> Iterator[Problem]:
    """Yield the bindings of streams, which have none (CWL v1.2 CommandLineTool, ``stdout``)."""
    for part, types, binding in (
        ("outputs", ("stdout", "stderr"), "outputBinding"),
        ("inputs", ("stdin",), "inputBinding"),
    ):
        for port in process[part]:
            if port["type"] in types and binding in port:
                said = f"an {part[:-1]} of type {port['type']} has no {binding}"
                at = place(part, port["id"], binding)
                yield at.problem(said, f"take out {binding}, or make the type File")
    read = [port["id"] for port in process["inputs"] if port["type"] == "stdin"]
    for name in read if "stdin" in process else read[1:]:
        said = f"{name} is of type stdin, but the tool reads something else there"
        yield place("inputs", name).problem(said, "make the type File")


def _defaults(process: Mapping[str, Any], place: Callable[..., Position]) -> Iterator[Problem]:
    """Yield the defaults of another type than their inputs: bad only if nothing else is given."""
    for port in process["inputs"]:
        if "default" in port and (said := misfit(port["default"], port["type"])):
            at = place("inputs", port["id"], "default")
            yield at.problem(f"the default of {port['id']} does not fit: {said}")
