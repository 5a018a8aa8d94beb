"""Whether STAC documents are what the specification says, without a network.

Owns the schemas: those of STAC 1.1.0 that pystac brings along, those that a folder has, and those
that are mirrored. Must not know what is done about a document that is wrong.

STAC 1.1 only adds to 1.0 (https://github.com/radiantearth/stac-spec, CHANGELOG), so a document of
1.0 is read as one of 1.1. Schemas of extensions come with no package: they are looked for in the
folder and the mirror, as are those that they refer to. What is not there is told as not checked.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import jsonschema_rs

from localproc.errors import StagingError
from localproc.frozen import frozen
from localproc.storage import extents
from localproc.storage.stac import declared_extensions

_BASE: Final = "https://schemas.stacspec.org/v1.1.0/"
_SCHEMAS: Final = {
    "Feature": f"{_BASE}item-spec/json-schema/item.json",
    "Collection": f"{_BASE}collection-spec/json-schema/collection.json",
    "Catalog": f"{_BASE}catalog-spec/json-schema/catalog.json",
}
_MOST: Final = 10  #: problems that are told of one document
_LONGEST: Final = 200


@frozen
class Verdict:
    """What is wrong with a document, each with its place in it, and what could not be checked."""

    wrong: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


class StacSchemas:
    """The schemas. ``folder`` has further ones: JSON files, each with its address as ``$id``.

    ``mirrored`` gives the bytes of what is mirrored at an address, ``None`` for nothing. Raises
    ``StagingError`` for a folder with what is no schema.
    """

    def __init__(
        self, folder: str = "", mirrored: Callable[[str], bytes | None] = lambda _: None
    ) -> None:
        self._mirrored = mirrored
        self._here = dict(_of_pystac()) | (dict(_in_folder(folder)) if folder else {})
        self._extensions: dict[str, Any] = {}

    def verdict(self, document: Mapping[str, Any]) -> Verdict:
        """Return what is to be said of a catalog, a collection or an item."""
        schema = _SCHEMAS.get(str(document.get("type")))
        if schema is None:
            return Verdict((f"type: {document.get('type')!r} is no kind of STAC document",))
        version = str(document.get("stac_version", ""))
        read_as = "1.1.0" if version.startswith("1.0.") else version
        wrong = [*_errors(_core(schema), {**document, "stac_version": read_as})]
        wrong += extents.unreadable(document, "it") if not wrong else []
        unchecked = []
        for uri in declared_extensions(document):
            validator, missing = self._extension(uri)
            unchecked += missing
            wrong += [] if validator is None else _errors(validator, document)
        return Verdict(tuple(dict.fromkeys(wrong))[:_MOST], tuple(unchecked))

    def _extension(self, uri: str) -> tuple[Any, list[str]]:
        """Return what checks an extension, or ``None`` and what is missing for that."""
        if uri in self._extensions:
            return self._extensions[uri], []
        missing: list[str] = []

        def found(address: str) -> Any:
            schema = self._found(address)
            if schema is None:
                missing.append(address)
                raise ValueError("it is not here")
            return schema

        try:
            # Without a retriever of ours it would ask the network for what schemas refer to.
            made = jsonschema_rs.validator_for(found(uri), retriever=found)
        except ValueError:  # what is there may be no schema as well
            return None, missing[:1] or [uri]
        self._extensions[uri] = made
        return made, []

    def _found(self, address: str) -> Any:
        """Return the schema of an address, ``None`` if there is none here."""
        uri = address.rstrip("#")
        if uri in self._here:
            return self._here[uri]
        data = self._mirrored(uri)
        if data is None:
            return None
        schema = json.loads(data)
        return {"$id": uri, **schema} if isinstance(schema, dict) else None


def _errors(validator: Any, document: Mapping[str, Any]) -> Iterator[str]:
    for error in validator.iter_errors(document):
        place = "/".join(str(part) for part in error.instance_path)
        yield f"{place or 'the document'}: {_shortened(error.message)}"


def _shortened(message: str) -> str:
    """Return a message without most of the document that it quotes."""
    return message if len(message) <= _LONGEST else f"{message[:40]} … {message[-120:]}"


@cache
def _core(schema: str) -> Any:
    found = dict(_of_pystac())
    return jsonschema_rs.validator_for(
        found[schema], registry=jsonschema_rs.Registry(list(found.items())), validate_formats=True
    )


def _of_pystac() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schemas that pystac has as data, by address; it need not be imported for that."""
    spec = find_spec("pystac")
    places = () if spec is None else spec.submodule_search_locations or ()
    for place in places:
        for folder, _, names in os.walk(os.path.join(place, "validation", "jsonschemas")):
            for name in sorted(one for one in names if one.endswith(".json")):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    schema = json.load(file)
                uri = str(schema["$id"]).rstrip("#")
                if not uri.endswith(".json"):  # common.json has "commonjson"
                    uri = schema["$id"] = f"{_BASE}item-spec/json-schema/{name}"
                yield uri, schema


def _in_folder(folder: str) -> Iterator[tuple[str, Any]]:
    for top, _, names in os.walk(folder):
        for name in sorted(one for one in names if one.endswith(".json")):
            path = os.path.join(top, name)
            try:
                with open(path, encoding="utf-8") as file:
                    schema = json.load(file)
                yield str(schema["$id"]).rstrip("#"), schema
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise StagingError(
                    f"{path} is no schema with an $id: {error}", hint="leave other files out"
                ) from None
