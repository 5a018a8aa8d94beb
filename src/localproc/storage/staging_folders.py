"""Folders of inputs that are there when they are complete.

Owns making them aside and renaming them, so that a failure leaves nothing behind. Must not know
what goes into them.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from localproc.storage.disk import telling


class StagingFolders:
    """Folders below ``top``. What has been begun and not ended is removed by ``unfinished``.

    ``go_on`` raises once nobody waits for them any more, ``log`` is told of those that are ended.
    """

    def __init__(
        self,
        top: str,
        go_on: Callable[[], None],
        log: Callable[[str], None],
        unfinished: ExitStack,
    ) -> None:
        self.top = top
        self._go_on = go_on
        self._log = log
        self._unfinished = unfinished
        self._ends: list[Callable[[], None]] = []

    def begin(self, folder: str) -> str:
        """Make a temporary folder, which is removed unless it is ended."""
        self._go_on()
        temporary = f"{folder}.{secrets.token_hex(4)}.part"
        self._unfinished.callback(shutil.rmtree, temporary, ignore_errors=True)
        with telling(folder):
            os.makedirs(temporary)
        return temporary

    def end(self, folder: str, temporary: str, told: str) -> None:
        """Have a temporary folder become the folder when all has come, and tell of it."""

        def end() -> None:
            with telling(folder):
                os.replace(temporary, folder)
            self._log(told)

        self._ends.append(end)

    def end_all(self) -> None:
        """All has come."""
        for end in self._ends:
            end()

    @contextmanager
    def making(self, folder: str) -> Iterator[str]:
        """Give a temporary folder, which becomes the folder if all goes well."""
        temporary = self.begin(folder)
        with telling(folder):
            yield temporary
            self._go_on()
            os.replace(temporary, folder)

    def shown(self, target: str) -> str:
        """Return a path as the log has it."""
        return os.path.relpath(target, os.path.dirname(self.top))
