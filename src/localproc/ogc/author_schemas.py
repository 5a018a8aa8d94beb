"""The schemas that a package's author wrote for its inputs, beside their CWL types.

Owns checking values against them. Must not know CWL types beyond what is an array.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from localproc.cwl.base.types import CwlType, item_type, kind, members, without_null
from localproc.errors import InvalidPackage, Problem
from localproc.ogc.describe import input_description
from localproc.ogc.promised_formats import REFERENCES


class AuthorSchemas:
    """Author-written schemas. Raises ``InvalidPackage`` for one that cannot be used."""

    def __init__(
        self, ports: Sequence[Mapping[str, Any]], described: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._validators = {}
        self._each: set[str] = set()  # inputs whose schema is that of one item
        self._arrays: set[str] = set()  # inputs whose schema is that of an array
        self._binaries: dict[str, dict[str, str]] = {}  # files whose schema is a text in base64
        problems = []
        for port in ports:
            name = port["id"]
            schema = described.get(name, {}).get("schema")
            if schema is None or schema == input_description(port)["schema"]:
                continue
            try:
                self._validators[name] = _compiled(schema, formats=not _takes_files(port["type"]))
            except ValueError as error:
                problems.append(Problem(str(error), f"inputs.{name}.schema"))
                continue
            if not isinstance(schema, Mapping):
                continue
            what = kind(without_null(port["type"]))
            if what == "array":
                (self._arrays if schema.get("type") == "array" else self._each).add(name)
            elif what == "File" and _says_base64(schema):
                kind_of_it = schema.get("contentMediaType")
                self._binaries[name] = {"mediaType": kind_of_it} if kind_of_it else {}
        if problems:
            raise InvalidPackage("the description has schemas that cannot be used", problems)

    def fitted(
        self, inputs: Mapping[str, Any], *, inline: bool = False
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Return the inputs as their schemas have them, and what is wrong with them.

        One item stands for an array of one. ``inline``: the inputs came over HTTP. A text for a
        file is its content then, if the schema says so, and an object that only looks like the
        wrapper of a value is wrapped, so that it is not unwrapped. Values behind links are not
        looked at.
        """
        found = dict(inputs)
        problems: list[Problem] = []
        for name in self._validators:
            value = inputs.get(name)
            if value is None:
                continue
            wrong = self._mismatches(name, value, inline=inline)
            other = self._other(name, value, inline=inline) if wrong else None
            if other is not None and not self._mismatches(name, other, inline=inline):
                found[name], wrong = other, []
            elif inline and name in self._binaries and _is_base64(value):
                found[name] = {"value": value, "encoding": "base64", **self._binaries[name]}
            problems += wrong
        return found, problems

    def _other(self, name: str, value: Any, *, inline: bool) -> Any:
        """Return what a value may stand for that is not of its schema."""
        if not isinstance(value, (Mapping, str)):
            return None
        return [value] if name in self._arrays else {"value": value} if inline else None

    def _mismatches(self, name: str, given: Any, *, inline: bool) -> list[Problem]:
        return [
            Problem(error.message, path + _place(error.instance_path), hint="see its schema")
            for path, value in self._values(name, given, inline=inline)
            for error in self._validators[name].iter_errors(value)
        ]

    def _values(self, name: str, value: Any, *, inline: bool) -> Iterable[tuple[str, Any]]:
        path = f"inputs.{name}"
        if name in self._each and isinstance(value, list):
            pairs = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        else:
            pairs = [(path, value)]
        for place, one in pairs:
            if inline and isinstance(one, Mapping) and "value" in one:
                yield place, one["value"]
            elif one is not None and not (isinstance(one, Mapping) and "href" in one):
                yield place, one


def _compiled(schema: Any, *, formats: bool) -> Any:
    """Compile a schema; those of OpenAPI 3.0 write some keywords as JSON Schema's draft 4 did.

    ``formats``: what it says of texts is checked, but that references are absolute.
    """
    import jsonschema_rs  # it is large, and few jobs need it

    relative = dict.fromkeys(REFERENCES, lambda _: True) if formats else {}
    options: Any = {"retriever": _refuse, "validate_formats": formats, "formats": relative}
    try:
        return jsonschema_rs.Draft202012Validator(schema, **options)
    except ValueError:
        return jsonschema_rs.Draft4Validator(schema, **options)


def _takes_files(cwl_type: CwlType) -> bool:
    """Whether paths may be given for what is of a type, whatever its schema says of texts."""
    for one in members(without_null(cwl_type)):
        inner = item_type(one) if kind(one) == "array" else one
        if kind(inner) in ("File", "Directory", "stdin", "union"):
            return True
    return False


def _says_base64(schema: Mapping[str, Any]) -> bool:
    encoding = schema.get("contentEncoding") in ("base64", "binary")
    return schema.get("type") == "string" and (encoding or schema.get("format") == "byte")


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(base64.b64decode(value, validate=True))
    except ValueError:
        return False


def _refuse(uri: str) -> Any:
    raise ValueError(f"schemas are not fetched: {uri}")


def _place(path: Iterable[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
