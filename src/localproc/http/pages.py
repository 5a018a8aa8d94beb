"""Pages for people.

Owns templates and what lies beside them. Must not know what is on the pages.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from localproc.http.formatting import FILTERS

_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def render(
    template: str,
    content: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a page. It runs no script and loads no thing but what is served here."""
    common = {"base": "", "json": "", "namespace": "", "version": version("localproc")}
    text = _environment().get_template(template).render({**common, **content})
    safe = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept",
    }
    data = text.encode(errors="backslashreplace")
    return Response(data, status, {**safe, **(headers or {})}, media_type="text/html;charset=UTF-8")


async def static(request: Request) -> Response:
    """Answer with a style sheet, a script or a picture of the pages."""
    name = request.path_params["name"]
    file = files("localproc.http").joinpath("static", name)
    kind = _KINDS.get(name.rpartition(".")[2])
    if kind is None or not file.is_file():
        raise HTTPException(404)
    return Response(
        file.read_bytes(),
        headers={"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"},
        media_type=f"{kind};charset=UTF-8",
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("localproc.http"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment
