"""Secrets in a stream of bytes, and what is written in their place.

Owns finding them in each of the forms that programs write them in, also where one lies across two
pieces of the stream. Must not know where the stream comes from.
"""

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping

_ECHOED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LINE = 8  # characters that a line of a secret of several has to have, to be one by itself


class Redactor:
    """Takes a stream piece by piece; ``marks`` are what to write in place of each value."""

    def __init__(self, marks: Mapping[str, str]) -> None:
        self.marks: dict[bytes, bytes] = {}
        for value, mark in marks.items():
            for form in forms(value):
                self.marks.setdefault(form, mark.encode())
        longest = sorted(self.marks, key=len, reverse=True)
        # Looked for behind every character, so that those which overlap are all found.
        self.sought = re.compile(b"(?=(" + b"|".join(map(re.escape, longest)) + b"))")
        self.held = b""
        self.covered = 0  # bytes at the beginning of ``held`` that belong to what was replaced

    def feed(self, data: bytes, *, last: bool = False) -> bytes:
        """Return what can be written by now; what may be the beginning of a secret waits."""
        data = self.held + data
        found = self.find(data)
        end = len(data) if last else self.may_begin(data)
        written: list[bytes] = []
        place = 0
        for start, stop, mark in found:
            if start >= end and (start or not self.covered):
                break
            written += (data[place:start], mark)
            place = stop
        written.append(data[place:end])
        self.held, self.covered = data[end:], max(0, place - end)
        return b"".join(written)

    def find(self, data: bytes) -> list[tuple[int, int, bytes]]:
        """Return where secrets are, those that overlap as one, and what to write instead."""
        found = [(0, self.covered, b"")] if self.covered else []
        for match in self.sought.finditer(data):
            start, stop = match.span(1)
            if found and start < found[-1][1]:
                first, reach, mark = found[-1]
                found[-1] = (first, max(reach, stop), mark)
            else:
                found.append((start, stop, self.marks[match[1]]))
        return found

    def may_begin(self, data: bytes) -> int:
        """Return where the longest end of the data begins that a secret may begin with."""
        for start in range(max(0, len(data) - max(map(len, self.marks)) + 1), len(data)):
            tail = data[start:]
            if any(form.startswith(tail) and form != tail for form in self.marks):
                return start
        return len(data)


def with_marks(text: str, marks: Mapping[str, str]) -> str:
    """Return a text without its secrets."""
    if not marks:
        return text
    data = Redactor(marks).feed(text.encode(errors="surrogatepass"), last=True)
    return data.decode(errors="surrogatepass")


def forms(value: str) -> Iterable[bytes]:
    """Return the ways in which a value may be written.

    As it is; as in JSON, Python, HTML, a URL and a form; as some shells echo it; in Base64,
    wherever in a longer text it stands; each line of one that has several.
    """
    import html  # its table of entities is large, and few jobs have secrets

    plain = value.encode(errors="surrogateescape")
    texts = {value, *(line for line in value.splitlines() if len(line.strip()) >= _LINE)}
    found = {plain}
    for text in texts:
        for ascii_only in (True, False):
            found.add(json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode(errors="replace"))
        found |= {
            form.encode(errors="surrogateescape")
            for form in (
                text,
                repr(text)[1:-1],
                html.escape(text),
                html.escape(text, quote=False),
                text.replace("'", "'\\''"),
                echoed(text),
                urllib.parse.quote(text, safe="", errors="surrogateescape"),
                urllib.parse.quote(text, errors="surrogateescape"),
                urllib.parse.quote_plus(text, errors="surrogateescape"),
            )
        }
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found |= {form for form in map(encode, (plain,)) if form}
        for before in (1, 2):  # characters that neighbours have a part in are left out
            skip = 2 if before == 1 else 3
            found.add(encode(b"\0" * before + plain).rstrip(b"=")[skip:-1])
        found.add(encode(plain).rstrip(b"=")[:-1])
    return {form for form in found if len(form) >= 4}


def echoed(text: str) -> str:
    """Return what the ``echo`` of a POSIX shell makes of a text with backslashes."""

    def meant(found: re.Match[str]) -> str:
        name = found[1]
        return chr(int(name, 8) & 255) if name[0] == "0" else _ECHOED.get(name, "\\")

    return re.sub(r"\\(0[0-7]{0,3}|[abfnrtv\\])", meant, text)
