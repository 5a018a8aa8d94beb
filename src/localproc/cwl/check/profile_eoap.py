"""What the best practice for Earth observation packages asks for (OGC 20-089r1, 1.0).

Owns its requirements on packages, each named by its id there, and what validators of the field
demand beyond it. Must not know what localproc itself needs: a package that runs may still fall
short of these.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from localproc.cwl.base.positions import Position
from localproc.cwl.base.types import kind, members, without_null
from localproc.cwl.check.check import Findings
from localproc.cwl.load.load import Package
from localproc.errors import Problem

_SCHEMA_ORG: Final = ("https://schema.org/", "http://schema.org/")
_ADVISED: Final = ("author", "contributor", "codeRepository", "license")
_BOUNDS: Final = ("coresMin", "coresMax", "ramMin", "ramMax")

_Find = Callable[..., Position]


def eoap(package: Package) -> Findings:
    """Return where a package falls short: errors of the requirements, warnings of the rest."""
    found = Findings()
    processes = package.resolved["processes"]
    main = package.resolved["main"]

    def at(name: str) -> _Find:
        return lambda *path: package.place(name, *path)

    found.errors += _shape(processes, main, at(main))
    found.errors += _version(package, at(main))
    found.warnings += _metadata(package, at(main))
    for name, process in processes.items():
        if process["class"] == "Workflow":
            found.errors += _described(process, at(name), "wf", inputs=name == main)
            found.warnings += _own_name(process, at(name))
        elif process["class"] == "CommandLineTool":
            found.errors += _tool(process, at(name))
            found.warnings += _labels(process, at(name))
            found.warnings += _resources(process, at(name))
    if processes[main]["class"] == "Workflow":
        found.warnings += _labels(processes[main], at(main), part="outputs")
        found.errors += _stage_out(processes[main], at(main))
    return found


def _shape(processes: Mapping[str, Any], main: str, place: _Find) -> Iterator[Problem]:
    classes = [process["class"] for process in processes.values()]
    if processes[main]["class"] != "Workflow":
        yield _said(place(), "app-pck/cwl", "the package is not a Workflow", "wrap it into one")
    if "CommandLineTool" not in classes:
        yield _said(place(), "app-pck/cwl", "the package has no CommandLineTool")


def _version(package: Package, place: _Find) -> Iterator[Problem]:
    if not _annotated(package, "softwareVersion"):
        hint = "add s:softwareVersion, and s: https://schema.org/ to $namespaces"
        yield _said(place(), "app-pck/metadata", "the package has no version", hint)


def _metadata(package: Package, place: _Find) -> Iterator[Problem]:
    for name in _ADVISED:
        if not _annotated(package, name):
            hint = f"add s:{name} to the document"
            yield _said(place(), "app-pck/metadata", f"the package does not say its {name}", hint)


def _annotated(package: Package, name: str) -> Any:
    said = {**package.main.get("metadata", {}), **package.resolved["metadata"]}
    return next((said[base + name] for base in _SCHEMA_ORG if said.get(base + name)), None)


def _described(
    process: Mapping[str, Any], place: _Find, what: str, *, inputs: bool
) -> Iterator[Problem]:
    for member in ("label", "doc"):
        if not process.get(member):
            said = f"the workflow {process['id']!r} has no {member}"
            yield _said(place(), f"app-pck/{what}", said, f"add {member}")
    for port in process["inputs"] if inputs else ():
        for member in ("label", "doc"):
            if not port.get(member):
                said = f"the input {port['id']!r} has no {member}"
                yield _said(place("inputs", port["id"]), "app-pck/wf-inputs", said, f"add {member}")


def _own_name(process: Mapping[str, Any], place: _Find) -> Iterator[Problem]:
    if process["id"] == "main":
        hint = "the id is that of the process: give it one of its own"
        yield _said(place(), "app-pck/wf", "a workflow is called 'main'", hint)


def _tool(process: Mapping[str, Any], place: _Find) -> Iterator[Problem]:
    name = process["id"]
    if not process.get("baseCommand"):
        yield _said(place(), "app-pck/clt", f"the tool {name!r} has no baseCommand")
    asked = {one["class"]: one for one in (*process["hints"], *process["requirements"])}
    docker = asked.get("DockerRequirement")
    if docker is None:
        hint = "add DockerRequirement with dockerPull, to requirements or hints"
        yield _said(place(), "app-pck/clt", f"the tool {name!r} names no container", hint)
    elif not docker.get("dockerPull"):
        at = place("requirements", "DockerRequirement")
        yield _said(at, "app-pck/clt", f"the container of {name!r} has no dockerPull")


def _labels(process: Mapping[str, Any], place: _Find, part: str = "inputs") -> Iterator[Problem]:
    if process["class"] == "CommandLineTool" and not (process.get("label") and process.get("doc")):
        yield _said(place(), "", f"the tool {process['id']!r} has no label and doc", "add them")
    for port in process[part]:
        if not (port.get("label") and port.get("doc")):
            said = f"{part[:-1]} {port['id']!r} of {process['id']!r} has no label and doc"
            yield _said(place(part, port["id"]), "", said, "add them")


def _resources(process: Mapping[str, Any], place: _Find) -> Iterator[Problem]:
    asked = {one["class"]: one for one in process["requirements"]}
    missing = [name for name in _BOUNDS if name not in asked.get("ResourceRequirement", {})]
    if missing:
        said = f"the tool {process['id']!r} does not require {', '.join(missing)}"
        yield _said(place(), "", said, "platforms give what ResourceRequirement bounds")


def _stage_out(process: Mapping[str, Any], place: _Find) -> Iterator[Problem]:
    if not any(_is_folder(port["type"]) for port in process["outputs"]):
        hint = "give it one of type Directory: a folder with a STAC catalog"
        said = f"the workflow {process['id']!r} has no output of type Directory"
        yield _said(place("outputs"), "app-pck-stage-out/output-stac", said, hint)


def _is_folder(cwl_type: Any) -> bool:
    rest = without_null(cwl_type)
    if kind(rest) == "array" and isinstance(rest, Mapping):
        rest = rest["items"]
    return any(kind(one) == "Directory" for one in members(rest))


def _said(at: Position, requirement: str, message: str, hint: str = "") -> Problem:
    """Return a problem that names the requirement; none for what is demanded beyond them."""
    named = f"/req/{requirement}: {message}" if requirement else message
    return at.problem(named, hint)


#: What packages can be held to, by name.
PROFILES: Final[Mapping[str, Callable[[Package], Findings]]] = {"eoap": eoap}
