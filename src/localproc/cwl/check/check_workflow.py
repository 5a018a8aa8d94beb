"""What is wrong with a workflow.

Owns the static checks of steps and links: types, required inputs, scatter, requirements, cycles.
Must not know the package that the workflow is part of.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from localproc.cwl.base.positions import Position
from localproc.cwl.base.types import Fit, describe, fit, is_optional, members, without_null
from localproc.cwl.check.check_links import arriving_type, is_never_array, misfit, never_fitting
from localproc.cwl.check.cycles import cycles
from localproc.cwl.run.process import Requirements
from localproc.errors import Problem
from localproc.near import near

_LINK_HINT: Final = "link something of that type, or make it so with valueFrom"
#: What gives a step its input, beside a default.
_GIVEN: Final = ("source", "valueFrom")
_MOST_GUESSES: Final = 50  #: errors that come with a guess
_METHODS: Final = ("nested_crossproduct", "flat_crossproduct", "dotproduct")


class WorkflowCheck:
    """The checks of one workflow, which add to ``errors`` and ``warnings``."""

    def __init__(
        self,
        workflow: Mapping[str, Any],
        processes: Mapping[str, Any],
        requirements: Requirements,
        place: Callable[..., Position],
        errors: list[Problem],
        warnings: list[Problem],
    ) -> None:
        self._workflow = workflow
        self._processes = processes
        self._requirements = requirements
        self._place = place
        self._errors = errors
        self._warnings = warnings
        self._types: dict[str, Any] = {one["id"]: one["type"] for one in workflow["inputs"]}
        self._globbed: set[str] = set()
        self._ports: dict[int, dict[str, Any]] = {}
        for step in workflow["steps"]:
            self._types |= self._outputs(step)

    def check(self) -> None:
        """Look at everything."""
        for step in self._workflow["steps"]:
            self._step(step)
        for port in self._workflow["outputs"]:
            self._output(port)
        self._unused()
        self._cycles()

    def _error(self, place: Position, message: str, hint: str = "") -> None:
        self._errors.append(place.problem(message, hint))

    def _outputs(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """Return the types of a step's outputs, as its links carry them."""
        run = self._processes.get(step["run"])
        produced = {port["id"]: port["type"] for port in run["outputs"]} if run else {}
        if run and not step["scatter"]:
            named = [port["id"] for port in run["outputs"] if _is_globbed(port)]
            self._globbed |= {f"{step['id']}/{name}" for name in named}
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
                self._error(place, f"{run['id']} has no output {out!r}", near(out, produced))
        if run["class"] == "Workflow":
            self._needs("SubworkflowFeatureRequirement", step, at)
        given = {
            one["id"]: any(one.get(by) for by in _GIVEN) or "default" in one for one in step["in"]
        }
        for port in run["inputs"]:
            if not (given.get(port["id"]) or is_optional(port["type"]) or "default" in port):
                self._error(
                    self._place("steps", name, "in", port["id"]) if port["id"] in given else at,
                    f"the step {name} does not give {run['id']} its input {port['id']!r}",
                    f"add {port['id']} to the step's in; it takes {describe(port['type'])}",
                )

    def _step_input(
        self, step: Mapping[str, Any], one: Mapping[str, Any], run: Mapping[str, Any] | None
    ) -> None:
        at = self._place("steps", step["id"], "in", one["id"])
        if "valueFrom" in one:
            self._needs("StepInputExpressionRequirement", step, at)
        if not self._links(one, at, step) or run is None:
            return
        port = self._port(run, one["id"])
        depth = step["scatter"].count(one["id"])
        self._scattered(step, one, at)
        if port is None or "valueFrom" in one:
            return
        sink = port["type"]
        for _ in range(depth):
            sink = {"type": "array", "items": sink}
        if "default" in one:
            self._default(one, sink, at, sure=not one["source"])
        without = "default" in one or "default" in port
        self._arrives(one, sink, f"{step['id']}/{one['id']}", at, without_nulls=without)

    def _port(self, run: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
        """Return the input of a process; its inputs are looked up once."""
        if id(run) not in self._ports:
            self._ports[id(run)] = {port["id"]: port for port in reversed(run["inputs"])}
        return self._ports[id(run)].get(name)

    def _scattered(self, step: Mapping[str, Any], one: Mapping[str, Any], at: Position) -> None:
        """See that a scattered input, whatever is made of its items, is an array."""
        if one["id"] not in step["scatter"]:
            return
        if not one["source"] and "default" not in one:
            self._error(at, f"{one['id']} is scattered, but nothing is given for it")
        elif one["source"] and "valueFrom" in one and is_never_array(self._carried(one)):
            said = f"{' and '.join(one['source'])} goes to {step['id']}/{one['id']}"
            self._error(
                at, f"{said}, which is scattered, but {describe(self._carried(one))} is no array"
            )

    def _output(self, port: Mapping[str, Any]) -> None:
        at = self._place("outputs", port["id"])
        if not port["source"]:
            if not (is_optional(port["type"]) or port["type"] == "Any"):
                said = f"nothing goes to the output {port['id']}, which is {describe(port['type'])}"
                self._error(at, said, "add an outputSource, or make its type optional")
        elif self._links(port, at):
            self._arrives(port, port["type"], f"the output {port['id']}", at)

    def _arrives(
        self,
        sink: Mapping[str, Any],
        wanted: Any,
        where: str,
        at: Position,
        *,
        without_nulls: bool = False,
    ) -> None:
        """See that what the links carry fits; ``without_nulls`` if a default takes their place."""
        if not sink["source"]:
            return
        types = [self._types[source] for source in sink["source"]]
        found = list(never_fitting(sink, types, wanted))
        for index, one in found:
            said = f"{sink['source'][index]} goes to {where}, but {describe(one)} is no item of"
            self._error(at, f"{said} {describe(wanted)}", _LINK_HINT)
        if not found:
            source = self._carried(sink)
            source = without_null(source) if without_nulls else source
            self._fits(source, wanted, f"{' and '.join(sink['source'])} goes to {where}", at)
            self._is_list(sink, wanted, where, at)

    def _is_list(self, sink: Mapping[str, Any], wanted: Any, where: str, at: Position) -> None:
        """Warn of what a glob finds for an output of type Any: a list, where none is wanted."""
        (first, *others) = sink["source"]
        if first in self._globbed and not others and not sink.get("pickValue"):
            found: Any = {"type": "array", "items": ["File", "Directory"]}
            if wanted != "Any" and fit(found, wanted) is Fit.NEVER:
                said = f"{first} goes to {where}, but of type Any its glob gives a list of files"
                self._warnings.append(at.problem(said, "give the output its own type"))

    def _carried(self, sink: Mapping[str, Any]) -> Any:
        return arriving_type(sink, [self._types[source] for source in sink["source"]])

    def _default(self, one: Mapping[str, Any], wanted: Any, at: Position, *, sure: bool) -> None:
        """See that a default fits; ``sure`` if there is no other value."""
        if said := misfit(one["default"], wanted):
            problem = at.problem(f"the default of {one['id']} does not fit: {said}")
            (self._errors if sure else self._warnings).append(problem)

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
                self._warnings.append(at.problem(said))

    def _links(
        self, sink: Mapping[str, Any], at: Position, step: Mapping[str, Any] | None = None
    ) -> bool:
        """See that the links, to a step if it is given, lead somewhere; whether they all do."""
        sources = sink["source"]
        if len(sources) > 1:
            self._needs("MultipleInputFeatureRequirement", step, at)
        sound = True
        for source in sources:
            if source.startswith("?"):
                sound = False
                plain = source[1:]
                short = plain.rpartition("/")[2]
                # A courtesy, and dear: not for the hundredth of its kind.
                others = [name for name in self._types if name != short]
                few = len(self._errors) < _MOST_GUESSES
                hint = (near(plain, others) or near(short, others)) if few else ""
                self._error(at, f"nothing in the workflow is called {short!r}", hint)
        return sound

    def _fits(self, source: Any, sink: Any, what: str, at: Position) -> None:
        found = fit(source, sink)
        said = f"{what}, but {describe(source)} is not {describe(sink)}"
        if found is Fit.NEVER:
            self._error(at, said, _LINK_HINT)
        elif found is Fit.MAYBE and "Any" not in (source, sink):
            self._warnings.append(at.problem(f"{said} in every case"))

    def _scatter(self, step: Mapping[str, Any]) -> None:
        at = self._place("steps", step["id"], "scatter")
        self._needs("ScatterFeatureRequirement", step, at)
        given = [one["id"] for one in step["in"]]
        for name in step["scatter"]:
            if name not in given:
                hint = near(name, given)
                self._error(at, f"scatter over {name!r}, which is no input of the step", hint)
        if len(step["scatter"]) > 1 and "scatterMethod" not in step:
            self._error(
                at,
                "scatter over several inputs needs a scatterMethod",
                "one of " + ", ".join(_METHODS),
            )
        if len(set(step["scatter"])) < len(step["scatter"]) and _method(step) == "dotproduct":
            self._error(
                at,
                "scatter over the same input twice is for arrays in arrays",
                "scatterMethod has to be nested_crossproduct or flat_crossproduct",
            )

    def _needs(self, requirement: str, step: Mapping[str, Any] | None, at: Position) -> None:
        inner = self._requirements
        if step is not None:
            inner = inner.within(step["requirements"], step["hints"])
        if not inner.has(requirement):
            hint = f"add {requirement}: {{}} to the requirements"
            self._error(at, f"this needs {requirement}", hint)

    def _cycles(self) -> None:
        for name, around in cycles(self._workflow["steps"]):
            self._error(
                self._place("steps", name),
                f"a cycle: {name} waits for itself ({' → '.join(around)})",
                "one of its links has to go",
            )


def _method(step: Mapping[str, Any]) -> str:
    return str(step.get("scatterMethod", "dotproduct"))


def _is_globbed(port: Mapping[str, Any]) -> bool:
    """Whether an output of type Any is what a glob finds."""
    binding = port.get("outputBinding") or {}
    return port["type"] == "Any" and "glob" in binding and "outputEval" not in binding
