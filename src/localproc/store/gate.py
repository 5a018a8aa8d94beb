"""Readers that let a fork pass.

Owns counting them, and keeping new ones out for a moment. Must not know what they read.
"""

import threading


class Gate:
    """Open to any number of readers (``with gate``), until somebody shuts it."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())
        self._inside = 0
        self._is_shut = False

    def __enter__(self) -> None:
        with self._changed:
            while self._is_shut:
                self._changed.wait()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._inside -= 1
            if self._is_shut:
                self._changed.notify_all()

    def shut(self, seconds: float) -> bool:
        """Keep readers out, and wait until none is inside; whether that came to be."""
        with self._changed:
            self._is_shut = True
            is_empty = self._changed.wait_for(lambda: not self._inside, seconds)
        if not is_empty:
            self.open()
        return is_empty

    def open(self) -> None:
        """Let readers in again."""
        with self._changed:
            self._is_shut = False
            self._changed.notify_all()
