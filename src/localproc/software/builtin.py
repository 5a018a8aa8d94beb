"""Registers the built-in software resolvers the way any plugin does.

Owns their names, and when each is imported. Must not know how they work.
"""

from collections.abc import Iterable

from localproc.plugins import hookimpl
from localproc.plugins.software import SoftwarePlugin
from localproc.software.folders import Conda, GalaxyFolders
from localproc.software.mapping import Mapped
from localproc.software.modules import Modules


@hookimpl
def localproc_software() -> Iterable[SoftwarePlugin]:
    """Return the kinds of resolvers."""
    return [
        SoftwarePlugin("modules", Modules, "environment modules"),
        SoftwarePlugin("conda", Conda, "conda environments that are there"),
        SoftwarePlugin("galaxy_packages", GalaxyFolders, "folders by name and version"),
        SoftwarePlugin("mapping", Mapped, "what somebody has written"),
    ]
