"""What jobs that have ended have worked with, until it is removed.

Owns when that is done: when nothing else is to be done, but before long. Must not know how folders
are removed.

A job often follows the end of another at once. Whoever removed folders just then would ask for the
interpreter, and the disk, at every file, while the next job waits for both.
"""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

from localproc.engine.loop.job_context import JobContext

_MOMENT: Final = 0.02  #: seconds without any news after which there is time for it
_LONGEST: Final = 0.25  #: seconds after which it is done in any case: the room may be needed


class Removal:
    """Has the folders of jobs removed by ``remove``, for all together that have ended since.

    It is for one thread.
    """

    def __init__(
        self, remove: Callable[[Sequence[JobContext]], None], clock: Callable[[], float] = monotonic
    ) -> None:
        self._remove = remove
        self._clock = clock
        self._ended: list[JobContext] = []
        self._latest = 0.0  #: when the first of them has to be done with

    def add(self, job: JobContext) -> None:
        """Take note of a job that has ended."""
        if not self._ended:
            self._latest = self._clock() + _LONGEST
        self._ended.append(job)

    def patience(self, most: float) -> float:
        """Return how long to wait for news until there is time."""
        return min(most, _MOMENT) if self._ended else most

    def see(self, *, at_ease: bool) -> None:
        """Begin, if nothing else is to be done or it is high time."""
        if self._ended and (at_ease or self._clock() >= self._latest):
            self.begin()

    def begin(self) -> None:
        """Begin now."""
        ended, self._ended = self._ended, []
        if ended:
            self._remove(ended)
