"""Types made whole: what a name in a document stands for.

Owns looking up named types, those of SchemaDefRequirement and the well-known EO types, which need
no import. Must not know where types are used.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urldefrag

from localproc.cwl.base.types import PRIMITIVES
from localproc.cwl.load.sources import Sources, is_eo_type
from localproc.cwl.load.typed import get, loading_options, plain_typed, short, symbols
from localproc.cwl.load.typed_parsers import parser
from localproc.errors import InvalidPackage
from localproc.near import near

_ALIKE: Final = 0.7  #: how much a name has to be, else all are told
#: Named types by URI, of one process.
Scope: TypeAlias = Mapping[str, Any]
_PORT_FIELDS = (
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


class Types:
    """Makes types whole: named ones are looked up in the scopes, innermost first."""

    def __init__(self, scopes: tuple[Scope, ...], sources: Sources) -> None:
        self._scopes = scopes
        self._sources = sources
        self._eo: dict[str, Scope] = {}

    def resolve(self, typed: Any, within: tuple[str, ...] = ()) -> Any:
        """Return a type in its resolved form (see ``types``).

        ``within`` are the names of the types that this one is part of. Raises ``InvalidPackage``.
        """
        if isinstance(typed, str):
            return typed if typed in PRIMITIVES else self._named(typed, within)
        if isinstance(typed, list):
            return [self.resolve(member, within) for member in typed]
        kind, name = get(typed, "type"), get(typed, "name")
        is_named = isinstance(name, str) and not name.startswith("_:")
        if kind == "array":
            items = self.resolve(typed.items, within)
            resolved = {"type": "array", "items": items}
        elif kind == "enum":
            resolved = {"type": "enum", "symbols": symbols(typed)}
        else:
            fields = [self._field(field, within) for field in get(typed, "fields") or []]
            resolved = {"type": "record", "fields": fields}
        for field in ("label", "doc", "inputBinding"):
            if (value := plain_typed(get(typed, field))) is not None:
                resolved[field] = value
        if is_named:
            resolved["name"] = name if is_eo_type(name) else short(name)
        return resolved

    def _field(self, field: Any, within: tuple[str, ...]) -> dict[str, Any]:
        cwl_type = self.resolve(field.type_, within)
        return {"name": short(field.name), "type": cwl_type, **port_fields(field)}

    def _named(self, uri: str, within: tuple[str, ...]) -> Any:
        if uri in within:
            raise InvalidPackage(f"the type {short(uri)} contains itself")
        found = self._look_up(uri)
        if found is None:
            named = sorted({short(name) for scope in self._scopes for name in scope})
            known = [*named, *sorted(PRIMITIVES)]
            hint = near(short(uri), known, "known here are " + ", ".join(known), alike=_ALIKE)
            raise InvalidPackage(f"unknown type {short(uri)!r}", hint=hint)
        return self.resolve(found, (*within, uri))

    def _look_up(self, uri: str) -> Any:
        for scope in self._scopes:
            if uri in scope:
                return scope[uri]
        if is_eo_type(uri):
            document = urldefrag(uri)[0]
            if document not in self._eo:
                self._eo[document] = _eo_types(self._sources, document)
            return self._eo[document].get(uri)
        if urldefrag(uri)[0] not in self._sources.texts:
            return None  # another document's, which nothing imports
        name = short(uri)
        for scope in self._scopes:
            for known, found in scope.items():
                if short(known) == name:
                    return found
        return None


def port_fields(port: Any) -> dict[str, Any]:
    """Return what an input, an output or a record's field says beside its type."""
    fields = {name: plain_typed(get(port, name)) for name in _PORT_FIELDS}
    if fields["secondaryFiles"] is not None:
        fields["secondaryFiles"] = _patterns(get(port, "secondaryFiles"))
    return {name: value for name, value in fields.items() if value is not None}


def named_types(typed: Any) -> dict[str, Any]:
    """Return the types that a process defines, by URI."""
    found: dict[str, Any] = {}
    for field in ("requirements", "hints"):
        for one in get(typed, field) or []:
            if type(one).__name__ == "SchemaDefRequirement":
                for schema in _flat(one.types):
                    if name := get(schema, "name"):
                        found[name] = schema
    return found


def _eo_types(sources: Sources, uri: str) -> dict[str, Any]:
    """Return the types of a well-known document that is named but not imported."""
    tool = {
        "cwlVersion": "v1.2",
        "class": "ExpressionTool",
        "id": "types",
        "requirements": [{"class": "SchemaDefRequirement", "types": [{"$import": uri}]}],
        "inputs": [],
        "outputs": [],
        "expression": "$(null)",
    }
    options = loading_options(sources, uri)
    return named_types(parser("v1.2").load_document_by_yaml(tool, uri, options))


def _patterns(value: Any) -> list[dict[str, Any]]:
    """Return secondaryFiles as patterns; before CWL v1.1 they are bare texts."""
    listed = value if isinstance(value, list) else [value]
    return [{"pattern": one} if isinstance(one, str) else plain_typed(one) for one in listed]


def _flat(items: Any) -> list[Any]:
    if not isinstance(items, list):
        return [items]
    return [leaf for item in items for leaf in _flat(item)]
