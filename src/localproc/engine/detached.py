"""A process in the background that runs what nobody runs.

Owns that there is at most one of these for each home, and that one counts as on its way from the
moment somebody decides to start it. Must not know who started it.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from localproc.engine.engine import LocalEngine, namespace_of
from localproc.engine.home.home import Home

_PAUSE: Final = 0.2


@contextmanager
def announced(home: str) -> Iterator[int]:
    """Yield a descriptor that tells whoever looks that one is on its way, while anybody has it.

    It is to be handed to the process that is started, which gives it to ``serve_detached``.
    """
    arrival = os.open(Home(home).arrivals, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(arrival, fcntl.LOCK_SH)  # several may be on their way
        yield arrival
    finally:
        os.close(arrival)


def serve_detached(home: str, settings: Mapping[str, Any], arrival: int) -> None:
    """Run the home's jobs until there are none; return at once if another such process does."""
    os.set_inheritable(arrival, False)
    with os.fdopen(arrival) as coming, LocalEngine(home, **{**settings, "adopt": True}) as engine:
        path = os.path.join(engine.home, "runner.lock")
        with open(path, "w", encoding="utf-8") as lock:
            while namespace_of(engine).has_open_jobs():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                engine.resume()
                coming.close()
                while namespace_of(engine).has_open_jobs():
                    time.sleep(_PAUSE)
                fcntl.flock(lock, fcntl.LOCK_UN)  # then look once more: one may just have come
