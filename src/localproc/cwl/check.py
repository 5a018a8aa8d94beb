"""What is wrong with a package, said before anything of it runs.

Owns the static checks of workflows: links, types, required inputs, scatter, requirements, cycles;
those of expressions are in ``check_expressions``. Must not stop at the first problem.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from localproc.cwl.check_expressions import check_expressions
from localproc.cwl.cycles import cycles
from localproc.cwl.load import Package
from localproc.cwl.places import Place
from localproc.cwl.process import Requirements
from localproc.cwl.types import (
    Fit,
    describe,
    fit,
    is_optional,
    item_type,
    kind,
    members,
    without_null,
)
from localproc.errors import InvalidPackage, Problem

_CROSS: Final = ("nested_crossproduct", "flat_crossproduct", "dotproduct")


@dataclass(slots=True)
class Findings:
    """What was found: errors make a package unusable, warnings are worth a look."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def check(package: Package) -> Findings:
    """Check a package; raises ``InvalidPackage`` with every error."""
    findings = examine(package)
    if findings.errors:
        raise InvalidPackage(
            f"{package.sources.name(package.sources.entry)} cannot be run", findings.errors
        )
    return findings


def examine(package: Package) -> Findings:
    """Check a package; give everything that was found."""
    findings = Findings()
    processes = package.resolved["processes"]
    main = package.resolved["main"]
    for name, inherited in _reached(processes, main, Requirements(), set()):
        process = processes[name]
        place = _placer(package, name)
        findings.errors += check_expressions(process, inherited, place)
        findings.errors += _duplicates(process, place)
        if process["class"] == "Workflow":
            _Workflow(process, processes, inherited, place, findings).check()
    findings.errors = list(dict.fromkeys(findings.errors))
    findings.warnings = list(dict.fromkeys(findings.warnings))
    return findings


def _reached(
    processes: Mapping[str, Any], name: str, outer: Requirements, seen: set[Any]
) -> Iterator[tuple[str, Requirements]]:
    """Give every process that is run, once for all that holds for it alike, with that."""
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


def _placer(package: Package, name: str) -> Callable[..., Place]:
    return lambda *path: package.place(name, *path)


def _duplicates(process: Mapping[str, Any], place: Callable[..., Place]) -> Iterator[Problem]:
    for part in ("inputs", "outputs", "steps"):
        seen: set[str] = set()
        for one in process.get(part, ()):
            if one["id"] in seen:
                yield place(part, one["id"]).problem(f"{one['id']!r} is there twice in {part}")
            seen.add(one["id"])


class _Workflow:
    """The checks of one workflow."""

    def __init__(
        self,
        workflow: Mapping[str, Any],
        processes: Mapping[str, Any],
        requirements: Requirements,
        place: Callable[..., Place],
        findings: Findings,
    ) -> None:
        self._workflow = workflow
        self._processes = processes
        self._requirements = requirements
        self._place = place
        self._findings = findings
        self._types: dict[str, Any] = {one["id"]: one["type"] for one in workflow["inputs"]}
        for step in workflow["steps"]:
            self._types |= self._outputs(step)

    def check(self) -> None:
        for step in self._workflow["steps"]:
            self._step(step)
        for port in self._workflow["outputs"]:
            self._output(port)
        self._unused()
        self._cycles()

    def _error(self, place: Place, message: str, hint: str = "") -> None:
        self._findings.errors.append(place.problem(message, hint))

    def _outputs(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Give the types of a step's outputs, as its links carry them."""
        run = self._processes.get(step["run"])
        produced = {port["id"]: port["type"] for port in run["outputs"]} if run else {}
        types = {}
        for name in step["out"]:
            found = produced.get(name, "Any")
            if "when" in step:
                found = ["null", *(one for one in members(found) if one != "null")]
            depth = len(step["scatter"]) if _method(step) == "nested_crossproduct" else 1
            for _ in range(depth if step["scatter"] else 0):
                found = {"type": "array", "items": found}
            types[f"{step['id']}/{name}"] = found
        return types

    def _step(self, step: Mapping[str, Any]) -> None:
        run = self._processes.get(step["run"])
        if step["scatter"]:
            self._scatter(step)
        if "when" in step and self._workflow["cwlVersion"] != "v1.2":
            self._error(self._place("steps", step["id"], "when"), "when is for CWL v1.2")
        if run is not None:
            self._run(step, run)
        for one in step["in"]:
            self._step_input(step, one, run)

    def _run(self, step: Mapping[str, Any], run: Mapping[str, Any]) -> None:
        """Check a step against the process it runs."""
        name = step["id"]
        at = self._place("steps", name)
        produced = [port["id"] for port in run["outputs"]]
        for out in step["out"]:
            if out not in produced:
                place = self._place("steps", name, "out", out)
                self._error(place, f"{run['id']} has no output {out!r}", _near(out, produced))
        if run["class"] == "Workflow":
            self._needs("SubworkflowFeatureRequirement", step, at)
        given = {one["id"] for one in step["in"]}
        for port in run["inputs"]:
            if not (port["id"] in given or is_optional(port["type"]) or "default" in port):
                self._error(
                    at,
                    f"the step {name} does not give {run['id']} its input {port['id']!r}",
                    f"add {port['id']} to the step's in; it takes {describe(port['type'])}",
                )

    def _step_input(
        self, step: Mapping[str, Any], one: Mapping[str, Any], run: Mapping[str, Any] | None
    ) -> None:
        at = self._place("steps", step["id"], "in", one["id"])
        if "valueFrom" in one:
            self._needs("StepInputExpressionRequirement", step, at)
        if not self._links(one, at) or run is None:
            return
        sink = next((port["type"] for port in run["inputs"] if port["id"] == one["id"]), None)
        if sink is None or "valueFrom" in one or not one["source"]:
            return
        if one["id"] in step["scatter"]:
            sink = {"type": "array", "items": sink}
        what = f"{' and '.join(one['source'])} goes to {step['id']}/{one['id']}"
        source = self._carried(one)
        if "default" in one or _has_default(run, one["id"]):
            source = without_null(source)
        self._fits(source, sink, what, at)

    def _output(self, port: Mapping[str, Any]) -> None:
        at = self._place("outputs", port["id"])
        if self._links(port, at) and port["source"]:
            what = f"{' and '.join(port['source'])} goes to the output {port['id']}"
            self._fits(self._carried(port), port["type"], what, at)

    def _unused(self) -> None:
        sinks = [
            *self._workflow["outputs"],
            *(one for step in self._workflow["steps"] for one in step["in"]),
        ]
        used = {source for sink in sinks for source in sink["source"]}
        for port in self._workflow["inputs"]:
            if port["id"] not in used:
                at = self._place("inputs", port["id"])
                said = f"nothing in the workflow takes the input {port['id']!r}"
                self._findings.warnings.append(at.problem(said))

    def _links(self, sink: Mapping[str, Any], at: Place) -> bool:
        """See that the links lead somewhere; whether they all do."""
        sources = sink["source"]
        if len(sources) > 1 and not self._requirements.has("MultipleInputFeatureRequirement"):
            self._missing("MultipleInputFeatureRequirement", at)
        sound = True
        for source in sources:
            if source.startswith("?"):
                sound = False
                plain = source[1:]
                short = plain.rpartition("/")[2]
                hint = _near(plain, self._types) or _near(short, self._types)
                self._error(at, f"nothing in the workflow is called {short!r}", hint)
        return sound

    def _carried(self, sink: Mapping[str, Any]) -> Any:
        """Give the type of what arrives at a sink."""
        types = [self._types[source] for source in sink["source"]]
        merge = sink.get("linkMerge")
        if len(types) == 1 and merge is None:
            carried = types[0]
        else:
            items: list[Any] = []
            for one in types:
                flat = merge == "merge_flattened" and kind(without_null(one)) == "array"
                items += members(item_type(one) if flat else one)
            carried = {"type": "array", "items": items}
        if "pickValue" in sink and kind(without_null(carried)) == "array":
            rest = without_null(item_type(carried))
            return {"type": "array", "items": rest} if sink["pickValue"] == "all_non_null" else rest
        return carried

    def _fits(self, source: Any, sink: Any, what: str, at: Place) -> None:
        found = fit(source, sink)
        said = f"{what}, but {describe(source)} is not {describe(sink)}"
        if found is Fit.NEVER:
            self._error(at, said, "link something of that type, or make it so with valueFrom")
        elif found is Fit.MAYBE and "Any" not in (source, sink):
            self._findings.warnings.append(at.problem(f"{said} in every case"))

    def _scatter(self, step: Mapping[str, Any]) -> None:
        at = self._place("steps", step["id"], "scatter")
        self._needs("ScatterFeatureRequirement", step, at)
        given = [one["id"] for one in step["in"]]
        for name in step["scatter"]:
            if name not in given:
                hint = _near(name, given)
                self._error(at, f"scatter over {name!r}, which is no input of the step", hint)
        if len(step["scatter"]) > 1 and "scatterMethod" not in step:
            self._error(
                at,
                "scatter over several inputs needs a scatterMethod",
                "one of " + ", ".join(_CROSS),
            )

    def _needs(self, requirement: str, step: Mapping[str, Any], at: Place) -> None:
        inner = self._requirements.within(step["requirements"], step["hints"])
        if not inner.has(requirement):
            self._missing(requirement, at)

    def _missing(self, requirement: str, at: Place) -> None:
        self._error(at, f"this needs {requirement}", f"add {requirement}: {{}} to the requirements")

    def _cycles(self) -> None:
        for name, around in cycles(self._workflow["steps"]):
            self._error(
                self._place("steps", name),
                f"a cycle: {name} waits for itself ({' → '.join(around)})",
                "one of its links has to go",
            )


def _method(step: Mapping[str, Any]) -> str:
    return str(step.get("scatterMethod", "dotproduct"))


def _has_default(run: Mapping[str, Any], name: str) -> bool:
    return any(port["id"] == name and "default" in port for port in run["inputs"])


def _near(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"did you mean {close[0]!r}?" if close else ""
