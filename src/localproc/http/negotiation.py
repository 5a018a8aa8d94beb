"""What a client wants: media types and preferences.

Owns reading ``Accept``, ``f`` and ``Prefer``. Must not know any resource.

Clients write ``Prefer`` in many ways (RFC 7240 lists, members with parameters, trailing spaces,
unregistered tokens), so it is read tolerantly.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request

from localproc.http.whole_numbers import whole

_FORMATS: Final = {"json": "application/json", "html": "text/html"}


def listed(headers: Headers, name: str) -> str:
    """Return a header that is a list, of however many lines (RFC 9110, 5.3)."""
    return ", ".join(headers.getlist(name))


def best(accept: str, offered: Sequence[str], asked: str | None = None) -> str | None:
    """Return the offered media type that fits best, ``None`` if none does.

    ``asked`` is the query parameter ``f``: ``json``, ``html`` or a media type; it beats the header.
    Without any wish it is the first one offered.
    """
    if asked:
        wanted = _FORMATS.get(asked, asked)
        return next((one for one in offered if one.split(";")[0] == wanted), None)
    ranges = [_range(part) for part in accept.split(",") if part.strip()]
    if not ranges:
        return offered[0]
    scored = [(_quality(one, ranges), -index, one) for index, one in enumerate(offered)]
    quality, _, chosen = max(scored)
    return chosen if quality > 0 else None


def _range(text: str) -> tuple[str, float]:
    kind, _, parameters = text.partition(";")
    found = re.search(r"\bq\s*=\s*([0-9.]+)", parameters)
    try:
        quality = float(found[1]) if found else 1.0
    except ValueError:
        quality = 0.0
    return kind.strip().lower(), quality


def _quality(offered: str, ranges: Sequence[tuple[str, float]]) -> float:
    """Return the quality of the most specific range that an offer falls into."""
    kind = offered.split(";")[0].lower()
    main = kind.split("/")[0]
    for level in (kind, f"{main}/*", "*/*"):
        found = [quality for name, quality in ranges if name == level]
        if found:
            return max(found)
    return 0.0


def is_known(request: Request, tag: str) -> bool:
    """Whether the client says that it has what it asks for as it is (RFC 9110, 13.1.2)."""
    known = listed(request.headers, "if-none-match")
    tags = [one.strip().removeprefix("W/") for one in known.split(",")] if known else []
    return request.method in ("GET", "HEAD") and (tag in tags or tags == ["*"])


class Preferences:
    """A ``Prefer`` header (RFC 7240). Of a preference that is given twice the first counts."""

    def __init__(self, raw: str) -> None:
        self._raw = raw.strip()
        self._members = [one.strip() for one in re.split(r"[,;]", self._raw) if one.strip()]
        self.tokens: dict[str, str] = {}
        for member in self._members:
            name, _, value = member.partition("=")
            self.tokens.setdefault(name.strip().lower(), value.strip().strip('"').lower())

    @property
    def asynchronous(self) -> bool:
        """Whether ``respond-async`` is among them."""
        return "respond-async" in self.tokens

    @property
    def wait(self) -> int | None:
        """The seconds of ``wait``, ``None`` if it is not there or is no number."""
        return whole(self.tokens.get("wait", ""))

    @property
    def representation(self) -> bool:
        """Whether what was made should be told of in the answer (``return=representation``)."""
        return self.tokens.get("return") == "representation"

    def applied(self, honoured: Collection[str]) -> str:
        """Write those that were honoured; the header as it was if that is all of it."""
        names = [name for name in self.tokens if name in honoured]
        if len(names) == len(self._members):
            return self._raw
        return ", ".join(
            f"{name}={self.tokens[name]}" if self.tokens[name] else name for name in names
        )


#: Clients send the same header with each of their requests.
preferences: Final = lru_cache(maxsize=128)(Preferences)
