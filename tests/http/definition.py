"""Our own API definition, which answers are held against as the official suites do."""

from typing import Any

import httpx
import jsonschema_rs

from localproc.http.service import definition
from tests.http.schemas import plain


def operations_declared() -> list[tuple[str, str]]:
    """Give the path and the method of every operation."""
    paths = definition("", "").get("paths", {})
    return [
        (path, method)
        for path, methods in paths.items()
        for method in methods
        if method != "parameters"
    ]


def declared(client: httpx.Client, operation: str, answer: httpx.Response) -> None:
    """Hold an answer against what the definition says of an operation's answers."""
    document = client.get("api").json()
    found = next(
        one
        for methods in document["paths"].values()
        for name, one in methods.items()
        if name != "parameters" and one["operationId"] == operation
    )
    responses = found["responses"]
    response = _followed(document, responses.get(str(answer.status_code), responses["default"]))
    kind = answer.headers.get("content-type", "").partition(";charset")[0]
    if not kind:
        assert "content" not in response, f"{operation}: an answer without content"
        return
    content = response["content"]
    assert kind in content or "*/*" in content, f"{operation}: {kind} is not declared"
    schema = content.get(kind, content.get("*/*"))["schema"]
    if kind.endswith("json"):
        schemas = {"components": plain(document["components"])}
        jsonschema_rs.Draft4Validator({**plain(schema), **schemas}).validate(answer.json())


def _followed(document: Any, one: Any) -> Any:
    for name in one.get("$ref", "").removeprefix("#/").split("/"):
        document = document[name] if name else one
    return document if "$ref" in one else one
