"""What a forked child must not go on with.

Owns telling everything that belongs to this process when it finds itself in a child. Must not know
what that is, nor keep it alive.
"""

import os
import weakref
from typing import Final, Protocol


class Inherited(Protocol):
    """What has files or threads that stay with the process that made them."""

    def left_behind(self) -> None:
        """In a forked child: let go of what is the parent's, without a trace for the parent."""


_WATCHED: Final["weakref.WeakSet[Inherited]"] = weakref.WeakSet()


def watch(one: Inherited) -> None:
    """Have something told when it finds itself in a child."""
    _WATCHED.add(one)


def forget(one: Inherited) -> None:
    """Have it told no more: it has let go by itself."""
    _WATCHED.discard(one)


def close(*files: int) -> None:
    """Close descriptors; the parent's own, and the locks that they hold, stay as they are."""
    for file in files:
        try:
            os.close(file)
        except OSError:
            continue


def _in_child() -> None:
    inherited = list(_WATCHED)
    _WATCHED.clear()
    for one in inherited:
        one.left_behind()


os.register_at_fork(after_in_child=_in_child)
