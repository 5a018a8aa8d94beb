"""What an ``$import`` names that has a fragment: one object of a document, not all of it.

Owns finding that object and putting it in place, as cwl-utils knows whole documents only. Must not
know what the parts of a process mean, but that ``run`` takes a link as well.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urldefrag

from localproc.cwl.base.positions import find
from localproc.cwl.load.defaults import keep_defaults
from localproc.cwl.load.mixins import mix_in
from localproc.cwl.load.raw import read_document
from localproc.cwl.load.sources import Sources, leads_to
from localproc.cwl.load.symbols import veil_symbols
from localproc.errors import InvalidPackage, Problem

_NAMES: Final = ("id", "name")


def resolve_imports(raw: Any, uri: str, sources: Sources) -> None:
    """Put in place what a document imports by fragment, but for processes of its ``$graph``.

    Raises ``InvalidPackage`` with every import that leads nowhere.
    """
    is_graph = isinstance(raw, dict) and "$graph" in raw
    imports = _Imports(raw, uri, sources)
    for part in raw["$graph"] if is_graph else [raw]:
        imports.put_in(part, uri, ())
    if imports.problems:
        raise InvalidPackage("the package is not complete", imports.problems)


def imported_document(uri: str, sources: Sources) -> Any:
    """Return a document that another one imports, as cwl-utils may have it."""
    raw = _shielded(uri, sources)
    resolve_imports(raw, uri, sources)
    return raw


def _shielded(uri: str, sources: Sources) -> Any:
    raw = read_document(sources.text(uri), sources.name(uri))
    mix_in(raw, uri, sources)
    keep_defaults(raw, uri, sources, imported=True)
    veil_symbols(raw)
    return raw


class _Imports:
    def __init__(self, raw: Any, uri: str, sources: Sources) -> None:
        self._sources = sources
        self._uri = uri
        self._documents = {uri: raw}
        self._by_uri: dict[str, dict[str, Any]] = {}
        self._version = raw.get("cwlVersion") if isinstance(raw, dict) else None
        self.problems: list[Problem] = []

    def put_in(self, value: Any, base: str, within: tuple[str, ...]) -> None:
        """Put in what the parts of a value import; ``within`` is what the value came by."""
        if not isinstance(value, (dict, list)):
            return
        for key in value if isinstance(value, dict) else range(len(value)):
            item = value[key]
            named = item.get("$import") if isinstance(item, dict) else None
            if not isinstance(named, str):
                self._keep_base(item, "$include", base)
                self.put_in(item, base, within)
                continue
            asked = leads_to(base, named)
            named = self._sources.located(asked)
            if key == "run" and self._is_link(named):
                value[key] = named
            elif urldefrag(named)[1]:
                value[key] = self._part(item, named, base, within)
            elif named != asked:
                item["$import"] = named
            else:
                self._keep_base(item, "$import", base)

    def _keep_base(self, item: Any, directive: str, base: str) -> None:
        """Write what a part of another document names so that it is found from here."""
        if base != self._uri and isinstance(item, dict) and isinstance(item.get(directive), str):
            item[directive] = leads_to(base, item[directive])

    def _is_link(self, uri: str) -> bool:
        """Whether a process is read with its own document: a part of it, or of another version."""
        document, fragment = urldefrag(uri)
        found = self._document(document)
        same = not isinstance(found, dict) or found.get("cwlVersion") in (None, self._version)
        return bool(fragment) or not same

    def _part(self, item: Any, uri: str, base: str, within: tuple[str, ...]) -> Any:
        document, fragment = urldefrag(uri)
        found = self._named(document).get(uri)
        if found is None or uri in within:
            place = find(self._sources.name(base), item, ["$import"])
            said = "imports itself" if found else "is not there"
            self.problems.append(place.problem(f"{self._sources.name(uri)}#{fragment} {said}"))
            return item
        part = copy.deepcopy(found)
        for name in _NAMES:
            if name in part:
                part[name] = uri
        self.put_in(part, document, (*within, uri))
        return part

    def _document(self, uri: str) -> Any:
        if uri not in self._documents:
            self._documents[uri] = _shielded(uri, self._sources)
        return self._documents[uri]

    def _named(self, document: str) -> dict[str, Any]:
        """Return the objects of a document that have an identifier, by URI."""
        if document not in self._by_uri:
            self._by_uri[document] = {}
            for uri, value in _named(self._document(document), document):
                self._by_uri[document].setdefault(uri, value)
        return self._by_uri[document]


def _named(value: Any, document: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name in _NAMES:
            one = value.get(name)
            if isinstance(one, str):
                yield leads_to(document, one if "#" in one else f"#{one}"), value
    items = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, (Mapping, list)):
        for item in items:
            yield from _named(item, document)
