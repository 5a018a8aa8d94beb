"""Where handlers run.

Owns the choice between a thread and here. On a server, handlers run in threads, so that the event
loop never waits for a disk; in process they are simply called, whether the caller has an event loop
(a notebook does) or none. Must not know what they do.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_HERE: Final = ContextVar("localproc_here", default=False)


@cache
def _quick() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(16, "localproc-http")


@cache
def _patient() -> ThreadPoolExecutor:
    """Those who wait for a job to end have threads of their own: nobody else waits for them."""
    return ThreadPoolExecutor(512, "localproc-sync")


@contextmanager
def here() -> Iterator[None]:
    """Call functions in this very thread, and wait in it, whatever event loop it has."""
    token = _HERE.set(True)
    try:
        yield
    finally:
        _HERE.reset(token)


async def offload(function: Callable[..., _T], *arguments: Any, patient: bool = False) -> _T:
    """Call a function, in a thread of its own kind if this is a server."""
    if _HERE.get():
        return function(*arguments)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_patient() if patient else _quick(), function, *arguments)


async def pause(seconds: float) -> None:
    """Wait."""
    if _HERE.get():
        time.sleep(seconds)
    else:
        await asyncio.sleep(seconds)
