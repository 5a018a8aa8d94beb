"""How far tools are, by what they write to stderr.

Owns the convention (a line ``progress 0.42 text``), reading it from the logs of tasks that keep to
it, and telling it now and then. Must not know jobs, nor what becomes of it.

One thread reads all of them, and is there only while there are such tasks. Logs are files that any
executor's tasks write, so it is the same for all.
"""

import os
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from localproc.model import Task
from localproc.shortages import started

_LINE: Final = re.compile(
    rb"^progress[ \t]+(\d+(?:\.\d*)?|\.\d+)(?:[ \t]+([^\r\n]*))?\r?$", re.MULTILINE
)
_MOST: Final = 1 << 16  #: bytes of a log that are read at a time, its last ones
_PAUSE: Final = 1.0  #: seconds between two looks
_PART: Final = 10  #: times what a look took: many logs on a slow disk are looked at less often
_STEP: Final = 0.01  #: of the whole, after which a task is told of again
_LATER: Final = 30.0  #: seconds after which it is whatever has changed
_LONGEST: Final = 200  #: characters of a text

#: Is told the key of a task, how much is done from 0 to 1, and the tool's text.
Tell = Callable[[str, float, str], None]


@dataclass(slots=True)
class _Log:
    """A log that is read; ``told`` is what was told last, and ``at`` when."""

    path: str
    place: int | None  #: ``None`` until it has been looked at: then that is its end
    told: tuple[float, str] = (-1.0, "")
    at: float = 0.0


class ToldProgress:
    """Follows the logs of tasks. All methods may be called by the loop: none waits."""

    def __init__(self, tell: Tell, pause: float = _PAUSE) -> None:
        self._tell = tell
        self._pause = pause
        self._logs: dict[str, _Log] = {}
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def follow(self, tasks: Iterable[Task], *, anew: bool) -> None:
        """Follow tasks that tell their progress; ``anew``: they begin just now.

        What an earlier attempt has left in the same log does not count then.
        """
        wanted = [task for task in tasks if task.progress]
        if not wanted:
            return
        with self._lock:
            for task in wanted:
                is_first = not anew or task.key.endswith(":1")
                self._logs[task.key] = _Log(task.stderr, 0 if is_first else None)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._live, name="localproc-progress", daemon=True
                )
                if not started(self._thread):  # the next task tries again
                    self._thread = None

    def forget(self, keys: Iterable[str]) -> None:
        """Let go of tasks."""
        if self._logs:
            with self._lock:
                for key in keys:
                    self._logs.pop(key, None)

    def forget_job(self, job_id: str) -> None:
        """Let go of all tasks of a job."""
        self.forget([key for key in self._logs if key.startswith(f"{job_id}:")])

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._changed.set()

    def _live(self) -> None:
        while not self._closed:
            began = monotonic()
            with self._lock:
                logs = list(self._logs.items())
                if not logs:
                    self._thread = None
                    return
            for key, log in logs:
                self._look(key, log)
            self._changed.wait(max(self._pause, _PART * (monotonic() - began)))

    def _look(self, key: str, log: _Log) -> None:
        try:
            with open(log.path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                start = size if log.place is None else max(log.place, size - _MOST)
                file.seek(start)
                data = file.read(_MOST)
        except OSError:  # it is not there yet, or not any more
            return
        whole = data[: data.rfind(b"\n") + 1]
        log.place = start + len(whole)
        found = last_told(whole)
        now = monotonic()
        if found is None or found == log.told:
            return
        if abs(found[0] - log.told[0]) >= _STEP or now - log.at >= _LATER:
            log.told, log.at = found, now
            self._tell(key, *found)


def last_told(data: bytes) -> tuple[float, str] | None:
    """Return what the last line says that keeps to the convention; ``None`` if there is none.

    What is more than 1 is 1.
    """
    lines = list(_LINE.finditer(data))
    if not lines:
        return None
    share, text = lines[-1][1], lines[-1][2] or b""
    shown = "".join(filter(str.isprintable, text.decode("utf-8", "replace")))
    return min(1.0, float(share)), shown.strip()[:_LONGEST]
