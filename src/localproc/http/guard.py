"""Who may ask for what.

Owns tokens on requests, and requests that a web page elsewhere has made a browser send. Must not
know any resource.
"""

import base64
import binascii
from urllib.parse import urlsplit

from starlette.requests import Request

from localproc.engine.engine import Engine
from localproc.http.answers import HTML, HttpProblem
from localproc.http.settings import HttpSettings

ANONYMOUS = "anonymous"


def identify(request: Request, engine: Engine, settings: HttpSettings) -> str:
    """Give the name of the token that a request comes with; raises 401 where one is needed."""
    secret = _secret(request)
    token = engine.tokens.find(secret) if secret else None
    if token is not None:
        return token.name
    if not settings.require_token and not secret:
        return ANONYMOUS
    # A browser can ask its user for a password, but not for a token.
    scheme = "Basic" if HTML in request.headers.get("accept", "") else "Bearer"
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
    except (binascii.Error, UnicodeDecodeError):
        return ""


def refuse_strangers(request: Request, settings: HttpSettings) -> None:
    """Raise 403 for a change that another site's page asks for with this user's rights."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "none")
    own = origin is not None and urlsplit(origin).netloc == request.headers.get("host", "")
    if own or origin in settings.origins or (origin is None and site in ("none", "same-origin")):
        return
    raise HttpProblem(
        403,
        "ForeignOrigin",
        f"pages of {origin or 'other sites'} may not change anything here",
        hint="whoever runs the service can allow an origin with --cors ORIGIN",
    )
