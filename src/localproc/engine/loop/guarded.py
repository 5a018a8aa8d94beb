"""An executor whose bugs stay its own.

Owns what an error that an executor should not have raised means to the loop: no news, no room, not
submitted. Must not know any executor.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from localproc.errors import EnvironmentProblem, ExecutorUnavailable, LocalprocError
from localproc.model import Report, Task
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings

_LOG: Final = logging.getLogger("localproc")
_LATER: Final = 1.0


class GuardedExecutor:
    """Implements ``localproc.plugins.executor.Executor`` for another one.

    Whatever that raises is logged the first time, and means no news; when tasks are handed over it
    becomes ``EnvironmentProblem``, as trying again would not help.
    """

    def __init__(self, plugin: ExecutorPlugin, settings: ExecutorSettings) -> None:
        self._name = plugin.name
        self._known: set[str] = set()
        try:
            self._executor: Executor = plugin.open(settings)
        except LocalprocError:
            raise
        except Exception as error:
            raise EnvironmentProblem(
                f"the executor {plugin.name!r} cannot be opened: {_said(error)}",
                hint="localproc plugins tells where it comes from",
            ) from error

    def fileno(self) -> int | None:
        """Give its descriptor, if it has one."""
        try:
            return self._executor.fileno()
        except Exception as error:
            self._note(error)
            return None

    def interval(self) -> float | None:
        """Give its interval."""
        try:
            return self._executor.interval()
        except Exception as error:
            self._note(error)
            return _LATER

    def room(self) -> int:
        """Give its room, none while it cannot tell."""
        try:
            return self._executor.room()
        except Exception as error:
            self._note(error)
            return 0

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand tasks over."""
        try:
            self._executor.submit(tasks)
        except LocalprocError:
            raise
        except Exception as error:
            raise EnvironmentProblem(self._note(error)) from error

    def poll(self) -> Sequence[Report]:
        """Give its news."""
        try:
            return self._executor.poll()
        except Exception as error:
            raise ExecutorUnavailable(self._note(error)) from error

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have it stop tasks."""
        try:
            self._executor.cancel(keys, grace)
        except Exception as error:
            self._note(error)

    def reattach(self, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """Have it find tasks again."""
        try:
            return self._executor.reattach(tasks)
        except Exception as error:
            raise ExecutorUnavailable(self._note(error)) from error

    def tidy(self) -> None:
        """Have it tidy up."""
        try:
            self._executor.tidy()
        except Exception as error:
            self._note(error)

    def close(self) -> None:
        """Have it let go."""
        try:
            self._executor.close()
        except Exception as error:
            self._note(error)

    def _note(self, error: Exception) -> str:
        """Log an error that it should not have raised, once; give what to say of any."""
        if isinstance(error, ExecutorUnavailable):
            return error.message
        said = f"the executor {self._name!r} has failed: {_said(error)}"
        if said not in self._known:
            self._known.add(said)
            _LOG.error(said, exc_info=error)
        return said


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
