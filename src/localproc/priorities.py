"""How much of this machine, and of the interpreter, threads and processes of ours leave to others.

Owns what that takes on each system. Must not know what they do.
"""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep
from typing import Final

_PERIOD: Final = 0.002  #: seconds that a thread works before it lets others do so
_PAUSE: Final = 0.00005


def lower_thread(to: int) -> None:
    """Have the calling thread give way to everything else, where it can by itself (Linux).

    ``to`` is its niceness, which what it starts inherits.
    """
    if sys.platform == "linux":
        _lower(threading.get_native_id(), to)


def considerate(go_on: Callable[[], object]) -> Callable[[], None]:
    """Return a function that calls another, and now and then lets other threads work.

    It is for what calls it again and again. A thread that asks the system for one thing after the
    other lets go of the interpreter each time, and takes it back before whoever waits for it is
    awake: so others could wait for as long as the work takes.
    """
    began = monotonic()

    def call() -> None:
        nonlocal began
        go_on()
        if monotonic() - began > _PERIOD:
            sleep(_PAUSE)
            began = monotonic()

    return call


def lower_session(pid: int, to: int) -> None:
    """Have a process that leads a session of its own give way to everything else.

    ``to`` is its niceness. Linux may share the processors among sessions first
    (``sched_autogroup_enabled``), and looks at niceness only within each: so the session gives way
    as well.
    """
    _lower(pid, to)
    with suppress(OSError), open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as file:
        file.write(str(to))


def _lower(who: int, to: int) -> None:
    with suppress(OSError):  # it has ended, or a sandbox forbids it
        if os.getpriority(os.PRIO_PROCESS, who) < to:
            os.setpriority(os.PRIO_PROCESS, who, to)
