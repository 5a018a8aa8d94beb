"""The HTTP face: OGC API - Processes Part 1 and Part 2, as an ASGI app.

Owns requests and answers. Must not know how jobs are run: it asks an engine, and gives the
documents of ``localproc.views``. Needs the extra ``localproc[http]``.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localproc.http.app import create_app
    from localproc.http.http_settings import HttpSettings

__all__ = ["HttpSettings", "create_app"]


def __getattr__(name: str) -> Any:
    """Import Starlette only when the face is used."""
    from importlib import import_module

    from localproc.errors import PluginMissing

    where = {"create_app": "localproc.http.app", "HttpSettings": "localproc.http.http_settings"}
    if name not in where:
        raise AttributeError(f"module 'localproc.http' has no attribute {name!r}")
    try:
        return getattr(import_module(where[name]), name)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("localproc"):
            raise
        raise PluginMissing.for_extra("http", f"the HTTP face needs {error.name}") from error
