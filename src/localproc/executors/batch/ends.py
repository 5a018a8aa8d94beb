"""The exit records that have been read.

Owns which batches are looked at. Must not know what a record means.
"""

from collections.abc import Collection, Iterable

from localproc.executors.batch.handed import Handed
from localproc.executors.batch.records import Record
from localproc.executors.batch.spool import Spool


class Ends:
    """The records of tasks by their handles."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._live: dict[str, Handed] = {}
        self._records: dict[str, Record] = {}

    def look_at(self, batches: Iterable[Handed]) -> None:
        """Note whose tasks are under way."""
        self._live.update((one.name, one) for one in batches)

    @property
    def live(self) -> Collection[Handed]:
        """The batches whose tasks are under way."""
        return self._live.values()

    def read(self) -> Collection[str]:
        """Read what is new; return whose ends that are."""
        with self._spool.lock:
            new = dict(self._spool.ends(list(self._live.values()), self._records))
            self._records.update(new)
            at = (self._spool.get(handle) for handle in new)
            return [one[0].keys[one[1]] for one in at if one is not None]

    def get(self, handed: Handed, number: int) -> Record | None:
        """Return the record of a task, if it has left one."""
        return self._records.get(handed.handle(number))

    def forget(self, handed: Handed, number: int) -> None:
        """Let go of a record, and of its batch once no task of it is asked for any more."""
        self._records.pop(handed.handle(number), None)
        if not handed.left:
            self._live.pop(handed.name, None)
