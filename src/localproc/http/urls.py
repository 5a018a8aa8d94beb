"""Where things are for a client.

Owns the URLs of a namespace's root and of what pages are made with, behind proxies and mounts too.
Must not know any resource.
"""

from starlette.requests import Request

from localproc.http.http_settings import HttpSettings


def root_of(request: Request, settings: HttpSettings) -> str:
    """Return the path of the namespace's root, with whatever the app is mounted under."""
    mounted = str(request.scope.get("root_path", ""))
    return mounted + settings.root(request.path_params.get("namespace", ""))


def base_of(request: Request, settings: HttpSettings) -> str:
    """Return the URL of the namespace's root."""
    if settings.base_url:
        namespace = request.path_params.get("namespace", "")
        return settings.base_url.rstrip("/") + settings.root(namespace)
    url = request.url
    return f"{url.scheme}://{url.netloc}{root_of(request, settings)}"


def static_of(request: Request, settings: HttpSettings) -> str:
    """Return the URL of what pages are made with."""
    if settings.base_url:
        return f"{settings.base_url.rstrip('/')}/static"
    return f"{request.scope.get('root_path', '')}/static"
