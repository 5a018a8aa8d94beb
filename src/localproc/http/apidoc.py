"""The API as people read it.

Owns turning an OpenAPI document into a list of operations. Must not know what they do.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from localproc.frozen import frozen

_METHODS: Final = ("get", "post", "put", "delete")


@frozen
class Operation:
    """One operation; ``bodies`` are the media types it takes, ``answers`` by status."""

    method: str
    path: str
    id: str
    summary: str
    description: str
    parameters: list[Mapping[str, Any]]
    bodies: list[str]
    answers: list[tuple[str, str, list[str]]]


def by_tag(api: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[Operation]]]:
    """Return the operations by tag; every tag is a mapping with its name and description."""
    found = list(_operations(api))
    return [
        (tag, [one for name, one in found if name == tag["name"]]) for tag in api.get("tags", ())
    ]


def _operations(api: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, members in api["paths"].items():
        for method in _METHODS:
            said = members.get(method)
            if said is None:
                continue
            shared = [*members.get("parameters", ()), *said.get("parameters", ())]
            body = _resolved(api, said.get("requestBody", {}))
            answers = [(code, _resolved(api, one)) for code, one in said["responses"].items()]
            yield (
                said["tags"][0],
                Operation(
                    method.upper(),
                    path,
                    said["operationId"],
                    said.get("summary", ""),
                    said.get("description", ""),
                    [_resolved(api, one) for one in shared],
                    list(body.get("content", ())),
                    [
                        (code, one.get("description", ""), list(one.get("content", ())))
                        for code, one in answers
                    ],
                ),
            )


def _resolved(api: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference within the document."""
    if "$ref" not in said:
        return said
    found: Any = api
    for name in said["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return _resolved(api, found)
