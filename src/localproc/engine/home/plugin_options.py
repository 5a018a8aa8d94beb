"""Options of the settings that are for plugins, by their names.

Owns refusing a name that is misspelt. Must not know what the options are: each plugin does.

A home may be used by machines that lack a plugin, so options for one that is not there are left
alone, unless they look as if another one were meant.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from localproc.engine.home.settings import Settings
from localproc.errors import InvalidInputs, Problem
from localproc.near import closest
from localproc.plugins.manager import PluginManager

_ALIKE: Final = 0.75


def check_plugin_options(settings: Settings, plugins: PluginManager) -> None:
    """Raise ``InvalidInputs`` for options of a plugin whose name was misspelt."""
    problems: list[Problem] = []
    if settings.executor_options:
        known = [one.name for one in plugins.executors()]
        problems += _misspelt("executor_options", settings.executor_options, known)
    if settings.container_options:
        known = [one.name for one in plugins.containers()]
        problems += _misspelt("container_options", settings.container_options, known)
    of_storages = {"storage_options": settings.storage_options}
    for namespace, options in settings.namespace_storage_options.items():
        of_storages[f"namespace_storage_options.{namespace}"] = options
    if any(of_storages.values()):
        known = [one.scheme for one in plugins.storages()]
        for setting, options in of_storages.items():
            problems += _misspelt(setting, options, known)
    if problems:
        raise InvalidInputs("some options are for nobody", problems)


def _misspelt(
    setting: str, options: Mapping[str, Any], known: Collection[str]
) -> Iterable[Problem]:
    for name in options:
        plugin = str(name).partition(":")[0]  # storages: the beginning of URIs
        if plugin not in known and (meant := closest(plugin, known, _ALIKE)):
            where = f"{setting}.{name}"
            yield Problem(f"there is no {plugin!r}", where, hint=f"did you mean {meant!r}?")
