"""A plugin to copy: an executor that runs one task after the other, and a storage in memory.

The two functions at the top are the plugin; each gives what can be opened by name. The classes
below are kept as small as the contracts of ``localproc.testing`` allow.
"""

import fcntl
import hashlib
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from localproc.errors import StagingError
from localproc.model import Report, Task, TaskState
from localproc.plugins import hookimpl
from localproc.plugins.executor import Capabilities, ExecutorPlugin, ExecutorSettings
from localproc.plugins.storage import Info, StoragePlugin, Watch, unwatched


@hookimpl
def localproc_executors() -> Iterable[ExecutorPlugin]:
    """Offer ``Engine(executor="sequential")``.

    What opens it is a function or a class; let it import what is heavy, for this one is called by
    every engine. The capabilities are the default ones: it runs no containers.
    """
    summary = "processes, one after the other"
    return [ExecutorPlugin("sequential", SequentialExecutor, summary, Capabilities())]


@hookimpl
def localproc_storages() -> Iterable[StoragePlugin]:
    """Offer URIs that begin with ``memory:``."""
    return [StoragePlugin("memory", MemoryStorage.open, "a dictionary, gone with its engine")]


#: Runs a task ("$@") and leaves a record of it in the folder "$0": ``pid`` once it has begun,
#: ``exit`` when it has ended. It is the shell that writes them, not the engine: the record is
#: complete even if the engine was killed meanwhile. ``env`` finds programs, never shell builtins.
_WRAPPER: Final = 'echo $$ > "$0/pid"; /usr/bin/env -- "$@"; echo $? > "$0/exit"'
_AHEAD: Final = 2  #: tasks that are taken on: one runs, one waits, so that there is no pause
_POLL: Final = 0.05  #: seconds between two looks at what runs
_PATIENCE: Final = 10.0  #: seconds that a killed task has to disappear
_LATE: Final = 2.0  #: seconds between TERM and KILL for a task that took too long


class SequentialExecutor:
    """Runs tasks one after the other, each by a thread that waits for its process.

    Every task has a folder, named by its key, in the executor's own folder: its record. As the
    folder belongs to the home, the next engine finds it and knows what became of the task.
    """

    def __init__(self, settings: ExecutorSettings) -> None:
        self._folder = settings.folder
        self._open: set[str] = set()  # tasks whose end has not been reported
        self._followed: set[str] = set()  # ... that an earlier engine has started
        self._stopping: set[str] = set()  # ... that are to be reported as cancelled
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()  # between deciding to start a task, to stop it and to close
        threading.Thread(target=self._work, name="sequential", daemon=True).start()

    # What the engine asks. All of it is called by one thread, and none of it may take long.

    def fileno(self) -> int | None:
        """Nothing to wait for: the engine asks again after ``interval``."""
        return None

    def interval(self) -> float | None:
        """Be asked for news so often while there is something to tell."""
        return _POLL if self._open else None

    def room(self) -> int:
        """Take on little: what waits here cannot be run by anybody else."""
        return max(0, _AHEAD - len(self._open))

    def submit(self, tasks: Sequence[Task]) -> None:
        """Queue tasks; one that was submitted before is left alone."""
        for task in tasks:
            if task.key not in self._open:
                self._open.add(task.key)
                self._waiting.put(task)

    def poll(self) -> Sequence[Report]:
        """Give what the thread has told, and what became of the tasks of earlier engines."""
        reports = []
        while not self._news.empty():
            reports.append(self._news.get())
        for key in list(self._followed):
            report = self._look(key)
            if report is not None and report.state is not TaskState.RUNNING:
                reports.append(report)
        for report in reports:
            if report.state is not TaskState.RUNNING:
                self._open.discard(report.key)
                self._followed.discard(report.key)
        return reports

    def cancel(self, keys: Iterable[str], grace: float) -> None:
        """End tasks in a thread of their own, for grace takes time. Unknown ones have ended."""
        for key in keys:
            with self._lock:  # from here on it does not start any more
                self._stopping.add(key)
            self._followed.discard(key)
            threading.Thread(target=self._stop, args=(key, grace), daemon=True).start()

    def reattach(self, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """Read the records that an earlier engine's tasks have left, and follow what runs."""
        found = {task.key: self._look(task.key) for task in tasks}
        reports = {key: report for key, report in found.items() if report is not None}
        running = [key for key, report in reports.items() if report.state is TaskState.RUNNING]
        self._open.update(running)
        self._followed.update(running)
        return reports

    def tidy(self) -> None:
        """Remove the records: nobody will ask for them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        """Start nothing any more. What runs goes on, and writes its own exit record."""
        with self._lock:
            self._closed = True
        self._waiting.put(None)

    # The thread

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            try:
                self._run(task)
            except OSError as error:  # its folder is gone, say; 126 is "could not be started"
                self._news.put(Report(task.key, TaskState.ENDED, 126, reason=str(error)))

    def _run(self, task: Task) -> None:
        with self._lock:
            if self._closed or task.key in self._stopping:
                return
            process = self._start(task)
        self._news.put(Report(task.key, TaskState.RUNNING, started=datetime.now(UTC)))
        late = False
        try:
            process.wait(task.resources.time or None)
        except subprocess.TimeoutExpired:
            late = True
            self._end(task.key, _LATE)
            process.wait()
        report = self._look(task.key)
        if report is not None and report.state is TaskState.RUNNING:
            self._end(task.key, 0)  # its shell was killed: nobody would see the end of the rest
            report = self._look(task.key)
        with self._lock:
            if task.key in self._stopping or report is None:
                return  # whoever stops it also tells of it
        self._news.put(replace(report, state=TaskState.TIMED_OUT) if late else report)

    def _start(self, task: Task) -> "subprocess.Popen[bytes]":
        """Start a task as the leader of a process group, holding the lock of its record."""
        record = self._record(task.key)
        os.makedirs(record, exist_ok=True)
        with (
            open(os.path.join(record, "lock"), "wb") as lock,
            open(task.stdin or os.devnull, "rb") as stdin,
            open(task.stdout, "ab") as stdout,
            open(task.stderr, "ab") as stderr,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            return subprocess.Popen(
                ["/bin/sh", "-c", _WRAPPER, record, *task.argv],
                cwd=task.outdir,
                env=dict(task.env),
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                pass_fds=[lock.fileno()],  # so the lock is held until all of the task has ended
                start_new_session=True,
            )

    def _stop(self, key: str, grace: float) -> None:
        self._end(key, grace)
        self._news.put(Report(key, TaskState.CANCELLED))

    # The records

    def _record(self, key: str) -> str:
        return os.path.join(self._folder, quote(key, safe=""))

    def _look(self, key: str) -> Report | None:
        """Tell of a task by its record, ``None`` if it was never started."""
        lives = self._lives(key)  # first: one that ends meanwhile has an exit record
        started, _ = self._entry(key, "pid")
        ended, code = self._entry(key, "exit")
        if ended is not None:
            return Report(key, TaskState.ENDED, code, started or ended, ended)
        if lives:
            return Report(key, TaskState.RUNNING, started=started)
        if started is not None:
            return Report(key, TaskState.LOST, started=started, reason="it left no exit record")
        return None

    def _entry(self, key: str, name: str) -> tuple[datetime | None, int]:
        """Give when an entry was made and the number in it; one half written is none yet."""
        path = os.path.join(self._record(key), name)
        try:
            with open(path, encoding="ascii") as file:
                text = file.read()
                made = os.fstat(file.fileno()).st_mtime
        except FileNotFoundError:
            return None, 0
        return (datetime.fromtimestamp(made, UTC), int(text)) if text.endswith("\n") else (None, 0)

    def _lives(self, key: str) -> bool:
        """Whether any process of a task lives: the kernel gives the lock up with the last one."""
        try:
            with open(os.path.join(self._record(key), "lock"), "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False

    def _end(self, key: str, grace: float) -> None:
        """TERM, a time of grace, then KILL, until nothing is left of the task's process group."""
        self._signal(key, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while self._lives(key) and time.monotonic() < deadline:
            time.sleep(0.01)
        deadline = time.monotonic() + _PATIENCE
        while self._lives(key) and time.monotonic() < deadline:
            self._signal(key, signal.SIGKILL)
            time.sleep(0.01)

    def _signal(self, key: str, number: int) -> None:
        started, pid = self._entry(key, "pid")
        if started is not None and self._lives(key):  # or the number may be somebody else's by now
            try:
                os.killpg(pid, number)
            except ProcessLookupError:
                return


class MemoryStorage:
    """Objects in a dictionary. Several threads may use it: each method touches it just once."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}

    @classmethod
    def open(cls, _: Mapping[str, Any]) -> "MemoryStorage":
        """Open it. The options would be those of ``Engine(storage_options={"memory": {...}})``."""
        return cls()

    def info(self, uri: str) -> Info | None:
        """Give what is there; the etag must change with the contents."""
        data = self._objects.get(uri)
        return None if data is None else _info(uri, data)

    def fetch(
        self, uri: str, path: str, *, most: int | None = None, watch: Watch = unwatched
    ) -> Info:
        """Write an object to a file. Partial files and retries are the engine's business."""
        watch(0)  # again and again where it takes long: so a job can be dismissed meanwhile
        data = self._objects.get(uri)
        if data is None:
            raise StagingError(f"{uri} does not exist", uri=uri)
        if most is not None and len(data) > most:
            raise StagingError(f"{uri} is larger than {most} bytes", uri=uri)
        with open(path, "wb") as file:
            file.write(data)
        return _info(uri, data)

    def put(
        self,
        path: str,
        uri: str,
        *,
        media_type: str = "application/octet-stream",
        disposable: bool = False,
    ) -> Info:
        """Read the file first, then store it in one step: nobody ever sees half of it."""
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError as error:
            raise StagingError(f"{uri}: {error.strerror}", uri=uri) from error
        self._objects[uri] = data
        return _info(uri, data)

    def list(self, prefix: str) -> Iterator[Info]:
        """Give all objects below a prefix."""
        for uri, data in sorted(self._objects.items()):
            if uri.startswith(prefix):
                yield _info(uri, data)

    def delete(self, uris: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
        for uri in uris:
            self._objects.pop(uri, None)

    def presign(self, uri: str, seconds: int) -> str | None:
        """There is no such thing here. A storage with web addresses gives one that expires."""
        return None

    def describe(self, uri: str) -> Mapping[str, Any]:
        """Nothing to add to STAC assets. S3 would give ``storage:platform`` and the like."""
        return {}

    def close(self) -> None:
        """Let go of everything. A storage with connections closes them."""
        self._objects.clear()


def _info(uri: str, data: bytes) -> Info:
    return Info(uri, len(data), hashlib.sha256(data).hexdigest())
