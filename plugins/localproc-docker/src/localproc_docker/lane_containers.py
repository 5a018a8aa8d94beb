"""What warm containers need of a daemon.

Owns the protocol. Must not know which tasks they run.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from localproc.model import Report, Task
from localproc.plugins.containers import Image


class LaneContainers(Protocol):
    """What a daemon does for warm containers, by the names of their folders."""

    def open(self, folder: str, tasks: Sequence[Task], image: Image) -> Sequence[dict[str, Any]]:
        """Make and start one; return its mounts."""

    def alive(self, name: str) -> bool:
        """Return whether it runs."""

    def ending(self, name: str, report: Report) -> Report:
        """Return how a task has ended that was running when its container ended."""

    def signal(self, name: str, signal: str) -> None:
        """Send its loop a signal."""

    def remove(self, name: str) -> None:
        """Remove it."""

    def cold(self, tasks: Sequence[Task]) -> None:
        """Give tasks containers of their own: there can be no other."""
