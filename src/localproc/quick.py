"""One call for one job.

Owns ``localproc.run`` and the engines it keeps open, one for each home, until the process ends.
Must not know more than the engine.
"""

import atexit
import os
import threading
from typing import Final, Unpack

from localproc.api import Engine
from localproc.engine.handles import Job
from localproc.engine.home.cwd import absolute_home
from localproc.engine.options import ExecuteOptions, Inputs
from localproc.spelling import spelled

_ENGINES: Final[dict[str, Engine]] = {}
_LOCK: Final = threading.RLock()


@spelled
def run(
    package: object,
    inputs: Inputs = None,
    *,
    home: str | os.PathLike[str] = ".localproc",
    **options: Unpack[ExecuteOptions],
) -> Job:
    """Run a package and return its job when it has ended well.

    ::

        job = localproc.run("ndvi.cwl", {"red": "b04.tif", "nir": "b08.tif"})
        print(job.results())

    ``package`` is what ``Engine.deploy`` takes, ``inputs`` and ``options`` are those of
    ``Engine.execute``; ``home`` is the folder that keeps jobs, logs and results. An engine for it
    stays open until the process ends.

    Raises ``JobFailed`` with the step, its exit code, the end of its stderr and what to do,
    ``JobDismissed``, and what ``Engine.deploy`` and ``Engine.execute`` raise.
    """
    return _engine(absolute_home(home)).run(package, inputs, **options).raise_for_status()


def _engine(home: str) -> Engine:
    with _LOCK:
        if home not in _ENGINES:
            _ENGINES[home] = Engine(home)
            atexit.register(_ENGINES[home].close)
        return _ENGINES[home]


def _in_child() -> None:
    """A forked child opens engines of its own: these have no threads there."""
    _ENGINES.clear()
    _LOCK.release()


os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_in_child)
