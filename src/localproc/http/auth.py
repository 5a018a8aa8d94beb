"""Who may ask for what.

Owns tokens on requests, and requests that a web page elsewhere has made a browser send. Must not
know any resource.
"""

import base64
from typing import Final
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

from localproc.engine.engine import LocalEngine
from localproc.http.answers import HTML, HttpProblem
from localproc.http.http_settings import HttpSettings
from localproc.http.negotiation import listed

_PORTS: Final = {"http": 80, "https": 443}

ANONYMOUS = "anonymous"


def identify(request: Request, engine: LocalEngine | None, settings: HttpSettings) -> str:
    """Return the name of the token that a request comes with; raises 401 where one is needed.

    Without an engine there is no such namespace; whoever has no token is not told so.
    """
    secret = _secret(request)
    token = engine.tokens.find(secret) if secret and engine is not None else None
    if token is not None:
        return token.name
    if not settings.require_token and not secret:
        return ANONYMOUS
    # A browser can ask its user for a password, but not for a token.
    scheme = "Basic" if HTML in listed(request.headers, "accept") else "Bearer"
    raise HttpProblem(
        401,
        "Unauthorized",
        "the token is not one of this namespace" if secret else "a token is needed here",
        hint="localproc token make NAME makes one; send it as Authorization: Bearer TOKEN",
        headers={"WWW-Authenticate": f'{scheme} realm="localproc"'},
    )


def _secret(request: Request) -> str:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(rest, validate=True).decode().partition(":")[2]
    except ValueError:  # no base64, or no UTF-8 in it
        return ""


def refuse_strangers(request: Request, settings: HttpSettings) -> None:
    """Raise 403 for a change that another site's page asks for with this user's rights."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    if origin is None and site in ("none", "same-origin"):
        return
    allowed = {origin, "*"} & set(settings.origins)
    if origin is not None and (allowed or _is_own(origin, request, settings)):
        return
    raise HttpProblem(
        403,
        "ForeignOrigin",
        f"pages of {origin or 'other sites'} may not change anything here",
        hint="whoever runs the service can allow an origin with --cors ORIGIN",
    )


def _is_own(origin: str, request: Request, settings: HttpSettings) -> bool:
    """Whether an origin is this server: as the request names it, or as clients do at a proxy."""
    try:
        place = urlsplit(origin)
        known = bool(settings.base_url) and _parts(place) == _parts(urlsplit(settings.base_url))
    except ValueError:
        return False
    return known or (bool(place.netloc) and place.netloc == request.headers.get("host"))


def _parts(origin: SplitResult) -> tuple[str, str | None, int | None]:
    """Return what two addresses of one origin have alike (RFC 6454); raises ``ValueError``."""
    return origin.scheme, origin.hostname, origin.port or _PORTS.get(origin.scheme)


def refuse_names(request: Request, settings: HttpSettings) -> None:
    """Raise 400 for a name that is not the server's: a page elsewhere may have its own point here.

    So it is for a name that cannot be read, as links are made of it.
    """
    host = request.headers.get("host", "")
    name = _hostname(host)
    known = {one.strip("[]").lower() for one in settings.hosts}
    if name is None or (known and name not in known):
        raise HttpProblem(400, "InvalidHost", f"this server is not called {host!r}")


def _hostname(host: str) -> str | None:
    """Return the name in a ``Host`` header, ``None`` if it cannot be read."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else None
