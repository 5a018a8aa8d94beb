"""The defaults of a document, kept out of reach of cwl-utils, which would flatten nested arrays.

Owns what a default is: plain data, its imports and includes put in, its files with their locations.
Must not know the types that defaults are of.
"""

from typing import Any, Final
from urllib.parse import urldefrag

from localproc.cwl.load.raw import KeptDefault, plain_json, read_document
from localproc.cwl.load.sources import Sources, leads_to
from localproc.errors import InvalidPackage
from localproc.uris import is_absolute, quoted

#: Fields that may hold mappings by name.
_BY_NAME: Final = frozenset({"inputs", "outputs", "steps", "in", "fields"})
#: What tells an input, a step or a type from a mapping of these by name.
_FIELDS: Final = {"$graph", "class", "id", "name", "run", "source", "type", "valueFrom"}


def keep_defaults(value: Any, uri: str, sources: Sources, *, imported: bool = False) -> None:
    """Put every default that has parts out of cwl-utils' reach, in a document or a part of one.

    ``uri`` is that of the document; ``imported``: it may become a part of another one, so files
    get their locations at once. Raises ``InvalidPackage`` for what an import does not give.
    """
    by_name = imported and isinstance(value, dict) and not _FIELDS & value.keys()
    _Keeper(uri, sources, imported=imported).keep(value, by_name=by_name)


class _Keeper:
    def __init__(self, uri: str, sources: Sources, *, imported: bool) -> None:
        self._uri = uri
        self._sources = sources
        self._imported = imported

    def keep(self, value: Any, *, by_name: bool = False) -> None:
        """Keep the defaults in a value; ``by_name``: its keys are names, not fields."""
        if isinstance(value, list):
            for item in value:
                self.keep(item)
        elif isinstance(value, dict):
            default = None if by_name else value.get("default")
            if isinstance(default, (dict, list)):
                value["default"] = KeptDefault("a default")
                value["default"].value = self._whole(default)
            for key, item in value.items():
                self.keep(item, by_name=not by_name and key in _BY_NAME)

    def _whole(self, default: Any) -> Any:
        whole = _whole(plain_json(default), self._uri, self._sources, ())
        return located(whole, self._uri) if self._imported else whole


def _whole(value: Any, base: str, sources: Sources, within: tuple[str, ...]) -> Any:
    """Put in what a default imports and includes."""
    if isinstance(value, list):
        return [_whole(item, base, sources, within) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("$include"), str):
        return sources.text(leads_to(base, value["$include"]))
    if not isinstance(value.get("$import"), str):
        return {key: _whole(item, base, sources, within) for key, item in value.items()}
    uri = urldefrag(leads_to(base, value["$import"]))[0]
    if uri in within:
        raise InvalidPackage(f"{sources.name(uri)} imports itself")
    imported = plain_json(read_document(sources.text(uri), sources.name(uri)))
    return located(_whole(imported, uri, sources, (*within, uri)), uri)


def located(value: Any, base: str, *, joined: bool = False) -> Any:
    """Return plain data whose File and Directory objects have absolute locations.

    ``joined``: cwl-utils has put the folder of ``base`` before their paths. Raises
    ``InvalidPackage`` for a location that is no text.
    """
    if isinstance(value, list):
        return [located(item, base, joined=joined) for item in value]
    if not isinstance(value, dict):
        return value
    value = {key: located(item, base, joined=joined) for key, item in value.items()}
    if value.get("class") not in ("File", "Directory"):
        return value
    path = value.pop("path", None)
    if joined and isinstance(path, str):
        path = path.removeprefix(base.rpartition("/")[0] + "/")
    location = value.pop("location", None) or (_reference(path) if path else None)
    if location:
        if not isinstance(location, str):
            raise InvalidPackage(f"a {value['class']} has a location that is no text: {location!r}")
        value["location"] = leads_to(base, location)
    return value


def _reference(path: Any) -> Any:
    """Return a path as a reference; where a URI was written as the path it stays one."""
    return quoted(path) if isinstance(path, str) and not is_absolute(path) else path
