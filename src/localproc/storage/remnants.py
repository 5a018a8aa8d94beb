"""Results that are to be removed, and are not yet: remembered until they are.

Owns a file for each job that has any, in a folder of the home, and when it goes. Must not know how
results are removed, nor who does so.
"""

import json
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Final

from localproc.frozen import frozen

_LOG: Final = logging.getLogger("localproc")


def _nothing() -> None:
    """Do nothing."""


@frozen
class Remnant:
    """What lies below ``root``, the URI of a job's own folder of results."""

    job_id: str
    namespace: str
    root: str


class Undoing:
    """One job's results on their way back.

    ``remember`` is called when that begins, ``forget`` when nothing more can come: whoever has
    entered has left, the removal itself and transfers under way that end after it. Who cannot
    remove what is theirs does not leave, and calls ``left``.
    """

    def __init__(
        self,
        remember: Callable[[], None] = _nothing,
        forget: Callable[[], None] = _nothing,
        left: Callable[[], None] = _nothing,
    ) -> None:
        self._remember = remember
        self._forget = forget
        self.left = left
        self._lock = threading.Lock()
        self._inside = 0
        self.begun = False

    def begin(self) -> None:
        """Enter, as all has to go."""
        with self._lock:
            self.begun = True
            self._inside += 1
            self._remember()

    def enter(self) -> None:
        """Begin something that has to be removed if all has to go meanwhile."""
        with self._lock:
            self._inside += 1

    def leave(self) -> None:
        """Note that nothing more will come of it."""
        with self._lock:
            self._inside -= 1
            if self.begun and not self._inside:
                self._forget()


class Remnants:
    """All of a home. ``left`` is called when something of a job could not be removed at once."""

    def __init__(self, folder: str, left: Callable[[], None] = _nothing) -> None:
        self._folder = folder
        self._left = left

    def all(self) -> list[Remnant]:
        """Return what there is."""
        found = []
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(self._folder)):
                # Another engine may have removed it, a power cut have left it empty.
                with suppress(FileNotFoundError, ValueError):
                    found.append(self._read(name))
        return found

    def undoing(self, one: Remnant) -> Undoing:
        """Return what takes a job's results back."""
        return Undoing(partial(self.remember, one), partial(self.forget, one.job_id), self._left)

    def remember(self, one: Remnant) -> None:
        """Note one; where that cannot be done there is a warning alone."""
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(self._path(one.job_id), "w", encoding="utf-8") as file:
                json.dump(asdict(one), file)
        except OSError as error:
            _LOG.warning("job %s: it is not noted that its results go: %s", one.job_id, error)

    def leave(self, one: Remnant) -> None:
        """Note one that nobody removes now."""
        self.remember(one)
        self._left()

    def forget(self, job_id: str) -> None:
        """Note that a job has none."""
        with suppress(FileNotFoundError):
            os.remove(self._path(job_id))

    def _read(self, job_id: str) -> Remnant:
        with open(self._path(job_id), encoding="utf-8") as file:
            return Remnant(**json.load(file))

    def _path(self, job_id: str) -> str:
        return os.path.join(self._folder, job_id)
