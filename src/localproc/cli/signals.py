"""What commands do when they are told to end.

Owns turning SIGTERM and SIGHUP into an exception, so that a command can clear up, or say how to go
on, as it does on Ctrl-C. Must not know any command.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)


class Terminated(SystemExit):
    """This process was told to end; its exit code is that of a program that the signal killed."""


@contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the process that is waited for: it has the same terminal."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # one that is ignored is inherited so
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def terminable() -> Iterator[None]:
    """Have SIGTERM and SIGHUP raise ``Terminated`` in the main thread, as Ctrl-C raises."""

    def end(number: int, _: object) -> None:
        raise Terminated(128 + number)

    before = {one: signal.getsignal(one) for one in _SIGNALS}
    for one, handler in before.items():
        if handler is not signal.SIG_IGN:  # nohup
            signal.signal(one, end)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
