"""Bodies of several parts.

Owns taking them apart (RFC 2046, and RFC 7578 for forms). Must not know what the parts hold.
"""

import base64
import binascii
import quopri
import re
from email import message_from_string, policy
from email.message import EmailMessage
from typing import Final

from localproc.frozen import frozen
from localproc.http.answers import HttpProblem

#: Tolerant: clients write ``start=<id>`` without the quotes that it needs.
_PARAMETER: Final = re.compile(r';\s*([\w-]+)\s*=\s*("[^"]*"|[^;]*)')
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")


@frozen
class BodyPart:
    """One part. ``field`` is its name in a form; ``filename`` is empty for what is no file.

    ``location`` is its Content-Location (RFC 2557).
    """

    content_id: str
    field: str
    filename: str
    media_type: str
    data: bytes
    location: str = ""

    @property
    def name(self) -> str:
        """What other parts may call it: its Content-Location, its file name or its Content-ID."""
        return self.location or self.filename or self.content_id

    @property
    def text(self) -> str:
        """Its content as text."""
        return self.data.decode("utf-8", "replace")


def read_parts(content_type: str, body: bytes) -> list[BodyPart]:
    """Return the parts in their order; raises 400."""
    boundary = _head(f"Content-Type: {content_type}").get_boundary()
    if not boundary:
        raise HttpProblem(400, "InvalidBody", "the body's type names no boundary of its parts")
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    _, *pieces = re.split(rb"(?:\A|\r?\n)--" + mark + rb"(?=--|[ \t]*\r?\n)", body)
    if not pieces or not pieces[-1].startswith(b"--"):
        raise HttpProblem(400, "InvalidBody", "the parts of the body cannot be told apart")
    if not pieces[:-1]:
        raise HttpProblem(400, "InvalidBody", "the body has no parts")
    return [_part(piece) for piece in pieces[:-1]]


def start_of(content_type: str) -> str:
    """Return the Content-ID of the part to begin with (RFC 2387, 3.2), nothing if none is named."""
    found = {name.lower(): value for name, value in _PARAMETER.findall(content_type)}
    return str(found.get("start", "")).strip().strip('"').strip("<>")


def _part(piece: bytes) -> BodyPart:
    head, _, data = _split(piece.lstrip(b" \t"))
    said = _head(head.decode("utf-8", "replace"))
    return BodyPart(
        str(said.get("Content-ID", "")).strip().strip("<>"),
        str(said.get_param("name", "", "content-disposition")),
        said.get_filename("") or "",
        said.get_content_type() if "Content-Type" in said else "",
        _decoded(data, str(said.get("Content-Transfer-Encoding", "")).strip().lower()),
        str(said.get("Content-Location", "")).strip(),
    )


def _split(piece: bytes) -> tuple[bytes, bytes, bytes]:
    """Part the head from the data. The piece begins with the line break after the boundary."""
    found = _HEAD_END.search(piece)
    if found is None:
        raise HttpProblem(400, "InvalidBody", "a part of the body has no end of its head")
    return piece[: found.start()].lstrip(b"\r\n"), found[0], piece[found.end() :]


def _head(lines: str) -> EmailMessage:
    return message_from_string(lines + "\n\n", policy=policy.HTTP)


def _decoded(data: bytes, encoding: str) -> bytes:
    if encoding == "quoted-printable":
        return quopri.decodestring(data)
    if encoding != "base64":
        return data
    try:
        return base64.b64decode(data)
    except binascii.Error:
        raise HttpProblem(400, "InvalidBody", "a part of the body is not base64") from None
