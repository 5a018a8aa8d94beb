"""The plugins of one engine.

Owns loading plugins, which of them are broken and why, and finding an executor, a container runtime
or a storage by name. Belongs to an engine, never to a module: two engines can have different ones.
"""

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any, Final, TypeVar

import pluggy

from localproc.errors import EnvironmentProblem, LocalprocError, PluginMissing
from localproc.frozen import frozen
from localproc.model import ProcessRecord
from localproc.near import near
from localproc.plugins import hooks
from localproc.plugins.containers import ContainerPlugin
from localproc.plugins.executor import ExecutorPlugin
from localproc.plugins.isolation import giving, noting, wrapping
from localproc.plugins.software import SoftwarePlugin
from localproc.plugins.storage import StoragePlugin

_T = TypeVar("_T", ExecutorPlugin, ContainerPlugin, StoragePlugin, SoftwarePlugin)

#: Named, not imported: the rules must not know the adapters.
BUILTIN: Final = (
    "localproc.executors.builtin",
    "localproc.storage.builtin",
    "localproc.software.builtin",
)
_GIVING: Final[dict[str, type]] = {
    "localproc_executors": ExecutorPlugin,
    "localproc_containers": ContainerPlugin,
    "localproc_storages": StoragePlugin,
    "localproc_software": SoftwarePlugin,
}
#: The hook whose errors are the point of it.
_VETO: Final = "localproc_check_inputs"


@frozen
class BrokenPlugin:
    """A plugin that could not be loaded, or a hook of one that failed."""

    plugin: str
    reason: str


class PluginManager:
    """Built-in plugins, those of installed distributions, and those that were handed in.

    One that is installed and cannot be used is in ``broken``; one that was handed in raises
    ``EnvironmentProblem``.
    """

    def __init__(self, extra: Sequence[object] = (), *, entry_points: bool = True) -> None:
        self.broken: list[BrokenPlugin] = []
        self._distributions: dict[str, str] = {}
        self._manager = pluggy.PluginManager("localproc")
        self._manager.add_hookspecs(hooks)
        for name in BUILTIN:
            self._register(import_module(name), name)
        if entry_points:
            self._load_entry_points()
        for plugin in extra:
            self._register(plugin, self._name_of(plugin))

    @property
    def hook(self) -> Any:
        """The hook caller of pluggy."""
        return self._manager.hook

    def check_inputs(self, process: ProcessRecord, inputs: Mapping[str, Any]) -> None:
        """Have the plugins that want it check the inputs of a job; raises what they raise."""
        call = self._manager.hook.localproc_check_inputs
        if call.get_hookimpls():  # calling nobody costs as much as reading the inputs
            call(process=process, inputs=inputs)

    def names(self) -> list[tuple[str, str]]:
        """Return every plugin with the distribution that it came from, empty if from none."""
        return [
            (name, self._distributions.get(name, ""))
            for name, plugin in self._manager.list_name_plugin()
            if plugin is not None
        ]

    def executor(self, name: str) -> ExecutorPlugin:
        """Return an executor by name; raises ``PluginMissing``."""
        return _find("executor", name, self.executors(), lambda one: one.name)

    def container(self, name: str) -> ContainerPlugin:
        """Return a container runtime by name; raises ``PluginMissing``."""
        return _find("container runtime", name, self.containers(), lambda one: one.name)

    def storage(self, scheme: str) -> StoragePlugin:
        """Return the storage of a scheme; raises ``PluginMissing``."""
        return _find("storage", scheme, self.storages(), lambda one: one.scheme)

    def software(self, name: str) -> SoftwarePlugin:
        """Return a kind of software resolver by its type; raises ``PluginMissing``."""
        given: list[list[SoftwarePlugin]] = self.hook.localproc_software()
        kinds = list(itertools.chain(*reversed(given)))
        return _find("software resolver", name, kinds, lambda one: one.name)

    def executors(self) -> list[ExecutorPlugin]:
        """Return all executors; of two with one name, the later one counts."""
        return list(itertools.chain(*reversed(self.hook.localproc_executors())))

    def containers(self) -> list[ContainerPlugin]:
        """Return all container runtimes; of two with one name, the later one counts."""
        return list(itertools.chain(*reversed(self.hook.localproc_containers())))

    def storages(self) -> list[StoragePlugin]:
        """Return all storages; of two for one scheme, the later one counts."""
        return list(itertools.chain(*reversed(self.hook.localproc_storages())))

    def observes(self) -> bool:
        """Return whether any plugin wants to be told of events."""
        return bool(self.hook.localproc_event.get_hookimpls())

    def tell(self, hook: str, **facts: Any) -> None:
        """Call a hook of every plugin; one that fails is noted and breaks nothing."""
        getattr(self.hook, hook)(**facts)

    def _load_entry_points(self) -> None:
        from localproc.plugins.installed import installed_plugins

        for entry in installed_plugins():
            try:
                self._register(entry.load(), entry.name)
            except Exception as error:
                self._note(entry.name, error)
            else:
                if entry.dist is not None:
                    self._distributions[entry.name] = f"{entry.dist.name} {entry.dist.version}"

    def _register(self, plugin: object, name: str) -> None:
        """Register the hooks of a plugin; raises ``EnvironmentProblem`` for what is no hook."""
        isolated = self._isolated(plugin, name)
        try:
            self._manager.register(isolated, name)
        except pluggy.PluginValidationError as error:
            if self._manager.is_registered(isolated):
                self._manager.unregister(isolated)
            said = " ".join(str(error).split())
            raise EnvironmentProblem(
                f"the plugin {name!r} cannot be used: {said}", hint=_argument_meant(isolated)
            ) from error
        except ValueError as error:
            raise EnvironmentProblem(
                f"the plugin {name!r} cannot be used: another one has its name"
            ) from error

    def _isolated(self, plugin: object, name: str) -> SimpleNamespace:
        """Return the hooks of a plugin, each so that its errors stay its own."""
        found = SimpleNamespace()
        note = partial(self._note, name)
        for attribute in dir(plugin):
            marks = self._manager.parse_hookimpl_opts(plugin, attribute)
            if marks is None:
                continue
            hook = marks["specname"] or attribute
            _check(name, hook, marks)
            _check_bound(name, plugin, attribute)
            function = getattr(plugin, attribute)
            if hook == _VETO:
                isolated = function
            elif marks["wrapper"]:
                isolated = wrapping(function, note)
            elif hook in _GIVING:
                isolated = giving(function, note, _GIVING[hook])
            else:
                isolated = noting(function, note)
            setattr(found, attribute, isolated)
        if not vars(found):
            raise EnvironmentProblem(
                f"the plugin {name!r} cannot be used: it has no hooks",
                hint="mark them with localproc.hookimpl",
            )
        return found

    def _name_of(self, plugin: object) -> str:
        """Return a name for a plugin that was handed in, another one for each."""
        kind = type(plugin)
        name = getattr(plugin, "__name__", None) or f"{kind.__module__}.{kind.__qualname__}"
        taken = {one for one, _ in self._manager.list_name_plugin()}
        more = (f"{name} ({number})" for number in itertools.count(2))
        return next(one for one in itertools.chain([name], more) if one not in taken)

    def _note(self, plugin: str, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, LocalprocError):
            said = "; ".join(filter(None, [error.message, error.hint]))
        problem = BrokenPlugin(plugin, said)
        if problem not in self.broken:
            self.broken.append(problem)


def _check(name: str, hook: str, marks: pluggy.HookimplOpts) -> None:
    """Raise ``EnvironmentProblem`` for what is marked as a hook and cannot be one."""
    known = [one for one in vars(hooks) if one.startswith("localproc_")]
    if hook not in known and not marks["optionalhook"]:
        raise EnvironmentProblem(
            f"the plugin {name!r} cannot be used: there is no hook {hook!r}",
            hint=near(hook, known, f"there is: {', '.join(known)}", 0.6),
        )
    if marks["hookwrapper"]:
        raise EnvironmentProblem(
            f"the plugin {name!r} cannot be used: {hook} is a hook wrapper of the old kind",
            hint="write hookimpl(wrapper=True), and return what the hook is to give",
        )


def _argument_meant(found: SimpleNamespace) -> str:
    """Return which argument a hook may have meant by one that there is not."""
    for name, function in vars(found).items():
        known = list(inspect.signature(getattr(hooks, name, function)).parameters)
        for one in inspect.signature(function).parameters:
            if one not in known:
                return near(one, known, f"{name} may ask for: {', '.join(known) or 'nothing'}")
    return ""


def _check_bound(name: str, plugin: object, attribute: str) -> None:
    """Raise ``EnvironmentProblem`` for a hook of a class that only its objects can be called by."""
    if isinstance(plugin, type) and inspect.isfunction(inspect.getattr_static(plugin, attribute)):
        raise EnvironmentProblem(
            f"the plugin {name!r} cannot be used: it is a class, whose hooks need an object",
            hint=f"give {plugin.__name__}() instead",
        )


def _find(what: str, name: str, plugins: Iterable[_T], key: Callable[[_T], str]) -> _T:
    known = {key(one): one for one in plugins}
    if name not in known:
        there = ", ".join(sorted(known))
        hint = f"there is: {there}; a plugin that is installed beside localproc can bring more"
        raise PluginMissing(f"there is no {what} {name!r}", hint=near(name, known, hint, 0.6))
    return known[name]
