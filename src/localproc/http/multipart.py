"""Bodies of several parts.

Owns taking them apart (RFC 2046). Must not know what the parts hold.
"""

from email import message_from_bytes, policy
from email.message import MIMEPart

from localproc.http.answers import HttpProblem


def read_parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """Give the parts with their names (Content-ID, else file name), in order; raises 400."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    message = message_from_bytes(head + body, policy=policy.HTTP)
    if message.defects or not message.is_multipart():
        raise HttpProblem(400, "InvalidBody", "the parts of the body cannot be told apart")
    parts = [(_name(part), _data(part)) for part in message.iter_parts()]
    if not parts:
        raise HttpProblem(400, "InvalidBody", "the body has no parts")
    return parts


def _name(part: MIMEPart) -> str:
    content_id = str(part.get("Content-ID", "")).strip().strip("<>")
    return content_id or part.get_filename("") or ""


def _data(part: MIMEPart) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""
