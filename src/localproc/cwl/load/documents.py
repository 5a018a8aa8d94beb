"""The documents of a package, read when they are asked for.

Owns which process a URI names, whichever document holds it, and its typed object. Must not know
what the parts of a process mean.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urldefrag

from localproc.cwl.base.positions import Position, find
from localproc.cwl.load.defaults import keep_defaults
from localproc.cwl.load.extensions import put_aside
from localproc.cwl.load.imports import resolve_imports
from localproc.cwl.load.mixins import mix_in
from localproc.cwl.load.raw import directives, parse_document, plain_json
from localproc.cwl.load.sources import Sources, leads_to
from localproc.cwl.load.symbols import veil_symbols
from localproc.errors import InvalidPackage, PackageError, Problem
from localproc.near import closest

_CLASSES: Final = ("CommandLineTool", "ExpressionTool", "Workflow")


class WorkflowNotFound(PackageError):
    """The process that was asked for is not in the document."""

    type = "http://www.opengis.net/def/exceptions/ogcapi-processes-2/1.0/workflow-not-found"


class Documents:
    """Parsed documents by URI, and their processes as typed objects."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.raws: dict[str, Any] = {}
        self._graphs: dict[str, dict[str, tuple[str, Any]]] = {}
        self._objects: dict[str, Any] = {}
        self._options: dict[str, Any] = {}
        self._imported: dict[str, dict[str, Any]] = {}
        self.problems: list[Problem] = []  #: of processes that could be read in spite of them

    def raw(self, uri: str, version: str | None = None) -> Any:
        """Return a document as YAML with line numbers; raises ``InvalidPackage``."""
        uri = self.sources.located(urldefrag(uri)[0])
        if uri not in self.raws:
            raw = parse_document(self.sources.text(uri), self.sources.name(uri), version)
            self._read_parts(uri, raw)
            mix_in(raw, uri, self.sources)
            keep_defaults(raw, uri, self.sources)
            veil_symbols(raw)
            resolve_imports(raw, uri, self.sources)
            put_aside(raw)
            self.raws[uri] = raw
            if "$graph" in raw:
                self.problems += self._misnamed(uri)
        return self.raws[uri]

    def _read_parts(self, uri: str, raw: Any) -> None:
        """Read what a document imports and includes, to tell where it does if that fails."""
        problems = []
        for _, named, place in directives(raw, self.sources.name(uri)):
            shown = named
            try:
                part = leads_to(uri, named)
                shown = self.sources.name(part)
                self.sources.text(part)
            except InvalidPackage as error:
                problems.append(_unreadable(error, place, shown))
        if problems:
            raise InvalidPackage("the package is not complete", problems)

    def name(self, uri: str) -> str:
        """Return a process its name: the document's and the fragment."""
        document, fragment = urldefrag(uri)
        name = self.sources.name(document)
        return f"{name}#{fragment}" if fragment else name

    def place(self, uri: str, *path: str) -> Position:
        """Find where a part of a process stands."""
        document, fragment = urldefrag(uri)
        steps = [*filter(None, fragment.split("/")), *path]
        return find(self.sources.name(document), self.raw(document), steps)

    def pick(self, uri: str, fragment: str) -> str:
        """Return the URI of the process to run of a document; raises ``WorkflowNotFound``."""
        raw = self.raw(uri)
        graph = self._graph(uri) if "$graph" in raw else {}
        known = [*filter(None, graph)] if graph else [_local(raw) or stem(uri)]
        if fragment and fragment not in known:
            raise WorkflowNotFound(
                f"{self.sources.name(uri)} has no process {fragment!r}",
                hint="it has: " + ", ".join(known),
            )
        if not graph:
            return uri
        workflows = [
            name for name, (_, process) in graph.items() if process.get("class") == "Workflow"
        ]
        chosen = "main" if "main" in graph else (workflows or list(graph))[0]
        return f"{uri}#{fragment or chosen}"

    def processes(self, uri: str) -> list[str]:
        """Return the URIs of all processes of a document."""
        if "$graph" not in self.raw(uri):
            return [uri]
        return [f"{uri}#{name}" for name in self._graph(uri)]

    def home(self, uri: str, asked_at: Position | None = None) -> str:
        """Return the URI of a process in the document that holds it, which others may import.

        ``asked_at`` is where somebody wants to run it. Raises ``InvalidPackage``.
        """
        document, fragment = urldefrag(uri)
        raw = self._asked_for(document, asked_at)
        uri = self.sources.located(uri)
        document = urldefrag(uri)[0]
        if "$graph" not in raw:
            if fragment in ("", _local(raw)):
                return uri
        else:
            fragment = fragment or urldefrag(self.pick(document, ""))[1]
            holder, _ = self._graph(document).get(fragment, ("", None))
            if holder:
                return f"{document}#{fragment}" if holder == document else holder
        message = f"{self.sources.name(document)} has no process {fragment!r}"
        problems = [asked_at.problem(message, "check the run: field")] if asked_at else []
        raise InvalidPackage(message, problems)

    def _asked_for(self, document: str, asked_at: Position | None) -> Any:
        """Return a document as YAML; that there is none is a problem of who asks for it."""
        try:
            return self.raw(document)
        except InvalidPackage as error:
            if asked_at is None or document in self.sources.texts:
                raise
            problem = _unreadable(error, asked_at, self.sources.name(document))
            raise InvalidPackage("the package is not complete", [problem]) from None

    def object(self, uri: str) -> Any:
        """Return the typed object of a process that is at home; raises ``InvalidPackage``."""
        if uri not in self._objects:
            self._objects[uri] = self._load(uri)
        return self._objects[uri]

    def metadata(self, uri: str) -> dict[str, Any]:
        """Return the annotations at the top of a document, by full URI."""
        raw = self.raw(uri)
        spaces = raw.get("$namespaces") or {}
        found = {}
        for key, value in raw.items():
            prefix, colon, rest = str(key).partition(":")
            if colon and prefix in spaces:
                found[spaces[prefix] + rest] = plain_json(value)
        return found

    def ontology(self) -> dict[str, list[str]]:
        """Return what the ``$schemas`` of all documents say of file formats: child to parents."""
        from localproc.cwl.load.typed import subclasses

        parents: dict[str, list[str]] = {}
        for options in self._options.values():
            for child, of in subclasses(options).items():
                parents.setdefault(child, []).extend(of)
        return parents

    def _graph(self, uri: str) -> dict[str, tuple[str, Any]]:
        """Return the processes of a ``$graph`` by name, each with the URI that holds it."""
        if uri not in self._graphs:
            found: dict[str, tuple[str, Any]] = {}
            for holder, process in self._listed(uri):
                found.setdefault(_local(process), (holder, process))
            self._graphs[uri] = found
        return self._graphs[uri]

    def _misnamed(self, uri: str) -> Iterator[Problem]:
        """Yield the processes of a ``$graph`` that have no id, or one that another has."""
        seen = set()
        for holder, process in self._listed(uri):
            place = find(self.sources.name(urldefrag(holder)[0]), process, ["id"])
            name = _local(process)
            if not name and holder == uri:
                yield place.problem("a process of a $graph has to have an id", "add id: here")
            elif name and name in seen:
                yield place.problem(f"{name!r} is there twice in the $graph")
            seen.add(name)

    def _listed(self, uri: str) -> Iterator[tuple[str, Any]]:
        raw = self.raw(uri)
        for process in raw["$graph"]:
            if "$import" not in process:
                process["cwlVersion"] = raw["cwlVersion"]
                yield uri, process
                continue
            imported, fragment = urldefrag(self.sources.located(leads_to(uri, process["$import"])))
            inner = self.raw(imported, raw["cwlVersion"])
            if "$graph" not in inner:
                parts = {_local(inner): (imported, inner)}
            else:
                graph = self._graph(imported).items()
                parts = {name: (f"{imported}#{name}", one) for name, (_, one) in graph}
            if fragment and fragment not in parts:
                place = find(self.sources.name(uri), process, ["$import"])
                said = f"{self.sources.name(imported)}#{fragment} is not there"
                raise InvalidPackage("the package is not complete", [place.problem(said)])
            yield from [parts[fragment]] if fragment else parts.values()

    def _load(self, uri: str) -> Any:
        from schema_salad.exceptions import SchemaSaladException

        from localproc.cwl.load.typed_parsers import CRASHES, parser

        document, fragment = urldefrag(uri)
        raw = self.raw(document)
        process = self._graph(document)[fragment][1] if "$graph" in raw else raw
        name = self.sources.name(document)
        _check_class(process, name)
        module = parser(raw["cwlVersion"])
        options = self._loading_options(document, raw)
        problems: list[Problem] = []
        while True:
            try:
                typed = module.load_document_by_yaml(process, document, options)
                break
            except (SchemaSaladException, *CRASHES) as error:
                from localproc.cwl.load.explain import explain, strike_out  # most have no need

                found = explain(error, module, process, document, options, name)
                problems += found
                if not strike_out(process, found):
                    message = f"{name} is not valid CWL {raw['cwlVersion']}"
                    raise InvalidPackage(message, list(dict.fromkeys(problems))) from None
        self.problems += problems
        options.idx.pop(document, None)  # one process is not what importing all of it gives
        return typed

    def _loading_options(self, document: str, raw: Any) -> Any:
        from localproc.cwl.load.typed import loading_options

        if document not in self._options:
            spaces, schemas = raw.get("$namespaces"), raw.get("$schemas")
            # What is imported means the same wherever these are the same: it is read once.
            alike = repr((raw["cwlVersion"], plain_json(spaces), plain_json(schemas)))
            imported = self._imported.setdefault(alike, {})
            self._options[document] = loading_options(
                self.sources, document, spaces, schemas, imported
            )
        return self._options[document]


def _unreadable(error: InvalidPackage, place: Position, name: str) -> Problem:
    reason = error.problems[0].message if error.problems else error.message
    hint = error.hint or "check the path"
    return place.problem(f"cannot read {urldefrag(name)[0]}: {reason}", hint)


def _check_class(process: Mapping[str, Any], name: str) -> None:
    """See that a process is one."""
    found = process.get("class")
    place = find(name, process, ["class"])
    if found not in (*_CLASSES, "Operation"):
        close = closest(str(found), _CLASSES)
        hint = f"did you mean {close}?" if close else "known are " + ", ".join(_CLASSES)
        said = "the class is missing" if found is None else f"unknown class {found!r}"
        raise InvalidPackage(f"{name} holds no process", [place.problem(said, hint)])


def stem(document: str) -> str:
    """Return a document's name without its folder and extension."""
    name = document.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def _local(process: Mapping[str, Any]) -> str:
    return str(process.get("id", "")).rpartition("#")[2]
