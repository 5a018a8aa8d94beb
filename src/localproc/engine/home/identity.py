"""Whether a home is the one that it was, was moved, or is a copy of another one.

Owns what is noted of a home's place in its store, and what a copy leaves alone: the jobs that the
original runs. Must not know how jobs are run.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from localproc.engine.home.home import Home
from localproc.file_systems import on_network
from localproc.frozen import frozen
from localproc.plugins.store import Store

_LOG: Final = logging.getLogger("localproc")
_MACHINE_ID: Final = "/etc/machine-id"


@frozen
class HomePlace:
    """Where a home is: its path, the device and number of its store's file, the machine."""

    path: str
    device: int
    file: int
    machine: str

    @classmethod
    def of(cls, home: Home) -> "HomePlace":
        """Return where a home is now."""
        found = os.stat(home.store)
        return cls(os.path.realpath(home.path), found.st_dev, found.st_ino, _machine())

    def is_same(self, now: "HomePlace") -> bool:
        """Whether it is one place, by another name or after devices were numbered anew.

        Machines that share a network file system may each have it under a path of their own.
        """
        if self.file != now.file:
            return False
        return self.device == now.device or self.path == now.path or on_network(now.path)

    def was_left(self, now: "HomePlace") -> bool:
        """Whether nothing is where the home was, or it was restored just there."""
        if self.machine != now.machine:
            return False
        return self.path == now.path or not os.path.exists(Home(self.path).store)


def settle(home: Home, store: Store) -> None:
    """Note where a home is; if it is a copy, put the open jobs of the original aside."""
    now = HomePlace.of(home)
    written = json.dumps(asdict(now))
    if store.identity() == written:
        return
    with _alone(home):
        known = store.identity()
        was = _place(known)
        if was is None or was.is_same(now) or was.was_left(now):
            store.become(written)
            return
        for folder in (home.engines, home.executor("local"), os.path.join(home.path, "tmp")):
            shutil.rmtree(folder, ignore_errors=True)  # they name what runs for the original
        os.makedirs(home.engines)
        reason = f"this home is a copy of {was.path}, where the job belongs"
        _LOG.warning("%s is a copy of %s: jobs of that one are left to it", home.path, was.path)
        store.become(written, aside=reason)


def _place(written: str) -> HomePlace | None:
    try:
        return HomePlace(**json.loads(written))
    except (TypeError, ValueError):
        return None


def _machine() -> str:
    number = ""
    with contextlib.suppress(OSError), open(_MACHINE_ID, encoding="ascii") as file:
        number = file.read().strip()
    return f"{socket.gethostname()} {number}".strip()


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    """See that no other engine settles at the same time."""
    folder = os.open(home.path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a network file system may have no locks for folders
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
