"""A process in the background that runs what nobody runs.

Owns that there is at most one of these for each home. Must not know who started it.
"""

import fcntl
import os
import time
from collections.abc import Mapping
from typing import Any, Final

from localproc.engine.engine import LocalEngine, namespace_of

_PAUSE: Final = 0.2


def serve_detached(home: str, settings: Mapping[str, Any]) -> None:
    """Run the home's jobs until there are none; return at once if another such process does."""
    with LocalEngine(home, **{**settings, "adopt": True}) as engine:
        path = os.path.join(engine.home, "runner.lock")
        with open(path, "w", encoding="utf-8") as lock:
            while namespace_of(engine).has_open_jobs():
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                engine.resume()
                while namespace_of(engine).has_open_jobs():
                    time.sleep(_PAUSE)
                fcntl.flock(lock, fcntl.LOCK_UN)  # then look once more: one may just have come
