"""Entities of an RO-Crate (1.1): files, folders and values, and the parameters of these.

Owns how a CWL value becomes entities, each of which is in the graph once. Must not know jobs.
"""

import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any, Final

from localproc.media_types import media_type
from localproc.uris import quoted, unquoted

PARAMETER: Final = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_KINDS: Final = {
    "File": "File",
    "stdout": "File",
    "stderr": "File",
    "Directory": "Dataset",
    "string": "Text",
    "boolean": "Boolean",
    "int": "Integer",
    "long": "Integer",
    "float": "Float",
    "double": "Float",
}
_DIGESTS: Final = {"sha1$": "sha1", "sha256$": "sha256"}

Reference = dict[str, str]


class Entities:
    """A graph of JSON-LD that is being made; an entity that comes twice is there once."""

    def __init__(self) -> None:
        self._found: dict[str, dict[str, Any]] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def add(self, key: str, kind: str | Sequence[str], **members: Any) -> Reference:
        """Add an entity and return what refers to it; members that say nothing are left out.

        Of one that is there, ``exampleOfWork`` is extended, and what it lacks is added.
        """
        kinds = kind if isinstance(kind, str) else list(kind)
        entity = self._found.setdefault(key, {"@id": key, "@type": kinds})
        works = members.pop("exampleOfWork", None)
        for name, value in members.items():
            if value not in (None, "", [], {}):
                entity.setdefault(name, value)
        if works is not None:
            known = entity.setdefault("exampleOfWork", [])
            known.extend([works] if works not in known else [])
        return {"@id": key}

    def of(self, *kinds: str) -> list[Reference]:
        """Return what refers to the entities of some types, in the order in which they came."""
        found = self._found.values()
        return [
            {"@id": one["@id"]} for one in found if not set(kinds).isdisjoint(_listed(one["@type"]))
        ]

    def graph(self) -> list[dict[str, Any]]:
        """Return the entities in the order in which they came; one of a kind is no array."""
        return [
            {name: _single(value) for name, value in entity.items()}
            for entity in self._found.values()
        ]


def parameter(entities: Entities, key: str, port: Mapping[str, Any], *, given: bool) -> Reference:
    """Add the FormalParameter of a CWL input or output; ``given``: whether it can be given."""
    names, multiple = _kinds(port["type"])
    required = given and "null" not in names and "default" not in port
    entities.add(PARAMETER, "CreativeWork", name="FormalParameter", version="1.0-RELEASE")
    default = port.get("default")
    return entities.add(
        key,
        "FormalParameter",
        conformsTo={"@id": PARAMETER},
        name=port["id"],
        description=_text(port.get("doc")) or _text(port.get("label")),
        additionalType=next((_KINDS[one] for one in names if one in _KINDS), "PropertyValue"),
        valueRequired=required if given else None,
        multipleValues=multiple or None,
        defaultValue=None if default is None or _is_file(default) else _written(default),
    )


def values(
    entities: Entities, key: str, name: str, value: Any, of: Reference | None
) -> list[Reference]:
    """Add the entities of a value of the parameter ``of``: the files in it, else what it is."""
    if value is None:
        return []
    if _is_file(value):
        return [file(entities, value, of)]
    if isinstance(value, list) and any(map(_has_files, value)):
        found = (values(entities, f"{key}/{at}", name, one, of) for at, one in enumerate(value))
        return [one for some in found for one in some]
    return [entities.add(key, "PropertyValue", name=name, value=_written(value), exampleOfWork=of)]


def file(entities: Entities, value: Mapping[str, Any], of: Reference | None = None) -> Reference:
    """Add a File or Directory; one that lies nowhere else is known by what it holds."""
    location = str(value.get("location") or value.get("path") or "")
    name = str(value.get("basename") or posixpath.basename(unquoted(location.rstrip("/"))))
    others = [file(entities, one) for one in value.get("secondaryFiles") or ()]
    if value["class"] == "Directory":
        key = f"{location.rstrip('/') or '#literal/' + quoted(name)}/"
        listed = [file(entities, one) for one in value.get("listing") or ()]
        return entities.add(key, "Dataset", name=name, hasPart=listed, exampleOfWork=of)
    digest = str(value.get("checksum", ""))
    said = {
        member: digest.removeprefix(start)
        for start, member in _DIGESTS.items()
        if digest.startswith(start)
    }
    size = value.get("size")
    return entities.add(
        location or f"#literal/{quoted(name)}",
        "File",
        name=name,
        encodingFormat=media_type(name),
        contentSize=None if size is None else str(size),
        hasPart=others,
        exampleOfWork=of,
        **said,
    )


def _kinds(kind: Any) -> tuple[list[str], bool]:
    """Return the names of the types that a CWL type is made of, and whether it may be several."""
    if isinstance(kind, list):
        found = [_kinds(one) for one in kind]
        return [name for names, _ in found for name in names], any(many for _, many in found)
    if isinstance(kind, Mapping):
        if kind.get("type") == "array":
            return _kinds(kind["items"])[0], True
        return (["string"] if kind.get("type") == "enum" else [str(kind.get("type"))]), False
    return [str(kind)], False


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_file(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class") in ("File", "Directory")


def _has_files(value: Any) -> bool:
    return _is_file(value) or (isinstance(value, list) and any(map(_has_files, value)))


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _text(said: Any) -> str:
    return "\n".join(map(str, said)) if isinstance(said, list) else str(said or "")
