"""Taking results back.

Owns that the catalog, which leads readers to all else, goes first, and that nobody waits long for a
storage that does not answer. Must not know how results are published.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable
from typing import Final

from localproc.plugins.storage import Storage
from localproc.shortages import started
from localproc.storage import transfer_retries
from localproc.storage.remnants import Undoing
from localproc.storage.stac import CATALOG
from localproc.uris import is_below, uri_path

_LOG: Final = logging.getLogger("localproc")
_WAIT: Final = 1.0  #: seconds that whoever dismisses a job waits for its results to be removed

_Log = Callable[[str], None]


def withdraw(storage: Callable[[], Storage], root: str, log: _Log, undoing: Undoing) -> None:
    """Remove all that lies below a job's own folder of results, and the folder.

    An engine that was killed while it published has left it; what it was going to write is not
    known any more. ``storage`` opens it.
    """
    undoing.begin()
    bounded(lambda: remove_results(storage(), root), log, undoing, hurry=True)


def remove_results(storage: Storage, root: str) -> None:
    """Remove all that lies below a job's own folder of results, and the folder; raises errors."""
    storage.delete([f"{root}/{CATALOG}"])
    found = [info.uri for info in storage.list(f"{root}/")]
    storage.delete(found)
    storage.sweep(f"{root}/")
    if root.startswith("file:"):
        folders = [folder for folder, _, _ in os.walk(uri_path(root))]
        remove_empty(folders, os.path.dirname(uri_path(root)))


def bounded(remove: Callable[[], None], log: _Log, undoing: Undoing, *, hurry: bool) -> None:
    """Remove something, trying again what fails for a moment; ``hurry``: do not wait for the end.

    ``undoing`` has begun, and is left with it. What cannot be removed is told: the reason for
    taking it back must not be lost over it.
    """
    told = log

    def run() -> None:
        try:
            transfer_retries.retrying(
                remove, transfer_retries.READING, lambda: False, lambda line: told(line)
            )
            undoing.leave()
        except Exception as error:
            told(f"not all that was written could be removed: {error}")
            undoing.left()

    thread = threading.Thread(target=run, name="localproc-withdraw", daemon=True)
    if not started(thread):
        run()
        return
    thread.join(_WAIT if hurry else None)
    if thread.is_alive():
        log("what was written is still being removed: its storage does not answer")
        told = _LOG.info  # the step's log ends here


def remove_empty(folders: Iterable[str], top: str) -> None:
    """Remove folders, and those above them, as long as they are empty and below ``top``."""
    for folder in sorted(folders, reverse=True):
        _remove_upwards(folder, top)


def _remove_upwards(folder: str, top: str) -> None:
    try:
        while folder != top and is_below(folder, top):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    except OSError:
        return
