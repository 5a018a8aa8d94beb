"""Registers the built-in software resolvers the way any plugin does.

Owns their names, and when each is imported. Must not know how they work.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from localproc.plugins import hookimpl
from localproc.plugins.software import SoftwarePlugin, SoftwareResolver


@hookimpl
def localproc_software() -> Iterable[SoftwarePlugin]:
    """Return the kinds of resolvers."""
    return [
        SoftwarePlugin("modules", _open_modules, "environment modules"),
        SoftwarePlugin("conda", _open_conda, "conda environments that are there"),
        SoftwarePlugin("galaxy_packages", _open_galaxy, "folders by name and version"),
        SoftwarePlugin("mapping", _open_mapping, "what somebody has written"),
    ]


def _open_modules(options: Mapping[str, Any]) -> SoftwareResolver:
    from localproc.software.modules import Modules

    return Modules(options)


def _open_conda(options: Mapping[str, Any]) -> SoftwareResolver:
    from localproc.software.folders import Conda

    return Conda(options)


def _open_galaxy(options: Mapping[str, Any]) -> SoftwareResolver:
    from localproc.software.folders import GalaxyFolders

    return GalaxyFolders(options)


def _open_mapping(options: Mapping[str, Any]) -> SoftwareResolver:
    from localproc.software.mapping import Mapped

    return Mapped(options)
