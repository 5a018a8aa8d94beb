"""Warm containers: many short tasks of one image share a few of them.

Owns which task goes to which container, finding both again after the engine was killed, and when a
container goes. What is not handed to a loop yet is nowhere on the disk, and is handed on again.
Must not know how containers are made.
"""

import os
import secrets
import threading
from collections.abc import Hashable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from localproc.errors import ExecutorUnavailable
from localproc.model import Report, Task, TaskState
from localproc.plugins.containers import Image
from localproc_docker import warm
from localproc_docker.lane import Lane
from localproc_docker.lane_containers import LaneContainers
from localproc_docker.lane_queue import Group, LaneQueue, for_room
from localproc_docker.room import Room
from localproc_docker.task_links import TaskLinks

_IDLE: Final = 2.0  #: seconds that a container is kept for tasks to come
_KILLING: Final = 10.0  #: seconds that a killed task may take to vanish
_LEAVING: Final = 10.0  #: seconds that closing waits for containers that are being removed


class Lanes:
    """The warm containers of a home as one engine sees them. Threads may use it at once."""

    def __init__(self, folder: str, room: Room, containers: LaneContainers) -> None:
        self._folder = os.path.join(folder, warm.FOLDER)
        self._links = TaskLinks(self._folder)
        self._room = room
        self._containers = containers
        self._queue = LaneQueue()
        self._lanes: dict[str, Lane] = {}
        self._mounts: dict[str, Sequence[dict[str, Any]]] = {}
        self._places: dict[str, tuple[Lane, int]] = {}  #: of tasks that were handed to a loop
        self._known: dict[str, Report] = {}  #: the ends of tasks that ended with their container
        self._suspect: set[str] = set()
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None
        self._resting: dict[str, int] = {}  #: what idle ones had been handed a while ago
        self._closed = False

    def knows(self, key: str) -> bool:
        """Return whether a task has come here."""
        return key in self._queue or key in self._places

    def join(self, task: Task, sharing: Hashable, image: Image) -> None:
        """Take a task on, unless it was handed on before."""
        with self._lock:
            if self.knows(task.key) or self._adopt(task):
                return
            self._queue.add(task, sharing, image)

    def find(self, tasks: Sequence[Task]) -> set[str]:
        """Return the keys of those that were handed to a loop, which may have ended since."""
        with self._lock:
            return {one.key for one in tasks if self.knows(one.key) or self._adopt(one)}

    def start(self, name: str) -> None:
        """Make the container that a group has asked room for. Raises ``ExecutorUnavailable``."""
        with self._lock:
            group = self._queue.asking(name)
            tasks = list(group.waiting) if group is not None else []
        if group is None or not tasks:
            self._room.leave(name)
            if group is not None:
                group.asked = ""
            return
        lane = Lane(os.path.join(self._folder, name.removeprefix(warm.LANE)), ours=True)
        try:
            mounts = self._containers.open(lane.folder, tasks, group.image)
        except ExecutorUnavailable:
            lane.discard()
            raise
        except Exception:  # each alone will say why, or do without
            lane.discard()
            with self._lock:
                group.asked = ""
                for task in tasks:
                    self._queue.drop(task.key)
            self._room.leave(name)
            self._containers.cold(tasks)
            return
        with self._lock:
            group.asked = ""
            group.lanes.append(lane)
            self._lanes[lane.name] = lane
            self._mounts[lane.name] = mounts
            self._suspect.add(lane.name)  # it may have ended before anybody listened
        self.feed()

    def feed(self) -> None:
        """Hand tasks to loops that have done theirs; ask for room for more loops."""
        spent = []
        with self._lock:
            working = {name for name, lane in self._lanes.items() if lane.catch_up()}
            for group in self._queue.groups():
                for lane in list(group.lanes):
                    self._feed(group, lane)
                    if not (lane.name in working or lane.is_ours):
                        spent.append(lane)
                full = len(group.lanes) >= self._room.slots
                if group.waiting and not group.asked and not full and not self._closed:
                    self._ask(group)
            self._rest()
        for lane in spent:
            self._retire(lane)

    def suspect(self, names: Iterable[str] | None = None) -> None:
        """Have containers looked at to which something has happened, or all of them."""
        with self._lock:
            self._suspect.update(self._lanes if names is None else names)

    def has_news(self) -> bool:
        """Return whether a task has ended, without asking the daemon."""
        with self._lock:
            lanes = list(self._lanes.values())
        return any(one.has_news() for one in lanes)

    def busy(self) -> bool:
        """Return whether a loop has something to do."""
        with self._lock:
            return any(one.done < one.last for one in self._lanes.values())

    def look(self, keys: Iterable[str]) -> dict[str, Report]:
        """Return what is known of tasks."""
        self._look_after()
        self.feed()
        found = {}
        with self._lock:
            for key in keys:
                if key in self._known:
                    found[key] = self._known[key]
                elif key in self._places:
                    lane, number = self._places[key]
                    found[key] = lane.report(key, number, f"{lane.name}:{number}")
                elif key in self._queue:
                    found[key] = Report(key, TaskState.QUEUED, reason="waits for room")
        return found

    def stop(self, key: str, grace: float, *, late: bool = False) -> None:
        """Stop a task: TERM, ``grace`` seconds, KILL. The others of its container go on."""
        with self._lock:
            place = self._places.get(key)
            if place is None:
                self._queue.drop(key)
                return
        lane, number = place
        if lane.put_off(number, late=late) or key in self._known:
            return
        for signal, patience in (("USR1", grace), ("USR2", _KILLING)):
            if not self._containers.alive(lane.name):
                return
            self._containers.signal(lane.name, signal)
            if lane.ends_within(number, patience):
                return
        self._containers.remove(lane.name)  # its loop does not do what it should

    def forget(self, keys: Iterable[str]) -> None:
        """Remove what is kept of tasks, and containers that nobody has a use for."""
        touched: dict[str, Lane] = {}
        with self._lock:
            for key in keys:
                self._queue.drop(key)
                self._known.pop(key, None)
                self._links.remove(key)
                if (place := self._places.pop(key, None)) is not None:
                    lane, number = place
                    lane.forget(number)
                    touched[lane.name] = lane
        for lane in touched.values():
            if not lane.is_ours and lane.is_empty():
                self._retire(lane)

    def tidy(self) -> None:
        """Remove what no loop uses any more."""
        self._retire_all()
        self._links.sweep(self._containers.alive)

    def close(self) -> None:
        """Let go: loops run what they have, and end."""
        with self._lock:
            self._closed = True
            timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join(_LEAVING)  # it may be removing containers just now
        with suppress(ExecutorUnavailable):
            self._retire_all()
        for lane in list(self._lanes.values()):
            lane.close()

    # Handing to loops

    def _feed(self, group: Group, lane: Lane) -> None:
        """Hand tasks to a loop; one that does not see what the next one needs gets no more."""
        while group.waiting and lane.is_ours and lane.space:
            task = group.waiting[0]
            if not warm.sees(self._mounts[lane.name], task):
                lane.close()
                return
            for path in (task.stdout, task.stderr):
                os.makedirs(os.path.dirname(path), exist_ok=True)
            self._links.note(task.key, lane.name, lane.last + 1)
            try:
                number = lane.hand(warm.script(task, group.image))
            except OSError:  # the disk is full: it is tried again
                self._links.remove(task.key)
                raise
            self._queue.handed(group)
            self._places[task.key] = (lane, number)

    def _ask(self, group: Group) -> None:
        name = warm.LANE + secrets.token_hex(8)
        group.asked = name
        self._room.join(for_room(name, group.waiting[0]))

    # What others have handed on, and what has ended

    def _adopt(self, task: Task) -> bool:
        """Take on a task that was handed to a loop by an earlier engine."""
        found = self._links.find(task.key)
        if found is None:
            return False
        name, number = found
        lane = self._lanes.get(name) or Lane(os.path.join(self._folder, name), ours=False)
        begun = lane.begun(number) is not None
        if not begun and not (lane.has(number) and self._containers.alive(name)):
            self._links.remove(task.key)
            lane.erase(number)
            return False
        if name not in self._lanes:
            self._lanes[name] = lane
            self._room.take(for_room(warm.LANE + name, task))
        lane.last = max(lane.last, number)
        self._places[task.key] = (lane, number)
        self._queue.note(task)
        self._suspect.add(name)
        return True

    def _look_after(self) -> None:
        """See what is left of containers to which something has happened."""
        with self._lock:
            suspects, self._suspect = self._suspect & self._lanes.keys(), set()
        try:
            for name in list(suspects):
                lane = self._lanes.get(name)
                if lane is not None and not self._containers.alive(name):
                    self._mourn(lane)
                suspects.discard(name)
        except ExecutorUnavailable:
            self.suspect(suspects)
            raise

    def _mourn(self, lane: Lane) -> None:
        """End the task that ran in a container that is gone; those to come run elsewhere.

        One that has begun none cannot: neither would the next, so each gets one of its own.
        """
        lane.close()
        is_barren = lane.is_barren()
        with self._lock:
            self._room.leave(warm.LANE + lane.name)
            among = self._queue.leave(lane)
            there = [(n, key) for key, (one, n) in self._places.items() if one is lane]
        for number, key in sorted(there, reverse=True):
            report = lane.report(key, number, f"{lane.name}:{number}")
            if report.state is TaskState.RUNNING:
                self._known[key] = self._containers.ending(lane.name, report)
            elif report.state is TaskState.QUEUED and lane.is_off(number):
                self._known[key] = Report(key, TaskState.CANCELLED)
            elif report.state is TaskState.QUEUED:
                self._again(key, lane, number, among)
        lane.done = lane.last
        with self._lock:
            parted = self._queue.parted(among) if is_barren else []
        self._containers.cold(parted)
        if lane.is_empty():
            self._retire(lane)

    def _again(self, key: str, lane: Lane, number: int, among: Hashable | None) -> None:
        """Have a task that has never begun run elsewhere."""
        with self._lock:
            if not self._queue.again(key, among):
                said = "its container ended before its turn came"
                self._known[key] = Report(key, TaskState.LOST, reason=said)
                return
            del self._places[key]
            self._links.remove(key)
            lane.erase(number)

    # Containers that nobody has a use for

    def _rest(self) -> None:
        """See to it that containers end which have had nothing to do for a while."""
        if self._timer is None and self._lanes and not self._closed:
            timer = threading.Timer(_IDLE, self._rested)
            timer.daemon = True
            with suppress(RuntimeError):  # the system has no thread: the next one who rests tries
                timer.start()
                self._timer = timer

    def _rested(self) -> None:
        with self._lock:
            idle = self._idle()
            resting = [one for one in idle if one.last == self._resting.get(one.name)]
            self._resting = {one.name: one.last for one in idle}
        try:
            with suppress(ExecutorUnavailable):
                for lane in resting:
                    self._retire(lane)
        finally:
            with self._lock:
                self._timer = None
                self._rest()

    def _idle(self) -> list[Lane]:
        return [
            lane
            for group in self._queue.groups()
            for lane in group.lanes
            if not (lane.catch_up() or (group.waiting and lane.is_ours))
        ]

    def _retire_all(self) -> None:
        with self._lock:
            idle = self._idle()
        for lane in idle:
            self._retire(lane)

    def _retire(self, lane: Lane) -> None:
        """Remove a container that has done all it was handed; what it has told stays."""
        with self._lock:
            if lane.catch_up():
                return  # it was handed something meanwhile
            lane.close()
            self._queue.leave(lane)
            self._queue.sweep()
        self._containers.remove(lane.name)
        self._room.leave(warm.LANE + lane.name)
        if lane.is_empty():
            self._lanes.pop(lane.name, None)
            lane.discard()
