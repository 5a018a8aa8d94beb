"""Processes as the interpreter runs them: compiled from the resolved form.

A process is compiled once for all steps that run it where the same requirements hold.

Owns the shapes of tools, workflows and steps, and which requirements hold where. Must not know how
they are run, nor how documents are loaded.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache, wraps
from typing import Any, TypeVar

from localproc.cwl.base.files import local_paths
from localproc.cwl.base.types import CwlType, is_optional
from localproc.cwl.expr.expressions import Dialect
from localproc.errors import UnsupportedPackage
from localproc.frozen import frozen


@frozen
class Port:
    """An input or an output of a process."""

    id: str
    type: CwlType
    spec: Mapping[str, Any]

    @property
    def default(self) -> Any:
        """The default, or None."""
        return self.spec.get("default")

    @property
    def required(self) -> bool:
        """Whether a value has to be given."""
        return not is_optional(self.type) and "default" not in self.spec


@frozen
class Requirements:
    """The requirements and hints that hold for one process, by class.

    A requirement beats a hint, wherever the two stand; among equals the innermost holds (CWL v1.2
    Workflow, section 5.2 "Requirements and hints").
    """

    required: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hinted: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def get(self, class_name: str) -> Mapping[str, Any] | None:
        """Return what holds for a class of requirement."""
        return self.required.get(class_name) or self.hinted.get(class_name)

    def has(self, class_name: str) -> bool:
        """Whether the requirement or the hint is there."""
        return class_name in self.required or class_name in self.hinted

    @property
    def key(self) -> frozenset[tuple[str, int]]:
        """What tells them from others of the same package, while that is there."""
        return frozenset(
            (name, id(one))
            for by_class in (self.required, self.hinted)
            for name, one in by_class.items()
        )

    def within(
        self, required: Sequence[Mapping[str, Any]], hinted: Sequence[Mapping[str, Any]]
    ) -> "Requirements":
        """Return what holds one level further in."""
        return Requirements(
            {**self.required, **{one["class"]: one for one in required}},
            {**self.hinted, **{one["class"]: one for one in hinted}},
        )


@frozen(eq=False)
class Tool:
    """A CommandLineTool or, where ``expression`` is set, an ExpressionTool."""

    id: str
    name: str
    version: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    requirements: Requirements
    dialect: Dialect
    spec: Mapping[str, Any]
    ontology: Mapping[str, Sequence[str]]
    expression: str | None = None
    stdin: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    notes: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)

    @property
    def load_listing(self) -> str:
        """How much of directories is listed unless a port says otherwise."""
        return _load_listing(self.requirements, self.version)


@frozen
class StepInput:
    """An input of a step, its links by name: ``input`` or ``step/output``."""

    id: str
    sources: tuple[str, ...]
    spec: Mapping[str, Any]


@frozen(eq=False)
class WorkflowStep:
    """A step of a workflow."""

    id: str
    run: "Tool | Workflow"
    inputs: tuple[StepInput, ...]
    outputs: tuple[str, ...]
    scatter: tuple[str, ...]
    scatter_method: str
    when: str | None
    dialect: Dialect


@frozen(eq=False)
class Workflow:
    """A workflow; ``outputs`` carry their links in ``spec["source"]``."""

    id: str
    name: str
    version: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    steps: tuple[WorkflowStep, ...]
    requirements: Requirements
    dialect: Dialect
    ontology: Mapping[str, Sequence[str]]
    notes: dict[Any, Any] = field(init=False, repr=False, default_factory=dict)

    @property
    def load_listing(self) -> str:
        """How much of directories is listed unless a port says otherwise."""
        return _load_listing(self.requirements, self.version)


_P = TypeVar("_P", bound=Tool | Workflow)
_T = TypeVar("_T")


def noted(work: Callable[[_P], _T]) -> Callable[[_P], _T]:
    """Have what is worked out of a process noted with it: it is worked out once, and goes with it.

    A job may have a process of its own, by requirements that came with its inputs.
    """

    @wraps(work)
    def of(process: _P) -> _T:
        notes = process.notes
        if work not in notes:
            notes[work] = work(process)
        found: _T = notes[work]
        return found

    return of


def compile_package(
    resolved: Mapping[str, Any], extra: Sequence[Mapping[str, Any]] = ()
) -> Tool | Workflow:
    """Compile a package's main process.

    ``extra`` are requirements that came with the inputs (``cwl:requirements``, CWL v1.1): they
    beat the process's own.
    """
    return _Compiler(resolved).process(resolved["main"], Requirements(), extra)


class _Compiler:
    def __init__(self, resolved: Mapping[str, Any]) -> None:
        self._processes = resolved["processes"]
        self._ontology = resolved.get("ontology", {})
        self._compiled: dict[Any, Tool | Workflow] = {}

    def process(
        self, name: str, outer: Requirements, extra: Sequence[Mapping[str, Any]] = ()
    ) -> Tool | Workflow:
        key = (name, outer.key)
        if key not in self._compiled:
            self._compiled[key] = self._process(name, outer, extra)
        return self._compiled[key]

    def _process(
        self, name: str, outer: Requirements, extra: Sequence[Mapping[str, Any]]
    ) -> Tool | Workflow:
        spec = self._processes[name]
        inner = outer.within([*spec["requirements"], *extra], spec["hints"])
        dialect = dialect_of(inner, spec["cwlVersion"])
        if spec["class"] == "Operation":
            raise UnsupportedPackage(
                f"{spec['id']} is an Operation: it says what is taken and given, and not how",
                hint="put a CommandLineTool, an ExpressionTool or a Workflow in its place",
            )
        if spec["class"] == "Workflow":
            return self._workflow(name, spec, inner, dialect)
        return self._tool(name, spec, inner, dialect)

    def _workflow(
        self, name: str, spec: Mapping[str, Any], inner: Requirements, dialect: Dialect
    ) -> Workflow:
        return Workflow(
            id=spec["id"],
            name=name,
            version=spec["cwlVersion"],
            inputs=_ports(spec["inputs"]),
            outputs=_ports(spec["outputs"]),
            steps=tuple(self._step(one, inner, spec["cwlVersion"]) for one in spec["steps"]),
            requirements=inner,
            dialect=dialect,
            ontology=self._ontology,
        )

    def _step(self, spec: Mapping[str, Any], outer: Requirements, version: str) -> WorkflowStep:
        inner = outer.within(spec["requirements"], spec["hints"])
        return WorkflowStep(
            id=spec["id"],
            run=self.process(spec["run"], inner),
            inputs=tuple(StepInput(one["id"], tuple(one["source"]), one) for one in spec["in"]),
            outputs=tuple(spec["out"]),
            scatter=tuple(spec["scatter"]),
            scatter_method=spec.get("scatterMethod", "dotproduct"),
            when=spec.get("when"),
            dialect=dialect_of(inner, version),
        )

    def _tool(
        self, name: str, spec: Mapping[str, Any], inner: Requirements, dialect: Dialect
    ) -> Tool:
        tool = Tool(
            id=spec["id"],
            name=name,
            version=spec["cwlVersion"],
            inputs=_ports(spec["inputs"]),
            outputs=_ports(spec["outputs"]),
            requirements=inner,
            dialect=dialect,
            spec=spec,
            ontology=self._ontology,
            expression=spec.get("expression"),
            stdin=spec.get("stdin"),
            stdout=spec.get("stdout"),
            stderr=spec.get("stderr"),
        )
        return _with_streams(tool)


def _load_listing(requirements: Requirements, version: str) -> str:
    requirement = requirements.get("LoadListingRequirement")
    if requirement is not None:
        return str(requirement.get("loadListing", "no_listing"))
    return "deep_listing" if version == "v1.0" else "no_listing"


def dialect_of(requirements: Requirements, version: str) -> Dialect:
    """Say what expressions may be where these requirements hold."""
    javascript = requirements.get("InlineJavascriptRequirement")
    library = None if javascript is None else "\n".join(javascript.get("expressionLib") or ())
    return _dialect(library, old_escapes=version in ("v1.0", "v1.1"))


@lru_cache(maxsize=64)
def _dialect(library: str | None, *, old_escapes: bool) -> Dialect:
    """Give equal dialects as one: what expressions mean is looked up by it."""
    return Dialect(library, old_escapes)


def _ports(specs: Sequence[Mapping[str, Any]]) -> tuple[Port, ...]:
    return tuple(Port(spec["id"], spec["type"], spec) for spec in specs)


def _with_streams(tool: Tool) -> Tool:
    """Write out the shortcuts: outputs of type stdout and stderr, an input of type stdin."""
    outputs: list[Port] = []
    names: dict[str, str | None] = {"stdout": tool.stdout, "stderr": tool.stderr}
    for port in tool.outputs:
        if port.type in ("stdout", "stderr"):
            stream = str(port.type)
            if names[stream] is None:
                digest = hashlib.sha1(f"{tool.name}/{port.id}".encode()).hexdigest()  # noqa: S324
                names[stream] = f"{port.id}_{digest[:8]}.txt"
            binding = {"glob": names[stream], "stream": stream}
            spec = {**port.spec, "type": "File", "outputBinding": binding}
            outputs.append(Port(port.id, "File", spec))
        else:
            outputs.append(port)
    stdin = tool.stdin
    inputs = list(tool.inputs)
    for index, port in enumerate(inputs):
        if port.type == "stdin":
            inputs[index] = Port(port.id, "File", {**port.spec, "type": "File"})
            stdin = f"$(inputs[{json.dumps(port.id, ensure_ascii=False)}].path)"
    return replace(
        tool,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        stdin=stdin,
        stdout=names["stdout"],
        stderr=names["stderr"],
    )


def tools(process: Tool | Workflow) -> Iterator[Tool]:
    """Return every tool that a process may run, once for each set of requirements."""
    return (one for one in reached(process) if isinstance(one, Tool))


def operations(resolved: Mapping[str, Any]) -> list[str]:
    """Return the names of a package's Operations: with one, it can be looked at and not run."""
    found = resolved["processes"].items()
    return [name for name, process in found if process["class"] == "Operation"]


@noted
def own_files(process: Tool | Workflow) -> tuple[str, ...]:
    """Return the paths of the files that a package itself names: defaults, and what it stages."""
    found: dict[str, None] = {}
    for one in reached(process):
        specs: list[Any] = [port.spec.get("default") for port in one.inputs]
        listing = one.requirements.get("InitialWorkDirRequirement")
        specs.append(None if listing is None else listing.get("listing"))
        for step in one.steps if isinstance(one, Workflow) else ():
            specs += [entry.spec.get("default") for entry in step.inputs]
        found |= dict.fromkeys(local_paths(specs))
    return tuple(found)


def reached(
    process: Tool | Workflow, seen: set[Tool | Workflow] | None = None
) -> Iterator[Tool | Workflow]:
    """Yield a process and all that it runs, each once."""
    seen = set() if seen is None else seen
    if process not in seen:
        seen.add(process)
        yield process
        for step in process.steps if isinstance(process, Workflow) else ():
            yield from reached(step.run, seen)
