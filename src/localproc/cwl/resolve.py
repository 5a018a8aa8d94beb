"""cwl-utils' typed objects made plain: short names, whole types, processes in one table.

Owns the resolved form (see ``load.Package``). Must not know how it is interpreted, nor read any
text but through the documents it is given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from cwl_utils.parser import cwl_v1_0, cwl_v1_1, cwl_v1_2
from schema_salad.fetcher import DefaultFetcher
from schema_salad.runtime import LoadingOptions, Saveable

from localproc.cwl.load import SUPPORTED_REQUIREMENTS, Documents, plain
from localproc.cwl.places import Place, find
from localproc.cwl.sources import EO_TYPE_PREFIXES, Sources
from localproc.cwl.types import PRIMITIVES
from localproc.errors import InvalidPackage, UnsupportedPackage

_PARSERS: Final = {"v1.0": cwl_v1_0, "v1.1": cwl_v1_1, "v1.2": cwl_v1_2}
_PORT_FIELDS: Final = (
    "label",
    "doc",
    "format",
    "secondaryFiles",
    "streamable",
    "loadContents",
    "loadListing",
    "inputBinding",
    "outputBinding",
    "linkMerge",
    "pickValue",
)
_PROCESS_FIELDS: Final = (
    "label",
    "doc",
    "baseCommand",
    "arguments",
    "stdin",
    "stdout",
    "stderr",
    "successCodes",
    "temporaryFailCodes",
    "permanentFailCodes",
    "expression",
)


class _Fetcher(DefaultFetcher):
    """Gives schema-salad the texts of the package and nothing else: it opens no socket."""

    def __init__(self, sources: Sources) -> None:
        super().__init__({}, None)
        self.sources = sources

    def fetch_text(self, url: str, content_types: list[str] | None = None) -> str:
        """Give a text of the package."""
        return self.sources.text(url)

    def check_exists(self, url: str) -> bool:
        """Whether a reference leads anywhere is found out when it is followed."""
        return True


def parser(version: str) -> Any:
    """Give cwl-utils' module for a CWL version."""
    return _PARSERS[version]


def loading_options(
    sources: Sources, uri: str, namespaces: Any = None, schemas: Any = None
) -> LoadingOptions:
    """Give what cwl-utils needs to know to load a part of a document by itself."""
    return LoadingOptions(
        fetcher=_Fetcher(sources),
        fileuri=uri,
        baseuri=uri.rpartition("/")[0],
        namespaces=dict(namespaces) if namespaces else None,
        schemas=list(schemas) if schemas else None,
    )


def subclasses(options: LoadingOptions) -> dict[str, list[str]]:
    """Read the document's ``$schemas``: each class with those that contain it or equal it."""
    if not options.schemas:
        return {}
    local = [one for one in options.schemas if urlsplit(_join(options, one)).scheme == "file"]
    if not local:
        return {}
    from rdflib.namespace import OWL, RDFS

    graph = LoadingOptions(copyfrom=options, schemas=local).graph
    found: dict[str, list[str]] = {}
    for child, parent in graph.subject_objects(RDFS.subClassOf):
        found.setdefault(str(child), []).append(str(parent))
    for one, other in graph.subject_objects(OWL.equivalentClass):
        found.setdefault(str(one), []).append(str(other))
        found.setdefault(str(other), []).append(str(one))
    return found


class Resolver:
    """Fills ``processes`` as it follows the steps of workflows."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.processes: dict[str, Any] = {}

    def process(
        self,
        uri: str,
        scopes: tuple[Mapping[str, Any], ...],
        above: tuple[str, ...] = (),
        asked_at: Place | None = None,
    ) -> str:
        """Resolve the process behind a URI and all that it runs; give its name in the table."""
        typed = self._documents.object(uri, asked_at)
        document, fragment = urldefrag(uri)
        fragment = fragment or urldefrag(_identifier(typed))[1]
        name = self._name(document, fragment)
        if name in above:
            place = asked_at or find(name, self._documents.raw(document), ["steps"])
            raise InvalidPackage(
                f"the workflow {name} runs itself",
                [place.problem("a cycle: " + " → ".join([*above[above.index(name) :], name]))],
            )
        if name not in self.processes:
            version = self._documents.raw(document)["cwlVersion"]
            self._resolve(name, typed, document, fragment, version, scopes, above)
        return name

    def _name(self, document: str, fragment: str) -> str:
        name = self._documents.sources.name(document)
        return f"{name}#{fragment}" if fragment else name

    def _resolve(
        self,
        name: str,
        typed: Any,
        document: str,
        fragment: str,
        version: str,
        scopes: tuple[Mapping[str, Any], ...],
        above: tuple[str, ...],
    ) -> None:
        scopes = (_named_types(typed), *scopes)
        types = _Types(scopes, self._documents.sources)
        where = f"{document}#{fragment}" if fragment else document
        inputs, outputs = _ports((typed.inputs, typed.outputs), types)
        resolved: dict[str, Any] = {
            "class": type(typed).__name__,
            "id": _short(fragment) or _stem(document),
            "source": where,
            "cwlVersion": version,
            "inputs": inputs,
            "outputs": outputs,
            "requirements": self._requirements(typed, "requirements", where),
            "hints": self._requirements(typed, "hints", where),
            "metadata": plain(typed.extension_fields or {}),
        }
        for field in _PROCESS_FIELDS:
            value = _plain(_get(typed, field))
            if value is not None:
                resolved[field] = value
        if resolved["class"] == "Workflow":
            self._workflow(resolved, typed, name, where, version, scopes, above)
        self.processes[name] = resolved

    def _requirements(self, typed: Any, field: str, where: str) -> list[Any]:
        found = []
        for one in _get(typed, field) or []:
            entry = _plain(one)
            class_name = entry.get("class") or type(one).__name__
            if class_name == "SchemaDefRequirement":
                continue
            if class_name not in SUPPORTED_REQUIREMENTS:
                if field == "hints":
                    continue
                raise UnsupportedPackage(
                    f"{class_name} is not supported",
                    [self._at(where, field, class_name).problem(f"requirement {class_name}")],
                    hint="move it to hints to go without it",
                )
            found.append({**entry, "class": class_name})
        return found

    def _at(self, where: str, *path: str) -> Place:
        document, fragment = urldefrag(where)
        raw = self._documents.raw(document)
        name = self._documents.sources.name(document)
        return find(name, raw, [*filter(None, fragment.split("/")), *path])

    def _workflow(
        self,
        resolved: dict[str, Any],
        typed: Any,
        name: str,
        where: str,
        version: str,
        scopes: tuple[Mapping[str, Any], ...],
        above: tuple[str, ...],
    ) -> None:
        names = {port.id: _short(port.id) for port in typed.inputs}
        for step in typed.steps:
            for out in step.out:
                names[_identifier(out)] = f"{_short(step.id)}/{_short(_identifier(out))}"
        for port, output in zip(typed.outputs, resolved["outputs"], strict=True):
            output["source"] = _links(_get(port, "outputSource"), names)
        resolved["steps"] = [
            self._step(step, names, where, version, scopes, (*above, name)) for step in typed.steps
        ]

    def _step(
        self,
        step: Any,
        names: Mapping[str, str],
        where: str,
        version: str,
        scopes: tuple[Mapping[str, Any], ...],
        above: tuple[str, ...],
    ) -> dict[str, Any]:
        step_id = _short(step.id)
        scatter = _get(step, "scatter")
        resolved: dict[str, Any] = {
            "id": step_id,
            "in": [_step_input(one, names) for one in step.in_],
            "out": [_short(_identifier(out)) for out in step.out],
            "scatter": [_short(one) for one in _as_list(scatter)],
            "requirements": self._requirements(step, "requirements", f"{where}/steps/{step_id}"),
            "hints": self._requirements(step, "hints", f"{where}/steps/{step_id}"),
        }
        for field in ("label", "doc", "scatterMethod", "when"):
            if (value := _plain(_get(step, field))) is not None:
                resolved[field] = value
        if isinstance(step.run, str):
            at = self._at(where, "steps", step_id, "run")
            resolved["run"] = self.process(step.run, scopes, above, at)
        else:
            document, fragment = urldefrag(where)
            inner = "/".join(filter(None, (fragment, "steps", step_id, "run")))
            name = self._name(document, inner)
            self._resolve(name, step.run, document, inner, version, scopes, above)
            resolved["run"] = name
            self.processes[name]["id"] = _inner_id(step.run) or step_id
        return resolved


class _Types:
    """Makes types whole: named ones are looked up in the scopes, innermost first."""

    def __init__(self, scopes: tuple[Mapping[str, Any], ...], sources: Sources) -> None:
        self._scopes = scopes
        self._sources = sources
        self._eo: dict[str, Mapping[str, Any]] = {}

    def resolve(self, typed: Any, within: tuple[str, ...] = ()) -> Any:
        if isinstance(typed, str):
            return typed if typed in PRIMITIVES else self._named(typed, within)
        if isinstance(typed, list):
            return [self.resolve(member, within) for member in typed]
        kind = _get(typed, "type")
        if kind == "array":
            resolved = {"type": "array", "items": self.resolve(typed.items, within)}
        elif kind == "enum":
            resolved = {"type": "enum", "symbols": [_symbol(one) for one in typed.symbols]}
        else:
            fields = [self._field(field, within) for field in _get(typed, "fields") or []]
            resolved = {"type": "record", "fields": fields}
        for field in ("label", "doc", "inputBinding"):
            if (value := _plain(_get(typed, field))) is not None:
                resolved[field] = value
        name = _get(typed, "name")
        if isinstance(name, str) and not name.startswith("_:"):
            resolved["name"] = name if name.startswith(EO_TYPE_PREFIXES) else _short(name)
        return resolved

    def _field(self, field: Any, within: tuple[str, ...]) -> dict[str, Any]:
        cwl_type = self.resolve(field.type_, within)
        return {"name": _short(field.name), "type": cwl_type, **_port_fields(field)}

    def _named(self, uri: str, within: tuple[str, ...]) -> Any:
        if uri in within:
            raise InvalidPackage(f"the type {_short(uri)} contains itself")
        found = self._look_up(uri)
        if found is None:
            known = sorted({_short(name) for scope in self._scopes for name in scope})
            raise InvalidPackage(
                f"unknown type {_short(uri)!r}",
                hint="known here are " + ", ".join([*known, *sorted(PRIMITIVES)]),
            )
        return self.resolve(found, (*within, uri))

    def _look_up(self, uri: str) -> Any:
        for scope in self._scopes:
            if uri in scope:
                return scope[uri]
        if uri.startswith(EO_TYPE_PREFIXES):
            document = urldefrag(uri)[0]
            if document not in self._eo:
                self._eo[document] = _eo_types(self._sources, document)
            return self._eo[document].get(uri)
        short = _short(uri)
        for scope in self._scopes:
            for name, found in scope.items():
                if _short(name) == short:
                    return found
        return None


def _eo_types(sources: Sources, uri: str) -> dict[str, Any]:
    """Give the types of a well-known document that is named but not imported."""
    tool = {
        "cwlVersion": "v1.2",
        "class": "ExpressionTool",
        "id": "types",
        "requirements": [{"class": "SchemaDefRequirement", "types": [{"$import": uri}]}],
        "inputs": [],
        "outputs": [],
        "expression": "$(null)",
    }
    return _named_types(cwl_v1_2.load_document_by_yaml(tool, uri, loading_options(sources, uri)))


def _named_types(typed: Any) -> dict[str, Any]:
    """Give the types that a process defines, by URI."""
    found: dict[str, Any] = {}
    for field in ("requirements", "hints"):
        for one in _get(typed, field) or []:
            if type(one).__name__ == "SchemaDefRequirement":
                for schema in _flat(one.types):
                    found[schema.name] = schema
    return found


def _flat(items: Any) -> list[Any]:
    if not isinstance(items, list):
        return [items]
    return [leaf for item in items for leaf in _flat(item)]


def _ports(groups: Sequence[Any], types: _Types) -> list[list[dict[str, Any]]]:
    """Resolve groups of ports; raises ``InvalidPackage`` with every type that cannot be used."""
    found: list[list[dict[str, Any]]] = []
    wrong: list[InvalidPackage] = []
    for group in groups:
        found.append([])
        for port in group:
            try:
                found[-1].append(_port(port, types))
            except InvalidPackage as error:
                wrong.append(error)
    if len(wrong) > 1:
        problems = [problem for error in wrong for problem in error.problems]
        raise InvalidPackage(f"{len(wrong)} types cannot be used", problems)
    if wrong:
        raise wrong[0]
    return found


def _port(port: Any, types: _Types) -> dict[str, Any]:
    try:
        cwl_type = types.resolve(port.type_)
    except InvalidPackage as error:
        name = _short(port.id)
        raise InvalidPackage(
            f"{error.message}, in {name!r}",
            [_port_place(port, name).problem(error.message, error.hint)],
        ) from None
    resolved = {"id": _short(port.id), "type": cwl_type, **_port_fields(port)}
    default = _get(port, "default")
    if default is not None:
        resolved["default"] = _located(_plain(default), port.loadingOptions.fileuri or "")
    return resolved


def _port_fields(port: Any) -> dict[str, Any]:
    fields = {name: _plain(_get(port, name)) for name in _PORT_FIELDS}
    if fields["secondaryFiles"] is not None:
        fields["secondaryFiles"] = _patterns(_get(port, "secondaryFiles"))
    return {name: value for name, value in fields.items() if value is not None}


def _port_place(port: Any, name: str) -> Place:
    document, fragment = urldefrag(port.id)
    sources = port.loadingOptions.fetcher.sources
    from schema_salad.utils import yaml_no_ts

    raw = yaml_no_ts().load(sources.text(document))
    path = fragment.split("/")[:-1]
    for part in ("inputs", "outputs"):
        place = find(sources.name(document), raw, [*path, part, name])
        if place != find(sources.name(document), raw, [*path, part]):
            return place
    return Place(sources.name(document))


def _step_input(step_input: Any, names: Mapping[str, str]) -> dict[str, Any]:
    resolved: dict[str, Any] = {
        "id": _short(step_input.id),
        "source": _links(_get(step_input, "source"), names),
    }
    for name in ("linkMerge", "pickValue", "valueFrom", "loadContents", "loadListing", "label"):
        if (value := _plain(_get(step_input, name))) is not None:
            resolved[name] = value
    default = _get(step_input, "default")
    if default is not None:
        base = step_input.loadingOptions.fileuri or ""
        resolved["default"] = _located(_plain(default), base)
    return resolved


def _links(source: Any, names: Mapping[str, str]) -> list[str]:
    """Give the links by short name; one that leads nowhere keeps its own, for the check to find."""
    return [names.get(one, "?" + _fragment_tail(one)) for one in _as_list(source)]


def _fragment_tail(uri: str) -> str:
    return "/".join(urldefrag(uri)[1].split("/")[-2:])


def _located(value: Any, base: str) -> Any:
    """Make the locations of File and Directory objects in a default absolute."""
    if isinstance(value, list):
        return [_located(item, base) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: _located(item, base) for key, item in value.items()}
    if value.get("class") in ("File", "Directory"):
        reference = value.pop("location", None) or value.pop("path", None)
        value.pop("path", None)
        if reference:
            value["location"] = urljoin(base, reference)
    return value


def _patterns(value: Any) -> list[dict[str, Any]]:
    """Give secondaryFiles as patterns; before CWL v1.1 they are bare texts."""
    return [{"pattern": one} if isinstance(one, str) else _plain(one) for one in _as_list(value)]


def _plain(value: Any) -> Any:
    """Give typed objects and YAML's values as plain JSON; fields without a value are left out."""
    if isinstance(value, Saveable):
        names: Iterable[str] = getattr(value, "attrs")  # noqa: B009 - made by a generator
        fields = {name: _plain(_get(value, name)) for name in names}
        return {name: field for name, field in fields.items() if field is not None}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return plain(value)


def _get(typed: Any, name: str) -> Any:
    """Read a field; cwl-utils adds an underscore to names that Python reserves."""
    value = getattr(typed, name, None)
    return getattr(typed, name + "_", None) if value is None else value


def _identifier(typed: Any) -> str:
    return typed if isinstance(typed, str) else str(typed.id)


def _inner_id(typed: Any) -> str:
    identifier = _identifier(typed)
    return "" if identifier.startswith("_:") else _short(identifier)


def _short(identifier: str) -> str:
    return identifier.rpartition("#")[2].rpartition("/")[2]


def _symbol(symbol: str) -> str:
    """Give an enum symbol: the parser makes URIs of names, but some symbols are URIs themselves."""
    document, fragment = urldefrag(symbol)
    if not fragment and "://" in document:
        return symbol
    return _short(symbol)


def _stem(document: str) -> str:
    return document.rpartition("/")[2].rpartition(".")[0] or document.rpartition("/")[2]


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _join(options: LoadingOptions, reference: str) -> str:
    return urljoin(options.fileuri or "", reference)
