"""The plugins of one engine.

Owns loading plugins, which of them are broken and why, and finding an executor or a storage by
name. Belongs to an engine, never to a module: two engines can have different plugins.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, TypeVar

import pluggy

from localproc.errors import PluginMissing
from localproc.plugins import hooks
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.storage import StoragePlugin

_T = TypeVar("_T", ExecutorPlugin, StoragePlugin)

#: Named, not imported: the rules must not know the adapters.
BUILTIN: Final = ("localproc.executors.builtin", "localproc.storage.builtin")


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that could not be loaded, or a hook of one that failed."""

    plugin: str
    reason: str


class PluginManager:
    """Built-in plugins, those of installed distributions, and those that were handed in."""

    def __init__(self, extra: Sequence[object] = (), *, entry_points: bool = True) -> None:
        self.broken: list[Broken] = []
        self._distributions: dict[str, str] = {}
        self._manager = pluggy.PluginManager("localproc")
        self._manager.add_hookspecs(hooks)
        for name in BUILTIN:
            self._manager.register(import_module(name), name)
        if entry_points:
            self._load_entry_points()
        for plugin in extra:
            self._manager.register(plugin)

    @property
    def hook(self) -> Any:
        """The hook caller."""
        return self._manager.hook

    def names(self) -> list[tuple[str, str]]:
        """Give every plugin with the distribution that it came from."""
        return [
            (name, self._distributions.get(name, ""))
            for name, plugin in self._manager.list_name_plugin()
            if plugin is not None
        ]

    def executor(self, name: str) -> ExecutorPlugin:
        """Give an executor by name; raises ``PluginMissing``."""
        return _find("executor", name, self.executors(), lambda one: one.name)

    def storage(self, scheme: str) -> StoragePlugin:
        """Give the storage of a scheme; raises ``PluginMissing``."""
        return _find("storage", scheme, self.storages(), lambda one: one.scheme)

    def executors(self) -> list[ExecutorPlugin]:
        """Give all executors."""
        return list(self._collect("localproc_executors"))

    def storages(self) -> list[StoragePlugin]:
        """Give all storages."""
        return list(self._collect("localproc_storages"))

    def observes(self) -> bool:
        """Whether any plugin wants to be told of events."""
        return bool(self._manager.hook.localproc_event.get_hookimpls())

    def tell(self, hook: str, **facts: Any) -> None:
        """Call a hook of every plugin; one that fails is noted and breaks nothing."""
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            arguments = {name: facts[name] for name in implementation.argnames}
            with self._noting(implementation.plugin_name):
                implementation.function(**arguments)

    def _collect(self, hook: str) -> Iterator[Any]:
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            with self._noting(implementation.plugin_name):
                yield from implementation.function()

    def _load_entry_points(self) -> None:
        from importlib.metadata import entry_points

        for entry in entry_points(group="localproc"):
            with self._noting(entry.name):
                self._manager.register(entry.load(), entry.name)
                if entry.dist is not None:
                    self._distributions[entry.name] = f"{entry.dist.name} {entry.dist.version}"

    @contextlib.contextmanager
    def _noting(self, plugin: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            problem = Broken(plugin, f"{type(error).__name__}: {error}")
            if problem not in self.broken:
                self.broken.append(problem)


def _find(what: str, name: str, plugins: Iterable[_T], key: Callable[[_T], str]) -> _T:
    known = {key(one): one for one in plugins}
    if name not in known:
        there = ", ".join(sorted(known))
        hint = f"there is: {there}; a plugin that is installed beside localproc can bring more"
        raise PluginMissing(f"there is no {what} {name!r}", hint=hint)
    return known[name]
