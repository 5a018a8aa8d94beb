"""JavaScript of one engine, in a few processes of their own.

Owns how many processes there are, and who gets one. Must not know jobs or CWL.

Here a script can be stopped at any moment, whatever it does, and nothing that it does holds up this
process. Every script first gets a short time in a quick process; one that needs more begins anew in
a slow one, which gives way to everything else: scripts have no effects, so that changes nothing. So
those that never end cannot keep others from ending.

Nothing looks now and then whether a script is still wanted: whoever wants it no more says so
(``look_again``), and its process is killed in that moment.
"""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from localproc.cwl.expr.realm import ScriptFailed, run_script
from localproc.executors.script_process import ScriptProcess, TakesLong

_LOG: Final = logging.getLogger("localproc")
_QUICK: Final = 0.1  #: seconds of processor time
_RETRY: Final = 0.5  #: seconds until a process is tried again that could not be started
_WAY: Final = 19  #: the niceness of slow processes


class NoneFree(Exception):
    """No process is there that could run a script at once."""


class Unwanted(Exception):
    """Nobody wants to know any more what a script gives."""


@dataclass(slots=True, eq=False)
class _Asked:
    """A script that a thread waits for, and the process that has it, once one has."""

    unwanted: Callable[[], bool]
    process: ScriptProcess | None = None


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

        It ends when it is ``unwanted``, at the next ``look_again``. ``waiting`` is around what may
        take its time.
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

    def evaluate(self, source: str, arguments: tuple[str, str, str], time_limit: float) -> str:
        """Run a script for a caller's thread, as ``localproc.cwl.expr.javascript.Evaluator``.

        What an engine that is closed is asked is worked out here: it has no processes any more.
        """
        if self._closed:
            return run_script(source, arguments, time_limit)
        return self.run(source, arguments, time_limit, lambda: False, nullcontext)

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

    def look_again(self) -> None:
        """End the scripts that are not wanted any more: for some that has changed."""
        self._quick.look_again()
        self._slow.look_again()

    def close(self) -> None:
        """End all processes, and what they run."""
        self._closed = True
        self.look_again()
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
        self._asked: set[_Asked] = set()
        self._dying: list[ScriptProcess] = []  #: they were stopped, and are not gone yet
        self._changed = threading.Condition()

    def ask(
        self,
        source: str,
        arguments: tuple[str, str, str],
        limit: float,
        unwanted: Callable[[], bool],
    ) -> tuple[bool, str]:
        asked = _Asked(unwanted)
        with self._changed:
            self._asked.add(asked)
        try:
            process = self._take(asked)
            try:
                found = process.ask(source, arguments, limit)
            finally:
                self._give_back(process, asked)
        finally:
            with self._changed:
                self._asked.discard(asked)
        if unwanted():
            raise Unwanted
        return found

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
            self._give_back(process, None)

    def look_again(self) -> None:
        with self._changed:
            for one in self._asked:
                if one.process is not None and one.unwanted():
                    one.process.stop()
            self._changed.notify_all()  # others wait for a process

    def close(self) -> None:
        with self._changed:
            self._closed = True
            left = [*self._idle, *self._dying]
            self._idle, self._dying = [], []
        for process in left:
            process.end()

    def _take(self, asked: _Asked) -> ScriptProcess:
        """Return a process for a script, which it has from then on; raises ``Unwanted``."""
        with self._changed:
            while not self._idle and self._count >= self._most and not asked.unwanted():
                self._changed.wait()
            if asked.unwanted():
                raise Unwanted
            if self._idle:
                asked.process = self._idle.pop()
                return asked.process
            self._count += 1
        try:
            process = self._start(asked)
        except BaseException:
            self._lose()
            raise
        with self._changed:
            asked.process = process
            if asked.unwanted():  # since whoever said so has looked
                process.stop()
        return process

    def _start(self, asked: _Asked) -> ScriptProcess:
        """Start a process, when the system has room for one."""
        self._bury()
        told = False
        while not asked.unwanted():
            try:
                return ScriptProcess(self._nice)
            except OSError as error:
                if not told:
                    _LOG.warning("JavaScript waits: no process can be started: %s", error)
                told = True
            with self._changed:
                if not asked.unwanted():
                    self._changed.wait(_RETRY)
        raise Unwanted

    def _bury(self) -> None:
        """Let go of those that were stopped and are gone."""
        with self._changed:
            gone = [one for one in self._dying if one.is_gone]
            self._dying = [one for one in self._dying if one not in gone]
        for process in gone:
            process.end()

    def _give_back(self, process: ScriptProcess, asked: _Asked | None) -> None:
        with self._changed:
            if asked is not None:
                asked.process = None
            if process.lives and not (process.stopped or self._closed):
                # Those that still have something to do are the last to be taken.
                self._idle.insert(0 if process.owes else len(self._idle), process)
                self._changed.notify_all()  # one that is woken may not want it any more
                return
            dies = process.stopped and not self._closed
            if dies:
                self._dying.append(process)
        if not dies:
            process.end()
        self._lose()

    def _lose(self) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()
