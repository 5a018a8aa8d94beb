"""Which containers may run now.

Owns the share of the machine that the tasks of one engine may use, and whose turn it is. Pure: must
not know containers.
"""

import threading
from collections import OrderedDict

from localproc.model import Task


class Room:
    """So many tasks, cores and MiB at a time; tasks wait in the order in which they came.

    One that asks for more than there is at all runs when nothing else does. Several threads may use
    it at once.
    """

    def __init__(self, slots: int, cores: float, ram: int) -> None:
        self.slots = slots
        self._cores = cores
        self._ram = ram
        self._running: dict[str, Task] = {}
        self._waiting: OrderedDict[str, Task] = OrderedDict()
        self._lock = threading.Lock()

    def join(self, task: Task) -> None:
        """Have a task wait for its turn; one that runs goes on."""
        with self._lock:
            if task.key not in self._running:
                self._waiting[task.key] = task

    def take(self, task: Task) -> None:
        """Count a task that runs already."""
        with self._lock:
            self._running[task.key] = task

    def next(self) -> list[Task]:
        """Return the tasks that may start now; they count as running."""
        found = []
        with self._lock:
            while self._waiting:
                task = next(iter(self._waiting.values()))
                if not self._fits(task):
                    break
                self._waiting.popitem(last=False)
                self._running[task.key] = task
                found.append(task)
        return found

    def put_back(self, task: Task) -> None:
        """Have a task that could not be started wait again, before all others, unless it left."""
        with self._lock:
            if self._running.pop(task.key, None) is not None:
                self._waiting[task.key] = task
                self._waiting.move_to_end(task.key, last=False)

    def leave(self, key: str) -> None:
        """Give a task's room to others."""
        with self._lock:
            self._running.pop(key, None)
            self._waiting.pop(key, None)

    def _fits(self, task: Task) -> bool:
        used = [one.resources for one in self._running.values()]
        if not used:
            return True
        return (
            len(used) < self.slots
            and sum(one.cores for one in used) + task.resources.cores <= self._cores
            and sum(one.ram for one in used) + task.resources.ram <= self._ram
        )
