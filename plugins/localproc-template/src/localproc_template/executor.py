"""A backend that runs one task after the other.

Owns the tasks' processes and the records that they leave. Must not know the engine: a desk of
localproc makes an executor of it. It is as small as the contract of executors allows.
"""

import fcntl
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from localproc.model import Report, Task, TaskState
from localproc.plugins.backend import Capabilities, Refused
from localproc.plugins.executor import ExecutorSettings

#: Runs a task ("$@") and leaves a record of it in the folder "$0": ``pid`` once it has begun,
#: ``exit`` when it has ended. It is the shell that writes them, not the engine: the record is
#: complete even if the engine was killed meanwhile. ``env`` finds programs, never shell builtins.
_WRAPPER: Final = 'echo $$ > "$0/pid"; /usr/bin/env -- "$@"; echo $? > "$0/exit"'
_PATIENCE: Final = 10.0  #: seconds that a killed task has to disappear
_LATE: Final = 2.0  #: seconds between TERM and KILL for a task that took too long


class SequentialBackend:
    """Runs tasks one after the other, each by a thread that waits for its process.

    Every task has a folder, named by its key, in the executor's own folder: its record, and its
    handle. As the folder belongs to the home, the next engine finds it and knows what became of the
    task. All verbs but ``check`` may take their time, and may raise ``ExecutorUnavailable``.
    """

    capabilities = Capabilities()
    most = 2  #: one runs, one waits, so that there is no pause
    pace = 0.05  #: seconds between two looks at what runs

    def __init__(self, settings: ExecutorSettings) -> None:
        self._folder = settings.folder
        self._known: set[str] = set()
        self._refused: dict[str, str] = {}  # why the thread could not start them
        self._stopping: set[str] = set()
        self._waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._closed = False
        self._lock = threading.Lock()  # between deciding to start a task, to stop it and to close
        threading.Thread(target=self._work, name="sequential", daemon=True).start()

    # The verbs. Each is called by a thread of its own.

    def check(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Nothing to add to what the capabilities say."""
        return {}

    def submit(self, tasks: Sequence[Task]) -> Mapping[str, str | Refused]:
        """Queue tasks; one that was submitted before, by whomever, is left alone."""
        for task in tasks:
            if task.key not in self._known and self._look(task.key) is None:
                self._known.add(task.key)
                self._waiting.put(task)
        return {task.key: self._record(task.key) for task in tasks}

    def look(self, handles: Mapping[str, str]) -> Mapping[str, Report]:
        """Read the records."""
        return {key: self._look(key) or self._not_begun(key) for key in handles}

    def stop(self, handles: Mapping[str, str], grace: float) -> None:
        """End tasks, and return when nothing of them is left."""
        with self._lock:  # from here on they do not start any more
            self._stopping.update(handles)
        for key in handles:
            self._end(key, grace)

    def find(self, tasks: Sequence[Task]) -> Mapping[str, str]:
        """Find the tasks that have a record, whichever engine has started them."""
        return {task.key: self._record(task.key) for task in tasks if self._look(task.key)}

    def forget(self, handles: Mapping[str, str]) -> None:
        """Remove the records of tasks: nobody will ask for them."""
        for record in handles.values():
            shutil.rmtree(record, ignore_errors=True)

    def watch(self, seconds: float) -> Collection[str] | None:
        """Nothing to wait for: records are looked at."""
        return None

    def tidy(self) -> None:
        """Remove all records."""
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
            except (OSError, ValueError) as error:  # its folder is gone, say
                self._refused[task.key] = str(error)

    def _run(self, task: Task) -> None:
        with self._lock:
            if self._closed or task.key in self._stopping:
                return
            process = self._start(task)
        try:
            process.wait(task.resources.time or None)
        except subprocess.TimeoutExpired:
            Path(self._record(task.key), "late").touch()
            self._end(task.key, _LATE)
            process.wait()
        if self._lives(task.key):
            self._end(task.key, 0)  # its shell has gone: nobody would see the end of the rest

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

    # The records

    def _record(self, key: str) -> str:
        return os.path.join(self._folder, quote(key, safe=""))

    def _look(self, key: str) -> Report | None:
        """Tell of a task by its record, ``None`` if it was never started."""
        # In the order in which they come: one that begins, or ends, meanwhile is not lost.
        started, _ = self._entry(key, "pid")
        lives = self._lives(key)
        ended, code = self._entry(key, "exit")
        if lives:
            return Report(key, TaskState.RUNNING, started=started)
        if ended is not None or (started is not None and self._is_late(key)):
            state = TaskState.TIMED_OUT if self._is_late(key) else TaskState.ENDED
            ended = ended or datetime.now(UTC)
            return Report(key, state, code, started=started or ended, ended=ended)
        if started is not None:
            return Report(key, TaskState.LOST, started=started, reason="it left no exit record")
        return None

    def _not_begun(self, key: str) -> Report:
        """Tell of a task that has no record."""
        if key in self._refused:
            return Report(key, TaskState.REFUSED, reason=self._refused[key])
        return Report(key, TaskState.QUEUED, reason="one runs at a time")

    def _is_late(self, key: str) -> bool:
        return os.path.exists(os.path.join(self._record(key), "late"))

    def _entry(self, key: str, name: str) -> tuple[datetime | None, int]:
        """Return when an entry was made and the number in it; one half written is none yet."""
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
