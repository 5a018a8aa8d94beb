"""The program of a process that runs JavaScript and nothing else.

Owns taking scripts from its stdin and giving what they gave to its stdout. Must not know CWL, nor
who asks.

It can be killed at any moment, and ends by itself when nobody is there to ask: also in the middle
of a script, as running one lets other threads go on.
"""

import marshal
import os
import select
import signal
import sys
import threading
from contextlib import suppress
from typing import Final

from localproc.cwl.expr.realm import ScriptFailed, run_script

HEAD: Final = 8  #: bytes that tell the length of an answer
_SLACK: Final = 1.25  #: what a script may take before the system ends this process


def main() -> None:
    """Answer until there is nobody any more."""
    with suppress(RuntimeError):  # no more threads: it ends after its script, which has a limit
        threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    while True:
        try:
            source, arguments, limit = marshal.load(sys.stdin.buffer)  # noqa: S302 - the engine's
        except EOFError:
            return
        # Not all of QuickJS looks at its own limit: a number of a million digits does not.
        signal.setitimer(signal.ITIMER_PROF, limit * _SLACK)
        try:
            answer = (True, run_script(source, arguments, limit))
        except ScriptFailed as error:
            answer = (False, str(error))
        except RecursionError:
            answer = (False, "RangeError: the result is nested too deep")
        signal.setitimer(signal.ITIMER_PROF, 0)
        _say(marshal.dumps(answer))


def _say(data: bytes) -> None:
    sys.stdout.buffer.write(len(data).to_bytes(HEAD, "big") + data)
    sys.stdout.buffer.flush()


def _end_with_parent() -> None:
    """See whether the other end of stdin is closed, without reading from it."""
    poll = select.poll()
    poll.register(0, 0)
    poll.poll()
    os._exit(0)
