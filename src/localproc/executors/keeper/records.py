"""What the keeper writes down and tells its engine.

Owns the journal, and keeping back what can be told together. Must not know what the lines mean.
"""

import contextlib
import os
import time

from .logs import APPEND

_HELD = 0.005  # seconds for which ends may be kept back, to be told together


class Records:
    """Lines for the journal and for the engine, in the order of what happened."""

    def __init__(self, folder: str) -> None:
        self.journal = os.open(os.path.join(folder, "journal"), APPEND, 0o600)
        self.lines: list[str] = []
        self.unwritten = b""
        self.news: list[str] = []
        self.tell_by = 0.0

    def write_at_once(self, line: str) -> None:
        """Write a line, or raise ``OSError``."""
        os.write(self.journal, f"{line}\n".encode())

    def write_down(self) -> None:
        """Write what happened into the journal. A full disk only delays that."""
        if self.lines:
            self.unwritten += ("\n".join(self.lines) + "\n").encode()
            self.lines.clear()
        if self.unwritten:
            with contextlib.suppress(OSError):
                self.unwritten = self.unwritten[os.write(self.journal, self.unwritten) :]

    def tell_soon(self, line: str) -> None:
        """Have the engine told, a little later if there is enough to do without it."""
        if not self.news:
            self.tell_by = time.monotonic() + _HELD
        self.news.append(line)

    def tell_now(self, line: str) -> None:
        """Have the engine told as soon as what happened is written down."""
        self.news.append(line)
        self.tell_by = 0.0

    def tell(self) -> None:
        """Tell the engine. Raises ``OSError`` if it has gone."""
        data = ("\n".join(self.news) + "\n").encode()
        self.news.clear()
        while data:
            data = data[os.write(1, data) :]
