"""Requests that end: those whose contents hardly move are given up.

Owns how long each of them may take, whatever a server does. Must not know what they are for.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from localproc.storage import pace
from localproc_s3.object_body import SENT, Piece

_T = TypeVar("_T")

#: Seconds within which a server answers what neither brings nor sends contents.
_ANSWERING: Final = 20.0
#: Of an upload that is completed, meanwhile a server may send spaces (S3, CompleteMultipartUpload).
_COMPLETING: Final = 600.0
#: Operations that carry contents.
_CARRYING: Final = frozenset({"get_object", "put_object", "upload_part"})


class Pacing:
    """Lets requests take their time; ``slowest`` are the bytes a second that have to move."""

    def __init__(self, slowest: float) -> None:
        # Of none at all each is too slow: nobody else ends a request that is not read.
        self._slowest = max(slowest, 1 / pace.SPAN)

    async def answer(self, client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        """Return what an operation answers; raises ``TimeoutError`` for what takes too long."""
        making = getattr(client, operation)(**arguments)
        if operation not in _CARRYING:
            is_end = operation == "complete_multipart_upload"
            return await _within(making, _COMPLETING if is_end else _ANSWERING)
        if operation != "get_object":
            piece: Piece = arguments["Body"]
            return await self._paced(making, lambda: piece.taken, SENT)
        answer = await self._paced(making, lambda: 0)
        async with answer["Body"] as body:  # it is closed, too, if it is cut short
            coming = body.raw_stream.content
            answer["Data"] = await self._paced(body.read(), lambda: coming.total_bytes)
        return answer

    async def keys(self, making: Coroutine[Any, Any, _T]) -> _T:
        """Return what asks for keys, perhaps, wherever they are."""
        return await _within(making, pace.SPAN)

    async def _paced(
        self, making: Coroutine[Any, Any, _T], moved: Callable[[], int], step: int = 0
    ) -> _T:
        """Return what is made, whose bytes move in ``step``s."""
        span = max(pace.SPAN, step / self._slowest if step else 0)
        look = _Look(moved, pace.Pace(self._slowest), span)
        try:
            async with look.limit:  # a task of its own would be slower
                return await making
        except TimeoutError as error:
            raise TimeoutError(look.said or str(error)) from None
        finally:
            look.end()


class _Look:
    """Looks at what has moved, again and again; it keeps nothing alive once it is over."""

    def __init__(self, moved: Callable[[], int], counted: pace.Pace, span: float) -> None:
        self.limit = asyncio.timeout(None)
        self.said = ""
        self._moved = moved
        self._counted = counted
        self._span = span
        self._before = moved()
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(span, self._look)

    def end(self) -> None:
        """Look no more."""
        self._next.cancel()

    def _look(self) -> None:
        now = self._moved()
        try:
            self._counted.waited(self._span, now - self._before)
        except TimeoutError as error:
            self.said = str(error)
            self.limit.reschedule(self._loop.time())
        else:
            self._before = now
            self._next = self._loop.call_later(self._span, self._look)


async def _within(making: Coroutine[Any, Any, _T], seconds: float) -> _T:
    try:
        async with asyncio.timeout(seconds):
            return await making
    except TimeoutError as error:
        raise TimeoutError(str(error) or f"there was no answer within {seconds:.0f} s") from None
