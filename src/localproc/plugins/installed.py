"""What installed distributions bring, before any of it is imported.

Owns the group of their entry points. Must not know what plugins are: most installations have none,
and whoever only asks for that should not have to load what manages them.
"""

from importlib.metadata import EntryPoints, entry_points


def installed_plugins() -> EntryPoints:
    """Return the entry points of plugins."""
    return entry_points(group="localproc")
