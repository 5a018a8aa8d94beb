"""Requests that are under way at the same time, each with a part of an object in memory.

Owns how many there are, for all transfers of a storage together. Must not know what they are for.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Final

from localproc_s3.connection import Connection

PART: Final = 8 << 20  #: bytes; each request costs some, whatever it carries
_LOOK: Final = 0.05  #: seconds between two looks at whether anybody still waits


class Window:
    """Begins requests while there is room for them.

    ``slots``: so many of them. ``settled``: whoever ends it early has to know that none of them is
    under way any more.
    """

    def __init__(self, connection: Connection, slots: int, *, settled: bool) -> None:
        self._connection = connection
        self._settled = settled
        self._room = threading.Semaphore(slots)

    def through(
        self, beginnings: Iterable[Callable[[], "Future[Any]"]], watch: Callable[[], None]
    ) -> Generator[Any, None, None]:
        """Yield what requests answer, in order. The room of one is free when the next is wanted."""
        flying: deque[Future[Any]] = deque()
        try:
            for begin in beginnings:
                while not self._room.acquire(timeout=_LOOK):
                    watch()
                    if flying and flying[0].done():
                        yield from self._landed(flying, watch)
                flying.append(self._begun(begin))
                while flying[0].done():
                    yield from self._landed(flying, watch)
                    if not flying:
                        break
            while flying:
                yield from self._landed(flying, watch)
        finally:
            self._connection.leave(flying, settled=self._settled)
            for _ in flying:
                self._room.release()

    def _begun(self, begin: Callable[[], "Future[Any]"]) -> "Future[Any]":
        try:
            return begin()
        except BaseException:
            self._room.release()
            raise

    def _landed(self, flying: "deque[Future[Any]]", watch: Callable[[], None]) -> Iterator[Any]:
        yield self._connection.wait(flying[0], watch)
        flying.popleft()
        self._room.release()
