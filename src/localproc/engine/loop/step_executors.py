"""The executors of one job, of which each of its steps goes to one.

Owns which task went where. Must not know why.
"""

from collections.abc import Callable, Iterable, Sequence

from localproc.model import Task
from localproc.plugins.executor import Executor


class StepExecutors:
    """Hands tasks to the executors that they name; ``get`` returns one by its name.

    ``names`` are all that steps may go to, the default first.
    """

    def __init__(self, get: Callable[[str], Executor], names: Sequence[str]) -> None:
        self.names = names
        self._get = get
        self._default = names[0]
        self._elsewhere: dict[str, str] = {}  #: tasks that are not at the default one

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Hand tasks over; ``more`` may follow at once."""
        for name, group in self._by_name(tasks).items():
            self._get(name).submit(group, more=more)

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks found where they went."""
        for name, group in self._by_name(tasks).items():
            self._get(name).reattach(group)

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks stopped."""
        for name, group in self._by_key(keys).items():
            self._get(name).cancel(group, grace)

    def release(self, keys: Iterable[str]) -> None:
        """Let go of tasks."""
        for name, group in self._by_key(keys).items():
            self._get(name).release(group)
            for key in group:
                self._elsewhere.pop(key, None)

    def _by_name(self, tasks: Sequence[Task]) -> dict[str, list[Task]]:
        groups: dict[str, list[Task]] = {}
        for task in tasks:
            name = task.executor or self._default
            groups.setdefault(name, []).append(task)
            if name != self._default:
                self._elsewhere[task.key] = name
        return groups

    def _by_key(self, keys: Iterable[str]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for key in keys:
            groups.setdefault(self._elsewhere.get(key, self._default), []).append(key)
        return groups
