"""Answers: documents, problems, values, files, multipart.

Owns media types and headers. Must not know any resource.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from localproc.errors import EXCEPTIONS_1, LocalprocError
from localproc.frozen import frozen
from localproc.uris import quoted
from localproc.views.written import written

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
GEOJSON: Final = "application/geo+json"
HTML: Final = "text/html"
RELATED: Final = "multipart/related"
TEXT: Final = "text/plain"
FORM: Final = "multipart/form-data"


def document(
    content: Any,
    status: int = 200,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a JSON document."""
    return Response(written(content), status, dict(headers or {}), f"{media_type};charset=UTF-8")


def text_answer(content: str, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a text."""
    data = content.encode(errors="backslashreplace")
    return Response(data, 200, dict(headers or {}), f"{TEXT};charset=UTF-8")


def nothing(headers: Mapping[str, str] | None = None) -> Response:
    """Answer that it was done, and that there is no more to say."""
    return Response(status_code=204, headers=dict(headers or {}))


class HttpProblem(LocalprocError):
    """An error of the HTTP exchange itself."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        kind: str = "about:blank",
        hint: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, hint=hint)
        self._own = {"type": kind, "title": title, "status": status}
        self.headers = dict(headers or {})

    def to_problem(self) -> dict[str, Any]:
        """Return the members of the problem."""
        return super().to_problem() | self._own


def bad_parameter(name: str, detail: str) -> HttpProblem:
    """Return the problem of a query parameter that cannot be read."""
    return HttpProblem(
        400,
        "InvalidParameterValue",
        f"the parameter {name}: {detail}",
        kind=EXCEPTIONS_1 + "invalid-query-parameter-value",
    )


@frozen
class Part:
    """One part of a multipart answer; one that is a reference has a ``location`` and no data."""

    name: str
    media_type: str
    data: bytes = b""
    location: str = ""


def multipart(parts: Sequence[Part]) -> Response:
    """Answer with several values at once (RFC 2387); ``type`` is that of the first."""
    boundary = f"part-{secrets.token_hex(12)}"
    lines: list[bytes] = []
    for part in parts:
        head = [f"Content-Type: {part.media_type}", f"Content-ID: <{quoted(part.name)}>"]
        if part.location:
            head.append(f"Content-Location: {part.location}")
        lines += [f"--{boundary}".encode(), *(line.encode() for line in head), b"", part.data]
    lines += [f"--{boundary}--".encode(), b""]
    kind = parts[0].media_type.partition(";")[0]
    said = f'{RELATED}; boundary={boundary}; type="{kind}"'
    return Response(b"\r\n".join(lines), headers={"Vary": "Accept"}, media_type=said)
