"""The schemas that a package's author wrote for its inputs, beside their CWL types.

Owns checking values against them. Must not know CWL types beyond what is an array.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jsonschema_rs

from localproc.cwl.describe import input_description
from localproc.cwl.types import kind, without_null
from localproc.errors import InvalidPackage, Problem


class AuthorSchemas:
    """Author-written schemas. Raises ``InvalidPackage`` for one that cannot be used."""

    def __init__(
        self, ports: Sequence[Mapping[str, Any]], described: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._validators = {}
        self._each = set()  # inputs whose schema is that of one item
        problems = []
        for port in ports:
            name = port["id"]
            schema = described.get(name, {}).get("schema")
            if schema is None or schema == input_description(port)["schema"]:
                continue
            try:
                self._validators[name] = _compiled(schema)
            except ValueError as error:
                problems.append(Problem(str(error), f"inputs.{name}.schema"))
                continue
            is_array = kind(without_null(port["type"])) == "array"
            if is_array and isinstance(schema, Mapping) and schema.get("type") != "array":
                self._each.add(name)
        if problems:
            raise InvalidPackage("the description has schemas that cannot be used", problems)

    def mismatches(self, inputs: Mapping[str, Any]) -> list[Problem]:
        """Give what is wrong with inputs; values behind links are not looked at."""
        problems = []
        for name, validator in self._validators.items():
            for path, value in self._values(name, inputs.get(name)):
                problems += [
                    Problem(
                        error.message, path + _place(error.instance_path), hint="see its schema"
                    )
                    for error in validator.iter_errors(value)
                ]
        return problems

    def _values(self, name: str, value: Any) -> Iterable[tuple[str, Any]]:
        path = f"inputs.{name}"
        if name in self._each and isinstance(value, list):
            pairs = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        else:
            pairs = [(path, value)]
        for place, one in pairs:
            if isinstance(one, Mapping) and "value" in one:
                yield place, one["value"]
            elif one is not None and not (isinstance(one, Mapping) and "href" in one):
                yield place, one


def _compiled(schema: Any) -> Any:
    """Compile a schema; those of OpenAPI 3.0 write some keywords as JSON Schema's draft 4 did."""
    try:
        return jsonschema_rs.Draft202012Validator(schema, retriever=_refuse)
    except ValueError:
        return jsonschema_rs.Draft4Validator(schema, retriever=_refuse)


def _refuse(uri: str) -> Any:
    raise ValueError(f"schemas are not fetched: {uri}")


def _place(path: Iterable[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
