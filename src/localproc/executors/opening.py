"""Opening an executor by its plugin.

Owns making an executor of a backend, giving it containers, and telling a plugin that was written
for localproc 0.1 what has changed. Must not know any particular one.
"""

import inspect
from typing import Final

from localproc.errors import EnvironmentProblem
from localproc.executors.composed import Composed, Runtimes
from localproc.plugins.backend import Backend
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings

_HINT: Final = "upgrade the plugin; its author finds what has changed in plugins/README.md"


def open_executor(
    plugin: ExecutorPlugin, settings: ExecutorSettings, runtimes: Runtimes | None = None
) -> Executor:
    """Open an executor; raises ``EnvironmentProblem`` if it lacks verbs, and what it raises.

    One that has no containers itself gets those of ``runtimes``.
    """
    executor = _opened(plugin, settings)
    if runtimes is None or executor.capabilities.containers:
        return executor
    return Composed(executor, runtimes)


def _opened(plugin: ExecutorPlugin, settings: ExecutorSettings) -> Executor:
    opened = plugin.open(settings)
    protocol = Backend if hasattr(opened, "look") else Executor
    if missing := lacks(opened, protocol):
        what = protocol.__name__.lower()
        raise EnvironmentProblem(
            f"the executor {plugin.name!r} does not keep the protocol of {what}s: it has no "
            f"{', '.join(missing)}",
            hint=_HINT,
        )
    if protocol is Backend:
        from localproc.executors.desk import Desk

        return Desk(opened, name=plugin.name)  # type: ignore[arg-type]
    return opened  # type: ignore[return-value]


def lacks(one: object, protocol: type) -> list[str]:
    """Return what an object, or a class, lacks of a protocol: verbs and their arguments."""
    missing = []
    for name, wanted in vars(protocol).items():
        if name.startswith("_"):
            continue
        found = getattr(one, name, None)
        if not isinstance(wanted, property) and not callable(found):
            missing.append(f"{name}()")
        elif isinstance(wanted, property):
            if not hasattr(one, name):
                missing.append(name)
        else:
            missing += [f"{name}({word}=...)" for word in _keywords(wanted) - _keywords(found)]
    return missing


def _keywords(verb: object) -> set[str]:
    """Return the arguments that a verb takes by name alone."""
    if not callable(verb):
        return set()
    try:
        parameters = inspect.signature(verb).parameters.values()
    except (TypeError, ValueError):
        return set()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return {"more"}
    return {one.name for one in parameters if one.kind is one.KEYWORD_ONLY}
