"""An executor whose bugs stay its own.

Owns what an error that an executor should not have raised means to the loop: no news, no room, not
submitted. Must not know any executor.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from localproc.errors import EnvironmentProblem, ExecutorUnavailable, LocalprocError
from localproc.model import Report, Task
from localproc.plugins.executor import Executor, ExecutorPlugin, ExecutorSettings

_LOG: Final = logging.getLogger("localproc")
_LATER: Final = 1.0


class GuardedExecutor:
    """Implements ``localproc.plugins.executor.Executor`` for another one.

    Whatever that raises becomes ``ExecutorUnavailable``, and is logged the first time; when tasks
    are handed over it becomes ``EnvironmentProblem``, as trying again would not help.
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
        """Give its descriptor."""
        with contextlib.suppress(ExecutorUnavailable), self._guard():
            return self._executor.fileno()
        return None

    def interval(self) -> float | None:
        """Give its interval."""
        with contextlib.suppress(ExecutorUnavailable), self._guard():
            return self._executor.interval()
        return _LATER

    def room(self) -> int:
        """Give its room, none while it cannot tell."""
        with contextlib.suppress(ExecutorUnavailable), self._guard():
            return self._executor.room()
        return 0

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand tasks over."""
        with self._guard(EnvironmentProblem):
            self._executor.submit(tasks)

    def poll(self) -> Sequence[Report]:
        """Give its news."""
        with self._guard():
            return list(self._executor.poll())

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have it stop tasks."""
        with contextlib.suppress(ExecutorUnavailable), self._guard():
            self._executor.cancel(keys, grace)

    def reattach(self, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """Have it find tasks again."""
        with self._guard():
            return self._executor.reattach(tasks)

    def tidy(self) -> None:
        """Have it tidy up."""
        with contextlib.suppress(ExecutorUnavailable), self._guard():
            self._executor.tidy()

    def close(self) -> None:
        """Have it let go."""
        with contextlib.suppress(ExecutorUnavailable), self._guard():
            self._executor.close()

    @contextlib.contextmanager
    def _guard(self, meaning: type[LocalprocError] = ExecutorUnavailable) -> Iterator[None]:
        try:
            yield
        except LocalprocError:
            raise
        except Exception as error:
            said = f"the executor {self._name!r} has failed: {_said(error)}"
            if said not in self._known:
                self._known.add(said)
                _LOG.exception(said)
            raise meaning(said) from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
