"""The tasks of engines that have gone.

Owns finding them in the journals of their keepers, and following those that run. Must not know what
is done about the others.
"""

import os
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any, Final

from localproc.executors.journals import Journal, journals
from localproc.frozen import frozen
from localproc.model import Task

_FENCING: Final = 2.0  #: seconds for a keeper to finish what it starts, if it is not stopped
_DAMAGED: Final = "it has gone, and the record of its end is damaged"


@frozen
class KnownTask:
    """What is known of a task: the last line of it in a journal, if any.

    ``lives``: its keeper does, so that there will be another line. ``doubtful``: a task without a
    line may have been started in the moment in which a keeper died, or was stopped.
    """

    key: str
    entry: Mapping[str, Any] | None
    lives: bool = False
    doubtful: bool = False
    reason: str = ""


class Inheritance:
    """Tasks that are sought in the journals of a folder but its own, or followed there."""

    def __init__(self, folder: str, own: str) -> None:
        self._folder = folder
        self._own = own
        self._journals: dict[str, Journal] = {}
        self._sought: dict[str, Task] = {}
        self._followed: dict[str, Journal] = {}
        self._fenced_by = 0.0
        self._gone: set[str] = set()  #: followed ones whose process was not there at the last look

    def __bool__(self) -> bool:
        return bool(self._sought or self._followed)

    def seek(self, task: Task) -> None:
        """Have a task looked for."""
        if not self._sought:
            self._fenced_by = monotonic() + _FENCING
        self._sought[task.key] = task

    def has(self, key: str) -> bool:
        """Whether a task is sought or followed."""
        return key in self._sought or key in self._followed

    def drop(self, key: str) -> None:
        """Follow a task no more; one that is sought is to be stopped where it may run."""
        self._sought.pop(key, None)
        self._followed.pop(key, None)
        self._gone.discard(key)

    def news(self) -> Iterator[KnownTask]:
        """Return what is new of the tasks; of each that was sought, what is known at all."""
        news = [*self._look()]
        if self._sought:
            news += self._found()
        return iter(news)

    def _look(self) -> Iterator[KnownTask]:
        """See how those that are followed go on."""
        for journal in {id(one): one for one in self._followed.values()}.values():
            lives = journal.keeper_lives()  # first: what ends meanwhile has a line
            journal.read()
            for key in [key for key, one in self._followed.items() if one is journal]:
                entry = journal.entries[key]
                if entry["state"] == "ended" or not lives:
                    yield KnownTask(key, entry)
                elif journal.damaged and self._has_gone(key, entry.get("pid")):
                    yield KnownTask(key, entry, reason=_DAMAGED)

    def _has_gone(self, key: str, pid: int | None) -> bool:
        """Whether a process was not there now and at the last look, before the journal was read."""
        if pid is None:
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            if key in self._gone:
                return True
            self._gone.add(key)
        except PermissionError:
            return False
        return False

    def _found(self) -> list[KnownTask]:
        """Look for tasks; nothing is said before it is certain that no keeper starts them now."""
        for journal in journals(self._folder):
            if journal.folder != self._own and journal.has_begun():
                self._journals.setdefault(journal.folder, journal)
        orphans = [one for one in self._journals.values() if not one.engine_lives()]
        living = {one.folder for one in orphans if one.keeper_lives()}
        busy = [one for one in orphans if one.folder in living and not one.fence()]
        if busy and monotonic() < self._fenced_by:
            return []
        for journal in orphans:
            journal.read()
        doubtful = bool(busy) or len(living) < len(orphans)
        found = [self._known(key, orphans, living, doubtful) for key in self._sought]
        self._sought.clear()
        return found

    def _known(
        self, key: str, orphans: list[Journal], living: set[str], doubtful: bool
    ) -> KnownTask:
        with_it = [one for one in orphans if key in one.entries]
        with_it.sort(key=lambda one: one.entries[key]["state"] != "ended")
        if not with_it:
            return KnownTask(key, None, doubtful=doubtful)
        journal = with_it[0]
        entry = journal.entries[key]
        lives = journal.folder in living
        if lives and entry["state"] != "ended":
            self._followed[key] = journal
        return KnownTask(key, entry, lives=lives)
