"""Where handlers run.

Owns the choice between a thread and here, and the threads of an app. On a server, handlers run in
threads, so that the event loop never waits for a disk; in process they are simply called, whether
the caller has an event loop (a notebook does) or none. Must not know what they do.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from localproc.http.answers import HttpProblem
from localproc.shortages import THREADS

_T = TypeVar("_T")
_IN_THIS_THREAD: Final = ContextVar("localproc_in_this_thread", default=False)
_QUICK: Final = 16
#: Those who wait for a job to end have threads of their own, so that nobody else waits for them.
_PATIENT: Final = 512


class Threads:
    """The threads of one app. There are none before something is to be done in them."""

    def __init__(self) -> None:
        self._pools: dict[bool, ThreadPoolExecutor] = {}

    async def run(self, function: Callable[..., _T], *arguments: Any, patient: bool = False) -> _T:
        """Call a function, in a thread of its own kind if this is a server.

        Raises what it raises, and ``HttpProblem`` (503) if the system has no thread for it.
        """
        if _IN_THIS_THREAD.get():
            return function(*arguments)
        answer: Future[_T] = Future()
        try:
            self._pool(patient=patient).submit(_give, answer, function, *arguments)
        except RuntimeError as error:
            # It is queued all the same: nobody may take it once it was said that nobody would.
            if answer.cancel():
                said = "the system has no thread left to answer in"
                again = {"Retry-After": "1"}
                raise HttpProblem(503, "NoThread", said, hint=THREADS, headers=again) from error
        return await asyncio.wrap_future(answer)

    def _pool(self, *, patient: bool) -> ThreadPoolExecutor:
        if patient not in self._pools:
            self._pools[patient] = (
                ThreadPoolExecutor(_PATIENT, "localproc-sync")
                if patient
                else ThreadPoolExecutor(_QUICK, "localproc-http")
            )
        return self._pools[patient]

    def close(self) -> None:
        """Let the threads end when what they do is done."""
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.shutdown(wait=False)


def _give(answer: "Future[_T]", function: Callable[..., _T], *arguments: Any) -> None:
    if answer.set_running_or_notify_cancel():
        try:
            answer.set_result(function(*arguments))
        except BaseException as error:
            answer.set_exception(error)


@contextmanager
def in_this_thread() -> Iterator[None]:
    """Call functions in this very thread, and wait in it, whatever event loop it has."""
    token = _IN_THIS_THREAD.set(True)
    try:
        yield
    finally:
        _IN_THIS_THREAD.reset(token)


async def pause(seconds: float) -> None:
    """Wait."""
    if _IN_THIS_THREAD.get():
        time.sleep(seconds)
    else:
        await asyncio.sleep(seconds)
