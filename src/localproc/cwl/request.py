"""What a user gives as inputs, made into a CWL job object.

Owns validation against the process: every problem at once, each with its JSON path. Must not fetch
anything, nor look at a disk but through ``Files``.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema_rs

from localproc.cwl.author_schemas import AuthorSchemas
from localproc.cwl.describe import schema
from localproc.cwl.files import Files
from localproc.cwl.request_values import RequestReader, is_link, unqualified
from localproc.cwl.types import (
    CwlType,
    describe,
    is_optional,
    item_type,
    kind,
    mismatches,
    without_null,
)
from localproc.errors import InvalidInputs, Problem


class Request:
    """The inputs that one process takes. Compiled once, used for every job."""

    def __init__(
        self,
        ports: Sequence[Mapping[str, Any]],
        namespaces: Mapping[str, str] | None = None,
        described: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self._namespaces = namespaces or {}
        self._authors = AuthorSchemas(ports, described or {})
        self._ports = {port["id"]: port for port in ports}
        properties = {}
        for port in ports:
            shape = schema(port["type"], strict=True)
            if kind(without_null(port["type"])) == "array":
                shape = {"anyOf": [shape, shape_of_one(port["type"])]}
            properties[port["id"]] = (
                {"anyOf": [shape, {"type": "null"}]} if not _required(port) else shape
            )
        self._validator = jsonschema_rs.validator_for(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": properties,
                "required": [port["id"] for port in ports if _required(port)],
            }
        )

    def job_object(
        self,
        inputs: Mapping[str, Any],
        base: str,
        files: Files,
        *,
        references: bool = True,
        bases: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Give the CWL job object.

        ``base`` is the URI of the folder against which relative paths are resolved, ``bases`` has
        those of inputs for which it is another. Without one there are no relative paths, and a text
        for a file whose schema says that it is in base64 is its content.
        ``references``: a string that names an existing file relative to ``base`` by a path
        (``scenes/a.json``) is made absolute, so that tools that take references as strings find
        it. Raises ``InvalidInputs``.
        """
        inputs = {
            name: unqualified(value, self._ports[name]["type"]) if name in self._ports else value
            for name, value in inputs.items()
        }
        problems = [*self._unknown(inputs), *self._mismatches(inputs)]
        if not problems:
            inputs, problems = self._authors.fitted(inputs, inline=not base)
        if problems:
            raise InvalidInputs("the inputs do not fit the process", problems)
        values = {}
        for name, port in self._ports.items():
            if inputs.get(name) is not None:
                folder = (bases or {}).get(name, base)
                reader = RequestReader(folder, files, self._namespaces, references=references)
                values[name] = reader.port(inputs[name], port, f"inputs.{name}")
                problems += reader.problems
        values |= {name: item for name, item in inputs.items() if name.startswith("cwl:")}
        if problems:
            raise InvalidInputs("some inputs cannot be used", problems)
        return values

    def _unknown(self, inputs: Mapping[str, Any]) -> list[Problem]:
        problems = []
        for name in inputs:
            if name not in self._ports and not name.startswith("cwl:"):
                close = difflib.get_close_matches(name, self._ports, 1)
                known = ", ".join(self._ports) or "none"
                hint = f"did you mean {close[0]!r}?" if close else f"the inputs are: {known}"
                problems.append(Problem(f"there is no input {name!r}", f"inputs.{name}", hint=hint))
        return problems

    def _mismatches(self, inputs: Mapping[str, Any]) -> list[Problem]:
        problems = []
        links = {name for name, port in self._ports.items() if is_link(inputs.get(name), port)}
        given = {name: value for name, value in inputs.items() if name not in links}
        for error in self._validator.iter_errors(given):
            path = "inputs" + "".join(_segment(part) for part in error.instance_path)
            missing = re.match(r'"(.+)" is a required property', error.message)
            if missing and not list(error.instance_path):
                if missing[1] in links:
                    continue
                wanted = describe(self._ports[missing[1]]["type"])
                problems.append(
                    Problem("is missing", f"inputs.{missing[1]}", hint=f"expected {wanted}")
                )
                continue
            port = self._ports[str(error.instance_path[0])]
            hint = f"expected {describe(port['type'])}"
            if "is not valid under any of the schemas" in error.message:
                value = inputs[port["id"]]
                deeper = list(mismatches(value, without_null(port["type"]), f"inputs.{port['id']}"))
                problems += [Problem(reason, where) for where, reason in deeper]
                if deeper:
                    continue
            problems.append(Problem(_readable(error.message), path, hint=hint))
        return problems


def shape_of_one(cwl_type: CwlType) -> dict[str, Any]:
    """Give the schema of a single item of an array, which may stand for an array of one."""
    return schema(item_type(cwl_type), strict=True)


def _required(port: Mapping[str, Any]) -> bool:
    return not is_optional(port["type"]) and "default" not in port


def _segment(part: Any) -> str:
    return f"[{part}]" if isinstance(part, int) else f".{part}"


def _readable(message: str) -> str:
    if "is not valid under any of the schemas" in message:
        return message.split(" is not valid")[0] + " does not fit"
    return message
