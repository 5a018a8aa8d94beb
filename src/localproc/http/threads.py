"""Where handlers run.

Owns the choice between a thread and here. On a server, handlers run in threads, so that the event
loop never waits for a disk; in process there is no event loop at all, and they are simply called.
Must not know what they do.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

_T = TypeVar("_T")
_QUICK: Final = ThreadPoolExecutor(16, "localproc-http")
#: Those who wait for a job to end have threads of their own, so that nobody else waits for them.
_PATIENT: Final = ThreadPoolExecutor(512, "localproc-sync")


async def offload(function: Callable[..., _T], *arguments: Any, patient: bool = False) -> _T:
    """Call a function, in a thread if there is an event loop."""
    loop = _loop()
    if loop is None:
        return function(*arguments)
    return await loop.run_in_executor(_PATIENT if patient else _QUICK, function, *arguments)


async def pause(seconds: float) -> None:
    """Wait."""
    if _loop() is None:
        time.sleep(seconds)
    else:
        await asyncio.sleep(seconds)


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
