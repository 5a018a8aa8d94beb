"""JavaScript of the jobs of one engine, in a few processes of their own.

Owns how many processes there are, and who gets one. Must not know jobs or CWL.

Here a script can be stopped at any moment, whatever it does, and nothing that it does holds up this
process. Every script first gets a short time in a quick process; one that needs more begins anew in
a slow one, which gives way to everything else: scripts have no effects, so that changes nothing. So
those that never end cannot keep others from ending.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from localproc.cwl.expr.realm import ScriptFailed
from localproc.executors.script_process import ScriptProcess, TakesLong, Unwanted

_LOG: Final = logging.getLogger("localproc")
_QUICK: Final = 0.1  #: seconds of processor time
_LOOK: Final = 0.04  #: seconds between looks at whether a script is still wanted
_RETRY: Final = 0.5
_WAY: Final = 19  #: the niceness of slow processes


class NoneFree(Exception):
    """No process is there that could run a script at once."""


class Scripts:
    """The processes of one engine; they are started when they are needed."""

    def __init__(self) -> None:
        self._quick = _Processes(max(2, os.cpu_count() or 2), 0)
        self._slow = _Processes(2, _WAY)
        self._closed = False

    def run(
        self,
        source: str,
        arguments: tuple[str, str, str],
        time_limit: float,
        unwanted: Callable[[], bool],
        waiting: Callable[[], AbstractContextManager[None]],
    ) -> str:
        """Run a script as ``localproc.cwl.expr.realm.run_script`` does; raises ``ScriptFailed``.

        It ends at once when ``unwanted``. ``waiting`` is around what may take its time.
        """

        def over() -> bool:
            return self._closed or unwanted()

        try:
            good, text = self._quick.ask(source, arguments, min(_QUICK, time_limit), over)
            if not good and "interrupted" in text and time_limit > _QUICK:
                with waiting():
                    good, text = self._slow.ask(source, arguments, time_limit, over)
        except Unwanted:
            raise ScriptFailed("it was stopped") from None
        if not good:
            raise ScriptFailed(text)
        return text

    def run_briefly(self, source: str, arguments: tuple[str, str, str], seconds: float) -> str:
        """Run a script in a process that is there, and wait so long at most for its value.

        Raises ``ScriptFailed``, ``TakesLong``, or ``NoneFree``. It may be run again then: scripts
        have no effects.
        """
        good, text = self._quick.ask_briefly(source, arguments, _QUICK, seconds)
        if not good and "interrupted" in text:
            raise TakesLong
        if not good:
            raise ScriptFailed(text)
        return text

    def close(self) -> None:
        """End all processes, and what they run."""
        self._closed = True
        self._quick.close()
        self._slow.close()


class _Processes:
    """Processes of one kind: ``most`` of them, each used by one thread at a time."""

    def __init__(self, most: int, nice: int) -> None:
        self._nice = nice
        self._most = most
        self._count = 0
        self._closed = False
        self._idle: list[ScriptProcess] = []
        self._changed = threading.Condition()

    def ask(
        self,
        source: str,
        arguments: tuple[str, str, str],
        limit: float,
        unwanted: Callable[[], bool],
    ) -> tuple[bool, str]:
        process = self._take(unwanted)
        try:
            return process.ask(source, arguments, limit, unwanted)
        finally:
            self._give_back(process)

    def ask_briefly(
        self, source: str, arguments: tuple[str, str, str], limit: float, seconds: float
    ) -> tuple[bool, str]:
        with self._changed:
            if not self._idle or self._idle[-1].owes:
                raise NoneFree
            process = self._idle.pop()
        try:
            return process.ask_briefly(source, arguments, limit, seconds)
        finally:
            self._give_back(process)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def _take(self, unwanted: Callable[[], bool]) -> ScriptProcess:
        with self._changed:
            while not self._idle and self._count >= self._most:
                self._changed.wait(_LOOK)
                if unwanted():
                    raise Unwanted
            if self._idle:
                return self._idle.pop()
            self._count += 1
        try:
            return self._start(unwanted)
        except BaseException:
            self._lose()
            raise

    def _start(self, unwanted: Callable[[], bool]) -> ScriptProcess:
        """Start a process, when the system has room for one."""
        told = False
        while not unwanted():
            try:
                return ScriptProcess(self._nice)
            except OSError as error:
                if not told:
                    _LOG.warning("JavaScript waits: no process can be started: %s", error)
                told = True
                threading.Event().wait(_RETRY)
        raise Unwanted

    def _give_back(self, process: ScriptProcess) -> None:
        with self._changed:
            if process.lives and not self._closed:
                # Those that still have something to do are the last to be taken.
                self._idle.insert(0 if process.owes else len(self._idle), process)
                self._changed.notify()
                return
        process.end()
        self._lose()

    def _lose(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify()
