"""Opening an executor by its plugin.

Owns making an executor of a backend, giving it containers, and refusing one that was written for an
earlier protocol. Must not know any particular one.
"""

from localproc.errors import EnvironmentProblem
from localproc.executors.composed import Composed, Runtimes
from localproc.plugins.backend import Backend
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings
from localproc.plugins.protocols import OUTDATED, lacks


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
            hint=OUTDATED,
        )
    if protocol is Backend:
        from localproc.executors.desk import Desk

        return Desk(opened, name=plugin.name)  # type: ignore[arg-type]
    return opened  # type: ignore[return-value]
