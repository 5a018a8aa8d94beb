"""An executor of processes, and the container runtimes that make processes of its tasks.

Owns rewriting tasks on their way to the executor, in a thread, as images have to be looked at; and
having a runtime end what a task has left. Must not know any executor, nor any runtime.
"""

import logging
import os
import queue
import selectors
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from localproc import forks
from localproc.errors import ExecutorUnavailable, LocalprocError
from localproc.model import Report, StageAction, Task, TaskState
from localproc.plugins.backend import Capabilities
from localproc.plugins.containers import ContainerRuntime
from localproc.plugins.executor import Executor, unfit
from localproc.shortages import started

_LOG: Final = logging.getLogger("localproc")
_OPEN: Final = (TaskState.QUEUED, TaskState.RUNNING)
_AGAIN: Final = 0.5  #: seconds until a thread is asked for again
_LATER: Final = 1.0  #: seconds until a runtime that does not answer is asked again
_LEAVING: Final = 5.0
_T = TypeVar("_T")

#: Gives a runtime by its name; raises ``LocalprocError``.
Runtimes = Callable[[str], ContainerRuntime]


class Composed:
    """Implements ``localproc.plugins.executor.Executor`` for another one, with containers.

    A task whose container names a runtime reaches the inner executor as the runtime's command; all
    others pass as they are.
    """

    def __init__(self, inner: Executor, runtimes: Runtimes) -> None:
        self._inner = inner
        self._runtimes = runtimes
        self._boxed: dict[str, Task] = {}  #: those in containers, until they have ended
        self._has_boxed = False  #: until then, all that the inner executor says is passed on
        self._on_the_way: set[str] = set()
        self._unwanted: set[str] = set()  #: cancelled before they had reached the inner executor
        self._ready: deque[Task] = deque()
        self._own: deque[Report] = deque()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._bell, self._ring = os.pipe()
        os.set_blocking(self._bell, False)
        os.set_blocking(self._ring, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        if (file := inner.fileno()) is not None:
            self._selector.register(file, selectors.EVENT_READ)
        forks.watch(self)

    @property
    def capabilities(self) -> Capabilities:
        """What the inner executor can do: whose containers these are, each task says."""
        return self._inner.capabilities

    def fileno(self) -> int | None:
        """Return what is readable when the inner executor or the thread has news."""
        return self._selector.fileno()

    def interval(self) -> float | None:
        """Return that of the inner executor, unless a thread is waited for."""
        inner = self._inner.interval()
        if self._thread is not None or self._work.empty():
            return inner
        return _AGAIN if inner is None else min(_AGAIN, inner)

    def room(self) -> int:
        """Return that of the inner executor, without what is on the way to it."""
        return self._inner.room() - len(self._on_the_way)

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Return what the inner executor says of the processes that tasks will be."""
        boxed = [one for one in tasks if is_boxed(one)]
        if not boxed:
            return self._inner.check(tasks)
        able = replace(self._inner.capabilities, containers=True)
        found = {one.key: why for one in boxed if (why := unfit(one, able))}
        plain = [replace(one, container=None) if is_boxed(one) else one for one in tasks]
        return {**self._inner.check(plain), **found}

    def submit(self, tasks: Sequence[Task], *, more: bool = False) -> None:
        """Pass tasks on; those in containers follow when they are commands."""
        plain = []
        for task in tasks:
            if not is_boxed(task):
                plain.append(task)
            elif task.key not in self._boxed:
                self._has_boxed = True
                self._boxed[task.key] = task
                self._on_the_way.add(task.key)
                self._do(partial(self._rewrite, task))
        if plain:
            self._inner.submit(plain, more=more)

    def poll(self) -> Sequence[Report]:
        """Return the news of the inner executor, and what has come of tasks on the way to it."""
        if not self._has_boxed:
            return self._inner.poll()
        self._revive()
        if self._thread is not None:  # else there was no thread to be had yet
            with suppress(BlockingIOError):
                os.read(self._bell, 4096)
            self._pass_on()
        told = [report for report in self._inner.poll() if self._passes(report)]
        while self._own:
            report = self._own.popleft()
            self._forget(report.key)
            told.append(report)
        return told

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """Have tasks stopped; one that has not reached the inner executor never does."""
        left = []
        for key in keys:
            if key in self._on_the_way:
                self._unwanted.add(key)
            else:
                left.append(key)
        if left:
            self._inner.cancel(left, grace)

    def reattach(self, tasks: Sequence[Task]) -> None:
        """Have tasks found: their keys are what they were."""
        self._boxed.update((one.key, one) for one in tasks if is_boxed(one))
        self._has_boxed = self._has_boxed or bool(self._boxed)
        self._inner.reattach(tasks)

    def release(self, keys: Iterable[str]) -> None:
        """Let go of tasks."""
        self._inner.release(keys)

    def tidy(self) -> None:
        """Have the inner executor tidy up."""
        self._inner.tidy()

    def close(self) -> None:
        """End the thread, and let go."""
        forks.forget(self)
        self._closed.set()
        self._work.put(None)
        if self._thread is not None:
            self._thread.join(_LEAVING)
        self._inner.close()
        self._selector.close()
        ends, self._bell, self._ring = (self._bell, self._ring), -1, -1
        forks.close(*ends)  # their numbers are other files' from here on

    def left_behind(self) -> None:
        """In a forked child: the thread is the parent's."""
        self._selector.close()
        forks.close(self._bell, self._ring)

    # In the loop

    def _pass_on(self) -> None:
        ready = []
        while self._ready:
            task = self._ready.popleft()
            self._on_the_way.discard(task.key)
            if task.key in self._unwanted:
                self._own.append(Report(task.key, TaskState.CANCELLED))
            else:
                ready.append(task)
        if ready:
            self._inner.submit(ready)

    def _passes(self, report: Report) -> bool:
        """Whether a report may be told now; one of an odd end waits for its runtime."""
        task = self._boxed.get(report.key)
        if task is None or report.state in _OPEN:
            return True
        if _is_sound(report):
            self._forget(report.key)
            return True
        self._do(partial(self._end, task, report))
        return False

    def _forget(self, key: str) -> None:
        self._boxed.pop(key, None)
        self._on_the_way.discard(key)
        self._unwanted.discard(key)

    def _do(self, work: Callable[[], None]) -> None:
        self._work.put(work)
        self._revive()

    def _revive(self) -> None:
        """Have a thread for what is to be done, as soon as the system gives one."""
        if self._work.empty() or (self._thread is not None and self._thread.is_alive()):
            return
        thread = threading.Thread(target=self._live, name="localproc-containers", daemon=True)
        self._thread = thread if started(thread) else None

    # In the thread

    def _live(self) -> None:
        while not self._closed.is_set():
            work = self._work.get()
            if work is None:
                return
            work()
            with suppress(BlockingIOError, OSError):  # it is full of rings, or closed
                os.write(self._ring, b"!")

    def _rewrite(self, task: Task) -> None:
        """Make a command of a task; one that cannot be is refused."""
        try:
            plain = self._answered(lambda: self._commanded(task))
            if plain is None:
                return
            make_beside(plain.stage)
        except (LocalprocError, OSError) as error:
            self._own.append(Report(task.key, TaskState.REFUSED, reason=_said(error)))
        except Exception as error:
            _LOG.exception("a task cannot be put into a container")
            self._own.append(Report(task.key, TaskState.REFUSED, reason=_said(error)))
        else:
            self._ready.append(plain)

    def _commanded(self, task: Task) -> Task:
        box = task.container
        assert box is not None
        runtime = self._runtimes(box.runtime)
        image = runtime.image(box)
        if image is None:
            raise LocalprocError(f"the image {box.image} is not here", hint=runtime.brings(box))
        if box.digest and image.digest != box.digest:
            raise LocalprocError(
                f"the image {box.image} is another one since the step was prepared",
                hint="run the job again",
            )
        return runtime.command(task, image)

    def _end(self, task: Task, report: Report) -> None:
        """Have the runtime end what is left of a task, then tell of its end."""
        assert task.container is not None
        name = task.container.runtime
        try:
            self._answered(lambda: self._runtimes(name).stop(task))
        except Exception as error:
            _LOG.warning("%s may have left something running: %s", name, _said(error))
        self._own.append(report)

    def _answered(self, ask: Callable[[], _T]) -> _T | None:
        """Return an answer; a runtime that is away is asked again, until this is closed."""
        while not self._closed.is_set():
            try:
                return ask()
            except ExecutorUnavailable as error:
                _LOG.info("%s", error.message)
                self._closed.wait(_LATER)
        return None


def is_boxed(task: Task) -> bool:
    """Return whether a task runs in a container of a runtime, not of its executor."""
    return task.container is not None and bool(task.container.runtime)


def _is_sound(report: Report) -> bool:
    """Whether a task has ended by itself: then nothing of its container is left."""
    return report.state is TaskState.ENDED and (report.exit_code or 0) >= 0


def make_beside(actions: Iterable[StageAction]) -> None:
    """Make what a command needs beside the task's own folders; what is there already will do."""
    for one in actions:
        if one.kind == "mkdir":
            with suppress(FileExistsError):
                _make_folder(one.target)
        elif one.kind == "link":
            with suppress(FileExistsError):
                os.symlink(one.source, one.target)
        else:
            with open(one.target, "wb", 0) as file:
                file.write(one.contents.encode())


def _make_folder(path: str) -> None:
    """Most have their parents: those are looked for where that turns out to be wrong."""
    try:
        os.mkdir(path)
    except FileNotFoundError:
        os.makedirs(path)


def _said(error: Exception) -> str:
    if isinstance(error, LocalprocError):
        return "; ".join(filter(None, (error.message, error.hint)))
    return f"{type(error).__name__}: {error}"
