"""Signs of life of bundles.

Owns for how long the runner of a bundle has given none, by the clock of this machine alone: that of
a node or of its disk may be hours off. Must not know what follows from it.
"""

from time import monotonic
from typing import Final

from localproc.executors.batch.handed import Handed
from localproc.executors.batch.spool import Spool
from localproc.frozen import frozen

#: Seconds of silence that mean something: the runner gives a sign every five.
SILENT: Final = 20.0
_LOOK: Final = 2.5  #: seconds between two looks at one bundle


@frozen
class _Sign:
    stamp: int | None
    since: float
    next_look: float


class Pulse:
    """Looks for signs of life, at most once in some seconds for each bundle."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._signs: dict[str, _Sign] = {}

    def silence(self, handed: Handed) -> float:
        """Return for how many seconds there was no new sign; 0 for what gives none at all.

        What cannot be looked at may live: a disk that is away here says nothing of the node.
        """
        now, last = monotonic(), self._signs.get(handed.name)
        if last is None or now >= last.next_look:
            stamp = self._spool.sign_of_life(handed)
            is_new = last is None or stamp is None or stamp != last.stamp
            since = now if last is None or is_new else last.since
            last = self._signs[handed.name] = _Sign(stamp, since, now + _LOOK)
        return now - last.since

    def forget(self, handed: Handed) -> None:
        """Let go of a bundle."""
        self._signs.pop(handed.name, None)
