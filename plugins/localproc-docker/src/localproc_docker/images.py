"""The images that a daemon has.

Owns looking an image up, and saying which command brings one that is not here. Never brings one
itself: nobody has asked for that. Must not know tasks.
"""

from collections.abc import Mapping
from typing import Any

from localproc.errors import StagingError
from localproc_docker.containers import Image
from localproc_docker.engine_api import ApiRefused, EngineApi


def find(api: EngineApi, name: str, source: str | None) -> Image:
    """Return an image that is here; ``source`` is what it is pulled by.

    Raises ``StagingError`` that names the command which brings it.
    """
    try:
        return image_of(api.get(f"/images/{name}/json"))
    except ApiRefused as error:
        if error.code != 404:
            raise
    brings = f"docker pull {source} brings it" if source else "docker load or docker build makes it"
    raise StagingError(f"the image {name} is not here", hint=brings)


def image_of(seen: Mapping[str, Any]) -> Image:
    """Return what ``GET /images/{name}/json`` says."""
    config = seen.get("Config") or {}
    return Image(
        id=seen["Id"],
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
    )
