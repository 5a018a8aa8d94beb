"""One document of a package of several.

Owns putting in what a document runs, imports and includes, and the files that it names, as
literals (CWL v1.2 CommandLineTool, "File"). Comments stay where they are. What lies on the web is
left there: it is found from anywhere. Must not know how documents are read, nor what runs them.
"""

import io
import posixpath
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

from localproc.cwl.load.mixins import mix_in
from localproc.cwl.load.sources import Sources
from localproc.errors import InvalidPackage, Problem, UnsupportedPackage
from localproc.uris import joined_uri, path_uri, unquoted, uri_path

_OF_ROOT: Final = ("cwlVersion", "$namespaces", "$schemas")
_PLACES: Final = ("location", "path")

#: Gives the names in a folder of this machine, ``None`` for what is no folder.
ListDir = Callable[[str], Sequence[str] | None]


def pack(sources: Sources, listdir: ListDir) -> str:
    """Return the package behind the sources as one document, in YAML.

    Raises ``InvalidPackage`` for what is not there, ``UnsupportedPackage`` for what cannot stand in
    a document: files that are no text, parts of another version of CWL, prefixes that clash.
    """
    packer = _Packer(sources, listdir)
    root = packer.document(sources.entry)
    if not isinstance(root, dict):
        raise InvalidPackage(f"{sources.name(sources.entry)} is not a package")
    packer.pack(root)
    return _written(root)


class _Packer:
    def __init__(self, sources: Sources, listdir: ListDir) -> None:
        self._sources = sources
        self._listdir = listdir
        self._root: Any = None
        self._types: dict[str, dict[str, str]] = {}  #: what imported types become, by document
        self._taken: Counter[str] = Counter()

    def document(self, uri: str) -> Any:
        """Return a document with its comments, each time anew."""
        found = _reader().load(self._sources.text(uri))
        mix_in(found, uri, self._sources)
        return found

    def pack(self, root: Any) -> None:
        """Put in what the root needs."""
        self._root = root
        self._learn_types(root, self._sources.entry)
        self._put_in(root, self._sources.entry, None, ())
        schemas = [one for one in root.get("$schemas", ()) if _is_web(str(one))]
        if schemas:
            root["$schemas"] = schemas
        else:
            root.pop("$schemas", None)

    def _put_in(self, value: Any, base: str, graph: Any, within: tuple[str, ...]) -> None:
        """Put in what the parts of a value name; ``graph`` are its document's other processes."""
        if not isinstance(value, (dict, list)):
            return
        keys = list(value) if isinstance(value, dict) else range(len(value) - 1, -1, -1)
        for key in keys:
            if key == "$schemas":
                continue
            item = value[key]
            if isinstance(item, dict) and isinstance(item.get("$import"), str):
                self._import(value, key, joined_uri(base, item["$import"]), graph, within)
            elif isinstance(item, dict) and isinstance(item.get("$include"), str):
                uri = joined_uri(base, item["$include"])
                if _is_web(uri):
                    item["$include"] = uri
                else:
                    value[key] = _text(self._sources.text(uri))
            elif key == "run" and isinstance(item, str):
                self._run(value, item, base, graph, within)
            elif isinstance(item, str):
                value[key] = self._type(item, base)
            else:
                if isinstance(item, dict) and item.get("class") in ("File", "Directory"):
                    self._literal(item, base)
                self._put_in(item, base, graph, within)

    def _import(self, parent: Any, key: Any, uri: str, graph: Any, within: tuple[str, ...]) -> None:
        if _is_web(uri):
            parent[key]["$import"] = uri
            return
        document, fragment = urldefrag(uri)
        self._check_circle(uri, within)
        found = self.document(document)
        part = _named(found, fragment) if fragment else found
        if part is None:
            raise InvalidPackage(f"{self._sources.name(document)}#{fragment} is not there")
        if key == "run":
            parent[key] = self._process(part, document, found, (*within, uri))
            return
        self._put_in(part, document, graph, (*within, uri))
        names = self._types.get(document, {})
        for one in part if isinstance(part, list) else [part]:
            if isinstance(one, dict) and _name_of(one) in names:
                one["name"] = names[_name_of(one)]
        if isinstance(parent, list) and isinstance(part, list):
            parent[key : key + 1] = part
        else:
            parent[key] = part

    def _run(self, step: Any, named: str, base: str, graph: Any, within: tuple[str, ...]) -> None:
        """Put in the process that a step runs, unless it is one of the root's own."""
        uri = joined_uri(base, named)
        document, fragment = urldefrag(uri)
        if document == self._sources.entry:
            return
        if _is_web(uri):
            step["run"] = uri
            return
        self._check_circle(uri, within)
        found = graph if document == base and graph is not None else self.document(document)
        if fragment:
            part = _named(found, fragment)
        else:
            part = _main(found) if isinstance(found, dict) and "$graph" in found else found
        if not isinstance(part, dict):
            problem = Problem("it is not there", where=f"{self._sources.name(document)}#{fragment}")
            raise InvalidPackage(f"a step runs {named}", [problem])
        step["run"] = self._process(part, document, found, (*within, uri))

    def _process(self, part: Any, document: str, found: Any, within: tuple[str, ...]) -> Any:
        """Return a process of another document as a part of the root."""
        top = found if isinstance(found, dict) else {}
        version = part.get("cwlVersion") or top.get("cwlVersion")
        if version not in (None, self._root.get("cwlVersion")):
            raise UnsupportedPackage(
                f"{self._sources.name(document)} is of CWL {version}, the package of "
                f"{self._root.get('cwlVersion')}: one document has one version"
            )
        for prefix, uri in (top.get("$namespaces") or {}).items():
            known = self._root.setdefault("$namespaces", {})
            if known.setdefault(prefix, uri) != uri:
                raise UnsupportedPackage(
                    f"{prefix!r} is {known[prefix]} in one document and {uri} in another"
                )
        part = _copy(part)
        for name in _OF_ROOT:
            part.pop(name, None)
        if isinstance(part.get("id"), str):
            part["id"] = part["id"].rpartition("#")[2].rpartition("/")[2]
        self._learn_types(part, document)
        self._put_in(part, document, found, within)
        return part

    def _learn_types(self, value: Any, base: str) -> None:
        """Note the names of the types that a process imports, and these in turn."""
        for named in _imported(value):
            uri = urldefrag(joined_uri(base, named))[0]
            if _is_web(uri) or uri in self._types:
                continue
            found = self.document(uri)
            listed = found if isinstance(found, list) else [found]
            names = [_name_of(one) for one in listed if isinstance(one, dict) and one.get("name")]
            self._types[uri] = {name: self._free(name) for name in names}
            self._learn_types(listed, uri)

    def _free(self, name: str) -> str:
        """Return a name for a type that no other document's has."""
        self._taken[name] += 1
        return f"#{name}" if self._taken[name] == 1 else f"#{name}_{self._taken[name]}"

    def _type(self, text: str, base: str) -> str:
        """Return a reference to an imported type as one to what it is now called."""
        document, _, name = text.partition("#")
        rest = "?" if name.endswith("?") else "[]" if name.endswith("[]") else ""
        known = self._types.get(joined_uri(base, document)) if "#" in text else None
        plain = name.removesuffix(rest)
        return f"{known[plain]}{rest}" if known and plain in known else text

    def _check_circle(self, uri: str, within: tuple[str, ...]) -> None:
        if uri in within:
            raise InvalidPackage(f"{self._sources.name(uri)} includes itself")

    def _literal(self, one: Any, base: str) -> None:
        """Make a file that lies beside the package a part of it."""
        named = next((str(one[name]) for name in _PLACES if one.get(name)), "")
        uri = joined_uri(base, named)
        if not named:
            return
        for name in _PLACES:
            one.pop(name, None)
        if urlsplit(uri).scheme != "file":
            one["location"] = uri  # it stays where it is
            return
        name = posixpath.basename(unquoted(uri).rstrip("/"))
        one.setdefault("basename", name)
        if one["class"] == "File":
            one["contents"] = _text(self._contents(uri))
        else:
            one["listing"] = list(self._listing(uri_path(uri).rstrip("/")))

    def _listing(self, folder: str) -> Iterator[dict[str, Any]]:
        for name in self._listdir(folder) or ():
            path = posixpath.join(folder, name)
            uri = path_uri(path)
            if self._listdir(path) is not None:
                yield {"class": "Directory", "basename": name, "listing": list(self._listing(path))}
            else:
                yield {"class": "File", "basename": name, "contents": _text(self._contents(uri))}

    def _contents(self, uri: str) -> str:
        try:
            return self._sources.text(uri)
        except InvalidPackage as error:
            if "not text" not in error.message:
                raise
            raise UnsupportedPackage(
                f"{self._sources.name(uri)} is no text, so it cannot stand in a document",
                hint="send the package as a ZIP archive: localproc package PROCESS > package.zip",
            ) from error


def _is_web(uri: str) -> bool:
    return urlsplit(uri).scheme in ("http", "https")


def _imported(value: Any) -> Iterator[str]:
    """Yield what a value imports, as it is named there."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict) and isinstance(item.get("$import"), str):
            yield item["$import"]
        elif isinstance(item, (dict, list)):
            yield from _imported(item)


def _name_of(one: Any) -> str:
    return str(one.get("name", "")).rpartition("#")[2]


def _named(document: Any, fragment: str) -> Any:
    """Return the object of a document that has an id or a name."""
    found = document if isinstance(document, list) else document.get("$graph", [document])
    for one in found:
        for name in ("id", "name"):
            if isinstance(one, dict) and str(one.get(name, "")).rpartition("#")[2] == fragment:
                return one
    return None


def _main(document: Any) -> Any:
    return _named(document, "main") or next(iter(document["$graph"]), None)


def _copy(part: Any) -> Any:
    """Return a part that is put in at several places: each is changed for itself."""
    import copy

    return copy.deepcopy(part)


def _reader() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _written(root: Any) -> str:
    stream = io.StringIO()
    _reader().dump(root, stream)
    return stream.getvalue()


def _text(text: str) -> Any:
    """Return a text as it is best read: in lines, where YAML gives back the same."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    literal = LiteralScalarString(text)
    if "\n" in text and _reader().load(_written({"text": literal}))["text"] == text:
        return literal
    return DoubleQuotedScalarString(text)
