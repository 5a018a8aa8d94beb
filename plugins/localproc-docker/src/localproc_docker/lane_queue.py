"""The tasks that wait for a warm container, by what they may share.

Owns their order, and which containers a group of them has. Must not know how containers are made,
nor what has become of tasks that were handed to one. Whoever uses it holds the lock.
"""

from collections import deque
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from localproc.model import Task
from localproc.plugins.containers import Image
from localproc_docker.lane import Lane


@dataclass(slots=True)
class Group:
    """Tasks that may share containers: those that wait for their turn, and the containers."""

    image: Image
    waiting: deque[Task] = field(default_factory=deque)
    lanes: list[Lane] = field(default_factory=list)
    asked: str = ""  #: the name of a container that waits for room, or is being made


class LaneQueue:
    """All groups, and all tasks that were taken on."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}
        self._waiting: dict[str, Hashable] = {}  #: the groups of tasks that wait, by key
        self._tasks: dict[str, Task] = {}

    def __contains__(self, key: str) -> bool:
        """Return whether a task waits."""
        return key in self._waiting

    def groups(self) -> list[Group]:
        """Return all groups."""
        return list(self._groups.values())

    def add(self, task: Task, sharing: Hashable, image: Image) -> None:
        """Have a task wait."""
        self._groups.setdefault(sharing, Group(image)).waiting.append(task)
        self._waiting[task.key] = sharing
        self._tasks[task.key] = task

    def note(self, task: Task) -> None:
        """Know a task that waits no more."""
        self._tasks[task.key] = task

    def handed(self, group: Group) -> None:
        """Note that the first task of a group has been handed to a loop."""
        del self._waiting[group.waiting.popleft().key]

    def drop(self, key: str) -> None:
        """Forget a task."""
        sharing = self._waiting.pop(key, None)
        task = self._tasks.pop(key, None)
        if sharing is not None and task is not None:
            with suppress(ValueError):
                self._groups[sharing].waiting.remove(task)

    def asking(self, name: str) -> Group | None:
        """Return the group that has asked for a container of that name."""
        return next((one for one in self._groups.values() if one.asked == name), None)

    def leave(self, lane: Lane) -> Hashable | None:
        """Take a container out of its group; return what the tasks of that one share."""
        for sharing, group in self._groups.items():
            if lane in group.lanes:
                group.lanes.remove(lane)
                return sharing
        return None

    def again(self, key: str, sharing: Hashable | None) -> bool:
        """Have a task that has never begun wait as the first one; whether there is a group."""
        group = self._groups.get(sharing)
        if group is None:
            return False
        group.waiting.appendleft(self._tasks[key])
        self._waiting[key] = sharing
        return True

    def parted(self, sharing: Hashable | None) -> list[Task]:
        """Forget the tasks of a group that wait; return them."""
        group = self._groups.get(sharing)
        tasks = list(group.waiting) if group is not None else []
        for task in tasks:
            self.drop(task.key)
        return tasks

    def sweep(self) -> None:
        """Forget groups that have nothing any more."""
        for sharing, group in list(self._groups.items()):
            if not (group.lanes or group.waiting or group.asked):
                del self._groups[sharing]


def for_room(name: str, task: Task) -> Task:
    """Return what a container that is shared needs: as much as one of its tasks."""
    return replace(task, key=name)
