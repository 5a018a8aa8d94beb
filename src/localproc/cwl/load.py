"""From the texts of a package to its resolved form, by way of cwl-utils' typed objects.

Owns parsing, the choice of the process to run, and following references between documents. Must not
know what the parts of a process mean. Importing cwl-utils costs 0.2 s, so only this module, its
``resolve`` and its ``explain`` do it, and only when a package is new: what they make is plain JSON
that is kept with the process and needs neither of them again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import unquote, urldefrag, urlsplit

from ruamel.yaml.error import MarkedYAMLError

from localproc.cwl.places import Place, find
from localproc.cwl.sources import Sources
from localproc.errors import InvalidPackage, PackageError, Problem, UnsupportedPackage

VERSIONS: Final = ("v1.0", "v1.1", "v1.2")
SUPPORTED_REQUIREMENTS: Final = frozenset(
    {
        "DockerRequirement",
        "EnvVarRequirement",
        "InitialWorkDirRequirement",
        "InlineJavascriptRequirement",
        "InplaceUpdateRequirement",
        "LoadListingRequirement",
        "MultipleInputFeatureRequirement",
        "NetworkAccess",
        "ResourceRequirement",
        "ScatterFeatureRequirement",
        "SchemaDefRequirement",
        "ShellCommandRequirement",
        "SoftwareRequirement",
        "StepInputExpressionRequirement",
        "SubworkflowFeatureRequirement",
        "ToolTimeLimit",
        "WorkReuse",
    }
)


class WorkflowNotFound(PackageError):
    """The process that was asked for is not in the document."""

    type = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/workflow-not-found"


@dataclass(frozen=True)
class Package:
    """A loaded package.

    ``resolved`` is JSON: ``main`` names one of ``processes``, which maps a name
    (``water-bodies.cwl#node_crop``) to a process whose identifiers are short, whose types are
    whole and whose steps name the process they run; ``metadata`` holds the document's own
    annotations by URI; ``namespaces`` its prefixes; ``ontology`` the subclass pairs of its
    ``$schemas``.
    """

    resolved: Mapping[str, Any]
    sources: Sources
    raws: Mapping[str, Any]

    @cached_property
    def main(self) -> Mapping[str, Any]:
        """The process to run."""
        process: Mapping[str, Any] = self.resolved["processes"][self.resolved["main"]]
        return process

    def place(self, process: str, *path: str) -> Place:
        """Find where a part of a process stands: ``place(name, "steps", "crop", "in", "x")``."""
        uri = self.resolved["processes"][process]["source"]
        document, fragment = urldefrag(uri)
        name = self.sources.name(document)
        return find(name, self.raws[document], [*filter(None, fragment.split("/")), *path])


def load(sources: Sources, fragment: str = "") -> Package:
    """Load the package behind the sources.

    ``fragment`` picks a process of a ``$graph``; without it that is ``main``, or the first
    workflow, or the first process. Raises ``InvalidPackage`` with every problem found, each with
    its line and column, ``UnsupportedPackage``, or ``WorkflowNotFound``.
    """
    from localproc.cwl.resolve import Resolver

    documents = Documents(sources)
    main = documents.pick(sources.entry, fragment)
    resolver = Resolver(documents)
    resolved = {
        "main": resolver.process(main, ()),
        "processes": resolver.processes,
        "metadata": documents.metadata(sources.entry),
        "namespaces": documents.raw(sources.entry).get("$namespaces") or {},
        "ontology": documents.ontology(),
    }
    return Package(plain(resolved), sources, documents.raws)


class Documents:
    """Parsed documents by URI, and their processes as typed objects, loaded when asked for."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.raws: dict[str, Any] = {}
        self._objects: dict[str, Any] = {}
        self._options: dict[str, Any] = {}

    def raw(self, uri: str) -> Any:
        """Give a document as YAML with line numbers."""
        uri = urldefrag(uri)[0]
        if uri not in self.raws:
            self.raws[uri] = self._parse(uri)
        return self.raws[uri]

    def pick(self, uri: str, fragment: str) -> str:
        """Give the URI of the process to run of a document."""
        raw = self.raw(uri)
        graph = raw.get("$graph")
        if graph is None:
            return uri
        names = [_local(str(entry.get("id", ""))) for entry in graph]
        if fragment:
            if fragment not in names:
                raise WorkflowNotFound(
                    f"{self.sources.name(uri)} has no process {fragment!r}",
                    hint="it has: " + ", ".join(filter(None, names)),
                )
            return f"{uri}#{fragment}"
        workflows = [
            name
            for name, entry in zip(names, graph, strict=True)
            if entry.get("class") == "Workflow"
        ]
        chosen = "main" if "main" in names else (workflows or names)[0]
        return f"{uri}#{chosen}"

    def object(self, uri: str, asked_at: Place | None = None) -> Any:
        """Give the typed object of a process; raises ``InvalidPackage``."""
        document, fragment = urldefrag(uri)
        try:
            raw = self.raw(document)
        except InvalidPackage as error:
            if asked_at is None or document in self.sources.texts:
                raise
            reason = error.problems[0].message if error.problems else error.message
            raise InvalidPackage(
                "the package is not complete",
                [asked_at.problem(f"cannot read {self.sources.name(document)}: {reason}")],
            ) from None
        if "$graph" in raw and not fragment:
            uri = self.pick(document, "")
        if uri not in self._objects:
            self._objects[uri] = self._load(uri, raw, asked_at)
        return self._objects[uri]

    def metadata(self, uri: str) -> dict[str, Any]:
        """Give the annotations at the top of a document, by full URI."""
        raw = self.raw(uri)
        spaces = raw.get("$namespaces") or {}
        found = {}
        for key, value in raw.items():
            prefix, colon, rest = str(key).partition(":")
            if colon and prefix in spaces:
                found[spaces[prefix] + rest] = plain(value)
        return found

    def ontology(self) -> dict[str, list[str]]:
        """Give what the ``$schemas`` of all documents say of file formats: child to parents."""
        from localproc.cwl.resolve import subclasses

        parents: dict[str, list[str]] = {}
        for options in self._options.values():
            for child, of in subclasses(options).items():
                parents.setdefault(child, []).extend(of)
        return parents

    def _parse(self, uri: str) -> Any:
        from schema_salad.sourceline import add_lc_filename
        from schema_salad.utils import yaml_no_ts

        name = self.sources.name(uri)
        try:
            raw = yaml_no_ts().load(self.sources.text(uri))
        except MarkedYAMLError as error:
            raise InvalidPackage(
                f"{name} is not valid YAML", [_yaml_problem(name, error)]
            ) from None
        if not isinstance(raw, dict):
            raise InvalidPackage(
                f"{name} is not a CWL document",
                [Problem("expected a mapping with a class or a $graph", name, 1, 1)],
            )
        version = raw.get("cwlVersion")
        if version not in VERSIONS:
            said = "cwlVersion is missing" if version is None else f"cwlVersion {version!r}"
            raise InvalidPackage(
                f"{name} is not a CWL document of a known version",
                [find(name, raw, ["cwlVersion"]).problem(said)],
                hint="known are " + ", ".join(VERSIONS),
            )
        add_lc_filename(raw, name)  # type: ignore[arg-type]
        return raw

    def _load(self, uri: str, raw: Any, asked_at: Place | None) -> Any:
        from schema_salad.exceptions import SchemaSaladException

        from localproc.cwl.explain import explain
        from localproc.cwl.resolve import parser

        document, fragment = urldefrag(uri)
        element = _element(raw, fragment)
        if element is None:
            message = f"{self.sources.name(document)} has no process {fragment!r}"
            raise InvalidPackage(
                message,
                [asked_at.problem(message)] if asked_at else [],
                hint="check the run: field",
            )
        if element.get("class") == "Operation":
            raise UnsupportedPackage(
                "an Operation cannot be run",
                [find(self.sources.name(document), element, ["class"]).problem("class: Operation")],
            )
        module = parser(raw["cwlVersion"])
        options = self._loading_options(document, raw)
        try:
            return module.load_document_by_yaml(element, document, options)
        except SchemaSaladException as error:
            name = self.sources.name(document)
            raise InvalidPackage(
                f"{name} is not valid CWL {raw['cwlVersion']}",
                explain(error, module, element, document, options, name),
            ) from None

    def _loading_options(self, document: str, raw: Any) -> Any:
        from localproc.cwl.resolve import loading_options

        if document not in self._options:
            self._options[document] = loading_options(
                self.sources, document, raw.get("$namespaces"), raw.get("$schemas")
            )
        return self._options[document]


def plain(value: Any) -> Any:
    """Give YAML's decorated values as plain JSON data."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return plain_float(value)
    for kind in (bool, int, str):
        if isinstance(value, kind):
            return kind(value)
    return None


def plain_float(value: float) -> float | int:
    """Give a float; one that was written with an exponent but has no fraction as an int.

    So ``1.23e5`` is written as 123000 wherever it goes (CWL v1.2 test
    ``very_big_and_very_floats_nojs``), and ``1.0`` stays 1.0.
    """
    exponent = getattr(value, "_exp", None)
    return int(value) if exponent and float(value).is_integer() else float(value)


def uri_path(uri: str) -> str:
    """Give the path of a ``file:`` URI."""
    return unquote(urlsplit(uri).path)


def _local(identifier: str) -> str:
    return identifier.rpartition("#")[2]


def _element(raw: Any, fragment: str) -> Any:
    """Give the part of a document that a fragment names, with what it inherits from the top."""
    if "$graph" not in raw:
        return raw if fragment in ("", _local(str(raw.get("id", "")))) else None
    for entry in raw["$graph"]:
        if _local(str(entry.get("id", ""))) == fragment:
            entry["cwlVersion"] = raw["cwlVersion"]
            return entry
    return None


def _yaml_problem(name: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(filter(None, (error.context, error.problem)))
    if mark is None:
        return Problem(said, name)
    return Problem(said, name, mark.line + 1, mark.column + 1)
